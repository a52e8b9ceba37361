"""Every reader against the same contract, in every encoding and with every line end."""

import codecs

import numpy as np
import pytest

import hrm.io
from tests.io.conformance import Case, check
from tests.io.layouts import Headless, ManoView, Mms, spreadsheet

CE4_0062 = np.array([*range(0, 21, 2), 23, 24, 26, 28, 30, 31, 32, 33, 34, 35, 40], dtype=float)


def mms_case(file):
    return Case(
        reader="mms-csv",
        source_format="mms-csv",
        pressure=file.pressure,
        rate_hz=float(file.rate),
        first_s=file.first / float(file.rate),
        depth=CE4_0062,
        needs_catheter=True,
        options={"catheter": "CE4-0062"},
    )


def manoview_case(file, reader="manoview-ascii"):
    return Case(
        reader=reader,
        source_format=reader,
        pressure=file.pressure,
        rate_hz=file.rate,
        first_s=file.first,
        depth=np.arange(36.0),
        impedance=file.impedance,
    )


def headless_case(file):
    return manoview_case(file, "manoview-headless")


FILES = {
    "mms": (Mms(), mms_case),
    "mms-long": (Mms(n_samples=900), mms_case),
    "mms-10-hz": (Mms(rate="10", first=0), mms_case),
    "mms-nan": (Mms(nan=((4, 2), (5, 2))), mms_case),
    "mms-spreadsheet": (spreadsheet(), mms_case),
    "mms-semicolon": (Mms(separator=";"), mms_case),
    "mms-without-marker": (Mms(with_marker=False), mms_case),
    "manoview": (ManoView(), manoview_case),
    "manoview-impedance": (ManoView(n_segments=18), manoview_case),
    "manoview-decimal-comma": (ManoView(n_segments=18, comma=True), manoview_case),
    "manoview-long": (ManoView(n_samples=700, n_segments=18), manoview_case),
    "manoview-50-hz": (ManoView(rate=50.0), manoview_case),
    "manoview-60-hz": (ManoView(rate=60.0, n_samples=500), manoview_case),
    "headless": (Headless(), headless_case),
    "headless-impedance": (Headless(n_segments=18, n_samples=700), headless_case),
    "headless-without-dummy": (Headless(dummy=None), headless_case),
    "headless-from-zero": (Headless(first=0.0), headless_case),
    "headless-from-zero-without-dummy": (Headless(first=0.0, dummy=None), headless_case),
}


@pytest.mark.parametrize("name", FILES)
def test_every_layout_conforms(name, tmp_path):
    file, case = FILES[name]
    path = tmp_path / "secret.bin"
    path.write_bytes(file.bytes())
    check(path, case(file), tmp_path)


ENCODINGS = {
    "utf-8-bom": lambda text: codecs.BOM_UTF8 + text.encode("utf-8"),
    "big5": lambda text: text.encode("cp950"),
    "utf-16-le-bom": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be-bom": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "lf": lambda text: text.replace("\r\n", "\n").encode(),
    "crlf": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n").encode(),
    "cr": lambda text: text.replace("\r\n", "\n").replace("\n", "\r").encode(),
    "doubled-cr": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\r\n").encode(),
    "mixed": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n", 9).encode(),
    "no-final-line-end": lambda text: text.rstrip("\r\n").encode(),
    "blank-end": lambda text: (text + "\n\n").encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["mms-long", "mms-spreadsheet", "manoview-long", "headless"])
def test_every_encoding_and_line_end_reads_the_same(name, encoding, tmp_path):
    file, case = FILES[name]
    path = tmp_path / "secret.bin"
    path.write_bytes(ENCODINGS[encoding](file.text()))
    study = check(path, case(file), tmp_path)
    if name == "mms-spreadsheet":
        labels = [str(note) for note in study["events/note"].values if note]
        assert labels == ["Landmark", "Resting1", "Resting1", "Wet swallow1", "MRS1"]


def test_umlauts_in_cp1252_are_not_taken_for_big5(tmp_path):
    path = tmp_path / "a.txt"
    text = ManoView(annotations=(("260.70", "Schluck für Übung, größer"),)).text()
    path.write_bytes(text.encode("cp1252"))
    study = hrm.io.open_recording(path, keep_phi=True)
    assert study["events/note"].values[0] == "Schluck für Übung, größer"
