"""Identity planted in every slot of every format must not come out of any command.

Every output is searched: text, JSON, HDF5, PNG with its metadata, PDF with its streams
unpacked. Standard error may name a path as the user typed it, and nothing else.
"""

import gzip
import re
import struct
import zipfile
import zlib

import h5py
import numpy as np
import pytest

import hrm.io
from hrm.phantom import sample, write_manoview, write_mms_csv
from hrm.schema import make_recording
from tests.cli.edf_files import edf

WORDS = ("Quenbert", "Zyxwolf", "7700123456", "19610412")
PLANT = " ".join(WORDS)
CATHETER = ("--catheter", "CE4-0062")


def mms_bytes(phantom, folder):
    """The vendor's export: the name, other rows of a preamble, one of which begins with the name."""
    path = folder / "plain.csv"
    write_mms_csv(sample(phantom, catheter="CE4-0062", sampling_rate=20.0), path)
    rows = f"Patient ID=, {PLANT}\r\n{PLANT}=, {PLANT}\r\nBorn=, {PLANT}\r\n"
    plain = path.read_bytes()
    name = f"Name=, {PLANT}\r\n{rows}".encode()
    return plain.replace(b"Name=, X, X\r\n", name, 1)


def spreadsheet_bytes(phantom, folder):
    """Saved again by a spreadsheet: event and result columns, in their cells and their names."""
    lines = mms_bytes(phantom, folder).decode().replace(", ", ",").split("\r\n")
    at = next(k for k, line in enumerate(lines) if line.startswith("Sample number"))
    lines[at] += f",procedure,{PLANT},Contraction vigor,ws_10_vigor"
    for row, label in ((at + 5, "Wet swallow1"), (at + 9, PLANT)):
        lines[row] += f",{label},{PLANT},{PLANT},{PLANT}"
    return "\n".join(lines).encode()


def results_bytes(phantom, folder):
    """With the laboratory's results from the first row down, a name in each of their columns."""
    lines = mms_bytes(phantom, folder).decode().split("\r\n")
    at = next(k for k, line in enumerate(lines) if line.startswith("Sample number"))
    lines[at] += ", procedure, ws_10_vigor, ws_10_pattern, ws_10_dci, ws_10_dl"
    for row in range(at + 1, at + 4):
        lines[row] += f", Wet swallow{row - at}, {PLANT}, {PLANT}, {PLANT}, {PLANT}"
    return "\r\n".join(lines).encode()


def headed_bytes(phantom, folder):
    path = folder / "plain.txt"
    write_manoview(sample(phantom, sampling_rate=20.0), path)
    notes = f"262.00\tWS 1\r\n265.00\t{PLANT}\r\n{PLANT}\r\n9999.0\t{PLANT}\r\n"
    return path.read_bytes().rstrip() + b"\r\n" + notes.encode()


def headless_bytes(phantom, folder):
    path = folder / "window.txt"
    write_manoview(sample(phantom, sampling_rate=20.0), path, headed=False)
    return path.read_bytes()


def manobank_bytes(phantom, folder):
    """As the archive gives it: no dummy row, time from zero."""
    rows = [line.split() for line in headless_bytes(phantom, folder).splitlines()]
    rows = [row for row in rows if float(row[0]) > 0]
    first = float(rows[0][0])
    return b"\n".join(b"\t".join([f"{float(t) - first:.2f}".encode(), *x]) for t, *x in rows)


def native_bytes(phantom, folder):
    """hrm's own file, of a study that was read with its identity kept."""
    path = folder / "vendor.csv"
    path.write_bytes(spreadsheet_bytes(phantom, folder))
    study = hrm.io.open_recording(path, catheter="CE4-0062", keep_phi=True)
    study.attrs["phi_operator"] = PLANT
    native = folder / "kept.nc"
    hrm.io.write_native(study, native, overwrite=True)
    assert PLANT in texts_of_hdf5(native)  # so there is something to lose
    return native.read_bytes()


def gzip_bytes(phantom, folder):
    path = folder / f"{PLANT}.csv"
    path.write_bytes(mms_bytes(phantom, folder))
    packed = folder / "a.gz"
    with packed.open("wb") as raw, gzip.GzipFile(f"{PLANT}.csv", "wb", fileobj=raw) as out:
        out.write(path.read_bytes())
    assert b"Zyxwolf" in packed.read_bytes()[:80]  # gzip keeps the name of the file
    return packed.read_bytes()


def zip_bytes(phantom, folder):
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{PLANT}/{PLANT}.csv", mms_bytes(phantom, folder))
        archive.comment = PLANT.encode()
    return path.read_bytes()


def edf_bytes(phantom, folder):
    study = sample(phantom, sampling_rate=20.0)
    notes = ((2.0, "WS 1"), (5.5, PLANT))
    values = study["pressure/pressure"].values
    return edf(values, date="19.04.61", patient=PLANT, free=PLANT, notes=notes)


def table_bytes(phantom, folder):
    """A table of a laboratory's own, with lines above it, names of columns, and notes."""
    values = sample(phantom, sampling_rate=20.0)["pressure/pressure"].values.T
    names = [*(f"P{k + 1}" for k in range(values.shape[1])), PLANT]
    rows = [";".join([*(f"{value:.1f}" for value in row), ""]) for row in values]
    rows[40] += "WS 1"
    rows[90] += PLANT
    return "\n".join([PLANT, ";".join(names), *rows, ""]).encode()


LAYOUT = """
[table]
separator = "semicolon"
header_lines = 2
[time]
sampling_rate_hz = 20
[pressure]
columns = "1-36"
unit = "mmHg"
order = "proximal_first"
catheter = "manoscan-36"
[events]
text = 37
"""
EDF_HOW = ("--channel-order", "proximal_first", "--catheter", "manoscan-36")

#: Every format: how its file is made, its suffix, and what must be said to read it.
FORMATS = {
    "mms": (mms_bytes, ".csv", CATHETER),
    "mms-spreadsheet": (spreadsheet_bytes, ".csv", CATHETER),
    "mms-results": (results_bytes, ".csv", CATHETER),
    "manoview-headed": (headed_bytes, ".txt", ()),
    "manoview-headless": (headless_bytes, ".txt", ()),
    "manobank": (manobank_bytes, ".txt", ()),
    "native": (native_bytes, ".nc", ()),
    "edf": (edf_bytes, ".edf", EDF_HOW),
    "table": (table_bytes, ".csv", ("--layout", "LAYOUT")),
    "gzip": (gzip_bytes, ".csv.gz", CATHETER),
    "zip": (zip_bytes, ".zip", CATHETER),
}


@pytest.fixture(scope="module")
def files(phantom, tmp_path_factory):
    """One file of each format, in a folder and under a name that identify the patient."""
    folder = tmp_path_factory.mktemp("in") / PLANT
    folder.mkdir()
    made = {}
    for name, (make, suffix, options) in FORMATS.items():
        path = folder / f"{name} {PLANT}{suffix}"
        path.write_bytes(make(phantom, tmp_path_factory.mktemp("scratch")))
        layout = folder.parent / "layout.toml"
        layout.write_text(LAYOUT, encoding="utf-8")
        made[name] = (path, [layout if each == "LAYOUT" else each for each in options])
    return made


def texts_of_hdf5(path):
    said = []
    with h5py.File(path) as file:

        def visit(name, item):
            said.extend([name, *item.attrs, *map(str, item.attrs.values())])
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "OS":
                said.extend(str(value) for value in np.ravel(item.asstr()[()]))

        visit("", file)
        file.visititems(visit)
    return " ".join(said)


def texts_of_pdf(data):
    """Streams unpacked; the letters joined, which a PDF sets one by one and in two bytes each."""
    said = [data.decode("latin-1")]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        try:
            text = zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue
        letters = "".join(re.findall(r"\(((?:[^()\\]|\\.)*)\)", text, re.DOTALL))
        said += [text, letters.replace("\0", "")]
    return " ".join(said)


def texts_of_png(data):
    said, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] != b"IDAT":
            said.append(data[at + 4 : at + 8 + length].decode("latin-1"))
        at += length + 12
    return " ".join(said)


def everything_in(path):
    """All text of an output file, whatever it is."""
    data = path.read_bytes()
    if data.startswith(b"\x89HDF"):
        return texts_of_hdf5(path)
    if data.startswith(b"%PDF"):
        return texts_of_pdf(data)
    if data.startswith(b"\x89PNG"):
        return texts_of_png(data)
    return data.decode("utf-8")


def assert_clean(text, where):
    found = [word for word in WORDS if word.casefold() in text.casefold()]
    assert found == [], where


def assert_quiet(shown, path, where):
    """Nothing on standard output, and on standard error nothing but the path as it was typed."""
    assert_clean(shown.stdout, f"{where}: stdout")
    said = re.sub(r"\s+", " ", shown.stderr)
    assert_clean(said.replace(str(path), ""), f"{where}: stderr")


COMMANDS = {
    "info": ("info", "FILE", "READER"),
    "info-json": ("info", "FILE", "READER", "--json"),
    "analyze": (
        *("analyze", "FILE", "OPTIONS", "--json", "a.json", "--figure", "a.png"),
        *("--report", "a.pdf", "--long", "a.csv", "--save", "a.nc"),
    ),
    "analyze-svg": ("analyze", "FILE", "OPTIONS", "--json", "-", "--figure", "a.svg"),
    "quality": ("quality", "FILE", "OPTIONS", "--json", "a.json", "--figure", "a.png"),
    "convert": ("convert", "FILE", "OPTIONS", "a.nc"),
    "deidentify": ("deidentify", "FILE", "OPTIONS", "a.nc"),
    "review": (
        *("review", "FILE", "OPTIONS", "--review-dir", ".", "--reader", "AB", "--reason", "seen"),
        *("--set", "swallow.1.include=false"),
    ),
}


def run_command(run, arguments, path, options):
    full = []
    for each in arguments:
        # What a plain table is, only its layout says; `info` takes none.
        reader = ["--reader", "plain-table"] if "--layout" in options else []
        given = {"FILE": [path], "OPTIONS": options, "READER": reader}
        full += given.get(each, [each])
    return run(*full)


@pytest.mark.filterwarnings("ignore::hrm.errors.HrmWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_no_command_lets_identity_out(name, files, run, tmp_path):
    path, options = files[name]
    for command, arguments in COMMANDS.items():
        if command == "analyze-svg" and name != "mms":
            continue  # the same drawing as the other figure
        for old in tmp_path.iterdir():
            old.unlink()
        shown = run_command(run, arguments, path, options)
        where = f"{name}, {command}"
        assert shown.exit_code == 0, (where, shown.stderr.replace(PLANT, "PLANT"))
        assert_quiet(shown, path, where)
        outputs = sorted(tmp_path.iterdir())
        assert bool(outputs) == (command not in ("info", "info-json")), where
        for output in outputs:
            assert_clean(output.name, where)
            assert_clean(everything_in(output), f"{where}: {output.name}")
    beside = [each.name for each in path.parent.iterdir()]
    assert len(beside) == len(FORMATS)


@pytest.mark.parametrize("command", ["info", "analyze", "convert", "deidentify", "quality"])
def test_a_study_that_is_refused_is_not_quoted_either(command, run, tmp_path):
    """ManoView's own binary file: its first part is all identity."""
    path = tmp_path / f"{PLANT}.mva"
    parts = (f'<info><patient name="{PLANT}"/></info>', "<probe/>", "<analysis/>", PLANT * 99)
    path.write_bytes(b"".join(zlib.compress(part.encode()) for part in parts))
    out = ["a.nc"] if command in ("convert", "deidentify") else []
    shown = run(command, path, *out)
    assert shown.exit_code == 2
    assert "Save Selected Data" in shown.stderr
    assert_quiet(shown, path, command)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_joined_windows_lose_it_too(run, phantom, tmp_path):
    lines = headed_bytes(phantom, tmp_path).split(b"\r\n")
    notes = next(k for k, line in enumerate(lines) if line.startswith(b"Annotations"))
    half, files = notes // 2, []
    for k, rows in enumerate((lines[: half + 50], [lines[0], *lines[half:notes]])):
        files.append(tmp_path / f"{PLANT} {k}.txt")
        files[-1].write_bytes(b"\r\n".join([*rows, *lines[notes:]]))
    (tmp_path / "plain.txt").unlink()
    shown = run("convert", "--join", *files, "a.nc")
    assert shown.exit_code == 0, shown.stderr.replace(PLANT, "PLANT")
    assert_quiet(shown, files[0], "join")
    out = tmp_path / "a.nc"
    assert_clean(everything_in(out), "join")


def damaged(data):
    """Cut, and with the identity where numbers and headers belong."""
    lines = data.split(b"\n")
    middle = len(lines) // 2
    yield data[: len(data) // 3]
    yield data[: len(data) - 7]
    yield b"\n".join([*lines[:middle], PLANT.encode(), *lines[middle:]])
    yield b"\n".join([*lines[:3], PLANT.encode(), *lines[3:]])
    yield data[: len(data) // 2] + PLANT.encode()
    yield PLANT.encode()


@pytest.mark.filterwarnings("ignore::hrm.errors.HrmWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_no_error_lets_identity_out(name, files, run, tmp_path):
    path, options = files[name]
    folder = tmp_path / PLANT
    folder.mkdir()
    bad = folder / path.name
    for k, data in enumerate(damaged(path.read_bytes())):
        bad.write_bytes(data)
        for command in ("info", "convert", "deidentify"):
            shown = run_command(run, COMMANDS[command], bad, options)
            where = f"{name}, damage {k}, {command}"
            assert shown.exit_code in (0, 2), where
            assert_quiet(shown, bad, where)
            outputs = [each for each in tmp_path.iterdir() if each.is_file()]
            assert shown.exit_code == 0 or outputs == [], where
            for output in outputs:
                assert_clean(everything_in(output), where)
                output.unlink()


def test_identity_stays_only_where_it_was_asked_for(files, run, tmp_path):
    path, options = files["mms"]
    kept = run("convert", path, "kept.nc", "--keep-identity", *options)
    assert kept.exit_code == 0
    assert "holds the patient's identity" in kept.stderr
    assert_quiet(kept, path, "convert --keep-identity")
    assert PLANT in texts_of_hdf5(tmp_path / "kept.nc")
    assert run("convert", "kept.nc", "dropped.nc").exit_code == 0
    assert_clean(texts_of_hdf5(tmp_path / "dropped.nc"), "converted again")
    for command in ("analyze", "deidentify", "review", "info"):
        assert "--keep-identity" not in run(command, "--help").stdout


def test_the_search_finds_what_is_there(files, run, tmp_path):
    """Each kind of output is shown to be searched: with a code that belongs into it."""
    path, options = files["mms"]
    arguments = (*COMMANDS["analyze"], "--participant", "Zyxwolf-7")
    assert run_command(run, arguments, path, options).exit_code == 0
    for name in ("a.json", "a.pdf", "a.csv", "a.nc"):
        with pytest.raises(AssertionError):
            assert_clean(everything_in(tmp_path / name), name)
    text = b"tEXtAuthor\0Zyxwolf"
    png = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(
        png[:33] + struct.pack(">I", len(text) - 4) + text + b"0000" + png[33:]
    )
    with pytest.raises(AssertionError):
        assert_clean(everything_in(tmp_path / "b.png"), "b.png")
    assert_clean(everything_in(tmp_path / "a.png"), "a.png")


def test_members_of_an_archive_are_named_on_the_terminal_only(run, tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for k in (1, 2):
            out.writestr(f"{PLANT} {k}.csv", b"x")
    for command in (("convert", archive, "a.nc"), ("deidentify", archive, "a.nc")):
        shown = run(*command)
        assert shown.exit_code == 2
        assert_quiet(shown, archive, command[0])
    shown = run("deidentify", archive, "a.nc", "--member", f"{PLANT} 3.csv")
    assert shown.exit_code == 2
    assert_quiet(shown, archive, "a missing member")


def test_what_a_user_made_is_not_taken_for_the_patients(run, tmp_path):
    """Of hrm's own file, `convert` carries what its author put there; `deidentify` does not."""
    study = make_recording(
        np.ones((50, 3)), sampling_rate=25.0, depth=[0, 1, 2], attrs={"project": PLANT}
    )
    hrm.io.write_native(study, tmp_path / "own.nc")
    assert run("convert", "own.nc", "a.nc").exit_code == 0
    assert PLANT in texts_of_hdf5(tmp_path / "a.nc")
    assert run("deidentify", "own.nc", "b.nc").exit_code == 0
    assert_clean(texts_of_hdf5(tmp_path / "b.nc"), "deidentify")
