"""A native file whose samples stay on disk until they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrm.errors import HrmError, ParameterError
from hrm.io import _digest, native
from hrm.io._registry import Match, ReadOptions
from hrm.io._source import Source

if TYPE_CHECKING:
    import xarray as xr

#: Variables that may be larger than the memory; everything else is loaded.
_ON_DISK = frozenset({"pressure", "impedance"})


def open_lazily(source: Source, options: ReadOptions) -> xr.DataTree:
    """Open a native file; only its pressures and impedances are left on disk.

    All but the samples is compared with the digests behind the content. Each part of the
    samples carries a checksum of its own, which HDF5 checks when the part is used.

    Raises
    ------
    ParameterError
        If the file is packed, a file object, or not a native file.
    CorruptFileError
        If the file is cut or damaged, or has no digest.
    UnsupportedVersionError
        If a newer hrm wrote it.
    SchemaError
        If it holds no valid study.
    """
    reader = native.NativeReader()
    if source.path is None or reader.sniff(source.head(), source).match is Match.NO:
        raise ParameterError(
            "lazy=True is for a native file that lies unpacked on disk; convert the recording "
            "first (hrm convert), or leave lazy out"
        )
    try:
        return _open(source, options)
    except HrmError:
        raise
    except Exception as err:  # whatever HDF5 and xarray trip over
        raise native.damaged(err) from err


def _open(source: Source, options: ReadOptions) -> xr.DataTree:
    from hrm.schema import validate

    _check(source, options)
    stream = source.path.open("rb")  # type: ignore[union-attr] # the study closes it
    try:
        study = native.load(stream, source.packed_size, keep=_ON_DISK)
        validate(study)
        study = native.build(study, options)
    except BaseException:
        stream.close()
        raise
    return study


def _check(source: Source, options: ReadOptions) -> None:
    """Go once through all that HDF5 will read besides samples, each byte checked before.

    Not on the stream that stays open: HDF5 calls into it when Python has ended, which only
    a file of the operating system survives.
    """
    with source.random_access() as plain:
        stream = _digest.checked(plain, strictness=options.strictness)
        native.load(stream, source.packed_size, keep=_ON_DISK).close()
