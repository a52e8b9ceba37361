"""A batch as a user runs it: a real cluster, what it says, what it leaves, what it does not say."""

import json
import os
import shutil
from contextlib import closing

import pandas as pd
import pytest
from click.testing import CliRunner

from hrm.batch.report import batch_report
from hrm.cli.main import main
from hrm.store import Ledger
from hrm.store.tables import input_table, long_table, study_table
from tests.batch import runs
from tests.batch.conftest import PLANT


def hrm(*arguments):
    """Run a command that needs no cluster in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def mixed(recordings, settings_file, site, tmp_path_factory):
    """A batch of good and bad files, named by a manifest; its folder, what it said, its log."""
    folder = tmp_path_factory.mktemp("mixed") / PLANT
    shutil.copytree(recordings, folder)
    (folder / f"{PLANT}.txt").write_text(f"Patient: {PLANT}\n" * 40)
    text = (folder / "s2.txt").read_bytes()
    (folder / "cut.txt").write_bytes(text[: len(text) // 2] + PLANT.encode())
    (folder / "raise.fault").write_bytes(f"#FAULT raise {PLANT}\n".encode() + text)
    shutil.copy(folder / "s0.txt", folder / "copy.txt")
    manifest = folder / "manifest.csv"
    manifest.write_text(
        "path,participant,visit,posture\n"
        "s0.txt,P01,V1,supine\ns1.csv,P01,V2,supine\ns3.csv,P02,V1,upright\ns4.txt,,,\n"
        f"{PLANT}.txt,P03,,\ncut.txt,P04,,\nraise.fault,P05,,\ngone.txt,P06,,\ncopy.txt,P01,V1,supine\n"
    )
    out, log = folder.parent / "out", folder.parent / "log.jsonl"
    arguments = [
        *("batch", "--manifest", manifest, "--settings", settings_file, "--out", out),
        *("--workers", 2, "--json-log", log),
    ]
    return arguments, runs.run(*arguments, site=site), out, log


def test_it_goes_on_past_bad_files(mixed):
    _, done, out, _ = mixed
    assert done.returncode == 3, done.stderr
    runs.check_ledger(out)
    with Ledger(out) as ledger:
        table = input_table(ledger).set_index("manifest_row").sort_index()
        assert len(study_table(ledger)) == 4  # the copy is the same study
    assert list(table["status"]) == ["ok"] * 4 + ["failed"] * 4 + ["ok"]
    assert list(table["cause"][4:8]) == ["unknown_format", "damaged", "fault", "missing"]
    assert (table["advice"][4:8].str.len() > 10).all()
    assert "5 measured, 4 failed; 4 of 9 inputs have no result" in done.stderr
    for row in (5, 6, 7, 8):
        assert f"manifest row {row}: " in done.stderr


def test_the_same_command_again_does_only_what_failed(mixed, site):
    arguments, _, out, _ = mixed
    before = runs.values(out)
    again = runs.run(*arguments, site=site)
    assert again.returncode == 3
    assert "9 inputs: 5 done before, 4 failed before; 4 to measure" in again.stderr
    assert runs.values(out) == before
    runs.check_ledger(out)


def everything_but_the_path(out):
    """All texts of the ledger, the column of the paths left out."""
    with closing(runs.sqlite3.connect(out / "hrm.sqlite")) as connection:
        for table in ("meta", "run", "attempt", "study", "swallow", "metric", "warning"):
            yield from (str(row) for row in connection.execute(f"SELECT * FROM {table}"))
        rows = connection.execute("SELECT id, size, modified_ns, sha256, manifest_row FROM input")
        yield from map(str, rows)


def test_no_path_and_no_name_leaves_the_folder(mixed, tmp_path):
    _, done, out, log = mixed
    shown = [done.stdout, done.stderr, log.read_text(), *everything_but_the_path(out)]
    exports = ["--studies", tmp_path / "s.csv", "--long", tmp_path / "l.csv"]
    shown += [hrm("results", out).output, hrm("results", out, *exports).output]
    shown += [(tmp_path / name).read_text() for name in ("s.csv", "l.csv")]
    assert hrm("batch-report", out, "--html", tmp_path / "r.html").exit_code == 0
    shown.append((tmp_path / "r.html").read_text())
    for text in shown:
        for secret in (PLANT, "DOE", "JANE", str(out.parent), "raise.fault", "cut.txt"):
            assert secret not in text.replace(str(tmp_path), "")
    assert runs.query(out, "SELECT count(*) FROM input WHERE path LIKE ?", f"%{PLANT}%") == [(9,)]


def test_the_json_log(mixed):
    _, _, out, log = mixed
    events = [json.loads(line) for line in log.read_text().splitlines()]
    first = events[:10]
    assert first[0]["event"] == "planned"
    assert first[0]["states"] == {"new": 9}
    assert {event["manifest_row"] for event in first[1:]} == set(range(1, 10))
    numbers = dict(runs.query(out, "SELECT manifest_row, id FROM input"))
    assert all(numbers[event["manifest_row"]] == event["input"] for event in first[1:])
    assert {event["status"] for event in first[1:]} == {"ok", "failed"}


def test_a_dry_run_writes_nothing(mixed, settings_file, tmp_path):
    arguments, _, out, _ = mixed
    before = runs.values(out), (out / "hrm.sqlite").read_bytes()
    shown = hrm(*arguments, "--dry-run")
    assert shown.exit_code == 0
    assert "9 inputs: 5 done before, 4 failed before" in shown.stdout
    assert "4 would be measured; nothing was written" in shown.stdout
    shown = hrm(*arguments, "--dry-run", "--posture", "upright", "--only", "changed")
    assert {line.split()[0] for line in shown.stdout.splitlines()[1:-1]} <= {"changed"}
    assert (runs.values(out), (out / "hrm.sqlite").read_bytes()) == before
    elsewhere = hrm("batch", arguments[2].parent, "--out", tmp_path / "new", "--dry-run")
    assert elsewhere.exit_code == 0, elsewhere.output
    assert not (tmp_path / "new").exists()


def test_the_number_of_workers_and_the_order_change_nothing(
    undisturbed, recordings, settings_file, tmp_path
):
    out, done, _ = undisturbed
    assert "6 of 6, 0 failed" in done.stderr
    names = sorted(recordings.iterdir(), reverse=True)
    one = ["batch", *names, "--out", tmp_path / "one", "--settings", settings_file, "--workers", 1]
    part = runs.run(*one, "--limit", 2)
    assert part.returncode == 3  # the others have no result yet
    assert len(runs.values(tmp_path / "one")) == 2
    rest = runs.run(*one)
    assert rest.returncode == 0, rest.stderr
    assert "2 done before, 4 new; 4 to measure" in rest.stderr
    assert runs.values(tmp_path / "one") == runs.values(out)


def test_fail_fast_ends_with_the_first_failure(recordings, settings_file, tmp_path):
    folder = tmp_path / "in"
    shutil.copytree(recordings, folder)
    (folder / "a.txt").write_text("nothing")
    out = tmp_path / "out"
    arguments = ["batch", folder, "--out", out, "--settings", settings_file, "--workers", 1]
    done = runs.run(*arguments, "--fail-fast")
    assert done.returncode == 3
    assert runs.count(out, "attempt") == 1
    (folder / "a.txt").unlink()
    shutil.copy(recordings / "s0.txt", folder / "a.txt")
    only = runs.run(*arguments, "--only", "changed")
    assert runs.query(out, "SELECT count(*) FROM attempt WHERE status = 'ok'") == [(1,)], (
        only.stderr
    )


# -- what is shown of it ---------------------------------------------------------------------


def test_results_are_filtered(mixed):
    _, _, out, _ = mixed
    with Ledger(out) as ledger:
        studies = study_table(ledger)
        types = dict(
            ledger.connection.execute("SELECT type, count(DISTINCT study) FROM swallow WHERE evaluable "
                                      "GROUP BY type")
        )  # fmt: skip
    for option, column in (("--participant", "participant"), ("--visit", "visit")):
        for value in studies[column].dropna().unique():
            shown = hrm("results", out, option, value)
            assert len(shown.stdout.splitlines()) == 1 + (studies[column] == value).sum()
    for diagnosis, n in studies["diagnosis_ccv4"].value_counts().items():
        assert len(hrm("results", out, "--diagnosis", diagnosis).stdout.splitlines()) == 1 + n
    for kind, n in types.items():
        assert len(hrm("results", out, "--type", kind).stdout.splitlines()) == 1 + n
    assert hrm("results", out, "--type", "no_such").stdout == ""


def test_the_long_export_follows_the_filter(mixed, tmp_path):
    _, _, out, _ = mixed
    shown = hrm(
        "results", out, "--participant", "P01", "--visit", "V2", "--long", tmp_path / "l.csv"
    )
    assert shown.exit_code == 0, shown.output
    table = pd.read_csv(tmp_path / "l.csv", keep_default_na=False)
    assert set(table["subject"]) == {"P01"}
    assert set(table["visit"]) == {"V2"}
    with Ledger(out) as ledger:
        assert len(table) == len(long_table(ledger).query("subject == 'P01' and visit == 'V2'"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_exports(mixed, suffix, tmp_path):
    _, _, out, _ = mixed
    with Ledger(out) as ledger:
        wanted = study_table(ledger).drop(columns="study")
    path = tmp_path / f"studies{suffix}"
    assert hrm("results", out, "--studies", path).exit_code == 0
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel}[suffix]
    found = read(path)
    assert list(found.columns) == list(wanted.columns)
    assert list(found["study_id"]) == list(wanted["study_id"])
    numbers = wanted["basal_end_expiratory_mmhg"].to_numpy()
    assert found["basal_end_expiratory_mmhg"].to_numpy() == pytest.approx(numbers, nan_ok=True)
    assert hrm("results", out, "--studies", path).exit_code == 2  # is not overwritten


def test_what_failed_is_listed_with_path_and_advice(mixed):
    _, _, out, _ = mixed
    shown = hrm("results", out, "--failed")
    assert shown.stdout.count("what to do: ") == 4
    assert "gone.txt: failed, missing" in shown.stdout
    assert "4 inputs" in shown.stderr
    assert len(hrm("results", out, "--status", "ok").stdout.splitlines()) == 5


def test_a_table_of_another_kind_is_refused(mixed, tmp_path):
    shown = hrm("results", mixed[2], "--studies", tmp_path / "a.doc")
    assert shown.exit_code == 2
    assert ".parquet" in shown.output
    assert list(tmp_path.iterdir()) == []


def test_results_of_nothing(tmp_path):
    with Ledger(tmp_path, write=True):
        pass
    assert hrm("results", tmp_path).exit_code == 0
    assert hrm("results", tmp_path, "--visit", "V1", "--type", "weak").exit_code == 0
    assert hrm("batch-report", tmp_path).exit_code == 0
    assert hrm("results", tmp_path.parent).exit_code == 2


def test_the_report(mixed):
    _, _, out, _ = mixed
    with Ledger(out) as ledger:
        page = batch_report(ledger)
        studies = study_table(ledger)
    assert page.count("<figure") == len(studies) == 4
    assert "<h3>damaged: 1 input</h3>" in page
    for row in (5, 6, 7, 8):
        assert f"row {row}" in page
    for name in studies["study_id"]:
        assert name in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("data:image/png;base64,") > 10
    assert page == batch_report_again(out)


def batch_report_again(out):
    with Ledger(out) as ledger:
        return batch_report(ledger)


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either INPUT... or --manifest"),
        (["{in}", "--manifest", "{in}/m.csv"], "give either"),
        (["{in}/*.edf"], "no file is found"),
        (["{in}", "--suffix", ".edf"], "no recording"),
        (["{in}", "--participant", "P1"], "--participant names one file"),
        (["{in}", "--set", "irp.nonsense=3"], "unknown parameter"),
        (["{in}", "--workers", "0"], "--workers"),
        (["{in}", "--timeout", "0"], "--timeout"),
        (["{in}", "--memory-limit", "banana"], "no amount like 2GB"),
        (["--manifest", "{in}/m.csv"], "row 1: unknown name 'colour'"),
    ],
)
def test_unusable_input(arguments, message, recordings, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(recordings / "s0.txt", folder)
    (folder / "m.csv").write_text("path,colour\ns0.txt,red\n")
    given = [each.replace("{in}", str(folder)) for each in arguments]
    shown = hrm("batch", *given, "--out", tmp_path / "out")
    assert shown.exit_code == 2, shown.output
    assert message in shown.output
    assert "Traceback" not in shown.output


def test_an_output_that_cannot_be_written(recordings, tmp_path):
    (tmp_path / "file").write_text("")
    shown = hrm("batch", recordings, "--out", tmp_path / "file" / "out")
    assert shown.exit_code == 2
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208
