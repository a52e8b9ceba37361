"""Which reader reads a file: content before suffix, one answer or a listed refusal."""

import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import hrm.io
from hrm.errors import (
    AmbiguousFormatError,
    FormatError,
    HrmWarning,
    ParameterError,
    UnknownFormatError,
)
from hrm.io import _registry
from hrm.io._registry import Match, ReadOptions, Sniff, builtin_readers, choose
from hrm.io._source import Source
from hrm.schema import make_recording
from tests.io.layouts import Headless, ManoView, Mms, hundredths, spreadsheet

OWN = {
    "mms-csv": [Mms(), spreadsheet(), Mms(separator=";")],
    "manoview-ascii": [ManoView(), ManoView(n_segments=18), ManoView(footer=False)],
    "manoview-headless": [Headless(), Headless(n_segments=18), Headless(dummy=None)],
}


def foreign_files(folder):
    """Files of formats that no reader here reads."""
    rng = np.random.default_rng(2)
    (folder / "noise.csv").write_bytes(rng.bytes(4000))
    (folder / "zeros.txt").write_bytes(bytes(1000))
    (folder / "text.txt").write_text("Dear colleague,\nplease find enclosed\n" * 20)
    (folder / "two.csv").write_text("\n".join(["1,2"] * 50))
    (folder / "study.edf").write_bytes(b"0       " + b"X" * 160 + b"EDF+C" + b" " * 300)
    (folder / "data.json").write_text('{"Sample number": [1, 2]}')
    with zipfile.ZipFile(folder / "bundle.zip", "w") as bundle:
        bundle.writestr("a.csv", "Dear colleague,\nplease find enclosed\n")
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = [1.0]
    return sorted(folder.iterdir())


def plain_tables(folder):
    """Tables of numbers that no vendor writes."""
    rows = ["  ".join(f"{v:.2f}" for v in row) for row in hundredths(40, 36)]
    texts = {
        "table.csv": "\n".join(",".join("1234") for _ in range(50)),
        "sensors.txt": "\n".join(rows),
        "signed.txt": "\n".join(f"-1.5  {row}" for row in rows),
        "sensors.csv": "\n".join(row.replace("  ", ", ") for row in rows),
        "integers.csv": "\n".join(", ".join(["7"] * 37) for _ in range(9)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        yield "plain-table", folder / name


def own_files(folder):
    rows = list(plain_tables(folder))
    for reader, files in OWN.items():
        for k, file in enumerate(files):
            path = folder / f"{reader}-{k}.bin"
            path.write_bytes(file.bytes())
            rows.append((reader, path))
    native = folder / "native.csv"
    hrm.io.write_native(make_recording(np.zeros((9, 2)), sampling_rate=20.0, depth=[0, 1]), native)
    return [*rows, ("hrm-native", native)]


def test_every_sniffer_against_every_file(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "foreign").mkdir()
    own = own_files(tmp_path / "own")
    files = [*own, *(("", path) for path in foreign_files(tmp_path / "foreign"))]
    for expected, path in files:
        with Source.of(path) as source:
            found = [(reader, reader.sniff(source.head(), source)) for reader in builtin_readers()]
        for reader, verdict in found:
            wanted = reader.name == expected
            assert (verdict.match is not Match.NO) == wanted, (reader.name, path.name, verdict)
            assert verdict.reason


def test_a_foreign_file_is_refused_with_the_reason_of_each_reader(tmp_path):
    for path in foreign_files(tmp_path):
        with pytest.raises(UnknownFormatError) as caught:
            hrm.io.open_recording(path)
        for reader in builtin_readers():
            assert f"{reader.name}: " in str(caught.value)
        assert caught.value.path == str(path)
        assert str(path) not in str(caught.value)


@pytest.mark.parametrize("function", [hrm.io.open_recording, hrm.io.peek])
def test_empty_missing_and_folder(function, tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(UnknownFormatError, match="empty"):
        function(tmp_path / "empty.csv")
    with pytest.raises(FileNotFoundError):
        function(tmp_path / "none.csv")
    with pytest.raises((IsADirectoryError, PermissionError)):
        function(tmp_path)


def test_the_reader_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms().bytes())
    study = hrm.io.open_recording(path, reader="mms-csv", catheter="CE4-0062")
    assert study.attrs["reader"] == "mms-csv"
    with pytest.raises(ParameterError, match="known readers: hrm-native, mms-csv, manoview-ascii"):
        hrm.io.open_recording(path, reader="excel")
    for reader in ("manoview-ascii", "manoview-headless", "hrm-native"):
        for function in (hrm.io.open_recording, hrm.io.peek):
            with pytest.raises(FormatError):
                function(path, reader=reader)


def test_strictness_is_checked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(Mms().bytes())
    with pytest.raises(ParameterError, match="strictness"):
        hrm.io.open_recording(path, strictness="ignore")


def verdicts(*matches):
    readers = builtin_readers()
    return [(readers[k], Sniff(match, "why")) for k, match in enumerate(matches)]


def test_choice_rule():
    yes, maybe, no = Match.YES, Match.MAYBE, Match.NO
    names = [reader.name for reader in builtin_readers()]
    assert choose(verdicts(no, yes, maybe, maybe)).name == names[1]
    assert choose(verdicts(no, no, maybe, no)).name == names[2]
    with pytest.raises(AmbiguousFormatError, match="reader="):
        choose(verdicts(no, yes, yes, maybe))
    with pytest.raises(AmbiguousFormatError, match="reader="):
        choose(verdicts(no, maybe, maybe, no))
    with pytest.raises(UnknownFormatError, match="why"):
        choose(verdicts(no, no, no, no))


PLUGIN = """
import numpy as np
from hrm.io._registry import Match, Sniff

class Toy:
    name = "toy"
    vendor = "none"
    suffixes = (".toy",)
    description = "for a test"

    def sniff(self, head, source):
        return Sniff(Match.YES if head.startswith(b"TOY") else Match.NO, "by its magic")

    def peek(self, source):
        return {"format": "toy"}

    def read(self, source, options):
        from hrm.schema import make_recording
        return make_recording(np.zeros((5, 2)), sampling_rate=10.0, depth=[0, 1])

class Rude(Toy):
    name = "rude"
    def sniff(self, head, source):
        raise RuntimeError("Jane Doe")

class Twin(Toy):
    name = "mms-csv"

broken = 3
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    (folder / "toy-1.dist-info").mkdir(parents=True)
    (folder / "hrm_toy_plugin.py").write_text(PLUGIN)
    (folder / "toy-1.dist-info" / "METADATA").write_text("Name: toy\nVersion: 1\n")

    def install(**names):
        rows = "\n".join(f"{key} = hrm_toy_plugin:{value}" for key, value in names.items())
        (folder / "toy-1.dist-info" / "entry_points.txt").write_text(f"[hrm.readers]\n{rows}\n")
        monkeypatch.syspath_prepend(str(folder))
        _registry.all_readers.cache_clear()

    yield install
    _registry.all_readers.cache_clear()
    sys.modules.pop("hrm_toy_plugin", None)


def test_a_plugin_reads_its_files(plugin, tmp_path):
    plugin(toy="Toy", rude="Rude")
    path = tmp_path / "a.toy"
    path.write_bytes(b"TOY 1")
    assert hrm.io.peek(path) == {"format": "toy"}
    assert hrm.io.open_recording(path)["pressure/pressure"].shape == (2, 5)
    path.write_bytes(b"TAY 1")
    with pytest.raises(UnknownFormatError, match=r"rude: its sniffer failed \(RuntimeError\)"):
        hrm.io.peek(path)


@pytest.mark.parametrize("target", ["broken", "missing", "Twin"])
def test_a_broken_plugin_is_left_out_aloud(target, plugin):
    plugin(bad=target)
    with pytest.warns(HrmWarning, match="'bad' is left out"):
        readers = _registry.all_readers()
    assert [reader.name for reader in readers] == [r.name for r in builtin_readers()]


BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("xarray", "pandas", "numba", "matplotlib", "scipy"):
            raise ImportError("blocked " + name)

sys.meta_path.insert(0, Block())
import hrm.io
assert "numpy" not in sys.modules, "import hrm.io must stay light"
for path in sys.argv[1:]:
    assert hrm.io.peek(path)["n_sensors"] != 1
"""


def test_peek_needs_neither_xarray_nor_pandas_nor_numba(tmp_path):
    paths = [str(path) for _, path in own_files(tmp_path)]
    root = Path(hrm.io.__file__).parents[2]
    command = [sys.executable, "-c", BLOCKED, *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_parsing_needs_no_xarray(tmp_path):
    code = (
        "import sys; sys.modules['xarray'] = None\n"
        "from pathlib import Path\n"
        "from hrm.io import mms, manoview\n"
        "from hrm.io._registry import ReadOptions\n"
        "from hrm.io._source import Source\n"
        "from hrm.io._stream import collect\n"
        "def shape(reader, name):\n"
        "    source = Source.of(Path(sys.argv[1]) / name)\n"
        "    return collect(reader.stream(source, ReadOptions())).pressure.shape\n"
        "assert shape(mms.MmsReader(), 'm') == (22, 60)\n"
        "assert shape(manoview.ManoViewReader(), 'v') == (36, 50)\n"
        "assert shape(manoview.ManoViewHeadlessReader(), 'h') == (36, 50)\n"
    )
    for name, file in (("m", Mms()), ("v", ManoView()), ("h", Headless())):
        (tmp_path / name).write_bytes(file.bytes())
    root = Path(hrm.io.__file__).parents[2]
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_peek_reads_both_ends_only(tmp_path):
    for file in (Mms(n_samples=3000), ManoView(n_samples=3000), Headless(n_samples=3000)):
        path = tmp_path / "long.bin"
        data = file.bytes()
        middle = len(data) // 2
        path.write_bytes(data[: middle - 1000] + b"\0" * 2000 + data[middle + 1000 :])
        assert hrm.io.peek(path)["n_samples"] == 3000


def test_options_carry_everything_that_open_recording_takes():
    fields = set(ReadOptions.__dataclass_fields__)
    taken = set(hrm.io.open_recording.__kwdefaults__)
    assert taken == fields | {"reader", "member", "lazy"}
