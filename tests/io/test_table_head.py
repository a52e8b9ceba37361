"""What the first lines of a table show, also with texts among its numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.io._table_head import TableHead, table_head

ROW, NOTE = "1.5,2,-3,4", "1.5,2,-3,4,"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([ROW] * 9, TableHead(0)),
        (["a,b,c,d", *[ROW] * 9], TableHead(1)),
        (["lab", "mmHg", "a,b,c,d", *[ROW] * 9], TableHead(3)),
        (["#TALLY 1", "#rate", *[ROW] * 9], TableHead(2, signature=True)),
        (["# of lab", *[ROW] * 9], TableHead(1, signature=True)),
        ([NOTE] * 9, TableHead(0, (5,), "comma")),
        ([NOTE + "wet swallow", *[NOTE] * 9], TableHead(0, (5,), "comma")),
        (["a,b,c,d,n", *[NOTE + "x"] * 9], TableHead(1, (5,), "comma")),
        (["lab", "mmHg", *[NOTE] * 9], TableHead(2, (5,), "comma")),
        (
            ["t;a;b;c;n", *["0,5;1,5;NA;2,5;x y"] * 2, *["0,5;1,5;3;2,5;"] * 9],
            TableHead(1, (5,), "semicolon"),
        ),
        (
            ["t;a;b;c;n", "0,5;1,5;NA;2,5;x", *["0,5;1,5;3;2,5;"] * 9],
            TableHead(1, (5,), "semicolon"),
        ),
        # More texts than a recording has: a list of patients.
        (["name,age,sex,weight", *["x y,40,f,70"] * 9], None),
        (["onset_s,posture", *["3,supine"] * 9], None),
        (["a list", "of things", "1,2,3", "more text", "4,5,6"], None),
        (["milk", "bread"], None),
        (["1,2,3"], None),
        ([""], None),
    ],
)
def test_where_numbers_begin_and_texts_stand(lines, found):
    assert table_head("\n".join(lines).encode()) == found


@given(
    n_above=st.integers(0, 12),
    texts=st.sets(st.integers(1, 8), max_size=2),
    mark=st.sampled_from([(",", "comma"), (";", "semicolon"), ("\t", "tab")]),
)
def test_any_table_is_described_as_it_was_written(n_above, texts, mark):
    cells = [["note" if k in texts else f"{k}.5" for k in range(1, 9)] for _ in range(9)]
    lines = [*["some text above"] * n_above, *(mark[0].join(row) for row in cells)]
    wanted = TableHead(n_above, tuple(sorted(texts)), mark[1] if texts else "")
    assert table_head("\n".join(lines).encode()) == wanted


@given(st.binary(max_size=400))
def test_no_content_makes_it_raise(head):
    table_head(head)
