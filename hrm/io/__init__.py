"""Readers and the native file: `open_recording`, `peek`, `write_native`.

Importing this package loads no reader; `peek` needs neither xarray nor pandas
nor numba, so a folder of files can be listed quickly.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrm.errors import FormatError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["open_recording", "peek", "write_native"]


def open_recording(
    path: str | os.PathLike[str],
    *,
    reader: str | None = None,
    catheter: str | None = None,
    depths: Sequence[float] | None = None,
    catheter_file: str | os.PathLike[str] | None = None,
    system: str | None = None,
    participant: str | None = None,
    keep_phi: bool = False,
    strictness: str = "raise",
) -> xr.DataTree:
    """Read a recording; the reader is chosen by content, never by suffix.

    Parameters
    ----------
    path : path-like
        The file.
    reader : str, optional
        Name of the reader to use instead of looking at the content.
    catheter : str, optional
        Catheter model, for files that carry no sensor positions.
    depths : sequence of float [cm], optional
        Position of each pressure sensor, proximal to distal, counted from the
        first sensor of the catheter.
    catheter_file : path-like, optional
        The user's own table of catheters (TOML).
    system : str, optional
        Manometry system, when the caller knows it; never guessed.
    participant : str, optional
        Code to carry as ``study_id`` instead of a digest of the file: 1 to 32 of
        ``A-Z a-z 0-9 . _ -``, never a name.
    keep_phi : bool
        Keep the patient's identity and free text; dropped by default.
    strictness : {"raise", "warn"}
        What to do about a fault that leaves the samples readable.

    Returns
    -------
    DataTree
        A validated study.

    Raises
    ------
    UnknownFormatError
        If no reader recognises the content.
    AmbiguousFormatError
        If more than one does.
    CorruptFileError
        If the file is cut, contradictory or damaged; says where.
    UnsupportedVersionError
        If this variant of the format is not read.
    ParameterError
        If sensor positions are needed and not given, or an argument is wrong.

    Notes
    -----
    A file that is missing, unreadable or a folder raises the builtin errors.
    """
    from hrm.io._registry import ReadOptions, choose_reader

    file = Path(path)
    options = ReadOptions(
        catheter=catheter,
        depths=None if depths is None else tuple(depths),
        catheter_file=None if catheter_file is None else Path(catheter_file),
        system=system,
        participant=participant,
        keep_phi=keep_phi,
        strictness=strictness,
    )
    try:
        return choose_reader(file, reader).read(file, options)
    except FormatError as err:
        err.path = str(file)
        raise


def peek(path: str | os.PathLike[str], *, reader: str | None = None) -> dict[str, Any]:
    """Look at a file without reading it: at most 64 KB of each end of a text file.

    Parameters
    ----------
    path : path-like
        The file.
    reader : str, optional
        Name of the reader to use instead of looking at the content.

    Returns
    -------
    dict
        ``format``, ``reader``, ``n_sensors``, ``sampling_rate_hz``, ``n_samples``,
        ``duration_s``, ``first_time_s``, ``has_impedance``, ``needs_catheter``,
        ``size_bytes``. None where the two ends do not say.

    Raises
    ------
    FormatError
        If the file is not recognised or its header is damaged.
    """
    from hrm.io._registry import choose_reader

    file = Path(path)
    try:
        return choose_reader(file, reader).peek(file)
    except FormatError as err:
        err.path = str(file)
        raise


def write_native(
    study: xr.DataTree, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write a study to hrm's own file (netCDF-4), without loss and in one step.

    Parameters
    ----------
    study : DataTree
        A valid study, with any result nodes.
    path : path-like
        Where to; the file appears complete or not at all.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    SchemaError
        If the study breaks the contract or holds what netCDF cannot store.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    from hrm.io.native import write_native as write

    write(study, path, overwrite=overwrite)
