"""What a recording is packed in: plain, gzip, zip; as a file object and as a file."""

import io
from pathlib import Path
from typing import Any

from fuzz._harness import WORK, Target, open_study
from fuzz._mutate import packed_mutator

MEMBERS = (None, "a.csv", "b.csv", "DOE JANE.txt")


def _parse(data: bytes) -> Any:
    from hrm.io._source import Source

    member = MEMBERS[data[0] % len(MEMBERS)] if data else None
    with Source.of(io.BytesIO(data[1:]), member=member) as source:
        whole = source.read()
        with source.random_access() as stream:
            again = stream.read()
        ends = source.head(), source.tail(100), source.size
        if whole != again or not whole.startswith(ends[0]):
            raise ValueError("two ways of reading give two contents")
        if ends[2] is not None and ends[2] != len(whole):
            raise ValueError("the size is not that of the content")
        if ends[1] is not None and not whole.endswith(ends[1]):
            raise ValueError("the tail is not that of the content")
        return source.sha256


def _open(data: bytes) -> Any:
    from hrm.io import archive_members

    WORK.mkdir(exist_ok=True)
    file = Path(WORK) / "packed"
    file.write_bytes(data[1:])
    archive_members(file)
    said = {"depths": (0.0, 1.0, 2.0), "member": MEMBERS[data[0] % len(MEMBERS)] if data else None}
    return open_study(None, said, data[1:])


TARGET = Target("source", _parse, _open, packed_mutator)
