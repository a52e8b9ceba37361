"""The layout file: sound ones are taken as said, and every fault of others is told at once."""

import tomllib

import pytest

from hrm.errors import ParameterError
from hrm.io._registry import ReadOptions
from hrm.io.layout import TEMPLATE, Layout, Signals, read_layout, with_layout

SOUND = """
[table]
separator = "semicolon"
header_lines = 3
decimal = "comma"
encoding = "cp1252"
missing = ["NA", "-9999"]
[time]
sampling_rate_hz = 50
column = "t"
unit = "sample"
part = 2
[pressure]
columns = [3, 2]
unit = "kPa"
order = "distal_first"
depths_cm = [7.3, 5]
[impedance]
columns = "4-6"
unit = "kohm"
order = "proximal_first"
[events]
marker = 8
text = "note"
"""


@pytest.fixture
def read(tmp_path):
    def reader(text):
        path = tmp_path / "layout.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return read_layout(path)

    return reader


def test_every_key_is_taken(read):
    found = read(SOUND)
    assert found == Layout(
        separator="semicolon",
        header_lines=3,
        decimal="comma",
        encoding="cp1252",
        missing=("NA", "-9999"),
        sampling_rate_hz=50.0,
        time_column="t",
        time_unit="sample",
        part=2,
        pressure=Signals((3, 2), "kPa", "distal_first", (7.3, 5.0), None),
        impedance=Signals((4, 5, 6), "kohm", "proximal_first"),
        marker=8,
        text="note",
        sha256=found.sha256,
    )
    assert len(found.sha256) == 64


def test_the_template_is_sound_and_stays_so_with_its_comments_taken_off(read):
    assert read(TEMPLATE).pressure.columns == tuple(range(1, 37))
    bare = [
        line.removeprefix("# ") if _is_setting(line) else line for line in TEMPLATE.splitlines()
    ]
    text = "\n".join(line for line in bare if not line.startswith(("depths_cm", "column =")))
    text = text.replace("marker = 55", "marker = 60").replace("text = 56", "text = 61")
    found = read(text)
    assert found.pressure.unit == "mmHg"
    assert found.pressure.catheter == "manoscan-36"
    assert found.impedance.unit == "kohm"
    assert (found.marker, found.text) == (60, 61)
    assert {"NA", ""} <= set(found.missing)


def _is_setting(line):
    try:
        return line.startswith("# ") and bool(tomllib.loads(line[2:]))
    except tomllib.TOMLDecodeError:
        return False


FAULTS = {
    "not toml": ("[pressure\n", "not TOML"),
    "not utf-8": (b"[pressure]\nunit = '\xff'\n", "byte 19 is not UTF-8"),
    "empty": ("", "no table [pressure]"),
    "too long": ("[pressure]\n" + "#" * (1 << 20), "too long"),
    "unknown table": ("[pressure]\n[doe]\n", "a table that is none of [table]"),
    "unknown key": ("[pressure]\ndoe = 1\n", "[pressure] has a key that is none of"),
    "no table": ("pressure = 3\n", "[pressure] is not a table"),
    "unit": ("[pressure]\nunit = 'bar'\n", "pressure.unit is none of mmHg"),
    "order": ("[pressure]\norder = 'up'\n", "pressure.order is none of proximal_first"),
    "range": ("[pressure]\ncolumns = '5-2'\n", "pressure.columns is not a range"),
    "range of zero": ("[pressure]\ncolumns = '0-2'\n", "pressure.columns is not a range"),
    "huge range": ("[pressure]\ncolumns = '1-999999999'\n", "pressure.columns is not a range"),
    "column 0": ("[pressure]\ncolumns = [0, 1]\n", "pressure.columns is not a range"),
    "true": ("[pressure]\ncolumns = [true, 2]\n", "pressure.columns is not a range"),
    "mixed": ("[pressure]\ncolumns = [1, 'b']\n", "pressure.columns is not a range"),
    "twice": ("[pressure]\ncolumns = [1, 1]\n", "pressure.columns is not a range"),
    "one depth": ("[pressure]\ndepths_cm = [1]\n", "depths_cm is not a list of two"),
    "depths nan": ("[pressure]\ndepths_cm = [1, nan]\n", "depths_cm is not a list of two"),
    "depths text": ("[pressure]\ndepths_cm = '1,2'\n", "depths_cm is not a list of two"),
    "depth count": ("[pressure]\ncolumns='1-3'\ndepths_cm=[1,2]\n", "3 columns but 2 depths_cm"),
    "depths mixed": ("[pressure]\ndepths_cm=[1,3,2]\n", "neither rise nor fall"),
    "depths equal": ("[pressure]\ndepths_cm=[1,1]\n", "neither rise nor fall"),
    "order against depths": (
        "[pressure]\ndepths_cm=[0,1]\norder='distal_first'\n",
        "proximal to distal, but pressure.order says the opposite",
    ),
    "order against falling": (
        "[pressure]\ndepths_cm=[1,0]\norder='proximal_first'\n",
        "distal to proximal, but pressure.order says the opposite",
    ),
    "catheter": ("[pressure]\ncatheter = 1\n", "catheter is not a text"),
    "separator": ("[pressure]\n[table]\nseparator = ','\n", "table.separator is none of auto"),
    "both comma": (
        "[pressure]\n[table]\nseparator='comma'\ndecimal='comma'\n",
        "cannot both be a comma",
    ),
    "header": ("[pressure]\n[table]\nheader_lines = -1\n", "header_lines is not a whole number"),
    "missing": ("[pressure]\n[table]\nmissing = [-9999]\n", "missing is not a list of texts"),
    "missing separator": ("[pressure]\n[table]\nmissing = ['a;b']\n", "line end or a separator"),
    "rate": ("[pressure]\n[time]\nsampling_rate_hz = 0\n", "not a positive number"),
    "rate nan": ("[pressure]\n[time]\nsampling_rate_hz = nan\n", "not a positive number"),
    "rate inf": ("[pressure]\n[time]\nsampling_rate_hz = inf\n", "not a positive number"),
    "rate true": ("[pressure]\n[time]\nsampling_rate_hz = true\n", "not a positive number"),
    "time unit": ("[pressure]\n[time]\ncolumn = 1\n", "time.unit is missing"),
    "part": ("[pressure]\n[time]\npart = 0\n", "time.part is not a whole number"),
    "impedance": ("[pressure]\n[impedance]\nunit='ohm'\n", "impedance.columns is missing"),
    "marker": ("[pressure]\n[events]\nmarker = ''\n", "events.marker is no column"),
    "overlap": ("[pressure]\ncolumns='1-3'\n[events]\nmarker = 2\n", "for two things"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_without_quoting_the_file(name, read):
    text, words = FAULTS[name]
    with pytest.raises(ParameterError) as raised:
        read(text)
    assert words in str(raised.value)
    assert "hrm layout --init" in str(raised.value)
    assert "doe" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_all_faults_are_told_at_once(read):
    with pytest.raises(ParameterError) as raised:
        read("[pressure]\nunit='x'\norder='y'\n[time]\npart=0\n[table]\ndecimal='z'\n")
    for words in ("pressure.unit", "pressure.order", "time.part", "table.decimal"):
        assert words in str(raised.value)


def test_options_say_what_the_layout_says(tmp_path):
    path = tmp_path / "layout.toml"
    path.write_text(SOUND)
    found = with_layout(ReadOptions(layout=path))
    assert found.depths == (0, 2.3)
    assert (found.sampling_rate, found.pressure_unit) == (50.0, "kPa")
    assert found.channel_order == "distal_first"
    assert with_layout(found) == found
    assert with_layout(ReadOptions()) == ReadOptions()
    with pytest.raises(ParameterError, match=r"depths= .*different things"):
        with_layout(ReadOptions(layout=path, depths=(0, 2)))
