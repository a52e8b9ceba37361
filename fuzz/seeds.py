"""Write the seeds: small synthetic files of each format, the same on every run.

`python -m fuzz.seeds` writes fuzz/seeds. Each seed but the layout files begins with a byte
that chooses the options; see the target. The native seeds depend on the version of HDF5 and
are written to fuzz/work when fuzzing begins.
"""

from __future__ import annotations

import gzip
import io
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fuzz._harness import ROOT, SEEDS

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

LAYOUTS = {
    "1.toml": '[table]\nseparator = "semicolon"\ndecimal = "comma"\nheader_lines = 1\n'
    'missing = ["-9999", "NA", ""]\n[time]\ncolumn = "time"\nunit = "s"\n[pressure]\n'
    'columns = ["P1", "P2", "P3"]\nunit = "kPa"\norder = "distal_first"\ndepths_cm = [2, 1, 0]\n',
    "2.toml": '[table]\nseparator = "tab"\n[time]\ncolumn = 1\nunit = "sample"\nsampling_rate_hz = 20\n[pressure]\n'
    'columns = "2-4"\nunit = "mmHg"\norder = "proximal_first"\ndepths_cm = [0, 1, 2]\n'
    '[impedance]\ncolumns = "5-6"\nunit = "kohm"\norder = "distal_first"\n'
    "[events]\nmarker = 7\ntext = 8\n",
    "3.toml": '[table]\nseparator = "blank"\nencoding = "cp1252"\n[time]\ncolumn = 4\nunit = "ms"\n'
    '[pressure]\ncolumns = [1, 2, 3]\nunit = "cmH2O"\norder = "proximal_first"\n'
    "depths_cm = [5, 6, 8]\n",
    "edf.tom": '[time]\npart = 2\n[pressure]\ncolumns = ["P1", "P2"]\norder = "proximal_first"\n'
    'depths_cm = [0, 1]\n[impedance]\ncolumns = [3]\nunit = "ohm"\norder = "proximal_first"\n',
}


def mms() -> Iterator[bytes]:
    """MMS files of three sensors."""
    from tests.io.layouts import Mms, results_at_events, results_from_the_top, spreadsheet

    small = {"n_sensors": 3, "n_samples": 5, "marker": {2: 100}, "name": "DOE JANE 1961"}
    flow = {"檢查流程": {1: "Landmark", 2: "Wet swallow1", 3: "MRS1"}}
    results = {
        **flow,
        "ws_10_vigor": {0: "Normal", 1: "無數據"},
        "ws_10_dci": {0: "1234.5"},
        "catheter_type": {0: "CE4-0062"},
    }
    vigor = {**flow, "Contraction vigor": {2: "Normal"}, "Contraction  pattarn": {2: "Intact"}}
    for file in (
        Mms(**small),
        Mms(**{**small, "separator": ";", "rate": "10"}),
        Mms(**{**small, "with_marker": False, "nan": ((2, 1),)}),
        Mms(**{**small, "preamble": {"Min": None, "Max": None, "DoB": "DOE JANE 1961"}}),
        spreadsheet(**{**small, "extras": flow}),
        results_at_events(**{**small, "extras": vigor}),
        results_from_the_top(**{**small, "extras": results}),
        Mms(**{**small, "n_samples": 30, "marker": {3: 100, 20: 100}}),
    ):
        yield b"\0" + file.bytes()
        yield b"\x03" + file.text().encode("cp950")


def manoview_headed() -> Iterator[bytes]:
    """ManoView files of three sensors, and one of 36."""
    from tests.io.layouts import ManoView

    small = {"n_samples": 5, "n_sensors": 3, "annotations": (("260.61", "DOE JANE 1961"),)}
    for file in (
        ManoView(**small),
        ManoView(**small, n_segments=18),
        ManoView(**small, n_segments=18, comma=True),
        ManoView(**small, footer=False, newline="\r"),
        ManoView(**{**small, "rate": 60.0, "n_samples": 12}),
    ):
        yield b"\0" + file.bytes()
        yield b"\x01" + file.bytes()
    yield b"\x02" + ManoView(n_samples=3).bytes()


def manoview_headless() -> Iterator[bytes]:
    """Tables without header."""
    from tests.io.layouts import Headless

    for file in (
        Headless(n_samples=4),
        Headless(n_samples=4, n_segments=18),
        Headless(n_samples=3, dummy=None),
        Headless(n_samples=4, first=0.0),
    ):
        yield b"\0" + file.bytes()


def table() -> Iterator[bytes]:
    """Plain tables, for the options and for each of the layouts."""
    rows = [(k / 20, k * 1.5, -k, 7 - k) for k in range(6)]
    plain = "\n".join(",".join(f"{v:.2f}" for v in row[1:]) for row in rows) + "\n"
    yield b"\0" + plain.encode()
    yield b"\x02" + ("P1\tP2\tP3\n" + plain.replace(",", "\t")).encode()
    comma = "time;P1;P2;P3;n\n" + "\n".join(
        ";".join([*(f"{v:.2f}".replace(".", ",") for v in row), "x y"]) for row in rows
    )
    yield b"\x03" + comma.replace("7,00", "NA").encode()
    marks = "\n".join(
        "\t".join(
            [
                str(9 + k),
                *(f"{v:.1f}" for v in row[1:]),
                "2.5",
                "0.5",
                str(int(k == 2)),
                "WS1"[: 3 * (k > 3)],
            ]
        )
        for k, row in enumerate(rows)
    )
    yield b"\x04" + marks.encode()
    timed = "\n".join(f"{a:.1f} {b}  {c} {1000 * t:.0f}" for t, a, b, c in rows)
    yield b"\x05" + timed.encode()
    yield b"\x06" + plain.encode()


def layout() -> Iterator[bytes]:
    """Layout files that fit the table of the target, in several ways."""
    from hrm.io.layout import TEMPLATE

    pressure = '[pressure]\ncolumns = ["P1", "P2", "P3"]\ndepths_cm = [0, 1, 2]\n'
    head = '[table]\nseparator = "semicolon"\nheader_lines = 1\nmissing = ["-9999", "NA", ""]\n'
    said = 'unit = "kPa"\norder = "proximal_first"\n'
    for text in (
        head + '[time]\ncolumn = "time"\nunit = "s"\n' + pressure + said,
        head
        + '[time]\ncolumn = 1\nunit = "s"\n'
        + pressure
        + said
        + "[events]\nmarker = 5\ntext = 6\n",
        head
        + "[time]\nsampling_rate_hz = 20\n"
        + pressure.replace('["P1", "P2", "P3"]', '"2-4"')
        + said,
        TEMPLATE,
        LAYOUTS["2.toml"],
    ):
        yield b"\0" + text.encode()
    yield b"\x01" + (head + '[time]\ncolumn = 1\nunit = "s"\n' + pressure).encode()


def edf() -> Iterator[bytes]:
    """EDF files of three signals and few records."""
    from tests.io.edf_bytes import Edf, Signal, clock, pressures, tal

    def few(**changes: object) -> list[Signal]:
        return pressures(3, 3, 5, **changes)

    yield b"\0" + Edf(few(), patient="X F 01-JAN-1961 DOE_JANE").bytes()
    notes = {1: tal(1.2, "WS 1") + tal(1.5, "DOE JANE", duration=2)}
    yield b"\0" + Edf([*few(), clock([0, 1, 2], notes)], reserved="EDF+C").bytes()
    gaps = Edf([*few(), clock([0, 1, 9])], reserved="EDF+D").bytes()
    yield b"\0" + gaps
    two = few()[:2]
    ohm = Signal("Z1", few()[2].counts, unit="ohm")
    yield b"\x02" + Edf([*two, ohm, clock([0, 1, 9])], reserved="EDF+D").bytes()
    yield b"\x01" + Edf(few(unit="kPa"), record_s="0.1", n_stated=-1).bytes()
    yield b"\x01" + b"\xffBIOSEMI" + Edf(few()).bytes()[8:]


def source() -> Iterator[bytes]:
    """Packed files; what they hold is small."""
    inner = next(mms())[1:]
    yield b"\0" + inner
    yield b"\0" + gzip.compress(inner, mtime=0)
    yield b"\0" + gzip.compress(inner[:200], mtime=0) + gzip.compress(inner[200:], mtime=0)
    yield b"\0" + _zipped({"DOE JANE.txt": inner})
    yield b"\x01" + _zipped({"a.csv": inner, "b.csv": b"1,2,3\n" * 9, "c/": b""})
    yield b"\0" + _zipped({"a.csv": inner, "__MACOSX/a.csv": b"x"}, zipfile.ZIP_STORED)
    yield b"\0" + _zipped({"[Content_Types].xml": b"x"})
    yield b"\0" + _zipped({"a.zip": _zipped({"a.csv": b"1,2,3\n"})})
    yield b"\0" + gzip.compress(bytes(1 << 20), mtime=0)


def sniff() -> Iterator[bytes]:
    """One file of every format."""
    for seeds in (mms, manoview_headed, manoview_headless, table, edf, source):
        yield b"\0" + next(seeds())[1:]
    yield b"\0\x89HDF\r\n\x1a\n" + bytes(200)
    # ManoView's own form, as far as a sniffer looks: packed XML behind some bytes.
    for text in (b"<info><a/></info>", b'<?xml version="1.0"?>\n<Info/>', b"<study/>"):
        yield b"\0MVA" + bytes(9) + zlib.compress(text) + bytes(9) + zlib.compress(text * 99)


def windows() -> Iterator[bytes]:
    """Two windows that lie side by side, overlap, leave a gap, or are the same."""
    from tests.io.layouts import Headless

    one = Headless(n_samples=3).bytes()
    for first in (260.63, 260.62, 260.65, 260.60):
        yield b"\0" + one + b"=====\n" + Headless(n_samples=3, first=first).bytes()


def swallow_table() -> Iterator[bytes]:
    """Tables in seconds and in samples, as an operator and as a spreadsheet write them."""
    yield b"\0onset_s,posture,protocol\n4.5,supine,single\n40,upright,mrs\n"
    yield b"\0onset_s;protocol\n4,5;single\n"
    yield b"\x01start\tposture\n120\tsupine\n480\tsupine\n"
    yield b"\xffstart\n120\n"
    yield b'\0\xef\xbb\xbfonset_s,note\r\n"4.5","DOE JANE"\r\n'


def offset_table() -> Iterator[bytes]:
    """Tables of one reading and of two."""
    head = b"\0sensor,depth_cm,offset_end_mmhg,time_end_s"
    yield head + b"\n0,0,1.5,600\n1,1,-2,600\n2,2,0,600\n"
    both = b",offset_start_mmhg,time_start_s\n0,0,1.5,600,0,-5\n1,1,-2,600,1,-5\n2,2,0,600,0,-5\n"
    yield head + both
    yield head + b",who\r\n2,2,0,600,DOE\r\n1,1,-2,600,JANE\r\n0,0,1.5,600,\r\n"


def convert() -> Iterator[bytes]:
    """MMS files, in each encoding."""
    for number, seed in enumerate(mms()):
        yield bytes([number % 3]) + seed[1:]


def native() -> Iterator[bytes]:
    """Studies as hrm writes them, with the digest and without."""
    import hrm.io
    from hrm.schema import make_recording

    small = make_recording(
        [[1.0, 2.0, 3.0], [4.0, 5.0, float("nan")]],
        dims=("sensor", "time"),
        sampling_rate=20.0,
        depth=[0, 1],
        events=[
            {"onset": 0.05, "duration": 0, "label": "marker", "source": "operator", "note": ""}
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.nc"
        hrm.io.write_native(small, file)
        whole = file.read_bytes()
    yield b"\0" + whole
    yield b"\0" + whole.rpartition(b"hrm-sum1")[0]


STORED = (
    *(mms, manoview_headed, manoview_headless, table, layout, edf, source, sniff, windows),
    *(swallow_table, offset_table, convert),
)


def _zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def write(name: str, folder: Path) -> None:
    """Write the seeds of one target."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(globals()[name]()):
        (folder / f"{number:02}.bin").write_bytes(seed)


def main() -> None:
    """Write all seeds that the repository holds."""
    for seeds in STORED:
        write(seeds.__name__, SEEDS / seeds.__name__)
    for name, text in LAYOUTS.items():
        (SEEDS / "layout" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
