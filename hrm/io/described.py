"""A look at a file with what a layout says of it: `described`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from hrm.errors import ParameterError
from hrm.io import opened
from hrm.io._registry import ReadOptions, StreamingReader, check_said, choose_reader
from hrm.io._table_stream import PlainTableStream
from hrm.io.layout import with_layout


def described(
    source: str | os.PathLike[str] | BinaryIO,
    layout: str | os.PathLike[str],
    *,
    member: str | None = None,
    reader: str | None = None,
) -> dict[str, Any]:
    """Look at a file that a layout describes, without reading it whole.

    Parameters
    ----------
    source : path-like or binary file object
        As in `hrm.io.open_recording`.
    layout : path-like
        The layout file (TOML).
    member, reader : str, optional
        As in `hrm.io.open_recording`.

    Returns
    -------
    dict
        As of `hrm.io.peek`.

    Raises
    ------
    ParameterError
        If the layout is faulty, does not say enough, or does not fit the file.
    FormatError
        If the file is damaged.
    """
    options = with_layout(ReadOptions(layout=Path(layout)))
    with opened(source, member) as content:
        chosen = choose_reader(content, reader, has_layout=True)
        check_said(chosen, options)
        if not isinstance(chosen, StreamingReader):
            raise ParameterError(f"a layout is not for the format {chosen.name}")
        facts = chosen.peek(content)
        stream = chosen.stream(content, options)
        facts |= {
            "n_sensors": stream.n_sensors,
            "has_impedance": stream.n_segments > 0,
            "needs_catheter": options.depths is None and options.catheter is None,
        }
        if isinstance(stream, PlainTableStream):
            facts["sampling_rate_hz"] = stream.early_rate_hz()
    return facts
