"""The bytes of one recording, wherever they lie: a file, a gzip, a zip, a file object.

A reader asks for the content and never sees how it is packed. Nothing is unpacked to
disk, and no more is unpacked than a recording can hold.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from hrm.errors import CorruptFileError, ParameterError, UnsupportedVersionError
from hrm.io import _zip

HEAD_BYTES = 64 * 1024

#: Text of a recording shrinks to a third or a tenth; a content that shrank more than this is none.
MAX_RATIO = 200
#: Below this much unpacked content the ratio says nothing, and harms nobody.
RATIO_FREE_BYTES = 8 << 20
#: Most content that is unpacked: some days of a recording as text.
MAX_UNPACKED_BYTES = 16 << 30
#: Most that is kept of a stream that cannot seek, like a pipe.
MAX_PIPE_BYTES = 1 << 30

_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
#: What unpacking trips over in damaged input. Their texts may quote a member's name.
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError)
#: What zipfile, besides, trips over where an entry begins: its name, its place, its encryption.
_DAMAGED_ENTRY = (ValueError, OverflowError, LookupError, RuntimeError, struct.error)


class Source:
    """The content of one recording; made by `Source.of`.

    `name` is the user's path, for the terminal only (None of a file object), and
    `file_name` the name of the content's own file; either may hold a patient's identity.
    `suffixes` are those of `file_name`, lower case, a hint at most. `packing` is
    ``"none"``, ``"gzip"`` or ``"zip"``; `packed_size` counts the bytes as they lie,
    `bytes_read` how many of them the last stream has taken: what a progress bar shows.
    """

    def __init__(
        self,
        opener: Callable[[], BinaryIO],
        *,
        name: str | None,
        file_name: str,
        packed_size: int,
        member: str | None = None,
        path: Path | None = None,
    ) -> None:
        self.name = name
        self._path = path
        self.packed_size = packed_size
        self._opener = opener
        self._streams: list[BinaryIO] = []
        self._sha256: str | None = None
        self._content: bytes | None = None
        self._head = b""
        self._zip: zipfile.ZipFile | None = None
        self._packed: BinaryIO | None = None
        self._taken = 0
        self._info: zipfile.ZipInfo | None = None
        self.packing = self._find_packing()
        try:
            self.file_name = self._look_inside(file_name, member)
            self._check_nesting()
        except BaseException:
            self.close()
            raise
        self.suffixes = tuple(suffix.lower() for suffix in PurePosixPath(self.file_name).suffixes)

    def _look_inside(self, file_name: str, member: str | None) -> str:
        """Find the content, and the name of its file."""
        if self.packing == "zip":
            archive = self._track(self._opener())
            self._zip, self._info = _zip.open_member(archive, self.packed_size, member)
            _check_amount(self._info.file_size, self._info.compress_size)
            return PurePosixPath(self._info.filename).name
        if member is not None:
            raise ParameterError(
                "member= names a file within a zip archive, but the file is no archive"
            )
        packed = self.packing == "gzip" and file_name.lower().endswith(".gz")
        return file_name[:-3] if packed else file_name

    @classmethod
    def of(
        cls, file: str | os.PathLike[str] | BinaryIO | Source, *, member: str | None = None
    ) -> Source:
        """Take a path or a binary file object.

        Parameters
        ----------
        file : path-like or binary file object
            A file object is read from where it stands, and is left open; one that cannot
            seek (a pipe, a socket) is kept in memory as it comes.
        member : str, optional
            Name of the file within a zip archive that holds several.

        Raises
        ------
        ParameterError
            If an archive holds several files and none is named, or the named one is missing.
        CorruptFileError
            If the packing is damaged, or declares more than a recording can hold.
        UnsupportedVersionError
            If the packing is encrypted, or of an unusual kind, or nested.
        TypeError
            If `file` is neither a path nor a binary file object.
        """
        if isinstance(file, Source):
            return file
        if isinstance(file, str | os.PathLike):
            return cls._of_path(Path(file), member)
        if not callable(getattr(file, "read", None)):
            raise TypeError(f"expected a path or a binary file object, got {type(file).__name__}")
        return cls._of_object(file, member)

    @classmethod
    def _of_path(cls, path: Path, member: str | None) -> Source:
        with path.open("rb") as stream:
            if not stream.seekable():
                return cls._of_object(stream, member, name=str(path))
            size = stream.seek(0, os.SEEK_END)

        def opener() -> BinaryIO:
            return path.open("rb")

        return cls(
            opener,
            name=str(path),
            file_name=path.name,
            packed_size=size,
            member=member,
            path=path,
        )

    @classmethod
    def _of_object(cls, file: BinaryIO, member: str | None, name: str | None = None) -> Source:
        seekable = getattr(file, "seekable", lambda: False)
        if not isinstance(file.read(0), bytes):
            raise ParameterError(
                "expected a binary file object, got one that reads text; open it with mode 'rb'"
            )
        whole: BinaryIO = file if seekable() else io.BytesIO(_drain(file))
        start = whole.tell()
        size = whole.seek(0, os.SEEK_END) - start
        whole.seek(start)

        def opener() -> BinaryIO:
            return cast("BinaryIO", io.BufferedReader(_View(whole, start)))

        return cls(opener, name=name, file_name="", packed_size=size, member=member)

    @property
    def size(self) -> int | None:
        """Bytes of the unpacked content; None if only unpacking all of it would tell."""
        if self.packing == "none":
            return self.packed_size
        if self._info is not None:
            return self._info.file_size
        return len(self._head) if len(self._head) < HEAD_BYTES else None

    @property
    def sha256(self) -> str:
        """Digest of the unpacked content, in hexadecimal.

        A stream of `open` that was read to its end has left it here; otherwise the
        content is read once for it.
        """
        if self._sha256 is None:
            with self.open() as stream:
                while stream.read(_CHUNK):
                    pass
        return self._sha256 or ""

    @property
    def path(self) -> Path | None:
        """Path of a plain file that may be opened by its name; None of anything else."""
        return self._path if self.packing == "none" else None

    @property
    def bytes_read(self) -> int:
        """Bytes, as they lie, that the stream opened last has taken."""
        if self._packed and not self._packed.closed:
            self._taken = self._packed.tell()
        return self._taken

    def open(self) -> BinaryIO:
        """Open the content from its start; forward reading only, as often as needed."""
        packed = self._track(self._opener())
        inner: Any = packed
        if self._zip is not None and self._info is not None:
            inner, fault = _attempt(
                lambda: self._zip.open(self._info),  # type: ignore[union-attr,arg-type]
                (*_DAMAGE, *_DAMAGED_ENTRY),
            )
            if fault:
                raise _damaged(fault)
            packed = cast("BinaryIO", self._zip.fp)
        elif self.packing == "gzip":
            inner = gzip.GzipFile(fileobj=packed, mode="rb")
        self._packed, self._taken = packed, 0
        content = io.BufferedReader(_Content(self, inner, packed), _CHUNK)
        return self._track(cast("BinaryIO", content))

    def random_access(self) -> BinaryIO:
        """Open the content for seeking; what is packed is unpacked to memory for it."""
        if self.packing == "none":
            return self._track(self._opener())
        return io.BytesIO(self.read())

    def head(self, n: int = HEAD_BYTES) -> bytes:
        """First `n` bytes of the content."""
        if n > len(self._head) == HEAD_BYTES:
            with self.open() as stream:
                return stream.read(n)
        return self._head[:n]

    def tail(self, n: int) -> bytes | None:
        """Last `n` bytes of the content; None where only unpacking all of it leads there."""
        if len(self._head) < HEAD_BYTES:
            return self._head[max(0, len(self._head) - n) :]
        if self.packing != "none":
            return None
        with self._opener() as stream:
            stream.seek(max(0, self.packed_size - n), os.SEEK_CUR)
            return stream.read(n)

    def read(self) -> bytes:
        """Read the whole content; kept, if it was packed, until the source is closed."""
        if self.packing == "none":
            with self._opener() as stream:
                return stream.read()
        if self._content is None:
            with self.open() as stream:
                self._content = b"".join(iter(lambda: stream.read(_CHUNK), b""))
        return self._content

    def close(self) -> None:
        """Close every stream that was opened here; a file object of the caller stays open."""
        for stream in self._streams:
            stream.close()
        if self._zip is not None:
            self._zip.close()
        self._streams, self._content = [], None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _track(self, stream: BinaryIO) -> BinaryIO:
        self._streams = [each for each in self._streams if not each.closed]
        self._streams.append(stream)
        return stream

    def _find_packing(self) -> str:
        with self._opener() as stream:
            magic = stream.read(4)
        if magic.startswith(_GZIP_MAGIC):
            return "gzip"
        return "zip" if magic in _zip.MAGICS else "none"

    def _check_nesting(self) -> None:
        with self.open() as stream:
            self._head = stream.read(HEAD_BYTES)
        packed = self._head.startswith(_GZIP_MAGIC) or self._head[:4] in _zip.MAGICS
        if self.packing != "none" and packed:
            raise UnsupportedVersionError(
                "the archive holds another archive; unpack the outer one first"
            )


class _View(io.RawIOBase):
    """A reading position of its own in a file object of the caller."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        super().__init__()
        self._file, self._start, self._at = file, start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            offset += self._file.seek(0, os.SEEK_END) - self._start
        elif whence == os.SEEK_CUR:
            offset += self._at
        self._at = max(0, offset)
        return self._at

    def tell(self) -> int:
        return self._at


class _Content(io.RawIOBase):
    """The unpacked content, counted, bounded and digested on its way."""

    def __init__(self, source: Source, inner: Any, packed: BinaryIO) -> None:
        super().__init__()
        self._source, self._inner, self._packed = source, inner, packed
        self._digest, self._total = hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data, fault = _attempt(lambda: self._inner.read(len(buffer)))
        # Outside any except block: the text of the cause may quote a member's name.
        if fault:
            raise _damaged(fault)
        self._digest.update(data)
        self._total += len(data)
        self._check(at_end=not data)
        buffer[: len(data)] = data
        return len(data)

    def _check(self, *, at_end: bool) -> None:
        source = self._source
        if source.packing != "none":
            _check_amount(self._total, source.packed_size if at_end else self._taken())
        if at_end:
            declared = None if source._info is None else source._info.file_size
            if declared is not None and declared != self._total:
                raise _damaged("its size is not the one declared")
            source._sha256 = self._digest.hexdigest()

    def _taken(self) -> int:
        return self._packed.tell()

    def close(self) -> None:
        _ = self._source.bytes_read  # noted while it can be asked
        self._inner.close()
        if self._source.packing == "gzip":
            self._packed.close()
        super().close()


def _attempt(
    work: Callable[[], Any], damage: tuple[type[Exception], ...] = _DAMAGE
) -> tuple[Any, str]:
    """Run, and give what came or in one word what went wrong with the packing."""
    try:
        return work(), ""
    except damage as err:
        return None, type(err).__name__


def _damaged(fault: str) -> CorruptFileError:
    return CorruptFileError(
        f"the packed file is cut or damaged ({fault}); pack or copy the recording again"
    )


def _check_amount(unpacked: int, packed: int) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise CorruptFileError(
            f"the packed file holds more than {MAX_UNPACKED_BYTES >> 30} GB; no recording does: "
            "unpack it, and look what it is"
        )
    if unpacked > RATIO_FREE_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        raise CorruptFileError(
            f"the packed file unpacks to more than {MAX_RATIO} times its size, as no recording "
            "does; it is damaged or made to exhaust the memory: unpack it, and look what it is"
        )


def _drain(file: BinaryIO) -> bytes:
    parts, total = [], 0
    while part := file.read(_CHUNK):
        parts.append(part)
        total += len(part)
        if total > MAX_PIPE_BYTES:
            raise ParameterError(
                f"the stream cannot seek and holds more than {MAX_PIPE_BYTES >> 30} GB; "
                "save it to a file first"
            )
    return b"".join(parts)
