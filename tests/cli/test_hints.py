"""What a person is told who has a file that does not say enough, or is none."""

import json
import re
import zipfile

import numpy as np
import pytest

from tests.cli.edf_files import edf
from tests.io.layouts import ManoView, Mms
from tests.io.test_windows import STUDY, cut

ROWS = [",".join(map(str, row)) for row in np.arange(600).reshape(100, 6) % 97]
LAYOUT = """
[table]
separator = "auto"
[time]
sampling_rate_hz = 50
[pressure]
columns = "1-6"
unit = "mmHg"
order = "proximal_first"
depths_cm = [0, 1, 2, 3, 4, 5]
"""
NAME = "DOE_JANE_1961"


@pytest.fixture
def here(run, tmp_path):
    notes = "\n".join(["a,b,c,d,e,f,note", *(row + "," for row in ROWS)])
    (tmp_path / "notes.csv").write_text(notes + "\n")
    (tmp_path / "two.csv").write_text("\n".join(["lab 7", "mmHg", *ROWS]) + "\n")
    (tmp_path / "notes.toml").write_text(LAYOUT + "[events]\ntext = 7\n")
    (tmp_path / "two.toml").write_text(LAYOUT)
    for name, (start, stop) in {"a": (0, 30), "b": (20, 50)}.items():
        (tmp_path / f"{name}.txt").write_bytes(cut(STUDY, start, stop, "all"))
    return tmp_path


@pytest.mark.parametrize(
    "command", [("layout", "notes.toml", "--for"), ("info", "--layout", "notes.toml")]
)
def test_an_empty_cell_of_notes_asks_for_the_separator(command, run, here):
    done = run(*command, "notes.csv")
    assert done.exit_code == 2
    assert 'say separator = "comma"' in done.stderr
    said = (here / "notes.toml").read_text().replace('"auto"', '"comma"')
    (here / "notes.toml").write_text(said)
    assert run(*command, "notes.csv").exit_code == 0


def test_info_of_a_table_with_notes_says_how_to_describe_it(run, here):
    done = run("info", "notes.csv")
    assert done.exit_code == 0
    assert (
        'with texts in column 7 (in a layout file: separator = "comma", header_lines = 1)'
        in done.stdout
    )
    assert "hrm layout --init layout.toml" in done.stdout


def test_the_lines_above_the_numbers_are_counted(run, here):
    done = run("layout", "two.toml", "--for", "two.csv")
    assert done.exit_code == 2
    assert "header_lines = 2" in done.stderr
    (here / "two.toml").write_text(LAYOUT.replace("[time]", "header_lines = 2\n[time]"))
    done = run("layout", "two.toml", "--for", "two.csv")
    assert re.search(r"header_lines +2\n", done.stdout)


def archive(path, members):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)


def test_a_foreign_file_in_an_archive_is_named_by_its_number(run, here):
    parts = {name: (here / name).read_bytes() for name in ("a.txt", "b.txt")}
    archive(
        here / "x.zip",
        {
            "a.txt": parts["a.txt"],
            f"{NAME}.jpg": b"\xff\xd8\xff\xe0" * 9,
            "b.txt": parts["b.txt"],
        },
    )
    done = run("convert", "x.zip", "o.nc", "--join")
    assert done.exit_code == 2
    assert "file 2 of" in done.stderr
    assert "a picture (JPEG)" in done.stderr
    assert NAME not in done.stderr
    assert re.search(rf"^ +2  {NAME}.jpg  \(not read\)$", run("info", "x.zip").stdout, re.MULTILINE)


def test_an_archive_of_several_formats_is_not_advised_to_be_joined(run, here):
    parts = {name: (here / name).read_bytes() for name in ("a.txt", "b.txt")}
    archive(here / "same.zip", parts)
    archive(here / "mixed.zip", {**parts, "c.edf": edf()})
    archive(here / "vendors.zip", {"a.txt": parts["a.txt"], "m.csv": Mms().bytes()})
    archive(here / "edf.zip", {"a.edf": edf(), "b.edf": edf()})
    assert "--join" in run("info", "same.zip").stdout.splitlines()[-1]
    for name in ("mixed.zip", "vendors.zip"):
        assert "--join refuses" in run("info", name).stdout
    assert "--join" not in run("info", "edf.zip").stdout
    found = json.loads(run("info", "mixed.zip", "--json").stdout)["formats"]
    assert found == ["manoview-ascii", "manoview-ascii", "edf"]


def test_info_of_an_edf_file_says_what_it_leaves_open(run, here):
    (here / "a.edf").write_bytes(edf())
    done = run("info", "a.edf")
    assert "--channel-order" in done.stdout
    assert "--depths" in done.stdout
    assert "--pressure-unit" not in done.stdout
    assert "P1 to Pn" not in done.stdout
    (here / "b.edf").write_bytes(edf().replace(b"P1 ", b"Pa ").replace(b"mmHg", b"    "))
    done = run("info", "b.edf")
    assert "--pressure-unit" in done.stdout
    assert "P1 to Pn" in done.stdout
    assert "hrm layout --init" in done.stdout


def test_a_layout_for_an_edf_file_lacks_neither_rate_nor_unit(run, here):
    (here / "e.toml").write_text("[pressure]\norder = 'proximal_first'\n")
    lines = run("layout", "e.toml").stdout.splitlines()
    table = next(line for line in lines if "plain table" in line)
    of_edf = next(line for line in lines if "EDF" in line)
    assert "time.sampling_rate_hz" in table
    assert "pressure.unit" in table
    assert of_edf.split(":")[1].split() == ["pressure.depths_cm", "or", "pressure.catheter"]
    (here / "e.toml").write_text("[pressure]\norder = 'proximal_first'\ndepths_cm = [0, 1, 2]\n")
    assert "EDF file:  nothing" in run("layout", "e.toml").stdout


def test_info_says_that_it_did_not_read_the_file(run, here):
    whole = ManoView(n_samples=2000).bytes()
    (here / "cut.txt").write_bytes(whole[: len(whole) // 2].rpartition(b"\n")[0] + b"\n")
    assert re.search(
        r"whole and sound +not checked: only its two ends", run("info", "cut.txt").stdout
    )
    assert run("convert", "a.txt", "a.nc").exit_code == 0
    assert "not checked" not in run("info", "a.nc").stdout


@pytest.mark.parametrize("suffix", [".csv", ".TXT", ".xlsx", ".edf", ".json"])
def test_an_output_is_not_named_like_another_format(suffix, run, here):
    done = run("convert", "a.txt", f"o{suffix}")
    assert done.exit_code == 2
    assert "study.nc" in done.stderr
    assert not (here / f"o{suffix}").exists()


@pytest.mark.parametrize("name", ["o.nc", "o.h5", "o", "o.v2"])
def test_any_other_name_of_the_output_is_taken(name, run, here):
    assert run("convert", "a.txt", name).exit_code == 0


def test_a_file_of_a_plug_in_that_is_not_there_is_not_just_a_table(run, here):
    text = "\n".join(["#TALLY 1", f"#subject={NAME}", *ROWS]) + "\n"
    (here / "a.tally").write_text(text)
    done = run("info", "a.tally")
    assert "of no other format that is known here" in done.stdout
    assert "if there is a plug-in that reads it, that is not installed" in done.stdout
    assert NAME not in done.stdout
    assert "plug-in" not in run("info", "two.csv").stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a picture (JPEG)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "older office program"),
        (b"%PDF-1.7\n", "a PDF document"),
        (bytes(128) + b"DICM", "a DICOM object"),
        (b"<!doctype HTML><html>", "a web page"),
        (b"\0\0\0\x20ftypmp42", "a film"),
    ],
)
def test_what_is_no_recording_is_called_what_it_is(content, words, run, here):
    (here / f"{NAME}.bin").write_bytes(content + bytes(300))
    done = run("info", f"{NAME}.bin")
    assert done.exit_code == 2
    assert words in done.stderr
    assert "hrm formats" in done.stderr
    assert "mms-csv" not in done.stderr
