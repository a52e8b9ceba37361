"""The table of drift offsets, read and laid on a study."""

from functools import cache
from pathlib import Path
from typing import Any

from fuzz._harness import WORK, Target
from fuzz._mutate import text_mutator

_WORDS = (
    *(b"sensor", b"depth_cm", b"offset_end_mmhg", b"time_end_s", b"offset_start_mmhg"),
    *(b"time_start_s", b"0", b"1", b"2", b"0.5", b"-3.25", b"600", b"1e400", b'"1"', b'"a\nb"'),
)


@cache
def _study() -> Any:
    from hrm.schema import make_recording

    return make_recording([[0.0] * 3] * 9, sampling_rate=20.0, depth=[0, 1, 2])


def _parse(data: bytes) -> Any:
    from hrm.io.offset_table import read_offset_table, with_offsets
    from hrm.schema import validate

    WORK.mkdir(exist_ok=True)
    file = Path(WORK) / "offsets.csv"
    file.write_bytes(data[1:])
    table = read_offset_table(file)
    validate(with_offsets(_study(), table))
    return repr(table)


TARGET = Target("offset_table", _parse, _parse, text_mutator(_WORDS))
