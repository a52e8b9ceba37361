"""The layout file itself: one that the user wrote, held against one small table."""

from pathlib import Path
from typing import Any

from fuzz._harness import WORK, Target, open_study, parse_stream
from fuzz._mutate import text_mutator

TABLE = b"time;P1;P2;P3;push;note\n" + b"".join(
    b"%.2f;%d;%d;%d;%d;%s\n" % (k / 20, k, 2 * k, 7 - k, k == 3, b"WS 1" if k == 3 else b"")
    for k in range(6)
)
_WORDS = (
    *("[table]", "[time]", "[pressure]", "[impedance]", "[events]", 'separator = "semicolon"'),
    *("header_lines = 1", "header_lines = 10000000", 'decimal = "comma"', 'missing = ["NA", ""]'),
    *("sampling_rate_hz = 20", "sampling_rate_hz = 1e308", "sampling_rate_hz = nan", "column = 1"),
    *('unit = "s"', 'columns = "2-4"', "columns = [2, 3, 4]", 'columns = "2-999999999"'),
    *('columns = ["P1", "P2"]', 'order = "distal_first"', "depths_cm = [0, 1, 2]", "part = 1"),
    *("depths_cm = [0, inf, 2]", 'catheter = "CE4-0062"', "marker = 5", "text = 6", "true", "{}"),
    *("[]", "[[]]", "1979-05-27", '"\\u0000"', "'''", "9" * 30, "-1", "1e400", "a.b.c = 1"),
)
_SAID = {"pressure_unit": "mmHg", "channel_order": "proximal_first"}


def _said(data: bytes) -> dict[str, Any]:
    WORK.mkdir(exist_ok=True)
    file = Path(WORK) / "layout.toml"
    file.write_bytes(data[1:])
    return {"layout": file, **(_SAID if data[:1] == b"\x01" else {})}


def _parse(data: bytes) -> Any:
    from hrm.io.layout import read_layout

    return parse_stream("plain-table", _said(data), TABLE) and read_layout(WORK / "layout.toml")


def _open(data: bytes) -> Any:
    return open_study(None, _said(data), TABLE)


_MUTATE = text_mutator(tuple(word.encode() for word in _WORDS))
TARGET = Target("layout", _parse, _open, _MUTATE, max_len=4096)
