"""Bad input: exit code 2, a message that says what to do, no traceback, nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MMS = ("--catheter", "CE4-0062")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bad(folder, mms):
    """Files that cannot be used, by name."""
    whole = mms.read_bytes()
    lines = whole.split(b"\r\n")
    swapped = [*lines[:100], lines[101], lines[100], *lines[102:]]
    contents = {
        "empty.csv": b"",
        "unknown.txt": b"a shopping list\nbread\n",
        "binary.csv": bytes(range(256)) * 20,
        "truncated.csv": whole[: len(whole) // 2],
        "misordered.csv": b"\r\n".join(swapped),
        "renamed.h5": whole[:2000],
        "hdf5.h5": b"\x89HDF\r\n\x1a\n" + bytes(2000),
    }
    target = folder / "bad"
    target.mkdir()
    for name, content in contents.items():
        (target / name).write_bytes(content)
    return target


def check(done, *words):
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.csv", ["empty.csv", "empty"]),
        ("unknown.txt", ["no reader recognises", "mms-csv", "manoview-ascii"]),
        ("binary.csv", ["no reader recognises"]),
        ("truncated.csv", ["line", "export"]),
        ("misordered.csv", ["line 101"]),
        ("renamed.h5", ["line"]),
        ("hdf5.h5", ["hdf5.h5"]),
        ("missing.csv", ["does not exist"]),
        (".", ["directory"]),
    ],
)
@pytest.mark.parametrize("command", ["analyze", "convert"])
def test_bad_file(run, bad, command, name, words):
    more = ["--json", "out.json"] if command == "analyze" else ["out.h5"]
    check(run(command, bad / name, *more, *MMS), *words)


@pytest.mark.parametrize("name", ["empty.csv", "unknown.txt", "binary.csv"])
def test_bad_file_in_info(run, bad, name):
    check(run("info", bad / name), name)


BAD_OPTIONS = {
    "no catheter": ([], ["--catheter", "--depths", "CE4-0062", "CE4-1083"]),
    "unknown catheter": (["--catheter", "X"], ["'X'", "CE4-0062"]),
    "catheter without positions": (["--catheter", "CE4-1083"], ["--depths"]),
    "too few depths": (["--depths", "1,2,3"], ["3 depths", "22"]),
    "depths that are no numbers": (["--depths", "1,b"], ["numbers in cm"]),
    "unknown system": ([*MMS, "--system", "x"], ["'x'", "manoscan", "mms_wp"]),
    "unknown reader": ([*MMS, "--reader", "x"], ["'x'", "mms-csv"]),
    "wrong reader": ([*MMS, "--reader", "manoview-ascii"], ["manoview-ascii"]),
    "unknown parameter": ([*MMS, "--set", "irp.window=1"], ["did you mean irp.window_s"]),
    "parameter of a wrong kind": ([*MMS, "--set", "irp.window_s=x"], ["expects a number"]),
    "parameter without a value": ([*MMS, "--set", "irp.window_s"], ["KEY=VALUE"]),
    "parameter beyond its words": (
        [*MMS, "--set", "interpolation.kernel=x"],
        ["linear, pchip, cubic"],
    ),
    "irp limit": ([*MMS, "--irp-limit", "-3"], ["above 0"]),
    "irp limit nan": ([*MMS, "--irp-limit", "nan"], ["above 0"]),
    "irp limit that is no row": (
        [*MMS, "--irp-limit", "irp4s.manoscan.v4"],
        ["number of mmHg", "irp4s.manoscan.supine.v4", "irp4s.mms_wp.supine.v4.bra"],
    ),
    "irp limit of another quantity": (
        [*MMS, "--irp-limit", "dci_weak.any.any.v4"],
        ["irp4s.manoscan.supine.v4"],
    ),
    "unknown symptom": ([*MMS, "--symptoms", "dysphagia,cough"], ["chest_pain", "none"]),
    "symptoms and none": ([*MMS, "--symptoms", "none,dysphagia"], ["chest_pain", "none"]),
    "no symptom at all": ([*MMS, "--symptoms", ""], ["chest_pain", "none"]),
    "tbe": ([*MMS, "--tbe", "bad"], ["abnormal", "normal"]),
    "flip": ([*MMS, "--flip", "unknown"], ["abnormal", "normal"]),
    "opioids": ([*MMS, "--opioids", "maybe"], ["yes", "no"]),
    "prior surgery": ([*MMS, "--prior-surgery", "poem"], ["myotomy", "fundoplication"]),
    "report format": ([*MMS, "--report", "out.html"], ["ends in .pdf"]),
    "report without a folder": ([*MMS, "--report", "no/out.pdf"], ["no/out.pdf", "folder"]),
    "text without glyphs": (
        [*MMS, "--report", "out.pdf", "--reason-for-referral", "吞咽"],
        ["reason_for_referral", "U+541E"],
    ),
    "text too long": (
        [*MMS, "--report", "out.pdf", "--clinical-diagnosis", "x" * 1001],
        ["clinical_diagnosis", "1000"],
    ),
    "posture": ([*MMS, "--posture", "sitting"], ["supine"]),
    "no folder": ([*MMS, "--json", "no/out.json"], ["no/out.json", "folder"]),
    "output is a folder": ([*MMS, "--json", "."], ["folder"]),
    "figure format": ([*MMS, "--figure", "out.gif"], [".png, .pdf or .svg"]),
    "two outputs, one name": ([*MMS, "--json", "a", "--save", "a"], ["two files"]),
    "no swallow table": ([*MMS, "--swallows", "no.csv"], ["does not exist"]),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_option(run, mms, case):
    options, words = BAD_OPTIONS[case]
    check(run("analyze", mms, "--save", "study.h5", *options), *words)


def test_the_recording_is_no_swallow_table(run, mms):
    done = run("analyze", mms, *MMS, "--swallows", mms)
    check(done, "swallow table")
    assert "1961" not in done.stderr


def test_onset_beyond_the_end(run, mms, folder):
    late = folder / "late.csv"
    late.write_text("onset_s\n20\n99999\n", encoding="utf-8")
    check(run("analyze", mms, *MMS, "--swallows", late), "99999", "beyond the end")


def test_an_output_never_replaces_the_input(run, mms):
    before = mms.read_bytes()
    check(run("convert", mms, mms, *MMS, "--force"), "input file itself")
    check(run("analyze", mms, *MMS, "--save", mms, "--force"), "input file itself")
    assert mms.read_bytes() == before


def test_a_closed_folder(run, mms, folder, monkeypatch):
    # Permissions do not bind every user who runs the tests, so the answer is given here.
    closed = folder / "closed"
    closed.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed and real(path, mode))
    check(run("analyze", mms, *MMS, "--json", closed / "out.json"), "cannot be written")


def test_unusual_options(run):
    assert run("frobnicate").exit_code == 2
    assert run("analyze").exit_code == 2
    assert run("analyze", "--frobnicate").exit_code == 2


# A subcommand that fails in a way nobody foresaw, put in by name only.
FAULT = """
import sys, types, click
from hrm.cli import main as module

@click.command()
def command():
    raise ZeroDivisionError("DOE JANE")

sys.modules["faulty"] = types.ModuleType("faulty")
sys.modules["faulty"].command = command
module._COMMANDS["fault"] = "faulty"
module.main(["fault"], prog_name="hrm")
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_unexpected_fault(debug):
    done = subprocess.run(
        [sys.executable, "-c", FAULT],
        cwd=ROOT,
        env={**os.environ, "HRM_DEBUG": debug},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert ("Traceback" in done.stderr) == bool(debug)
    if not debug:
        assert "unexpected fault (ZeroDivisionError)" in done.stderr
        assert "report" in done.stderr
        assert "HRM_DEBUG=1" in done.stderr
        assert "JANE" not in done.stderr
