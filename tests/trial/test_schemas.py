"""The schemas of clinical files: every fault by row and column, nothing coerced, nothing quoted."""

import csv
import io
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrm.errors import FormatError, MissingDependencyError
from hrm.trial.eckardt import ITEMS
from hrm.trial.inputs import schemas
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import read_plan
from hrm.trial.inputs.sheets import NUMBER, Sheet
from tests.trial.small import EVENTS, PLAN, VISITS, edited, written

PLAIN = PLAN + '[[further_visit]]\nname = "3 months"\nwindow_days = [60, 120]\n'
RANDOMIZED = {"P1", "P2", "P3", "P4"}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return read_plan(written(tmp_path_factory.mktemp("plan"), {"trial.toml": PLAIN}) / "trial.toml")


def sheet(text, name="visits.csv"):
    rows = list(csv.DictReader(io.StringIO(text)))
    return Sheet(
        name, [{**row, NUMBER: str(number)} for number, row in enumerate(rows, start=2)], ""
    )


def places(found):
    """Row and column of each fault."""
    return {
        tuple(fault.split(":")[0].removeprefix(f"{found.name} row ").split(", "))
        for fault in found.faults
    }


def whole(text):
    digits = text.removeprefix("-")
    return len(digits) in range(1, 7) and all(letter in "0123456789" for letter in digits)


def visit_faults(rows):
    """Say the same with plain loops: the twin of `schemas.visits`."""
    out, before = set(), []
    for row in rows:
        number = row[NUMBER]
        if row["participant"] not in RANDOMIZED:
            out.add((number, "participant"))
        key = (row["participant"], row["visit"])
        if row["visit"] not in ("before", "3 months", "1 year") or key in before:
            out.add((number, "visit"))
        before.append(key)
        if not whole(row["study_day"]):
            out.add((number, "study_day"))
        for item in ITEMS:
            if row[item] not in ("", "-99") and not (
                whole(row[item]) and int(row[item]) in range(4)
            ):
                out.add((number, item))
        if row["retreated"] not in ("yes", "no"):
            out.add((number, "retreated"))
    return out


CELLS = st.sampled_from(
    [
        *("", "0", "3", "4", "-1", "-99", "1.0", "3 ", "nan", "None", "NA", "yes", "Yes", "TRUE"),
        *("P1", "P4", "before", "1 year", "1e2", "\u0663", "1_0", "0000003", "inf", "--1", "-"),
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7), CELLS), max_size=12))
def test_the_faults_of_visits_are_those_of_plain_loops(plan, changes):
    found = sheet(VISITS)
    for row, column, value in changes:
        found.rows[row][list(found.rows[row])[column]] = value
    before = [dict(row) for row in found.rows]
    schemas.validate(found, schemas.visits(plan, RANDOMIZED))
    assert places(found) == visit_faults(before)
    assert found.rows == before  # nothing is coerced
    assert found.faults == sorted(found.faults, key=lambda x: int(x.split("row ")[1].split(",")[0]))


def test_who_was_not_treated_is_not_per_protocol(plan):
    text = "participant,excluded,treated,per_protocol\n"
    found = sheet(
        text + "P1,,yes,yes\nP2,,no,yes\nP3,,no,no\nP4,declined,no,yes\nP5,,maybe,yes\n",
        "participants.csv",
    )
    schemas.validate(found, schemas.participants(plan))
    # One fault each: of the fourth that it is in a set at all, of the fifth what it says.
    assert places(found) == {("3", "per_protocol"), ("5", "excluded"), ("6", "treated")}


def test_what_an_event_may_be():
    found = sheet(EVENTS, "events.csv")
    for row, column, value in (
        (0, "during_procedure", "yes"),  # on day 3
        (0, "grade", "mild"),  # of another lexicon
        (1, "grade", "I"),  # of an incident
        (1, "term", ""),
        (1, "days_after", "0"),  # which is right
        (2, "days_after", "-1"),
        (2, "serious", "maybe"),
        (2, "participant", "P9"),
    ):
        found.rows[row][column] = value
    schemas.validate(found, schemas.events(("I", "IIIa"), RANDOMIZED))
    assert places(found) == {
        *(("2", "days_after"), ("2", "grade"), ("3", "grade"), ("3", "term")),
        *(("4", "days_after"), ("4", "serious"), ("4", "participant")),
    }


def test_faults_of_all_files_stand_in_one_error_and_quote_nothing(tmp_path):
    folder = written(tmp_path)
    text = (folder / "trial.toml").read_text(encoding="utf-8")
    start = text.index("[manometry]")
    (folder / "trial.toml").write_text(
        text[:start] + text[text.index("[adverse_events]") :], "utf-8"
    )
    edited(folder, "participants.csv", ("P3,,yes", "P3,,Marie Curie"))
    edited(folder, "visits.csv", ("P1,before,-5,3", "Marie Curie,before,-5,3.0"))
    edited(folder, "variables.csv", ("40.5,A", "40.5 years,E"))
    edited(folder, "events.csv", ("leak,no,3,IIIa", "leak,no,3,IIIb?"))
    edited(folder, "deviations.csv", ("late consent,no", ",no"))
    with pytest.raises(FormatError) as caught:
        read_clinical(folder, read_plan(folder / "trial.toml"), None)
    said = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in said[1:]] == [
        "participants.csv row 4, treated",
        *("visits.csv row 2, participant", "visits.csv row 2, dysphagia"),
        *("variables.csv row 2, age", "variables.csv row 2, la_grade"),
        *("events.csv row 2, grade", "deviations.csv row 2, kind"),
    ]
    for quoted in ("Marie", "3.0", "40.5", "IIIb?"):
        assert quoted not in str(caught.value)


def test_without_its_library_the_error_names_the_extra(plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandera.pandas", None)
    with pytest.raises(MissingDependencyError, match=r"hrm\[trial\]"):
        schemas.visits(plan, RANDOMIZED)


def test_writing_templates_loads_no_tables_library():
    import subprocess

    code = (
        "import sys; from hrm.trial.inputs import template, demo, plan; demo.demo_files();"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"pandera", "pandas", "numpy", "pydantic"} & set(run.stdout.split()) == set()
