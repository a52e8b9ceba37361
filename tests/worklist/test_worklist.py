"""Two readers and a third, from an empty folder to the agreement, as they use it."""

import csv
import json

import pytest
from click.testing import CliRunner

from hrm import phantom
from hrm.annotate import append
from hrm.cli.main import main
from hrm.edits import Change
from hrm.readings import AGAIN, deciding_log, reading_path
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.results import Results, differences
from hrm.worklist.studies import KEPT, find_studies

SIGN = Change("study", "signed_off", new=True)
PLAN = WorklistPlan(("AB", "CD"), adjudicator="EF", double=True, reread=0.4, seed=3)


def run(*arguments):
    return CliRunner().invoke(main, ["worklist", *map(str, arguments)])


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for seed, kind in enumerate(("normal", "achalasia_type_2", "normal")):
        made = phantom.draw(kind, seed=seed, n_supine=3, n_upright=0)
        recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=seed)
        name = f"Doe_Jane_{seed}"
        phantom.write_manoview(recording, folder / f"{name}.txt")
    (folder / "settings.toml").write_text('[defaults]\nsystem = "manoscan"\nposture = "supine"\n')
    return folder


@pytest.fixture
def folder(recordings, tmp_path):
    for path in recordings.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    done = run(
        *(tmp_path, "--init", "--readers", "AB,CD", "--adjudicator", "EF", "--double"),
        *("--seed", 3, "--reread", 0.4),
    )
    assert done.exit_code == 0, done.output
    return tmp_path


def listed(folder, *more):
    done = run(folder, "--json", *more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def sign(folder, study, reader, *changes):
    path = reading_path(study.sha256, folder, reader)
    append(path, *changes, SIGN, sha256=study.sha256, reader=reader, reason="read")


def exclude(folder, study):
    """A change on which a reader differs: the first swallow does not count."""
    first = Results(folder).of(study, None)["swallows"][0]
    onset = first["onset_s"]
    return Change(f"swallow@{round(onset, 2):.2f}", "include", new=False)


def test_from_new_to_signed(folder):
    assert {row["status"] for row in listed(folder)} == {"new"}
    one, two, three = find_studies(folder, PLAN)
    sign(folder, one, "AB")
    states = {row["code"]: row for row in listed(folder)}
    assert states[one.code]["status"] == "in_review"
    assert states[one.code]["waits_for"] == ["CD"]
    sign(folder, one, "CD")
    assert {row["code"]: row["status"] for row in listed(folder)} == {
        one.code: "signed",
        two.code: "new",
        three.code: "new",
    }
    assert [row["code"] for row in listed(folder, "--status", "signed")] == [one.code]


def test_a_disagreement_waits_for_the_third_whose_reading_counts(folder):
    study, *_ = find_studies(folder, PLAN)
    sign(folder, study, "AB")
    sign(folder, study, "CD", exclude(folder, study))
    (row,) = listed(folder, "--status", "disagreement")
    assert (row["code"], row["waits_for"]) == (study.code, ["EF"])
    assert [each["code"] for each in listed(folder, "--reader", "EF")] == [study.code]
    sign(folder, study, "EF", Change("study", "adjudicates", new=True))
    assert listed(folder, "--reader", "EF") == []
    assert [each["code"] for each in listed(folder, "--status", "signed")] == [study.code]
    assert deciding_log(study.sha256, folder) == reading_path(study.sha256, folder, "EF")


def test_which_file_a_code_is_is_told_on_demand_only(folder):
    paths = {study.code: str(study.path) for study in find_studies(folder, PLAN)}
    assert {row["code"]: row["file"] for row in listed(folder, "--files")} == paths
    told = run(folder, "--files").output
    assert all(f" {path}" in told for path in paths.values())
    assert all(f"; {study.sha256[:12]} " in told for study in find_studies(folder, PLAN))
    assert not any(path in run(folder).output for path in paths.values())
    assert "file" not in listed(folder)[0]


def test_each_reader_sees_an_order_of_their_own_and_what_to_read_again(folder):
    orders = [[row["code"] for row in listed(folder, "--reader", code)] for code in ("AB", "CD")]
    assert sorted(orders[0]) == sorted(orders[1])
    assert len(listed(folder, "--reader", "AB" + AGAIN)) == 2  # 0.4 of 3, rounded up


def test_agreement_of_two_readers_of_one_with_herself_and_of_the_engine(folder, tmp_path):
    for study in find_studies(folder, PLAN):
        sign(folder, study, "AB")
        sign(folder, study, "CD", exclude(folder, study))
        sign(folder, study, "AB" + AGAIN)
    out = tmp_path / "agreement"
    done = run(folder, "--agreement", out)
    assert done.exit_code == 0, done.output
    with (out / "agreement.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {(row["kind"], row["a"], row["b"]) for row in rows}
    assert kinds == {
        ("inter", "AB", "CD"),
        ("intra", "AB", "AB-R2"),
        ("engine", "engine", "AB"),
        ("engine", "engine", "CD"),
    }
    irp = [r for r in rows if r["quantity"] == "irp4s_mmhg" and r["statistic"] == "bias"]
    irp = [row for row in irp if row["level"] == "swallow"]
    intra = [row for row in irp if row["kind"] == "intra"]
    inter = [row for row in irp if row["kind"] == "inter"]
    assert intra
    assert all(float(row["estimate"]) == 0.0 for row in intra)
    # What one of them excludes is no pair.
    assert int(inter[0]["n"]) == int(intra[0]["n"]) - 3
    assert len(list(out.glob("*.html"))) == 4


def test_nothing_tells_whose_file_it_is(folder, tmp_path):
    study, *_ = find_studies(folder, PLAN)
    for reader in ("AB", "CD"):
        sign(folder, study, reader)
    out = tmp_path / "agreement"
    texts = [run(folder).output, run(folder, "--json").output]
    texts.append(run(folder, "--agreement", out).stdout)
    texts += [path.read_text() for path in out.iterdir()]
    texts += [path.read_text() for path in (folder / KEPT).rglob("*.json")]
    for text in texts:
        assert "Doe_" not in text
        assert "Jane" not in text
    # A digest leads back to the file; the pages have the code only.
    assert not any(study.sha256[:12] in path.read_text() for path in out.iterdir())


def test_a_recording_that_cannot_be_read_does_not_hide_the_others(folder):
    broken, *others = find_studies(folder, PLAN)
    for reader in ("AB", "CD"):
        sign(folder, broken, reader)
    path = reading_path(broken.sha256, folder, "AB")
    path.write_bytes(path.read_bytes().replace(b"read", b"READ", 1))
    states = {row["code"]: row for row in listed(folder)}
    assert states[broken.code]["status"] == "unknown"
    assert "not sound" in states[broken.code]["fault"]
    assert {states[study.code]["status"] for study in others} == {"new"}


def test_what_was_computed_is_kept_until_the_log_changes(folder, monkeypatch):
    study, *_ = find_studies(folder, PLAN)
    first = Results(folder).of(study, None)
    monkeypatch.setattr("hrm.worklist.results._analyzed", None)
    assert Results(folder).of(study, None) == first


def test_a_reader_who_left_the_plan_is_named(folder):
    listed(folder)
    run(folder, "--init", "--readers", "AB,XY", "--double", "--force")
    done = run(folder)
    assert done.exit_code == 2
    assert "assigned to CD" in done.output


def test_a_recording_that_changed_is_another_study(folder):
    before = {study.sha256 for study in find_studies(folder, PLAN)}
    path = next(folder.glob("*.txt"))
    path.write_bytes(path.read_bytes().replace(b"\t1", b"\t2", 1))
    after = {study.sha256 for study in find_studies(folder, PLAN)}
    assert len(after - before) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--init"], "--init needs --readers"),
        (["--reader", "ZZ"], "no reader of the worklist"),
        (["--agreement", "x"], "no reader has signed"),
    ],
)
def test_what_cannot_be_done_is_said(folder, arguments, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = run(folder, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_differences_are_those_of_the_plan():
    row = {"evaluable": True, "type": "normal"}
    trees = {key: {"diagnosis": "normal"} for key in ("ccv4", "ccv3")}
    one = {"swallows": [row], "classification": trees}
    other = {"swallows": [{**row, "type": "weak"}], "classification": trees}
    assert differences(one, other, PLAN) == ["swallow_types"]
    assert differences(one, other, WorklistPlan(("AB",), disagreement=("diagnosis",))) == []


def test_the_output_of_a_batch_is_a_worklist_too(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    files, settings = map(str, sorted(folder.glob("*.txt"))), str(folder / "settings.toml")
    arguments = ["--out", str(out), "--workers", "1", "--settings", settings]
    done = CliRunner().invoke(main, ["batch", *files, *arguments])
    assert done.exit_code == 0, done.output
    made = run(out, "--init", "--readers", "AB,CD", "--double", "--seed", 3)
    assert made.exit_code == 0, made.output
    here = {study.sha256: study for study in find_studies(folder, PLAN)}
    there = {study.sha256: study for study in find_studies(out, PLAN)}
    # The same codes, settings and logs, which lie beside the recordings.
    assert {key: each.code for key, each in there.items()} == {
        key: each.code for key, each in here.items()
    }
    assert {each.settings.system for each in there.values()} == {"manoscan"}
    study = next(iter(there.values()))
    sign(folder, study, "AB")
    (row,) = [row for row in listed(out) if row["code"] == study.code]
    assert (row["status"], row["readers"]) == ("in_review", {"AB": "signed", "CD": "new"})
    study.path.unlink()
    told = run(out)
    assert "1 of the 3 recordings of the batch" in told.output


def test_a_batch_that_was_told_of_files_needs_its_settings(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    table = folder / "given.swallows.csv"
    table.write_text("onset_s\n20\n")
    recording = next(folder.glob("*.txt"))
    arguments = ["batch", str(recording), "--out", str(out), "--workers", "1"]
    (folder / "told.toml").write_text(f'[defaults]\nsystem = "manoscan"\nswallows = "{table}"\n')
    CliRunner().invoke(main, [*arguments, "--settings", str(folder / "told.toml")])
    run(out, "--init", "--readers", "AB")
    told = run(out)
    assert told.exit_code != 0
    assert "swallows" in told.output
    (out / "settings.toml").write_text((folder / "told.toml").read_text())
    assert len(listed(out)) == 1
