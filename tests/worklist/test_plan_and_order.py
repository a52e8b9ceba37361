"""The plan, the assignment and the order: checked, balanced, the same every time."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.errors import FormatError, ParameterError
from hrm.readings import AGAIN
from hrm.worklist.order import assigned, codes, order_for, reread_by
from hrm.worklist.plan import FILE_NAME, WorklistPlan, read_plan, write_plan

DIGESTS = [hashlib.sha256(bytes([k])).hexdigest() for k in range(60)]
SOME = st.lists(st.sampled_from(DIGESTS), min_size=1, unique=True)
READERS = ("AB", "CD", "EF")


def plan(**more):
    return WorklistPlan(**{"readers": READERS, "double": True, "seed": 7} | more)


def test_a_plan_reads_back_as_it_was_written(tmp_path):
    made = plan(adjudicator="XY", reread=0.1, disagreement=("diagnosis",))
    write_plan(made, tmp_path)
    assert read_plan(tmp_path) == made


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"readers": ()}, "readers must be a list of 1 to 20"),
        ({"readers": ("Jane Doe",), "double": False}, "a reader is a code"),
        ({"readers": ("AB", "AB")}, "named once"),
        ({"adjudicator": "AB"}, "the adjudicator is none of the readers"),
        ({"readers": ("AB",)}, "double needs two readers"),
        ({"reread": 1.5}, "reread must be a share"),
        ({"disagreement": ("mood",)}, "disagreement must name some of"),
        ({"readers": ("AB", "CD" + AGAIN)}, "does not end in"),
    ],
)
def test_a_plan_that_cannot_be_carried_out(said, fault):
    with pytest.raises(ParameterError, match=fault) as err:
        plan(**said)
    assert "Jane" not in str(err.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "readers is missing"),
        ('readers = "AB"', "readers must be a list of texts"),
        ('readers = ["AB"]\nseed = true', "seed must be a whole number"),
        ('readers = ["AB"]\ndoctor = "Doe"', "1 unknown keys"),
    ],
)
def test_faults_of_the_file_are_named(tmp_path, text, fault):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ParameterError, match=fault):
        read_plan(tmp_path)


def test_no_plan_and_no_toml(tmp_path):
    with pytest.raises(ParameterError, match="--init"):
        read_plan(tmp_path)
    (tmp_path / FILE_NAME).write_text("readers = [")
    with pytest.raises(FormatError):
        read_plan(tmp_path)


@given(SOME, st.integers(0, 5))
def test_codes_tell_the_studies_apart_and_say_nothing(digests, seed):
    made = codes(digests, seed)
    assert len(set(made.values())) == len(digests)
    assert made == codes(digests[::-1], seed)
    assert not any(code.lower() in digest for digest, code in made.items())


@given(SOME, st.booleans(), st.integers(0, 5))
def test_readers_have_as_many_studies_as_each_other(digests, double, seed):
    made = assigned(digests, plan(double=double, seed=seed))
    assert all(len(set(who)) == len(who) == 1 + double for who in made.values())
    load = Counter(code for who in made.values() for code in who)
    counts = [load[code] for code in READERS]
    assert max(counts) - min(counts) <= 1


@given(SOME, SOME)
def test_who_has_begun_keeps_the_study(first, later):
    before = assigned(first, plan())
    after = assigned({*first, *later}, plan(), before)
    assert {digest: after[digest] for digest in before} == before


def test_each_reader_has_another_order_and_the_same_every_time():
    orders = {code: order_for(code, DIGESTS, plan()) for code in READERS}
    assert len({tuple(order) for order in orders.values()}) == 3
    assert orders == {code: order_for(code, DIGESTS[::-1], plan()) for code in READERS}
    # Random, not by name: few studies stand where they stand in another order.
    same = sum(a == b for a, b in zip(orders["AB"], orders["CD"], strict=True))
    assert same < 10


@given(st.floats(0, 1))
def test_the_share_that_is_read_again(share):
    again = reread_by("AB", DIGESTS, plan(reread=share))
    assert len(again) == len(set(again)) <= 60
    assert 60 * share - 1e-6 <= len(again) < 60 * share + 1
    assert again == order_for("AB" + AGAIN, again, plan())
