"""Every sniffer, and the choice between them, on files of every format and of none."""

import io
from typing import Any

from fuzz._harness import Target, open_study
from fuzz._mutate import text_mutator

_WORDS = (
    *(b"TIME:\t", b"Name=", b"Sample number,", b"Sf=20", b"0       ", b"\xffBIOSEMI", b"EDF+C"),
    *(b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x1f\x8b", b"0.0 1 2", b"1,2,3", b"PORT_MVR", b"="),
)


def _parse(data: bytes) -> Any:
    from hrm.io._registry import all_readers, choose_reader
    from hrm.io._source import Source

    with Source.of(io.BytesIO(data[1:])) as source:
        for reader in all_readers():
            # Not through the registry, which takes a sniffer that raises for one that says no.
            reader.sniff(source.head(), source)
        return choose_reader(source).name


def _open(data: bytes) -> Any:
    return open_study(None, {}, data[1:])


TARGET = Target("sniff", _parse, _open, text_mutator(_WORDS))
