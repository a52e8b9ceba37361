"""Recordings joined to a trial by participant and visit: what counts, and what is refused."""

import io
import json
import zipfile

import pytest

from hrm.errors import FormatError, ParameterError
from hrm.store import Ledger
from hrm.store.ledger import Attempted, Failed, Key
from hrm.trial.gather import gather
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import read_plan
from hrm.trial.outcome import arms_of
from hrm.trial.outputs.data import data_files
from hrm.trial.outputs.report import report_files
from tests.trial.small import RECORDINGS, edited, ledger_of, recording, reviewed, written


@pytest.fixture
def folder(tmp_path):
    return ledger_of(written(tmp_path))


def records(folder):
    plan = read_plan(folder / "trial.toml")
    return gather(plan, read_clinical(folder, plan, None))


def measure(folder, label):
    (found,) = [each for each in records(folder).measures if each.label == label]
    return found


def test_pairs_by_hand(folder):
    les = measure(folder, "LES resting pressure")
    told = {
        code: (pair.before, pair.after, pair.before_reason or pair.after_reason, pair.change())
        for code, pair in les.pairs.items()
    }
    assert told == {
        "P1": (40.0, 12.0, "", -28.0),
        "P2": (30.0, None, "no recording", None),
        "P3": (36.0, 10.0, "", None),
        "P4": (50.0, None, "visit outside its window", None),
    }
    assert les.pairs["P3"].excluded == "different system"
    assert (les.unit, les.reviewed, les.automatic) == ("mmHg", 0, 6)


def test_missing_pressure_after_myotomy_is_never_zero(folder):
    # The same recording, made at the primary visit this time.
    edited(
        folder,
        "visits.csv",
        ("P2,3 months,90", "P2,1 year,365"),
    )
    others = [each for each in RECORDINGS if each.outcome.visit != "3 months"]
    ledger_of(folder, [*others, recording("d", "P2", "1 year", None)], "again")
    edited(folder, "trial.toml", ('batches = ["results"]', 'batches = ["again"]'))
    pair = measure(folder, "LES resting pressure").pairs["P2"]
    assert (pair.after, pair.after_reason) == (None, "egj not found")


def test_the_plan_chooses_pressure_and_system_rule(folder):
    edited(
        folder,
        "trial.toml",
        ('"end_expiratory"', '"respiratory_mean"'),
        ("same_system = true", "same_system = false"),
        ('outside_window = "missing"', 'outside_window = "use"'),
    )
    les = measure(folder, "LES resting pressure")
    assert [les.pairs[code].change() for code in ("P1", "P3", "P4")] == [-28.0, -26.0, -39.0]
    assert les.pairs["P1"].before == 45.0


def test_median_dci_is_of_evaluable_swallows_in_the_posture(folder):
    assert measure(folder, "Median DCI").pairs["P1"].before == 300.0
    ledger_of(
        folder,
        [recording("a", "P1", "before", 40.0, (100.0, 300.0, 900.0), evaluable=[1, 0, 1])],
        "part",
    )
    ledger_of(folder, [recording("a", "P1", "before", 40.0, posture="upright")], "up")
    edited(folder, "trial.toml", ('batches = ["results"]', 'batches = ["part"]'))
    assert measure(folder, "Median DCI").pairs["P1"].before == 500.0
    edited(folder, "trial.toml", ('batches = ["part"]', 'batches = ["up"]'))
    pair = measure(folder, "Median DCI").pairs["P1"]
    assert (pair.before, pair.before_reason) == (None, "no evaluable swallow")
    pair = measure(folder, "Panesophageal pressurization").pairs["P1"]
    assert (pair.before, pair.before_reason) == (None, "not supine")


def test_reviewed_beats_automatic_and_both_are_counted(folder):
    new = recording("a", "P1", "before", 42.0, who="review:AB:123", review="r")
    reviewed(folder, RECORDINGS[0], new)
    les = measure(folder, "LES resting pressure")
    assert les.pairs["P1"].before == 42.0
    assert (les.reviewed, les.automatic) == (1, 5)
    agreement = [each for each in records(folder).readings if each.label == les.label]
    assert [(each.first, each.second) for each in agreement] == [((40.0,), (42.0,))]


@pytest.mark.parametrize("order", [("results", "more"), ("more", "results")])
def test_of_two_batches_the_reviewed_result_counts(folder, order):
    ledger_of(folder, [recording("a", "P1", "before", 42.0, who="reader:AB", review="r")], "more")
    edited(folder, "trial.toml", ('batches = ["results"]', f"batches = {json.dumps(order)}"))
    assert measure(folder, "LES resting pressure").pairs["P1"].before == 42.0


def test_every_recording_that_fits_nowhere_is_in_one_error(folder):
    wrong = (
        recording("4", None, "before", 1.0),
        recording("5", "Miller", "before", 1.0),
        recording("6", "P1", "2 years", 1.0),
        recording("7", "P4", "3 months", 1.0),
        recording("8", "P2", "before", 1.0),
    )
    ledger_of(folder, wrong, "more")
    ledger_of(folder, [recording("a", "P3", "before", 1.0)], "twice")
    edited(
        folder, "trial.toml", ('batches = ["results"]', 'batches = ["results","more","twice","no"]')
    )
    edited(folder, "visits.csv", ("P1,before,-5,3", "P1,before,-5,4"))
    edited(folder, "variables.csv", ("40.5", "40,5"))
    with pytest.raises(FormatError) as caught:
        records(folder)
    text = str(caught.value)
    for place in (
        *("entry 4", "444444444444: expected the participant", "555555555555: expected the part"),
        *("666666666666: expected a visit of the plan", "777777777777: expected its visit"),
        *("888888888888: expected one recording of a visit", "aaaaaaaaaaaa: expected one visit"),
        *("visits.csv row 2, dysphagia", "variables.csv row 2"),
    ):
        assert place in text
    assert "Miller" not in text
    assert "2 years" not in text


def test_a_recording_of_somebody_excluded_is_counted_and_not_used(folder):
    plan = read_plan(folder / "trial.toml")
    linked = read_clinical(folder, plan, None).linked
    assert linked.unused == 1
    assert ("P9", "before") not in linked.recordings


def test_retreatment_is_read_from_every_visit(folder):
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    told = {x.person.code: x.success for arm in arms_of(clinical, plan) for x in arm.people}
    assert told == {"P1": True, "P2": False, "P3": True, "P4": None}


def test_time_to_failure_by_hand(folder):
    # P1 never fails; P2 is retreated on day 90, P3 has 4 points then; P4 came outside the window.
    assert records(folder).failures.followed == {
        "P1": (365.0, False),
        "P2": (90.0, True),
        "P3": (90.0, True),
    }


def test_events_by_timing_and_lexicon(folder):
    told = records(folder).adverse_events
    assert told.grades == ("I", "II", "IIIa", "IIIb", "IVa", "IVb", "V")
    assert [(x.grade, x.timing, x.incident) for x in told.events] == [
        ("IIIa", "to day 14", False),
        (None, "during the procedure", True),
        ("I", "after day 14", False),
    ]
    edited(folder, "events.csv", ("IIIa", "severe"), ("P4,reflux", "P44,reflux"))
    with pytest.raises(FormatError, match=r"row 2, grade(.|\n)*row 4, participant"):
        records(folder)


def test_every_fault_of_the_options_at_once(folder):
    edited(
        folder,
        "trial.toml",
        ('les_pressure = "end_expiratory"\n', ""),
        ('"AGREE"', '"agree"'),
        ('adam = "AGE"', 'adam = "AGE_IN_YEARS"'),
        ("times_days = [180, 365]", "times_days = [365, 180]"),
    )
    with pytest.raises(ParameterError) as caught:
        records(folder)
    said = [line.strip().split(":")[0].split(" is")[0] for line in str(caught.value).splitlines()]
    assert said[1:] == [
        "manometry.les_pressure",
        "adverse_events.lexicon",
        "failure.times_days",
        "variable 1.adam",
    ]


def test_provenance_of_each_cell_by_hand(folder):
    files = report_files(folder, allocation=folder / "allocation.csv")
    told = json.loads(files["provenance.json"])
    cells = {
        (cell["measure"], cell["arm"], cell["column"]): [
            told["sources"][number][0] for number in cell["sources"]
        ]
        for cell in told["cells"]
    }
    assert cells[("LES resting pressure", "posterior", "before")] == ["a", "c"]
    assert cells[("LES resting pressure", "posterior", "after")] == ["b"]
    assert cells[("LES resting pressure", "posterior", "change")] == ["a", "b"]
    assert cells[("LES resting pressure", "anterior", "before")] == ["1", "e"]
    assert cells[("LES resting pressure", "anterior", "change")] == []
    assert (told["unused_recordings"], told["failed_recordings"]) == (1, 0)
    assert not any(f'"{code}"' in files["provenance.json"].decode() for code in ("P1", "P2"))


def test_blinded_outputs_hold_no_arm_and_all_say_synthetic(folder):
    files = report_files(folder)
    assert {"adsl.csv", "adbds.csv", "adae.csv", "adtte.csv"} <= set(files)
    for name, content in files.items():
        if not name.endswith((".png", ".docx")):
            text = content.decode().casefold()
            assert "posterior" not in text, name
            assert "anterior" not in text, name
    assert b"SYNTHETIC DATA" in files["report.html"]
    # Another allocation, or none beside it, changes nothing.
    (folder / "allocation.csv").unlink()
    assert report_files(folder) == files


def test_data_sets_by_hand(folder):
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    files = data_files(plan, clinical, arms_of(clinical, plan))
    rows = [line.split(",") for line in files["adsl.csv"].splitlines()]
    assert rows[0][3:] == [
        *("TRT01P", "TRT01PN", "ITTFL", "SAFFL", "PPROTFL", "AGE", "LAGRADE"),
    ]
    assert rows[2][2:] == ["P2", "posterior", "1", "Y", "Y", "Y", "", "none"]
    assert rows[3][2:] == ["P3", "anterior", "2", "Y", "Y", "Y", "50", ""]
    les = [line.split(",") for line in files["adbds.csv"].splitlines() if ",LESRP," in line]
    heads = files["adbds.csv"].splitlines()[0].split(",")
    told = [
        tuple(row[heads.index(name)] for name in ("AVISIT", "AVAL", "CHG", "REASON"))
        for row in les
        if row[1].endswith(("P1", "P3"))
    ]
    assert told == [
        ("before", "40", "0", ""),
        ("1 year", "12", "-28", ""),
        ("before", "36", "0", ""),
        ("1 year", "10", "", "different system"),
    ]


def test_files_without_a_result_are_counted(folder):
    with Ledger(folder / "results", write=True) as ledger:
        run = ledger.begin_run(engine="9", inputs=1)
        said = {"path": "/in/broken", "size": 1, "modified_ns": 2}
        (place,) = ledger.register(
            run, [{**said, "sha256": None, "manifest_row": None, "holds": False}]
        )
        ledger.record(run, place, Attempted(Key("", "s", "9", ""), Failed("c", "m", "a"), (), 0.1))
        ledger.end_run(run)
    assert json.loads(report_files(folder)["provenance.json"])["failed_recordings"] == 1


def test_every_file_of_made_up_data_says_so(folder):
    """Rows that are taken out of a data set too, and pictures without their page."""
    files = report_files(folder)
    for name, content in files.items():
        kind = name.rpartition(".")[2]
        if name == "codebook.csv" or kind == "png":  # it describes variables; the SVG has its words
            continue
        if kind == "docx":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                text = archive.read("word/document.xml").decode()
        else:
            text = content.decode()
        if name in ("adsl.csv", "adbds.csv", "adae.csv", "adtte.csv"):
            assert all(row.startswith("SYNTHETIC-") for row in text.splitlines()[1:]), name
        elif kind == "csv":
            assert text.startswith("SYNTHETIC DATA"), name
        else:
            assert "SYNTHETIC DATA" in text, name
    edited(folder, "trial.toml", ('synthetic = "SYNTHETIC DATA"', ""))
    found = report_files(folder)
    assert set(found) == set(files)
    assert [name for name in found if b"SYNTHETIC" in found[name]] == []
    changed = [name for name in found if name.endswith(".png") and found[name] == files[name]]
    assert changed == []  # a picture of made-up data is another one
