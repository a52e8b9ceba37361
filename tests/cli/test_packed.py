"""Packed recordings on the command line: archives, their members, the progress bar."""

import gzip
import zipfile

import pytest

import hrm
from tests.io.layouts import ManoView, Mms


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Doe Jane/a.csv", Mms().bytes())
        file.writestr("b\x1b[2Jc.txt", ManoView().bytes())
    return path


def test_info_lists_the_files_of_an_archive(run, archive):
    done = run("info", archive)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "zip archive of 2 files"
    assert "   1  Doe Jane/a.csv  (mms-csv)" in done.stdout.splitlines()
    # What a terminal would take for a command is not passed on.
    assert "\x1b" not in done.stdout
    done = run("info", archive, "--member", "Doe Jane/a.csv")
    assert "mms-csv" in done.stdout


def test_other_commands_ask_which_and_name_none(run, archive):
    for command in (["convert", archive, "out.h5"], ["analyze", archive]):
        done = run(*command)
        assert done.exit_code == 2
        assert "holds 2 files; name one with --member" in done.stderr
        assert "Doe" not in done.stderr
    done = run("convert", archive, "out.h5", "--member", "Doe Jane/a.csv", "--catheter", "CE4-0062")
    assert done.exit_code == 0, done.stderr
    assert hrm.open_recording("out.h5").attrs["reader"] == "mms-csv"


def test_a_gzipped_file_needs_no_option(run, tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(ManoView().bytes()))
    assert "manoview-ascii" in run("info", path).stdout
    done = run("convert", path, "out.h5")
    assert done.exit_code == 0, done.stderr
    # No terminal, no bar.
    assert done.stderr == "wrote out.h5\n"


def test_the_bar_follows_the_bytes_read(monkeypatch, capsys):
    from hrm.cli import convert

    monkeypatch.setattr(convert.sys.stderr, "isatty", lambda: True, raising=False)
    with convert._progress_bar() as show:
        for done in (0, 40, 100, 130):
            show(done, 100)
    shown = capsys.readouterr().err
    assert "reading" in shown
    assert "100%" in shown
    assert "130%" not in shown
