"""The synthetic trial: complete, reproducible, and from recordings to the report."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from hrm.cli.main import main
from hrm.errors import ParameterError
from hrm.trial.gather import gather
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.demo import SYNTHETIC, demo_files, demo_recordings
from hrm.trial.inputs.plan import read_plan
from hrm.trial.outcome import arms_of
from hrm.trial.outputs.adam import ADAE, ADBDS, ADSL, ADTTE, Field, check_names
from tests.trial.small import ledger_of, written


def test_same_seed_same_files_and_another_seed_other_ones():
    assert demo_files() == demo_files()
    assert demo_files(21)["visits.csv"] != demo_files()["visits.csv"]


def test_the_synthetic_trial_has_what_a_trial_has(tmp_path):
    folder = ledger_of(written(tmp_path, demo_files()), ())
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    arms = arms_of(clinical, plan)
    assert sum(len(arm.people) for arm in arms) == 150
    assert len(clinical.participants) == 162
    assert all(abs(len(arm.people) - 75) <= 3 for arm in arms)
    assert all(arm.missing() > 0 for arm in arms)
    everybody = [each for arm in arms for each in arm.people]
    assert 0.75 < sum(each.success is True for each in everybody) / 125 <= 1
    found = gather(plan, clinical)
    assert found.adverse_events is not None
    assert {event.incident for event in found.adverse_events.events} == {True, False}
    assert found.deviations
    assert found.strata is not None
    assert found.synthetic == SYNTHETIC
    kinds = {(seen.inside, None in seen.items, seen.retreated) for seen in clinical.visits.values()}
    for position in range(3):
        assert {kind[position] for kind in kinds} == {True, False}


def test_recordings_only_of_visits_that_took_place():
    visits = demo_files()["visits.csv"]
    came = {(row["participant"], row["visit"]) for row in csv.DictReader(io.StringIO(visits))}
    made = demo_recordings(visits, 150)
    assert {(each.participant, each.visit) for each in made} <= came
    assert len({each.file_name for each in made}) == len(made)
    assert {each.system for each in made} == {"manoscan", "mms_wp"}


def test_from_recordings_to_the_report(tmp_path):
    """The commands that `make demo` runs, with the recordings of one participant."""
    place = str(tmp_path / "trial")
    for line in (
        ["trial", "demo", place, "--pairs", "1"],
        ["batch", f"--manifest={place}/recordings.csv", f"--out={place}/results", "--workers=1"],
        ["trial", "demo", place, "--review", "1"],
        ["batch", f"--manifest={place}/recordings.csv", f"--out={place}/results", "--workers=1"],
        ["trial", "report", place],
    ):
        done = CliRunner().invoke(main, line)
        assert done.exit_code == 0, done.output
    report = tmp_path / "trial" / "report"
    assert SYNTHETIC in (report / "report.html").read_text(encoding="utf-8")
    told = json.loads((report / "provenance.json").read_text(encoding="utf-8"))
    assert sum("#review:R1:" in source for source in told["sources"]) > 0
    assert len({source.partition("#")[0] for source in told["sources"]}) == 2
    assert (report / "agreement.csv").exists()
    for path in report.iterdir():
        if path.suffix not in (".png", ".docx"):
            text = path.read_text(encoding="utf-8").casefold()
            assert "posterior" not in text, path.name
            assert "anterior" not in text, path.name
    done = CliRunner().invoke(main, ["trial", "demo", place])
    assert done.exit_code == 2


@pytest.mark.parametrize("fields", [ADSL, ADBDS, ADAE, ADTTE])
def test_names_of_the_data_sets_are_of_adam(fields):
    check_names(fields)


@pytest.mark.parametrize(
    "wrong",
    [
        (Field("TOOLONGNAME", "x"),),
        (Field("lower", "x"),),
        (Field("1ST", "x"),),
        (Field("AVAL", "x" * 41),),
        (Field("AVAL", ""),),
        (Field("AVAL", "x"), Field("AVAL", "y")),
        (Field("SAFETY", "Safety population flag"),),
    ],
)
def test_names_that_are_none_of_adam(wrong):
    with pytest.raises(ParameterError):
        check_names(wrong)
