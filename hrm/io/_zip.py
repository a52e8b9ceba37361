"""One member of a zip archive, found without trusting the archive."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from hrm.errors import (
    CorruptFileError,
    ParameterError,
    UnknownFormatError,
    UnsupportedVersionError,
)

#: An archive with members, and one without.
MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x07"
_END_BYTES = 22 + 0xFFFF + 20
#: Directory of some ten thousand members. A longer one would fill the memory with names.
_MAX_DIRECTORY_BYTES = 2 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def members(path: str | os.PathLike[str]) -> list[str]:
    """Names of the files in an archive, empty for any other file.

    They may hold identity: for the terminal only.

    Raises
    ------
    FormatError
        If the archive is damaged, unusual, or a document of an office program.
    """
    with Path(path).open("rb") as stream:
        if stream.read(4) not in MAGICS or not stream.seekable():
            return []
        with _opened(stream, stream.seek(0, os.SEEK_END)) as archive:
            return [info.filename for info in _files(archive)]


def open_member(
    stream: BinaryIO, size: int, member: str | None
) -> tuple[zipfile.ZipFile, zipfile.ZipInfo]:
    """Open an archive and choose its only file, or the named one.

    Raises
    ------
    ParameterError
        If there are several files and none is named, or the name is not among them.
    CorruptFileError
        If the archive is damaged or holds no file.
    UnsupportedVersionError
        If the file is encrypted or packed in an unusual way.
    UnknownFormatError
        If the archive is a document of an office program.
    """
    archive = _opened(stream, size)
    try:
        info = _choose(_files(archive), member)
        _check_method(info)
    except Exception:
        archive.close()
        raise
    return archive, info


def _opened(stream: BinaryIO, size: int) -> zipfile.ZipFile:
    _check_directory(stream, size)
    fault = ""
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError) as err:
        fault = type(err).__name__
    # Outside the except block: the cause may quote a member's name.
    raise CorruptFileError(f"the zip archive is cut or damaged ({fault}); copy it again")


def _check_directory(stream: BinaryIO, size: int) -> None:
    """Refuse a directory that would fill the memory, before it is loaded."""
    stream.seek(max(0, size - _END_BYTES))
    end = stream.read(_END_BYTES)
    stream.seek(0)
    at = end.rfind(_END)
    if at < 0 or len(end) < at + 22:
        raise CorruptFileError("the zip archive has no end; it is cut: copy it again")
    length = int.from_bytes(end[at + 12 : at + 16], "little")
    if length > _MAX_DIRECTORY_BYTES or end[max(0, at - 20) :].startswith(_END_64):
        raise UnsupportedVersionError(
            "the zip archive is of the kind for very many or very large files; unpack it first"
        )


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    # One without a name is no file that anybody packed; zipfile itself stumbles over it.
    found = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    if any(info.filename == "[Content_Types].xml" for info in found):
        raise UnknownFormatError(
            "the file is a document of an office program; save the recording as CSV or text"
        )
    # A Mac adds such files to what its user packs.
    return [
        info
        for info in found
        if not info.filename.startswith("__MACOSX/")
        and PurePosixPath(info.filename).name != ".DS_Store"
    ]


def _choose(found: list[zipfile.ZipInfo], member: str | None) -> zipfile.ZipInfo:
    named = [info for info in found if member is None or info.filename == member]
    if len(named) == 1:
        return named[0]
    if not found:
        raise CorruptFileError("the zip archive holds no file")
    if member is None:
        raise ParameterError(
            f"the zip archive holds {len(found)} files; name one with member=; "
            "'hrm info FILE' lists them"
        )
    count = "no file" if not named else f"{len(named)} files"
    raise ParameterError(
        f"the zip archive holds {count} of the name given as member=; "
        "'hrm info FILE' lists its files"
    )


def _check_method(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnsupportedVersionError("the zip archive is encrypted; unpack it first")
    if info.compress_type not in _METHODS:
        raise UnsupportedVersionError(
            "the zip archive is packed with an unusual method; unpack it first"
        )
