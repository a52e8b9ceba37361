"""The native file of hrm: netCDF-4, readable by anything that reads HDF5.

Every variable is stored as it is, compressed and with a checksum; the file
appears complete or not at all, and opens in plain ``xarray.open_datatree``.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy as np

from hrm import catalog
from hrm._files import check_target, new_file
from hrm.errors import (
    CorruptFileError,
    HrmError,
    ParameterError,
    SchemaError,
    UnsupportedVersionError,
)
from hrm.io import _digest, _encodings, _raw, identity
from hrm.io._catheter import resolve
from hrm.io._encodings import CHUNK_SAMPLES, COMPRESSION, Encoding
from hrm.io._registry import Match, ReadOptions, Sniff
from hrm.io._source import Source
from hrm.io._storable import check_storable
from hrm.io._variants import Variant

if TYPE_CHECKING:
    import xarray as xr

NAME = "hrm-native"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"

# Deflate cannot shrink by more than about 1000: a file that declares more is damaged.
_MAX_EXPANSION = 1100
_SMALL_BYTES = 1 << 20
_ROOT_MARKS = (b"schema_version", b"source_sha256", b"sampling_rate")
#: Where HDF5 writes the names of attributes is its own affair: near one end in all we saw.
_MARK_SPAN = 32 << 20


class NativeReader:
    """Reader of hrm's own files."""

    name = NAME
    vendor = "hrm"
    suffixes: tuple[str, ...] = (".nc", ".h5")
    description = "hrm study in netCDF-4/HDF5, as written by write_native"
    variants = (
        Variant(
            "schema 1", "own", "recording and results, without loss; any HDF5 program opens it"
        ),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:
        """Judge by the HDF5 magic, and the digest or the names of the root attributes.

        By their bytes: damage can hold HDF5 in an endless loop, so it sees nothing yet.
        """
        if not head.startswith(HDF5_MAGIC):
            return Sniff(Match.NO, "not an HDF5 file")
        try:
            with source.random_access() as stream:
                if _digest.is_there(stream):
                    return Sniff(Match.YES, "HDF5 with the digest of a study behind it")
                return _judged_by_marks(stream)
        except Exception as err:  # noqa: BLE001 - of the packing; reading it says so
            return Sniff(Match.MAYBE, f"HDF5, but it is not read ({type(err).__name__})")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its metadata."""
        import h5py

        try:
            # Through a stream: HDF5's own error texts carry the path.
            with (
                source.random_access() as stream,
                h5py.File(_digest.checked(stream, strictness="raise"), "r") as file,
            ):
                n_sensors, n_samples = file["pressure/pressure"].shape
                return _raw.peek_result(
                    name=NAME,
                    n_sensors=int(n_sensors),
                    rate_hz=float(np.ravel(file.attrs["sampling_rate"])[0]),
                    n_samples=int(n_samples),
                    first_time_s=float(np.ravel(file.attrs["time_offset_s"])[0]),
                    has_impedance="impedance" in file,
                    needs_catheter=False,
                    size=source.size,
                )
        except HrmError:
            raise
        except Exception as err:
            raise damaged(err) from err

    def read(self, source: Source, options: ReadOptions) -> xr.DataTree:
        """Read the whole file into a validated study; no handle stays open."""
        # From memory: HDF5's own error texts carry the path.
        study = parse(source.read(), strictness=options.strictness)
        return build(study, options)


def _judged_by_marks(stream: BinaryIO) -> Sniff:
    """Judge a file without a digest by whether the names of the root attributes are in it."""
    size = stream.seek(0, os.SEEK_END)
    for start in {0, max(0, size - _MARK_SPAN)}:
        stream.seek(start)
        part = stream.read(_MARK_SPAN)
        if all(mark in part for mark in _ROOT_MARKS):
            return Sniff(Match.YES, "HDF5 with the root attributes of a study")
    if size > 2 * _MARK_SPAN:
        return Sniff(Match.MAYBE, "HDF5, too large to look all through it for a study")
    return Sniff(Match.NO, "HDF5, but not a study of hrm")


def damaged(err: Exception) -> CorruptFileError:
    """Fault of a native file that a library tripped over."""
    return CorruptFileError(
        f"the file is cut or damaged ({type(err).__name__} while reading it); "
        "write it again from its source",
        reader=NAME,
    )


def parse(data: bytes, *, strictness: str = "raise") -> xr.DataTree:
    """Read the bytes of a native file, values and attributes as they were written.

    Parameters
    ----------
    data : bytes
        The whole file.
    strictness : {"raise", "warn"}
        What to do about a file without a digest that fits.

    Returns
    -------
    DataTree
        In memory, validated.

    Raises
    ------
    CorruptFileError
        If the file is cut or damaged, or has no digest.
    UnsupportedVersionError
        If a newer hrm wrote it.
    SchemaError
        If it holds no valid study.
    """
    from hrm.schema import validate

    try:
        _digest.check_whole(data, strictness=strictness)
        study = load(io.BytesIO(data), len(data))
        validate(study)
    except HrmError:
        raise
    except Exception as err:
        raise damaged(err) from err
    return study


def load(stream: BinaryIO, size: int, *, keep: frozenset[str] = frozenset()) -> xr.DataTree:
    """Read the nodes of a file, not yet checked against the contract.

    Parameters
    ----------
    stream : binary file object
        The content, `size` bytes of it; it must stay open if `keep` names anything.
    keep : set of str
        Variables to leave on disk until they are used.

    Raises
    ------
    CorruptFileError, UnsupportedVersionError
        As `parse`; also whatever HDF5 and xarray raise about a damaged file.
    """
    import xarray as xr

    # First, because h5netcdf complains on the terminal about a file that does not open.
    found = _survey(stream, size)
    tree = xr.open_datatree(
        stream,
        engine="h5netcdf",
        decode_times=False,
        decode_timedelta=False,
        # The default, said outright: otherwise h5netcdf warns of a variable without dims.
        phony_dims="access",
        mask_and_scale={packing.name: False for packing in found.packings} or None,
    )
    try:
        _check_version(tree.attrs)
        nodes = {node.path: _loaded(node.to_dataset(inherit=False), keep) for node in tree.subtree}
        for packing in found.packings:
            node = nodes[packing.path]
            node[packing.name] = _encodings.unpacked(node[packing.name].variable, packing)
        nodes = {path: _plain(node) for path, node in nodes.items()}
    except BaseException:
        tree.close()
        raise
    _restore_lists(nodes, found.lists)
    study = xr.DataTree.from_dict(nodes)
    if keep:
        study.set_close(partial(_close, tree, stream))
    else:
        tree.close()
    return study


class _Survey(NamedTuple):
    """What must be known of a file before xarray opens it."""

    lists: dict[tuple[str, str], list[str]]
    packings: list[_encodings.Packing]


def _survey(stream: BinaryIO, size: int) -> _Survey:
    import h5py

    with h5py.File(stream, "r") as file:
        _check_declared(file, size)
        return _Survey(_lists_of_one(file), _encodings.packings(file))


def _close(tree: xr.DataTree, stream: BinaryIO) -> None:
    tree.close()
    stream.close()


def _check_declared(file: Any, size: int) -> None:
    """Refuse a file that would fill the memory; before xarray, which reads the axes at once."""
    import h5py

    declared: list[int] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            declared.append(math.prod(item.shape) * item.dtype.itemsize)
            if item.chunks:
                # Reads where each chunk lies, so that this is checked before it is relied on.
                item.id.get_num_chunks()

    file.visititems(visit)
    if sum(declared) > _SMALL_BYTES + _MAX_EXPANSION * size + _encodings.blosc_bytes(file):
        raise CorruptFileError(
            f"the file declares {sum(declared)} bytes of values, more than its size can hold",
            reader=NAME,
        )


def _loaded(dataset: xr.Dataset, keep: frozenset[str]) -> xr.Dataset:
    for name, variable in dataset.variables.items():
        if name not in keep:
            variable.load()
    return dataset


def _restore_lists(nodes: dict[str, xr.Dataset], lists: dict[tuple[str, str], list[str]]) -> None:
    for (path, variable), names in lists.items():
        owner: Any = nodes.get(path)
        if variable and owner is not None:
            owner = owner.variables.get(variable)
        if owner is not None:
            attrs = owner.attrs
            attrs.update({key: [attrs[key]] for key in names if isinstance(attrs.get(key), str)})


def _lists_of_one(file: Any) -> dict[tuple[str, str], list[str]]:
    """Find the attributes that are a list of one text, which xarray reads as the text.

    Keys are (path of the node, name of the variable or empty).
    """
    import h5py

    found: dict[tuple[str, str], list[str]] = {}

    def visit(path: str, item: Any) -> None:
        node, _, variable = f"/{path}".rpartition("/")
        key = (f"/{path}", "") if isinstance(item, h5py.Group) else (node or "/", variable)
        names = [name for name in item.attrs if _is_list_of_one(item.attrs.get_id(name))]
        if names:
            found[key] = names

    visit("", file)
    file.visititems(visit)
    return found


def _is_list_of_one(attribute: Any) -> bool:
    import h5py

    return attribute.shape == (1,) and h5py.check_string_dtype(attribute.dtype) is not None


def _plain(dataset: xr.Dataset) -> xr.Dataset:
    """Undo what a trip through a file leaves behind: encodings, NumPy scalars in attrs."""
    dataset = dataset.drop_encoding()
    dataset.attrs = {name: _plain_attr(value) for name, value in dataset.attrs.items()}
    for name, variable in dataset.variables.items():
        attrs = {key: _plain_attr(value) for key, value in variable.attrs.items()}
        dataset[name].attrs = attrs
        if variable.dtype.kind in "UT":
            dataset[name] = variable.astype(object)
            dataset[name].attrs = attrs
    return dataset


def _plain_attr(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def _check_version(attrs: Any) -> None:
    from hrm.schema import SCHEMA_VERSION

    found = str(attrs.get("schema_version", ""))
    if not found.isdecimal() or not found.isascii():
        raise CorruptFileError("the root attribute 'schema_version' is missing", reader=NAME)
    if int(found) > int(SCHEMA_VERSION):
        raise UnsupportedVersionError(
            f"the file has schema_version {int(found)}, this hrm reads up to {SCHEMA_VERSION}; "
            "update hrm",
            reader=NAME,
        )


def build(study: xr.DataTree, options: ReadOptions) -> xr.DataTree:
    """Apply what the caller said to a study that was read back.

    Raises
    ------
    ParameterError
        If a catheter is named that the file contradicts.
    """
    _check_placement(study, options)
    if options.system is not None:
        study.attrs["system"] = catalog.check_system(options.system)
    if options.participant:
        study.attrs["study_id"] = options.participant
    if identity.holds_phi(study.attrs) and not options.keep_phi:
        _drop_phi(study)
    return study


def _check_placement(study: xr.DataTree, options: ReadOptions) -> None:
    if options.catheter is None and options.depths is None and options.catheter_file is None:
        return
    stored = np.asarray(study["pressure"].to_dataset()["depth"].values)
    asked = resolve(
        stored.size,
        catheter=options.catheter,
        depths=options.depths,
        catheter_file=options.catheter_file,
    )
    if not np.array_equal(stored, np.array(asked.depths_cm)):
        raise ParameterError(
            "a native file carries its sensor positions, and they are not those asked for; "
            "leave the catheter out, or read the vendor's file again"
        )


def _drop_phi(study: xr.DataTree) -> None:
    study.attrs = identity.without_phi(study.attrs)
    events = study["events"].to_dataset()
    notes = [identity.note_to_keep(str(note), keep_phi=False) for note in events["note"].values]
    events["note"] = ("event", np.array(notes, dtype=object), events["note"].attrs)
    study["events"] = events


def write_native(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    encoding: Encoding = "float32",
) -> None:
    """Write a study to a native file, without loss and in one step.

    Parameters
    ----------
    study : DataTree
        A valid study, with any result nodes.
    path : path-like
        Where to.
    overwrite : bool
        Replace an existing file.
    encoding : {"float32", "int16", "blosc"}
        How the samples are stored, see `hrm.io.write_native`.

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
    FileNotFoundError
        If the folder does not exist.
    """
    from hrm.schema import validate

    target = Path(path)
    encoding = _encodings.check_encoding(encoding)
    check_target(target, overwrite=overwrite)
    validate(study)
    check_storable(study)
    stored = _encodings.packed(study) if encoding == "int16" else study
    with new_file(target, overwrite=overwrite) as temporary:
        write_tree(stored, temporary, storage=_encodings.storage_of(encoding))
        _digest.append(temporary)


def write_tree(
    study: xr.DataTree,
    file: Path,
    *,
    mode: Literal["w", "a"] = "w",
    storage: Mapping[str, Any] = COMPRESSION,
) -> None:
    """Write the nodes of a tree into a file, new or (``mode="a"``) begun; no digest yet.

    `storage` is that of the samples; everything else is compressed as always.

    Raises
    ------
    SchemaError
        If the tree holds what netCDF cannot store.
    """
    encoding = {
        node.path: {
            str(name): _encoding(
                variable, storage if _encodings.is_signal(node.path, name) else COMPRESSION
            )
            for name, variable in node.to_dataset(inherit=False).variables.items()
        }
        for node in study.subtree
    }
    try:
        study.to_netcdf(file, mode=mode, engine="h5netcdf", format="NETCDF4", encoding=encoding)
    except (TypeError, ValueError, KeyError, NotImplementedError) as err:
        raise SchemaError(
            f"the study holds what netCDF cannot store ({type(err).__name__}); "
            "use numbers, booleans and text"
        ) from err


def _encoding(variable: xr.Variable, storage: Mapping[str, Any]) -> dict[str, Any]:
    """How a variable is stored: no fill value of xarray's, so that every bit comes back."""
    if variable.dtype.kind in "OUT":
        # Said outright: an empty column of texts would come back as numbers.
        return {"dtype": str}
    encoding: dict[str, Any] = {} if "_FillValue" in variable.attrs else {"_FillValue": None}
    if variable.ndim and variable.size:
        leading, last = variable.shape[:-1], variable.shape[-1]
        encoding |= {**storage, "chunksizes": (*leading, min(last, CHUNK_SAMPLES))}
    return encoding
