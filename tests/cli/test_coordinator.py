"""What a person who knows only the documents stumbles over at the command line."""

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hrm.io
from tests.cli.edf_files import edf
from tests.io.layouts import ManoView
from tests.io.test_windows import STUDY, N, cut

ROWS = "\n".join(",".join(map(str, row)) for row in np.arange(600).reshape(100, 6) % 97) + "\n"
TEXT = "Export of lab 7\nunit mmHg\n" + ROWS
SOUND = """
[table]
header_lines = 2
[time]
sampling_rate_hz = 50
[pressure]
unit = "mmHg"
order = "proximal_first"
depths_cm = [0, 1, 2, 3, 4, 5]
"""


@pytest.fixture
def here(run, tmp_path):
    """A folder with a table below two lines of text, its layout, and the windows of a study."""
    (tmp_path / "two.csv").write_text(TEXT)
    (tmp_path / "two.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    (tmp_path / "sound.toml").write_text(SOUND)
    for name, (start, stop) in {"a": (0, 30), "b": (20, 50), "c": (40, 55)}.items():
        (tmp_path / f"{name}.txt").write_bytes(cut(STUDY, start, stop, "all"))
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for name in "abc":
            archive.write(f"{name}.txt", f"w/{name}.txt")
    return tmp_path


def test_a_table_below_lines_of_text_is_seen_and_told_how(run, here):
    for command in (("analyze", "two.csv"), ("convert", "two.csv", "o.nc")):
        done = run(*command)
        assert done.exit_code == 2
        for words in ("from line 3 on", "header_lines = 2", "hrm layout --init", "--layout"):
            assert words in done.stderr
    done = run("info", "two.csv")
    assert "plain-table" in done.stdout
    assert "hrm info FILE --layout layout.toml" in done.stdout
    assert run("convert", "two.csv", "o.nc", "--layout", "sound.toml").exit_code == 0
    assert hrm.io.open_recording("o.nc")["pressure/pressure"].shape == (6, 100)


@pytest.mark.parametrize("text", ["milk\nbread\n", "a list\nof things\n1,2,3\nmore text\n4,5,6\n"])
def test_a_text_without_rows_of_numbers_is_no_table(text, run, here):
    (here / "list.csv").write_text(text)
    assert "no reader recognises" in run("info", "list.csv").stderr


def test_info_takes_a_layout(run, here):
    for name in ("two.csv", "two.csv.gz"):
        done = run("info", name, "--layout", "sound.toml")
        assert done.exit_code == 0, done.stderr
        assert re.search(r"pressure sensors +6\n", done.stdout)
        assert re.search(r"sampling rate \(Hz\) +50\n", done.stdout)
        assert re.search(r"needs --catheter or --depths +no\n", done.stdout)
    timed = SOUND.replace("sampling_rate_hz = 50", 'column = 1\nunit = "ms"').replace(", 5]", "]")
    (here / "timed.toml").write_text(timed)
    rows = [f"{20 * k},{row.partition(',')[2]}" for k, row in enumerate(ROWS.split())]
    (here / "timed.csv").write_text("a\nb\n" + "\n".join(rows) + "\n")
    done = run("info", "timed.csv", "--layout", "timed.toml")
    assert re.search(r"sampling rate \(Hz\) +50\n", done.stdout)
    assert run("info", "--layout", "sound.toml").exit_code == 2


def test_a_layout_is_held_against_a_file_and_all_is_told_at_once(run, here):
    (here / "poor.toml").write_text(
        "[table]\nheader_lines = 2\n[pressure]\ncolumns = [1, 2, 9, 12]\n[time]\ncolumn = 14\n"
        "unit = 'sample'\n[impedance]\ncolumns = '5-6'\norder = 'proximal_first'\n"
    )
    for command in (("layout", "poor.toml", "--for"), ("info", "--layout", "poor.toml")):
        done = run(*command, "two.csv")
        assert done.exit_code == 2
        for words in (
            *("pressure.unit", "pressure.order", "time.sampling_rate_hz", "impedance.unit"),
            *("pressure.depths_cm", "time.column is 14", "entry 3 is 9", "entry 4 is 12"),
            *("--pressure-unit", "--channel-order", "--sampling-rate", "--depths"),
        ):
            assert words in done.stderr
    assert run("layout", "sound.toml", "--for", "two.csv").exit_code == 0


def test_packed_files_are_described_in_words_of_their_own(run, here):
    (here / "a.txt.gz").write_bytes(gzip.compress(ManoView(n_samples=2000).bytes()))
    done = run("info", "a.txt.gz")
    assert re.search(r"packed +with gzip", done.stdout)
    assert "either end" not in done.stdout
    assert "not unpacked" in done.stdout
    assert re.search(r"packed +no\n", run("info", "a.txt").stdout)
    done = run("info", "windows.zip")
    assert "zip archive of 3 files" in done.stdout
    assert "hrm info FILE --member NAME" in done.stdout
    assert "--join" in done.stdout
    done = run("info", "windows.zip", "--member", "w/a.txt")
    assert re.search(r"packed +in a zip archive", done.stdout)
    assert "size unpacked" in done.stdout


def test_the_windows_in_an_archive_are_joined(run, here):
    done = run("convert", "windows.zip", "zip.nc", "--join")
    assert done.exit_code == 0, done.stderr
    assert run("convert", "c.txt", "a.txt", "b.txt", "txt.nc", "--join").exit_code == 0
    found, wanted = (hrm.io.open_recording(name) for name in ("zip.nc", "txt.nc"))
    assert found.attrs == wanted.attrs
    assert found["pressure/pressure"].values.tobytes() == STUDY.pressure[:, :55].tobytes()


def test_annotations_of_a_join_are_told_once_and_only_those_that_are_lost(run, here):
    done = run("convert", "a.txt", "b.txt", "c.txt", "o.nc", "--join")
    assert done.stderr.count("warning") == 1
    assert "1 annotation (at 261.19 s) lies in none of the files" in done.stderr
    Path("c.txt").write_bytes(cut(STUDY, 40, N, "all"))
    done = run("convert", "a.txt", "b.txt", "c.txt", "p.nc", "--join")
    assert done.exit_code == 0
    assert "warning" not in done.stderr
    assert hrm.io.open_recording("p.nc")["events"].sizes["event"] == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ("a.txt", "b.txt", "c.txt", "--join"),
        ("a.txt", "b.txt", "c.txt", "--join", "--force"),
        ("a.txt", "b.txt"),
        ("a.txt", "b.txt", "--force"),
    ],
)
def test_a_forgotten_output_never_costs_a_recording(arguments, run, here):
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    done = run("convert", *arguments)
    assert done.exit_code == 2
    assert "add the name of a new file" in done.stderr
    assert "--force" not in done.stderr
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_an_output_of_hrm_is_replaced_if_asked(run, here):
    assert run("convert", "a.txt", "o.nc").exit_code == 0
    done = run("convert", "b.txt", "o.nc")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert run("convert", "b.txt", "o.nc", "--force").exit_code == 0


def test_the_columns_of_a_swallow_list_are_named_by_number(run, here):
    for text, words in (
        ("onset;posture;DOE\n1;supine;x\n", ["column 1 ", "onset_s is meant", "column 3 "]),
        ("posture,onset_s,posture\n", ["column 3 is a second posture"]),
        ("onset_s,start\n", ["both onset_s and start"]),
        ("posture,protocol\n", ["no column onset_s or start"]),
    ):
        (here / "list.csv").write_text(text)
        done = run("analyze", "a.txt", "--swallows", "list.csv")
        assert done.exit_code == 2
        assert "line 1" in done.stderr
        assert "doe" not in done.stderr.casefold()
        for each in words:
            assert each in done.stderr


@pytest.mark.parametrize(
    ("code", "words"),
    [("doe-1", "own header"), ("x1961", ""), ("1961-05-04", "a date"), ("P.4.5.1961", "a date")],
)
def test_a_participant_code_is_held_against_the_header(code, words, run, mms, manoview):
    done = run("convert", mms, "o.nc", "--catheter", "CE4-0062", "--participant", code)
    if not words:
        assert done.exit_code == 0, done.stderr
        assert hrm.io.open_recording("o.nc").attrs["study_id"] == code
        return
    assert done.exit_code == 2
    assert words in done.stderr
    assert code not in done.stderr
    assert not Path("o.nc").exists()
    if words == "own header":
        assert run("convert", manoview, "o.nc", "--participant", code).exit_code == 0


def test_the_header_of_an_edf_file_counts_too(run, tmp_path):
    (tmp_path / "a.edf").write_bytes(edf(patient="P-1961 F X DOE_JANE"))
    options = ("--channel-order", "proximal_first", "--depths", "0,1,2")
    done = run("convert", "a.edf", "o.nc", *options, "--participant", "doe-7")
    assert done.exit_code == 2
    assert "own header" in done.stderr
    done = run("convert", "a.edf", "o.nc", *options, "--participant", "P-07")
    assert done.exit_code == 0, done.stderr
