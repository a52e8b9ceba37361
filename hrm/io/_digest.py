"""The digest behind the content of a native file, and what is done without one.

A damaged HDF5 file can hold the HDF5 library in an endless loop, or make it ask for any
amount of memory. So no byte is handed to it before it is known to be the one that hrm wrote.
The digest finds damage and changes; it is no signature, and stops nobody who means harm.

A file ends in::

    content | SHA-256 of each block of the content | size of the content | hrm-blk1
            | hrm-sum1 | SHA-256 of all before hrm-sum1

HDF5 programs look at none of it. Whoever reads the whole file compares the last digest;
whoever reads parts, those of the blocks that are touched.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import warnings
from pathlib import Path
from typing import Any, BinaryIO, cast

from hrm.errors import CorruptFileError, ProvenanceWarning

#: Behind all else, where every HDF5 program ignores it.
TRAILER_MAGIC = b"hrm-sum1"
#: Ends the digests of the blocks; a file of an early hrm has none.
BLOCKS_MAGIC = b"hrm-blk1"
BLOCK_BYTES = 1 << 17

_READER = "hrm-native"
_SIZE = struct.Struct("<Q")
_DIGEST_BYTES = hashlib.sha256().digest_size
_TRAILER_BYTES = len(TRAILER_MAGIC) + _DIGEST_BYTES
_FOOTER_BYTES = _SIZE.size + len(BLOCKS_MAGIC)
_ABSENT = (
    "the file has no digest of hrm behind its content: another program wrote or changed it, or "
    "it is cut; HDF5 can hang on a damaged file, so it is not opened"
)
_WRONG = (
    "the content does not match the digest at the end of the file: it is damaged, or another "
    "program changed it"
)
_ADVICE = (
    "copy it again, or write it again from its source. If you know what changed it and trust "
    "it: 'hrm convert FILE NEW.nc --strictness warn' makes a file with a digest of it, and "
    'strictness="warn" reads it as it is'
)


def append(file: Path) -> None:
    """Put the digests of a finished file behind its content."""
    whole, blocks, size = hashlib.sha256(), [], 0
    with file.open("rb+") as stream:
        while block := stream.read(BLOCK_BYTES):
            whole.update(block)
            blocks.append(hashlib.sha256(block).digest())
            size += len(block)
        table = b"".join(blocks) + _SIZE.pack(size) + BLOCKS_MAGIC
        whole.update(table)
        stream.write(table + TRAILER_MAGIC + whole.digest())
        stream.flush()
        os.fsync(stream.fileno())


def is_there(stream: BinaryIO) -> bool:
    """Whether a digest stands behind the content; not whether it fits."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TRAILER_BYTES))
    return stream.read(len(TRAILER_MAGIC)) == TRAILER_MAGIC


def check_whole(data: bytes, *, strictness: str) -> None:
    """Compare the whole of a file with its digest.

    Raises
    ------
    CorruptFileError
        If there is none or it does not fit, unless ``strictness="warn"``.
    """
    found = memoryview(data)
    mark = max(0, len(data) - _TRAILER_BYTES)
    if found[mark : mark + len(TRAILER_MAGIC)] != TRAILER_MAGIC:
        _refuse(_ABSENT, strictness)
    elif found[mark + len(TRAILER_MAGIC) :] != hashlib.sha256(found[:mark]).digest():
        _refuse(_WRONG, strictness)


def checked(stream: BinaryIO, *, strictness: str) -> BinaryIO:
    """Give the content of a file that is read in parts; each is checked before it is given.

    Parameters
    ----------
    stream : binary file object
        The whole file; it must stay open.
    strictness : {"raise", "warn"}
        What to do about a file without a digest that fits.

    Returns
    -------
    binary file object
        Its reads raise CorruptFileError, or warn, where a block does not fit. Whatever HDF5
        opened on it must be closed before Python ends: HDF5 cannot let go of it after.

    Raises
    ------
    CorruptFileError
        If there is no digest, or none that can fit, unless ``strictness="warn"``.
    """
    if not is_there(stream):
        _refuse(_ABSENT, strictness)
        return stream
    end = stream.seek(0, os.SEEK_END) - _TRAILER_BYTES
    stream.seek(max(0, end - _FOOTER_BYTES))
    footer = stream.read(_FOOTER_BYTES)
    if not footer.endswith(BLOCKS_MAGIC):
        return _old(stream, strictness)
    (size,) = _SIZE.unpack(footer[: _SIZE.size])
    n_blocks = -(-size // BLOCK_BYTES)
    if size + n_blocks * _DIGEST_BYTES + _FOOTER_BYTES != end:
        _refuse(_WRONG, strictness)
        return stream
    stream.seek(size)
    digests = stream.read(n_blocks * _DIGEST_BYTES)
    return cast("BinaryIO", _Checked(stream, size, digests, strictness))


def _old(stream: BinaryIO, strictness: str) -> BinaryIO:
    """Check a file without digests of blocks; all of it, as there is no other way."""
    stream.seek(0)
    check_whole(stream.read(), strictness=strictness)
    return stream


def _refuse(fault: str, strictness: str) -> None:
    if strictness == "raise":
        raise CorruptFileError(f"{fault}; {_ADVICE}", reader=_READER)
    warnings.warn(
        f"[{_READER}] {fault}; it is opened as asked, and nothing vouches for it",
        ProvenanceWarning,
        stacklevel=3,
    )


class _Checked(io.RawIOBase):
    """The content of a file, each block compared with its digest before any of it is given."""

    def __init__(self, stream: BinaryIO, size: int, digests: bytes, strictness: str) -> None:
        super().__init__()
        self._stream, self._size, self._digests = stream, size, digests
        self._strictness = strictness
        self._fits: set[int] = set()
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        for number in range(self._at // BLOCK_BYTES, -(-stop // BLOCK_BYTES)):
            self._check(number)
        self._stream.seek(self._at)
        data = self._stream.read(stop - self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _check(self, number: int) -> None:
        if number in self._fits:
            return
        start = number * BLOCK_BYTES
        self._stream.seek(start)
        block = self._stream.read(min(BLOCK_BYTES, self._size - start))
        at = number * _DIGEST_BYTES
        if hashlib.sha256(block).digest() != self._digests[at : at + _DIGEST_BYTES]:
            _refuse(_WRONG, self._strictness)
        self._fits.add(number)
