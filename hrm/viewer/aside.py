"""A review log that is not sound is kept aside, as it is, so that reading can go on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hrm._files import new_file
from hrm.annotate import head_path
from hrm.errors import AnnotationError, HrmError
from hrm.readings import aside_path, read_reading
from hrm.viewer.journal import Place


def set_aside(place: Place) -> Path:
    """Keep a log that cannot be used under another name; nothing of it is lost.

    Where only writing the last line was interrupted, the lines before it go on; otherwise
    the next edit begins a new log.

    Parameters
    ----------
    place : Place

    Returns
    -------
    Path
        Where it is kept.

    Raises
    ------
    AnnotationError
        If the log is sound.
    OSError
        If the folder cannot be written; the log is as it was.
    """
    log = place.path
    try:
        place.read()
    except AnnotationError:
        pass
    else:
        raise AnnotationError("the review log is sound; there is nothing to keep aside")
    kept, whole = aside_path(log), _whole_lines(place)
    if whole:
        with new_file(kept) as target:
            target.write_bytes(log.read_bytes())
        with new_file(log, overwrite=True) as target:
            target.write_bytes(whole)
        return kept
    # The head last: without its log it says that there was one.
    for found, target in ((log, kept), (head_path(log), head_path(kept))):
        if found.exists():
            found.rename(target)
    return kept


def _whole_lines(place: Place) -> bytes:
    """Lines that can go on, if an unfinished last one is all that is wrong."""
    log = place.path
    if not log.exists():
        return b""
    content = log.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole == content:
        return b""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / log.name
        copy.write_bytes(whole)
        if head_path(log).exists():
            head_path(copy).write_bytes(head_path(log).read_bytes())
        try:
            read_reading(copy, place.reader if place.own else "")
        except (HrmError, OSError):
            return b""
    return whole
