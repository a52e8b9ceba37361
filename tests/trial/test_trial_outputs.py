"""What leaves the tables: Word, pictures, pages; and that any records make tables that hold."""

import dataclasses
import io
import re
from collections import Counter

import docx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrm.errors import ParameterError
from hrm.trial.inputs.clinical import Participant, read_clinical
from hrm.trial.inputs.plan import read_plan
from hrm.trial.outcome import Arm, Followed, arms_of
from hrm.trial.outputs.docx import word_document
from hrm.trial.outputs.figures import all_figures, forest_rows
from hrm.trial.records import (
    AdverseEvents,
    Event,
    Failures,
    Measure,
    Pair,
    Records,
    Variable,
)
from hrm.trial.tables._cells import quantile
from hrm.trial.tables.assembled import all_tables
from hrm.trial.tables.described import standardized_difference
from hrm.trial.tables.flow import participant_flow
from hrm.trial.tables.rounding import half_up
from hrm.trial.tables.table import TrialTable
from tests.trial import test_trial_report as eight
from tests.trial.test_trial_tables import RECORDS

CODES = [f"P{number}" for number in range(1, 9)]


@pytest.fixture(name="trial", scope="module")
def _trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eight")
    for name, text in (
        ("trial.toml", eight.PLAN),
        ("participants.csv", eight.PARTICIPANTS),
        ("visits.csv", eight.VISITS),
        ("allocation.csv", eight.ALLOCATION),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    return clinical, arms_of(clinical, plan), plan


def plain(text):
    """A cell of Word as the table has it."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def test_word_holds_every_cell_and_note(trial):
    made = all_tables(*trial, RECORDS).tables
    read = docx.Document(io.BytesIO(word_document("A trial", ["Said."], made)))
    assert len(read.tables) == len(made)
    for grid, table in zip(read.tables, made, strict=True):
        cells = [[plain(cell.text) for cell in row.cells] for row in grid.rows]
        assert cells == [list(table.columns), *(list(row) for row in table.rows)]
        assert all(
            run.bold for cell in grid.rows[0].cells for p in cell.paragraphs for run in p.runs
        )
    said = [paragraph.text for paragraph in read.paragraphs]
    assert {"Said.", *(note for table in made for note in table.notes)} <= set(said)
    assert [text for text in said if text.startswith("Table ")] == [
        f"Table {number}. {table.title}" for number, table in enumerate(made, 1)
    ]


def test_no_line_of_word_parts_a_sign_from_its_number():
    table = TrialTable("t", "T", ("", "-1 a"), (("x-1", "-7.9 to -5.1, n = 3"),), ())
    read = docx.Document(io.BytesIO(word_document("T", [], [table])))
    shown = read.tables[0].rows[1].cells[1].text
    assert (
        shown
        == "−7.9\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}−5.1, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}3"
    )
    assert read.tables[0].rows[1].cells[0].text == "x-1"


def text_of(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def test_figures_show_the_numbers_of_the_tables(trial):
    drawn = {each.name: each for each in all_figures(*trial, RECORDS)}
    flow = text_of(drawn["figure_flow"].svg)
    for text in (
        "n = 9",
        "Excluded, n = 1",
        "n = 8",
        "posterior, n = 4",
        "treated: 3",
        "missing: 1, of whom",
        "no visit: 1",
        "item missing: 1",
    ):
        assert text in flow
    assert flow.count("analyzed: 4, not: 0") == 2
    assert "analyzed: 3, not: 1, of whom" in flow
    assert "analyzed: 2, not: 2, of whom" in flow
    # P4 and P8 by flag, P7 for want of an outcome.
    assert (flow.count("not in the set: 1"), flow.count("outcome missing: 1")) == (2, 1)
    margin = text_of(drawn["figure_margin"].svg)
    assert any("margin" in text and "20" in text for text in margin)
    assert margin.count("2/4 against 2/4") == 2
    assert "1/1 against 1/2; interaction p 0.7087" in text_of(drawn["figure_subgroups"].svg)
    # At risk: at the start who was followed, then as in the table.
    failure = text_of(drawn["figure_failure"].svg)
    assert [failure.count(text) for text in ("at risk", "posterior", "anterior")] == [1, 2, 2]
    tail = failure[failure.index("at risk") + 1 :]
    assert [text for text in tail if text.isdigit()][:6] == ["3", "3", "2", "4", "3", "2"]
    assert "posterior, n = 2" in text_of(drawn["figure_paired_1"].svg)
    assert "2/4 (50.0%)" in drawn["figure_paired_1"].caption
    for each in drawn.values():
        assert each.png.startswith(b"\x89PNG")


def test_the_forest_has_the_intervals_of_its_table(trial):
    drawn = forest_rows(trial[1], trial[2], RECORDS)[1:]
    made = {table.name: table.rows for table in all_tables(*trial, RECORDS).tables}["subgroups"]
    for row, cells in zip(drawn, made, strict=True):
        assert row.label == cells[0]
        shown = [half_up(value, 1) for value in (row.estimate, row.low, row.high)]
        limits = cells[4].split(" to ") if cells[4] != "NA" else ["NA", "NA"]
        assert shown == [cells[3], *limits]


def test_figures_stand_below_tables_that_are_made_and_in_their_order(trial):
    names = [table.name for table in all_tables(*trial, RECORDS).tables]
    places = [names.index(each.below) for each in all_figures(*trial, RECORDS)]
    assert places == sorted(places)


def test_boxes_that_do_not_add_up_are_refused(trial):
    clinical, arms, plan = trial
    short = (dataclasses.replace(arms[0], people=arms[0].people[1:]), arms[1])
    with pytest.raises(ParameterError, match="1 boxes of the participant flow do not add up"):
        participant_flow(clinical, short, plan)
    strange = dataclasses.replace(plan, excluded_reasons=("not eligible",))
    with pytest.raises(ParameterError, match="do not add up"):
        participant_flow(clinical, arms, strange)


NUMBERS = st.dictionaries(st.sampled_from(CODES), st.integers(-5, 30).map(float))
LEVELS = st.dictionaries(st.sampled_from(CODES), st.sampled_from("xyz"))
VALUE = st.none() | st.integers(0, 40).map(float)
PAIRS = st.dictionaries(
    st.sampled_from(CODES),
    st.builds(
        Pair,
        VALUE,
        VALUE,
        st.sampled_from(["", "no study"]),
        st.just(""),
        st.sampled_from(["", "moved"]),
    ),
)
EVENT = st.builds(
    Event,
    st.sampled_from(CODES),
    st.sampled_from(["bleeding", "leak"]),
    st.none() | st.sampled_from(["mild", "severe"]),
    st.none() | st.just("early"),
    st.none() | st.booleans(),
    st.none() | st.booleans(),
    st.booleans(),
)
FOLLOWED = st.dictionaries(
    st.sampled_from(CODES), st.tuples(st.integers(0, 24).map(float), st.booleans())
)
SLOW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SLOW
@given(
    NUMBERS,
    LEVELS,
    PAIRS,
    st.lists(EVENT, max_size=8),
    FOLLOWED,
    st.sampled_from(["type-2", "type-7"]),
)
def test_any_records_make_tables_whose_counts_hold(
    trial, numbers, levels, pairs, events, followed, rule
):
    clinical, arms, plan = trial
    category = Variable("C", "category", levels, levels=("x", "y", "z"))
    records = Records(
        characteristics=(
            Variable("N", "mean", numbers),
            Variable("M", "median", numbers),
            category,
        ),
        reflux=(category, Variable("N", "mean", numbers)),
        subgroups=(category,),
        strata=category,
        measures=(Measure("P", "mm Hg", pairs),),
        failures=Failures("months", (6.0, 12.0), followed, horizon=12.0),
        adverse_events=AdverseEvents("x", ("mild", "severe"), ("early",), tuple(events)),
        quantiles=rule,
        standardized=True,
    )
    made = {table.name: table for table in all_tables(clinical, arms, plan, records).tables}
    for table in made.values():
        assert {len(row) for row in table.rows} <= {len(table.columns)}
        assert not any("nan" in cell or "inf " in cell for row in table.rows for cell in row)
    # Levels of a category add up to those whose level is known.
    for column, arm in ((1, arms[0]), (2, arms[1])):
        cells = [
            row[column]
            for row in made["baseline"].rows
            if row[0].startswith("C: ") and "missing" not in row[0]
        ]
        known = sum(each.person.code in levels for each in arm.people)
        assert sum(int(cell.split("/")[0]) for cell in cells) == known
        assert {int(cell.split("/")[1].split(" ")[0]) for cell in cells} == {known}
    # Adverse events, counted again.
    counted = [event for event in events if event.participant != "P4"]
    for column, codes in ((2, CODES[:4]), (4, CODES[4:])):
        mine = [event for event in counted if event.participant in codes and not event.incident]
        rows = {row[0]: row for row in made["adverse_events"].rows}
        assert rows["Any adverse event"][column] == str(len(mine))
        people = len({event.participant for event in mine})
        assert rows["Any adverse event"][column - 1].startswith(f"{people}/")
        for term, number in Counter(event.term for event in mine).items():
            assert rows[f"Type: {term}"][column] == str(number)
    # Pairs, counted again.
    for row, codes in zip(made["continuous"].rows[2:], (CODES[:4], CODES[4:]), strict=True):
        mine = [pairs[code] for code in codes if code in pairs]
        whole = [p for p in mine if None not in (p.before, p.after) and not p.excluded]
        assert row[3].endswith(f"n = {len(whole)}")
        assert row[1].endswith(f"n = {sum(p.before is not None for p in mine)}")


@SLOW
@given(
    st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=9), st.sampled_from([1, 2, 3])
)
def test_quartiles_are_those_of_numpy(values, quarter):
    from fractions import Fraction

    for rule, name in (("type-2", "averaged_inverted_cdf"), ("type-7", "linear")):
        want = np.quantile(values, quarter / 4, method=name)
        assert float(quantile(values, Fraction(quarter, 4), rule)) == pytest.approx(want)


def _arm(label, levels):
    people = tuple(
        Followed(
            Participant(f"{label}{k}", "", treated=True, per_protocol=True),
            success=True,
            before=7,
            after=1,
        )
        for k in range(len(levels))
    )
    return Arm(label, people)


@SLOW
@given(st.lists(st.booleans(), min_size=2), st.lists(st.booleans(), min_size=2))
def test_standardized_difference_of_yes_and_no_is_the_textbook_one(first, second):
    arms = (_arm("a", first), _arm("b", second))
    values = {f"a{k}": float(v) for k, v in enumerate(first)}
    values |= {f"b{k}": float(v) for k, v in enumerate(second)}
    p, q = np.mean(first), np.mean(second)
    spread = np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    got = standardized_difference(arms, Variable("V", "yes-no", values))
    if spread == 0:
        assert got == 0.0 if p == q else np.isnan(got)
    else:
        assert got == pytest.approx(abs(p - q) / spread)
    swapped = standardized_difference((arms[1], arms[0]), Variable("V", "yes-no", values))
    assert got == pytest.approx(swapped, nan_ok=True)
