"""A participant code held against the identity in a file's own header."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrm.errors import HrmWarning, ParameterError
from hrm.io import archive_members, opened
from hrm.io._registry import ReadOptions, StreamingReader, choose_reader
from hrm.io.identity import NOTES_ATTR, PHI_PREFIX, is_protocol_text, names_within

if TYPE_CHECKING:
    import xarray as xr

# Year first or last, with any mark between; eight digits alone may be a site and a number.
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[._-](?:0?[1-9]|1[0-2])[._-](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[._-](?:0?[1-9]|[12]\d|3[01])[._-](?:19|20)\d\d)(?!\d)"
)


def check_code(participant: str, texts: Iterable[str]) -> None:
    """Refuse a participant code that may itself identify the patient.

    Parameters
    ----------
    participant : str
        The code, of the form that `hrm.io.open_recording` takes.
    texts : iterable of str
        What the file's header says of the patient, as of `header_texts`.

    Raises
    ------
    ParameterError
        If the code looks like a date, or holds a word or number of the header; neither is
        quoted.

    Examples
    --------
    >>> check_code("P-07", ["DOE, Jane"])
    """
    if _DATE.search(participant):
        raise ParameterError(
            "the participant code looks like a date, which may identify the patient; choose "
            "another code"
        )
    if names_within(participant, texts):
        raise ParameterError(
            "the participant code holds a word or number of the file's own header, which may "
            "identify the patient; choose another code"
        )


def texts_of(study: xr.DataTree) -> list[str]:
    """Header texts and free notes of a study that was read with its identity kept."""
    header = [
        str(value)
        for name, value in study.attrs.items()
        if str(name).startswith(PHI_PREFIX) and name != NOTES_ATTR
    ]
    notes = [str(note) for note in study["events"].to_dataset()["note"].values]
    return header + [note for note in notes if note and not is_protocol_text(note)]


def header_texts(file: Path, *, several: bool = False, **said: Any) -> list[str]:
    """Read what the header of a file says of the patient, for `check_code`.

    Parameters
    ----------
    file : Path
        A recording; its samples are not read if its format can be read in parts.
    several : bool
        Of a zip archive, look at all files.
    **said
        The options of `hrm.io.open_recording`.

    Returns
    -------
    list of str
        Identity: never to be printed or stored.
    """
    member, reader = said.pop("member", None), said.pop("reader", None)
    options = replace(_options(said), keep_phi=True)
    names = archive_members(file) if several else []
    with warnings.catch_warnings():
        # The reading proper warns of the same.
        warnings.simplefilter("ignore", HrmWarning)
        return [
            text
            for name in (names if len(names) > 1 else [member])
            for text in _texts_of_file(file, name, reader, options)
        ]


def _options(said: dict[str, Any]) -> ReadOptions:
    from hrm.io.layout import with_layout

    return with_layout(ReadOptions(**said))


def _texts_of_file(
    file: Path, member: str | None, reader: str | None, options: ReadOptions
) -> list[str]:
    with opened(file, member) as content:
        chosen = choose_reader(content, reader, has_layout=options.layout is not None)
        if not isinstance(chosen, StreamingReader):
            return texts_of(chosen.read(content, options))
        stream = chosen.stream(content, options)
        found: tuple[str, ...] = getattr(stream, "header_texts", ())
        return list(found)
