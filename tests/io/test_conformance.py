"""Every reader against the same contract, in every encoding and with every line end."""

import codecs
from dataclasses import replace

import numpy as np
import pytest

import hrm.io
from tests.io.conformance import Case, check
from tests.io.layouts import (
    Headless,
    ManoBank,
    ManoView,
    Mms,
    results_at_events,
    results_from_the_top,
    spreadsheet,
)

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


def named_case(file):
    return replace(mms_case(file), needs_catheter=False, options={})


def colonic_case(file):
    depth = np.arange(40) * 2.5
    return replace(mms_case(file), depth=depth, options={"depths": depth})


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
    "mms-results": (results_at_events(), mms_case),
    "mms-table": (results_from_the_top(n_samples=900), named_case),
    "mms-table-semicolon": (results_from_the_top(separator=";"), named_case),
    "mms-colonic": (Mms(n_sensors=40, rate="10"), colonic_case),
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
    "manobank": (ManoBank(), headless_case),
    "manobank-30-s": (ManoBank(n_samples=3000), headless_case),
    "manobank-study-time": (ManoBank(first=731.5), headless_case),
    "manobank-decimal-comma": (ManoBank(comma=True), headless_case),
}


@pytest.mark.filterwarnings("ignore:.*layout of a colonic recording")
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
@pytest.mark.parametrize(
    "name", ["mms-long", "mms-spreadsheet", "mms-table", "manoview-long", "headless", "manobank"]
)
def test_every_encoding_and_line_end_reads_the_same(name, encoding, tmp_path):
    file, case = FILES[name]
    path = tmp_path / "secret.bin"
    path.write_bytes(ENCODINGS[encoding](file.text()))
    study = check(path, case(file), tmp_path)
    if name == "mms-spreadsheet":
        labels = [str(note) for note in study["events/note"].values if note]
        assert labels == ["Landmark", "Resting1", "Resting1", "Wet swallow1", "MRS1"]
    if name == "mms-table":
        assert study["swallows/reported_vigor"].values.tolist() == ["normal", "", "weak"]
        assert '"vigor": "no_data"' in study["swallows/reported_status"].values[1]


def test_umlauts_in_cp1252_are_not_taken_for_big5(tmp_path):
    path = tmp_path / "a.txt"
    text = ManoView(annotations=(("260.70", "Schluck für Übung, größer"),)).text()
    path.write_bytes(text.encode("cp1252"))
    study = hrm.io.open_recording(path, keep_phi=True)
    assert study["events/note"].values[0] == "Schluck für Übung, größer"
