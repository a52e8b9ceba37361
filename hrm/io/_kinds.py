"""Files that are often given in place of a recording, known by their first bytes."""

from __future__ import annotations

#: First bytes, and in words what such a file is.
_BEGINS = (
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a document of a word processor (RTF)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an older office program (.doc, .xls)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!\x1a\x07", "an archive (RAR)"),
    (b"BZh", "a packed file (bzip2)"),
    (b"\xfd7zXZ\0", "a packed file (xz)"),
    (b"\x28\xb5\x2f\xfd", "a packed file (zstd)"),
    (b"SQLite format 3\0", "a database (SQLite)"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"\x7fELF", "a program"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<html", "a web page"),
)
_DICOM_AT, _FILM_AT = 128, 4


def kind_of(head: bytes) -> str:
    """Say in words what a file is that no reader knows; empty if that is not known either.

    Examples
    --------
    >>> kind_of(b"%PDF-1.7"), kind_of(b"1,2,3")
    ('a PDF document', '')
    """
    if head[_DICOM_AT : _DICOM_AT + 4] == b"DICM":
        return "a DICOM object"
    if head[_FILM_AT : _FILM_AT + 4] == b"ftyp":
        return "a film"
    lowered = head[:64].lower()
    for begin, words in _BEGINS:
        if head.startswith(begin) or (begin.startswith(b"<") and lowered.startswith(begin.lower())):
            return words
    return ""
