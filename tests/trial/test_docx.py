"""The Word document: real tables, the same bytes for the same tables."""

import io

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.plot.trial import Interval, figure_bytes, interval_figure
from hrm.trial.outputs.docx import Picture, word_document
from hrm.trial.tables.table import TrialTable

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def table(columns=3, rows=2, name="flow"):
    heads = tuple(f"head {k}" for k in range(columns))
    cells = tuple(tuple(f"{r}.{c}" for c in range(columns)) for r in range(rows))
    return TrialTable(name, f"Title of {name}", heads, cells, ("First note.", "Second note."))


def picture():
    drawn = interval_figure([Interval("ITT", -1.0, -5.0, 3.0)], xlabel="points", margin=15)
    return Picture("interval", "Interval against the margin", figure_bytes(drawn, "png"))


def read(content):
    return docx.Document(io.BytesIO(content))


def test_every_cell_and_note_is_in_a_table_of_word():
    made = table(), table(4, 5, "missing")
    found = read(word_document("A trial", ["Said first."], made, [picture()]))
    assert len(found.tables) == 2
    for grid, known in zip(found.tables, made, strict=True):
        cells = [[cell.text for cell in row.cells] for row in grid.rows]
        assert cells == [list(known.columns), *(list(row) for row in known.rows)]
    texts = [paragraph.text for paragraph in found.paragraphs]
    assert texts[:2] == ["A trial", "Said first."]
    assert texts.count("First note.") == 2
    assert "Table 2. Title of missing" in texts
    assert "Figure 1. Interval against the margin" in texts
    assert len(found.inline_shapes) == 1


def test_a_wide_table_turns_the_page_and_the_next_turns_it_back():
    found = read(word_document("T", [], [table(), table(12), table()]))
    assert [s.page_width > s.page_height for s in found.sections] == [False, True, False]


def test_the_same_tables_give_the_same_bytes(monkeypatch):
    first = word_document("T", ["x"], [table()], [picture()])
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert word_document("T", ["x"], [table()], [picture()]) == first
    assert read(first).core_properties.author == "hrm"


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT)
def test_any_text_comes_through(rows, note):
    made = TrialTable("t", "T", ("a", "b"), tuple(rows), (note,))
    (grid,) = read(word_document("T", [], [made])).tables
    found = [tuple(c.text for c in row.cells) for row in grid.rows[1:]]
    # The first column names the row; in the others a space or a sign may not end a line.
    assert [name for name, _ in found] == [name for name, _ in rows]
    assert [plain(cell) for _, cell in found] == [plain(cell) for _, cell in rows]


def test_without_the_library_it_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "docx", None)
    from hrm.errors import MissingDependencyError

    with pytest.raises(MissingDependencyError, match=r"hrm\[trial\]"):
        word_document("T", [], [table()])
