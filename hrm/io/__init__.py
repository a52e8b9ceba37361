"""Readers and the native file: `open_recording`, `peek`, `convert_recording`, `write_native`.

Importing this package loads no reader; `peek` needs neither xarray nor pandas
nor numba, so a folder of files can be listed quickly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hrm.errors import FormatError, HrmError

if TYPE_CHECKING:
    import xarray as xr

    from hrm.io._encodings import Encoding
    from hrm.io._registry import ReadOptions
    from hrm.io._source import Source

__all__ = ["convert_recording", "open_recording", "open_windows", "peek", "write_native"]


def open_recording(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    member: str | None = None,
    reader: str | None = None,
    catheter: str | None = None,
    depths: Sequence[float] | None = None,
    catheter_file: str | os.PathLike[str] | None = None,
    system: str | None = None,
    participant: str | None = None,
    keep_phi: bool = False,
    strictness: str = "raise",
    sampling_rate: float | None = None,
    layout: str | os.PathLike[str] | None = None,
    pressure_unit: str | None = None,
    channel_order: str | None = None,
    lazy: bool = False,
) -> xr.DataTree:
    """Read a recording; the reader is chosen by content, never by suffix.

    Parameters
    ----------
    source : path-like or binary file object
        The file, plain, gzipped or in a zip archive (seen by content), or an opened one,
        which is read from where it stands and left open. However it is packed, the same
        content gives the same study.
    member : str, optional
        Name of the file within a zip archive that holds several.
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
    sampling_rate : float [Hz], optional
        Of a table that does not say it.
    layout : path-like, optional
        Description (TOML) of the columns of a table that is of no vendor's format, or of
        the signals of an EDF file; the file is then read as one of these.
    pressure_unit : str, optional
        Unit of a table that does not say it: mmHg, cmH2O, kPa, hPa, mbar or Pa.
    channel_order : {"proximal_first", "distal_first"}, optional
        Which end of the catheter the first channel of such a file is.
    lazy : bool
        Of a native file, leave pressures and impedances on disk until they are used. The
        file stays open until ``close()`` of the study, and must not change meanwhile. Of the
        samples only the checksum of each part that is used is checked.

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
        If the file is cut, contradictory or damaged; says where. Also if it unpacks to
        more than a recording can hold.
    UnsupportedVersionError
        If this variant of the format, or of the packing, is not read.
    ParameterError
        If sensor positions are needed and not given, an archive holds several files and
        none is named, or an argument is wrong.

    Notes
    -----
    A file that is missing, unreadable or a folder raises the builtin errors.
    """
    from hrm.io._registry import check_said, choose_reader

    options = _options(
        catheter=catheter,
        depths=depths,
        catheter_file=catheter_file,
        system=system,
        participant=participant,
        keep_phi=keep_phi,
        strictness=strictness,
        sampling_rate=sampling_rate,
        layout=layout,
        pressure_unit=pressure_unit,
        channel_order=channel_order,
    )
    with opened(source, member) as content:
        if lazy:
            from hrm.io._lazy import open_lazily

            return open_lazily(content, options)
        chosen = choose_reader(content, reader, has_layout=options.layout is not None)
        check_said(chosen, options)
        return chosen.read(content, options)


def peek(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    member: str | None = None,
    reader: str | None = None,
) -> dict[str, Any]:
    """Look at a file without reading it: at most 64 KB of each end of a text file.

    Parameters
    ----------
    source : path-like or binary file object
        As in `open_recording`.
    member : str, optional
        Name of the file within a zip archive that holds several.
    reader : str, optional
        Name of the reader to use instead of looking at the content.

    Returns
    -------
    dict
        ``format``, ``reader``, ``n_sensors``, ``sampling_rate_hz``, ``n_samples``,
        ``duration_s``, ``first_time_s``, ``has_impedance``, ``needs_catheter``,
        ``size_bytes`` (of the unpacked content). None where the ends do not say; of a
        packed file only the first is looked at.

    Raises
    ------
    FormatError
        If the file is not recognised or its header is damaged.
    ParameterError
        If an archive holds several files and none is named.
    """
    from hrm.io._registry import choose_reader

    with opened(source, member) as content:
        return choose_reader(content, reader).peek(content)


def convert_recording(
    source: str | os.PathLike[str] | BinaryIO,
    out: str | os.PathLike[str],
    *,
    member: str | None = None,
    reader: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    encoding: Encoding = "float32",
    **said: Any,
) -> None:
    """Write a recording to hrm's own file as it is read: a day of text in bounded memory.

    The file is the same as `write_native` makes of what `open_recording` reads.

    Parameters
    ----------
    source, member, reader
        As in `open_recording`.
    out : path-like
        Where to; the file appears complete or not at all.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the bytes read so far and those of the whole file.
    encoding : {"float32", "int16", "blosc"}
        How the samples are stored, see `write_native`. With ``"int16"`` all of them lie as
        float32 beside `out` until its end.
    **said
        The other options of `open_recording`, ``lazy`` excepted.

    Raises
    ------
    FormatError, ParameterError
        As `open_recording`; also if ``"int16"`` would change a sample.
    MissingDependencyError
        If ``"blosc"`` is asked for and hdf5plugin is not installed.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    from hrm.io.convert import convert_stream

    options = _options(**said)
    with opened(source, member) as content:
        convert_stream(
            content,
            out,
            options,
            reader=reader,
            overwrite=overwrite,
            progress=progress,
            encoding=encoding,
        )


def open_windows(
    sources: Iterable[str | os.PathLike[str] | BinaryIO],
    *,
    reader: str | None = None,
    **said: Any,
) -> xr.DataTree:
    """Read the files of one study, each a window of it in time, as one recording.

    Parameters
    ----------
    sources : iterable of path-like or binary file object
        The files, in any order; of a zip archive all files in it. Windows may overlap, and
        must leave no gap.
    reader : str, optional
        Name of the reader to use instead of looking at the content.
    **said
        The other options of `open_recording`, ``member`` and ``lazy`` excepted; they hold
        for all files.

    Returns
    -------
    DataTree
        A validated study; ``source_sha256`` as in `hrm.io.join.join_windows`.

    Raises
    ------
    FormatError
        As `open_recording`; and `CorruptFileError` if windows contradict each other where
        they overlap, or leave a gap.
    ParameterError
        As `open_recording`; and if the files differ in what a study has only one of, or are
        of a format whose times begin anew in each file.

    Notes
    -----
    A function of its own, not a list for `open_recording`: that several files are of one
    study is a claim of the caller, which is tested but cannot be proven.
    """
    from hrm.io._registry import check_said, choose_reader
    from hrm.io.join import annotations_of_windows, join_windows

    if isinstance(sources, str | os.PathLike):
        raise TypeError("expected a list of files; open_recording reads a single one")
    options = _options(**said)
    windows: list[xr.DataTree] = []
    with annotations_of_windows(windows):
        for number, (source, member) in enumerate(_each_file(sources), 1):
            with _numbered(number), opened(source, member) as content:
                chosen = choose_reader(content, reader, has_layout=options.layout is not None)
                check_said(chosen, options)
                windows.append(chosen.read(content, options))
    return join_windows(windows, participant=options.participant)


@contextmanager
def _numbered(number: int) -> Iterator[None]:
    """Say of an error which file it is about; the names in an archive may hold identity."""
    try:
        yield
    except HrmError as err:
        which = "those to join (an archive's in the order in which 'hrm info' lists them)"
        err.args = (f"file {number} of {which}: {err}",)
        raise


def _each_file(
    sources: Iterable[str | os.PathLike[str] | BinaryIO],
) -> Iterator[tuple[str | os.PathLike[str] | BinaryIO, str | None]]:
    """Give files and, of a zip archive with several, each member."""
    for source in sources:
        names = archive_members(source) if isinstance(source, str | os.PathLike) else []
        for member in names if len(names) > 1 else [None]:
            yield source, member


def _options(
    *,
    depths: Sequence[float] | None = None,
    catheter_file: str | os.PathLike[str] | None = None,
    layout: str | os.PathLike[str] | None = None,
    **plain: Any,
) -> ReadOptions:
    from hrm.io._registry import ReadOptions
    from hrm.io.layout import with_layout

    options = ReadOptions(
        depths=None if depths is None else tuple(depths),
        catheter_file=None if catheter_file is None else Path(catheter_file),
        layout=None if layout is None else Path(layout),
        **plain,
    )
    return with_layout(options)


def archive_members(path: str | os.PathLike[str]) -> list[str]:
    """Names of the files in a zip archive, empty for any other file.

    They may hold a patient's identity: for the user's own terminal only.

    Raises
    ------
    FormatError
        If the archive is damaged, unusual, or a document of an office program.
    """
    from hrm.io import _zip

    try:
        return _zip.members(path)
    except FormatError as err:
        err.path = str(Path(path))
        raise


@contextmanager
def opened(
    source: str | os.PathLike[str] | BinaryIO, member: str | None = None
) -> Iterator[Source]:
    """Give the content of a file; errors about it then carry the user's path.

    Raises
    ------
    FormatError
        If the packing is damaged or unusual.
    ParameterError
        If an archive holds several files and none is named.
    """
    from hrm.io._source import Source

    try:
        with Source.of(source, member=member) as content:
            yield content
    except FormatError as err:
        if isinstance(source, str | os.PathLike):
            err.path = str(Path(source))
        raise


def write_native(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    encoding: Encoding = "float32",
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
    encoding : {"float32", "int16", "blosc"}
        How the samples are stored; they are the same when read. ``"float32"``, in gzip, is
        what every program for HDF5 reads. ``"int16"`` has a CF ``scale_factor``, and is
        written only if every number comes back (zero without its sign). ``"blosc"`` needs
        hdf5plugin (``pip install 'hrm[blosc]'``), here and where the file is read.

    Raises
    ------
    SchemaError
        If the study breaks the contract or holds what netCDF cannot store.
    ParameterError
        If ``"int16"`` would change a sample; says which.
    MissingDependencyError
        If ``"blosc"`` is asked for and hdf5plugin is not installed.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    from hrm.io.native import write_native as write

    write(study, path, overwrite=overwrite, encoding=encoding)
