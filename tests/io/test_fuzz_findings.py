"""What fuzzing found, kept as tests; and the harness itself, which must be able to find."""

import contextlib
import io
import random
import time
import zipfile
from zlib import crc32

import h5py
import numpy as np
import pytest

import hrm.io
from fuzz import _harness, seeds
from fuzz._harness import SEEDS, BlockError, PrivacyError, Tally, Target, attempt, check, load
from fuzz.run import ONLY_OPEN, READERS
from hrm.catheters import catheters
from hrm.errors import CorruptFileError, HrmError, ParameterError, ProvenanceWarning
from hrm.io import _lines
from hrm.io.layout import read_layout
from hrm.schema import make_recording
from tests.io.edf_bytes import Edf, pressures
from tests.io.layouts import ManoView, Mms, spreadsheet

TABLE = {"channel_order": "proximal_first", "sampling_rate": 20.0, "depths": range(3)}
STORED = [each.__name__ for each in seeds.STORED]


@pytest.fixture(autouse=True)
def work_elsewhere(tmp_path, monkeypatch):
    """The targets that need a file put it here."""
    for name in ("layout", "source", "swallow_table", "offset_table"):
        monkeypatch.setattr(f"fuzz.{name}.WORK", tmp_path)


# --- The seeds and the harness --------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::hrm.errors.HrmWarning")
@pytest.mark.parametrize("mode", ["parse", "open"])
@pytest.mark.parametrize("name", STORED)
def test_every_seed_runs_without_a_finding(name, mode):
    target = load(name)
    files = sorted((SEEDS / name).glob("*.bin"))
    verdicts = {check(target, mode, file.read_bytes()) for file in files}
    assert "read" in verdicts  # or the target would search in the dark


def test_the_stored_seeds_are_those_of_the_script():
    for name in STORED:
        stored = [file.read_bytes() for file in sorted((SEEDS / name).glob("*.bin"))]
        made = list(getattr(seeds, name)())
        assert len(stored) == len(made)
        if name not in ("source", "sniff"):  # these hold what a version of zlib packed
            assert stored == made, name


def test_the_seeds_are_small():
    assert sum(file.stat().st_size for file in SEEDS.rglob("*") if file.is_file()) < 100_000


def test_every_reader_has_a_target():
    for name in READERS:
        assert load(name).name == name
    assert set(ONLY_OPEN) < set(READERS)


@pytest.mark.filterwarnings("ignore::hrm.errors.HrmWarning")
@pytest.mark.parametrize("name", [*STORED, "native"])
def test_mutations_are_repeatable_and_run_without_a_finding(name):
    target = load(name)
    some = list(getattr(seeds, name)())
    for number in range(60):
        data = some[number % len(some)]
        changed = target.mutate(data, random.Random(number))
        assert changed == target.mutate(data, random.Random(number)) or name == "native"
        check(target, "parse", changed)


def target_of(work):
    return Target("x", work, work, lambda data, rng: data, in_blocks=True)


def test_the_harness_keeps_what_escapes(tmp_path):
    def work(data):
        return {}["Jane"]

    tally = Tally(tmp_path / "tally.json", tmp_path)
    for data in (b"a", b"b"):
        _harness.run_one(target_of(work), "parse", data, tally)
    assert (tally.executions, tally.read, tally.refused) == (2, 0, 0)
    assert list(tally.found.values()) == [2]
    assert [file.read_bytes() for file in tmp_path.glob("*.bin")] == [b"a"]


def test_the_harness_notices_a_name_in_an_error_or_its_cause():
    def in_text(data):
        raise CorruptFileError("found DOE JANE")

    def in_cause(data):
        try:
            float("Doe Jane")
        except ValueError as err:
            raise CorruptFileError("found no number") from err

    for work in (in_text, in_cause):
        with pytest.raises(PrivacyError):
            attempt(work, b"")
    assert attempt(lambda data: 1, b"") == ("read", 1)


def test_the_harness_notices_that_blocks_make_a_difference():
    def work(data):
        return _lines.BLOCK_BYTES

    chosen = next(
        data for data in map(str.encode, "abcdefghijklmnopqrstuvwxyz") if crc32(data) % 8 == 0
    )
    with pytest.raises(BlockError):
        check(target_of(work), "parse", chosen)
    assert _lines.BLOCK_BYTES > 1 << 20


def test_the_harness_notices_what_takes_long(tmp_path, monkeypatch):
    monkeypatch.setattr(_harness, "SLOW_S", 0.05)

    def work(data):
        begun = time.process_time()
        while time.process_time() - begun < 0.1:
            pass

    tally = Tally(tmp_path / "tally.json", tmp_path)
    _harness.run_one(target_of(work), "open", b"", tally)
    assert "SlowError" in next(iter(tally.found))
    assert tally.slowest_s >= 0.1


# --- The findings ---------------------------------------------------------------------------


def native_bytes(tmp_path):
    study = make_recording(np.zeros((9, 2)), sampling_rate=20.0, depth=[0, 1])
    hrm.io.write_native(study, tmp_path / "a.nc")
    return (tmp_path / "a.nc").read_bytes()


def test_hdf5_sees_no_damaged_file_that_has_a_digest(tmp_path, monkeypatch):
    """A flipped byte held HDF5 in an endless loop, in the sniffer, before the digest was read."""
    data = bytearray(native_bytes(tmp_path))
    data[len(data) // 3] ^= 1

    asked = []
    monkeypatch.setattr(h5py, "File", lambda *args, **options: asked.append(args))
    with pytest.raises(CorruptFileError, match="digest"):
        hrm.io.open_recording(io.BytesIO(bytes(data)))
    assert not asked


def test_a_native_file_without_the_digest_is_still_known_by_its_marks(tmp_path):
    """HDF5 looped on 11 of 200 000 damaged files that had none: it sees none of them unasked."""
    data = native_bytes(tmp_path)[:-40]
    with pytest.raises(CorruptFileError, match="no digest"):
        hrm.io.open_recording(io.BytesIO(data))
    with pytest.warns(ProvenanceWarning, match="no digest"):
        study = hrm.io.open_recording(io.BytesIO(data), strictness="warn")
    assert study.attrs["sampling_rate"] == 20


@pytest.mark.parametrize("name", ["1", '"a"', "contraction vigos", "ws_1_large_brea", "catheter_t"])
def test_a_header_of_very_many_names_takes_no_time(name):
    """Each unknown name was compared with all others: 43 s for a line of 100 kB."""
    file = Mms(n_sensors=3, n_samples=5, marker={})
    names = ", ".join([name] * (100_000 // (len(name) + 2)))
    text = file.text().replace("Marker\r\n", f"Marker, {names}\r\n")
    begun = time.process_time()
    hrm.io.open_recording(io.BytesIO(text.encode()), depths=range(3))
    assert time.process_time() - begun < 4  # 2 s on a free machine


@pytest.mark.parametrize("junk", ["\x1a", "\ufeff\ufeff", "x"])
def test_a_damaged_first_row_is_not_taken_for_the_names_of_columns(junk, tmp_path):
    """A byte before the first number made a table begin one sample later, without a word."""
    text = junk + "1.25,-1.00,6.00\n2.50,-2.00,5.00\n3.75,-3.00,4.00\n"
    said = {**TABLE, "pressure_unit": "mmHg"}
    with pytest.raises(CorruptFileError, match="line 1: some of the first line are numbers"):
        hrm.io.open_recording(io.BytesIO(text.encode()), **said)
    for header in ("P1,P2,P3\n", "1,2,3b\n", "a,1,2\n", "-,-,-\n"):
        study = hrm.io.open_recording(io.BytesIO((header + text[len(junk) :]).encode()), **said)
        assert study["pressure/pressure"].shape == (3, 3)
    layout = tmp_path / "layout.toml"
    layout.write_text("[table]\nheader_lines = 1\n[pressure]\n")
    study = hrm.io.open_recording(io.BytesIO(text.encode()), layout=layout, **said)
    assert study["pressure/pressure"].shape == (3, 2)


@pytest.mark.filterwarnings("ignore::hrm.errors.HrmWarning")
def test_a_note_of_very_many_lines_takes_no_time():
    """Each line of a note copied all that came before it."""
    text = ManoView(n_samples=15).text() + "a\r\n" * 500_000
    begun = time.process_time()
    study = hrm.io.open_recording(io.BytesIO(text.encode()), keep_phi=True)
    assert len(study["events/note"].values[0]) == 4 + 2 * 500_000
    assert time.process_time() - begun < 4  # 60 s before, of which this is far


@pytest.mark.parametrize("cell", ["1e308", "-1e39", "3.5e38"])
@pytest.mark.parametrize("unit", ["mmHg", "kPa"])
def test_a_number_beyond_float32_is_refused_without_a_warning_of_numpy(cell, unit):
    """The cast to float32 warned in NumPy's words before the value was refused."""
    mms = Mms(n_sensors=3, n_samples=5, marker={}).text().split("\r\n")
    row = mms[-3].split(", ")
    mms[-3] = ", ".join([*row[:2], cell, *row[3:]])
    with pytest.raises(CorruptFileError, match="beyond"):
        hrm.io.open_recording(io.BytesIO("\r\n".join(mms).encode()), depths=range(3))
    with pytest.raises(CorruptFileError, match="beyond"):
        hrm.io.open_recording(
            io.BytesIO(f"1,2,3\n1,2,3\n1,{cell},3\n1,2,3\n".encode()),
            pressure_unit=unit,
            **TABLE,
        )
    for column in (3, -3):  # a pressure, an impedance
        manoview = ManoView(n_samples=5, n_segments=18).text().split("\r\n")
        cells = manoview[3].split("\t")
        cells[column] = cell
        manoview[3] = "\t".join(cells)
        with pytest.raises(CorruptFileError, match="beyond"):
            hrm.io.open_recording(io.BytesIO("\r\n".join(manoview).encode()))


def zipped(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, ManoView(n_samples=15).bytes())
    return out.getvalue()


def damaged_zips():
    # The name that lies before the content is not UTF-8, though marked so; the directory's is.
    name = "Jänë.txt"
    whole = zipped(name)
    at = whole.index(name.encode())
    yield whole[:at] + b"J\xff" + whole[at + 2 :]
    # A name ends at a zero byte, so this entry has none.
    yield zipped("Jane.txt").replace(b"Jane.txt", b"\0ane.txt")


@pytest.mark.parametrize("data", list(damaged_zips()), ids=["name", "no name"])
def test_a_damaged_entry_of_an_archive_is_refused(data, tmp_path):
    """UnicodeDecodeError (which quotes the name) and IndexError came out of zipfile."""
    (tmp_path / "a.zip").write_bytes(data)
    for function in (hrm.io.open_recording, hrm.io.peek):
        with pytest.raises(CorruptFileError, match=r"zip archive|packed file") as caught:
            function(tmp_path / "a.zip")
        assert "J" not in str(caught.value)
        assert caught.value.__context__ is None
    assert len(hrm.io.archive_members(tmp_path / "a.zip")) < 2


def edf_of(physical, unit="mmHg"):
    return Edf(pressures(3, 3, 5, physical=physical, unit=unit)).bytes()


@pytest.mark.parametrize("unit", ["mmHg", "kPa"])
@pytest.mark.parametrize("physical", [("-50", "1e308"), ("-1e39", "0"), ("-9e307", "9e307")])
def test_an_edf_range_beyond_float32_is_refused(physical, unit):
    """NumPy warned of the cast to float32, or Python could not divide such whole numbers."""
    said = {"channel_order": "proximal_first", "depths": range(3)}
    with pytest.raises(CorruptFileError, match="beyond what any instrument measures"):
        hrm.io.open_recording(io.BytesIO(edf_of(physical, unit)), **said)


SLOW_CELLS = {
    # A number could be matched as digits in very many ways: 185 s.
    "digits": lambda text: text.replace(b"2445, ", b"2445, " + b"1" * 100_000 + b"x", 1),
    # Blanks before and after an optional mark: as many ways as there are pairs of places.
    "blanks in a label": lambda text: text.replace(b"Wet swallow1", b"WS" + b" " * 90_000 + b"x"),
}


@pytest.mark.parametrize("name", SLOW_CELLS)
def test_a_cell_that_nearly_matches_takes_no_time(name):
    file = spreadsheet(n_samples=30, marker={}, separator=", ")
    data = SLOW_CELLS[name](file.bytes())
    assert len(data) > 90_000
    begun = time.process_time()
    with contextlib.suppress(HrmError):
        hrm.io.open_recording(io.BytesIO(data), catheter="CE4-0062")
    assert time.process_time() - begun < 4


@pytest.mark.parametrize("separator", ["blank", "comma"])
@pytest.mark.parametrize("missing", ['["NA"]', '["NA", "x y"]'])
def test_blanks_without_end_before_a_missing_sample_take_no_time(separator, missing, tmp_path):
    """Every part of a run of blanks was tried as its beginning."""
    layout = tmp_path / "layout.toml"
    layout.write_text(
        f'[table]\nseparator = "{separator}"\nheader_lines = 0\nmissing = {missing}\n'
        '[time]\nsampling_rate_hz = 20\n[pressure]\ncolumns = "1-3"\nunit = "mmHg"\n'
        'order = "proximal_first"\ndepths_cm = [0, 1, 2]\n'
    )
    mark = " " if separator == "blank" else ","
    rows = [mark.join(row) for row in (["1", "2", "3"], ["4", "NA", "6"], ["7", "8", "  NA"])]
    begun = time.process_time()
    long = "\n".join([*rows, rows[0].replace("2", " " * 100_000 + "2"), ""])
    found = hrm.io.open_recording(io.BytesIO(long.encode()), layout=layout)
    assert time.process_time() - begun < 4
    pressure = found["pressure/pressure"].values
    np.testing.assert_array_equal(pressure.T[:2], [[1, 2, 3], [4, np.nan, 6]])
    np.testing.assert_array_equal(pressure.T[2:], [[7, 8, np.nan], [1, 2, 3]])


ODD_TOML = {
    "brackets": ("a=" + "[" * 5000, "brackets"),
    "braces": ("a=" + "{a=" * 5000, "brackets"),
    "a long key": ("a" + ".a" * 30_000 + "=1", "tables within"),
    "a long key with blanks": ("a" + ' . "a"' * 15_000 + "=1", "tables within"),
    "a long table": ("[a" + ".a" * 30_000 + "]", "tables within"),
    "digits": ("a = 1" + "0" * 5000, "digits"),
    "hexadecimal digits": ("a = 0x" + "f" * 50_000, "layout file"),
}


@pytest.mark.parametrize("name", ODD_TOML)
def test_odd_toml_is_refused_at_once(name, tmp_path):
    """RecursionError and ValueError came out of tomllib; a key of 60 kB took it 32 s."""
    text, words = ODD_TOML[name]
    (tmp_path / "a.toml").write_text(text)
    begun = time.process_time()
    with pytest.raises(ParameterError, match=words) as caught:
        read_layout(tmp_path / "a.toml")
    assert time.process_time() - begun < 2
    assert caught.value.__context__ is None


HUGE = "1" + "0" * 400
ODD_NUMBERS = {
    "rate": f"[time]\nsampling_rate_hz = {HUGE}",
    "depths": f'[pressure]\ncolumns = "1-2"\ndepths_cm = [0, {HUGE}]',
    "negative depths": f'[pressure]\ncolumns = "1-2"\ndepths_cm = [-{HUGE}, 1]',
    "columns": f"[pressure]\ncolumns = [1, {HUGE}]",
    "nan": '[pressure]\ncolumns = "1-2"\ndepths_cm = [0, nan]',
    "inf": "[time]\nsampling_rate_hz = inf",
}


@pytest.mark.parametrize("name", ODD_NUMBERS)
def test_a_whole_number_beyond_any_float_is_a_fault_of_the_layout(name, tmp_path):
    """OverflowError: TOML knows whole numbers of any length, and math.isfinite does not."""
    (tmp_path / "a.toml").write_text(ODD_NUMBERS[name])
    if name == "columns":  # a number, but of no column of any table
        assert read_layout(tmp_path / "a.toml").pressure.columns[1] == int(HUGE)
        return
    with pytest.raises(ParameterError, match="layout file: "):
        read_layout(tmp_path / "a.toml")


@pytest.mark.parametrize(
    "text",
    [
        *("a=" + "[" * 5000, "a = 1" + "0" * 5000),
        f"[[catheter]]\nmodel = 'a'\nn_sensors = 2\ndepths_cm = [0, {HUGE}]",
        f"[[catheter]]\nmodel = 'a'\nn_sensors = {HUGE}\ndepths_cm = [0, 1]",
    ],
    ids=["brackets", "digits", "huge depth", "huge count"],
)
def test_an_odd_file_of_catheters_is_refused(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ParameterError):
        catheters(tmp_path / "a.toml")


@pytest.mark.parametrize("block", [_lines.BLOCK_BYTES, 7])
@pytest.mark.parametrize("end", ['"', '""', '""""', '""\n', '" "\n'])
def test_a_last_line_of_quotes_only_is_refused(end, block, monkeypatch):
    """It vanished; alone in a block it made NumPy warn that there was no data, and quote it."""
    monkeypatch.setattr(_lines, "BLOCK_BYTES", block)
    content = "1,2,3\n2,3,4\n3,4,5\n" + end
    with pytest.raises(CorruptFileError, match="line 4"):
        hrm.io.open_recording(
            io.BytesIO(content.encode()), pressure_unit="mmHg", strictness="warn", **TABLE
        )
    mms = Mms(n_sensors=3, n_samples=5, marker={}).text() + end
    with pytest.raises(CorruptFileError, match="line 13"):
        hrm.io.open_recording(io.BytesIO(mms.encode()), depths=range(3), strictness="warn")


@pytest.mark.parametrize("code", ["-9999", "1e39", "-1" + "0" * 60])
def test_a_code_for_a_missing_sample_may_be_beyond_float32(code, tmp_path):
    """NumPy warned of the cast, and any other such number would have counted as missing."""
    layout = tmp_path / "a.toml"
    layout.write_text(f'[table]\nmissing = ["{code}"]\n[pressure]\n')
    said = {**TABLE, "pressure_unit": "mmHg", "layout": layout}
    text = f"1,2,3\n2,{code},4\n3,4,5\n"
    found = hrm.io.open_recording(io.BytesIO(text.encode()), **said)["pressure/pressure"].values
    np.testing.assert_array_equal(found.T, [[1, 2, 3], [2, np.nan, 4], [3, 4, 5]])
    with pytest.raises(CorruptFileError, match="beyond"):
        hrm.io.open_recording(io.BytesIO(text.replace(code, "2e39").encode()), **said)
