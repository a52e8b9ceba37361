"""The swallow table of an operator, in seconds and in samples."""

from pathlib import Path
from typing import Any

from fuzz._harness import WORK, Target
from fuzz._mutate import text_mutator

_WORDS = (
    *(b"onset_s", b"start", b"posture", b"protocol", b"supine", b"upright", b"single", b"mrs"),
    *(b"Onset_S", b"onset_s ", b"4.5", b"4,5", b"-1", b"1e9", b"120", b"120.5", b"'", b'"a\nb"'),
)


def _parse(data: bytes) -> Any:
    from hrm.io.swallow_table import load_swallow_table

    WORK.mkdir(exist_ok=True)
    file = Path(WORK) / "swallows.csv"
    file.write_bytes(data[1:])
    table = load_swallow_table(file)
    rate = 20.0 if data[:1] < b"\x80" else None
    return repr(table.in_seconds(rate)) + table.said(20.0)


TARGET = Target("swallow_table", _parse, _parse, text_mutator(_WORDS))
