"""How samples are stored in a native file: float32, int16 with a scale, or Blosc.

An encoding concerns pressures and impedances only. Everything else is stored as float32
files store it, so that a file says what it is in any HDF5 program.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from hrm.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    import xarray as xr

Encoding = Literal["float32", "int16", "blosc"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

CHUNK_SAMPLES = 4096
COMPRESSION: Mapping[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}
#: The code of NaN; the codes that stand for numbers are symmetric about zero.
FILL = np.int16(-32768)
#: CF's ``scale_factor``, by the number of decimals. Doubles: a code times one of these,
#: rounded to float32, is the float32 nearest to the decimal number.
_SCALES = (1.0, 0.1, 0.01, 0.001)
_LARGEST_CODE = 32767
_BLOSC_FILTER = 32001
_SIGNALS = (("/pressure", "pressure"), ("/impedance", "impedance"))


def is_signal(path: str, name: Any) -> bool:
    """Whether a variable of a node holds samples."""
    return (path, name) in _SIGNALS


def check_encoding(name: str) -> Encoding:
    """Give a known encoding whose library is there.

    Raises
    ------
    ParameterError
        If there is no such encoding.
    MissingDependencyError
        If it is ``"blosc"`` and hdf5plugin is not installed.
    """
    for known in ENCODINGS:
        if name == known:
            if known == "blosc":
                _plugin()
            return known
    raise ParameterError(f"encoding= is one of {', '.join(ENCODINGS)}; this is none of them")


def storage_of(encoding: Encoding) -> dict[str, Any]:
    """Options of h5py with which samples are stored."""
    if encoding != "blosc":
        return dict(COMPRESSION)
    plugin = _plugin()
    # With a checksum, as for gzip: it is what a lazy study relies on.
    filters = plugin.Blosc(cname="zstd", clevel=5, shuffle=plugin.Blosc.SHUFFLE)
    return {**filters, "fletcher32": True}


def _plugin() -> Any:
    try:
        import hdf5plugin
    except ImportError as err:
        raise MissingDependencyError(
            "samples in Blosc need the package hdf5plugin, which is not installed: "
            "pip install 'hrm[blosc]'"
        ) from err
    return hdf5plugin


# ---------------------------------------------------------------- int16


def pack(values: NDArray[np.float32], decimals: int) -> NDArray[np.int16]:
    """Make codes of numbers; what has no code becomes that of NaN."""
    scaled = np.rint(values.astype(np.float64) * 10.0**decimals)
    return np.where(np.abs(scaled) <= _LARGEST_CODE, scaled, FILL).astype(np.int16)


def unpack(codes: NDArray[np.int16], scale: float, fill: int | None) -> NDArray[np.float32]:
    """Make numbers of codes: the product in double precision, rounded once."""
    values = np.empty(codes.shape, dtype=np.float32)
    np.multiply(codes, scale, out=values, dtype=np.float64, casting="same_kind")
    if fill is not None:
        values[codes == fill] = np.nan
    return values


class Proof:
    """Whether a signal comes back from int16 as the same numbers, sample by sample.

    The same number is one that compares equal: zero has no sign, and every NaN is "not
    measured". Exports print small negative pressures as ``-0.00``, which says no more than 0.

    Parameters
    ----------
    signal : str
        What it is called in the message.
    """

    def __init__(self, signal: str) -> None:
        self._signal = signal
        self._left = list(range(len(_SCALES)))
        self._n_rows = 0

    @property
    def decimals(self) -> int:
        """The fewest decimals with which every sample so far comes back."""
        return self._left[0]

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes from which any program for netCDF finds the numbers."""
        return {"scale_factor": np.float64(_SCALES[self.decimals]), "_FillValue": FILL}

    def add(self, rows: NDArray[np.float32]) -> None:
        """Try further samples (row, channel).

        Raises
        ------
        ParameterError
            Naming the first sample that no number of decimals keeps.
        """
        changed = {decimals: _first_changed(rows, decimals) for decimals in self._left}
        left = [decimals for decimals, at in changed.items() if at is None]
        if not left:
            row, channel = max(at for at in changed.values() if at is not None)
            raise ParameterError(
                "encoding int16 would change this recording: the first sample that it cannot "
                f"hold is sample {self._n_rows + row + 1} of {self._signal} channel "
                f"{channel + 1} (counted from proximal), which is not a number of at most "
                f"{_LARGEST_CODE} steps of 1, 0.1, 0.01 or 0.001; nothing was written: use "
                "float32"
            )
        self._left = left
        self._n_rows += len(rows)


def _first_changed(rows: NDArray[np.float32], decimals: int) -> tuple[int, int] | None:
    back = unpack(pack(rows, decimals), _SCALES[decimals], int(FILL))
    same = (back == rows) | (np.isnan(back) & np.isnan(rows))
    if same.all():
        return None
    row, channel = np.unravel_index(int(np.argmin(same)), same.shape)
    return int(row), int(channel)


def packed(study: xr.DataTree) -> xr.DataTree:
    """Make the tree as it is stored with int16: codes, and the attributes that decode them.

    Raises
    ------
    ParameterError
        If a sample would change.
    """
    import xarray as xr

    nodes = {node.path: node.to_dataset(inherit=False) for node in study.subtree}
    for path, name in _SIGNALS:
        if path in nodes:
            nodes[path][name] = _packed(nodes[path][name].variable, name)
    return xr.DataTree.from_dict(nodes)


def _packed(variable: xr.Variable, signal: str) -> xr.Variable:
    import xarray as xr

    values, proof = variable.values, Proof(signal)
    for part in _parts(values.shape[1]):
        proof.add(values[:, part].T)
    codes = np.empty(values.shape, dtype=np.int16)
    for part in _parts(values.shape[1]):
        codes[:, part] = pack(values[:, part], proof.decimals)
    return xr.Variable(variable.dims, codes, {**variable.attrs, **proof.attrs})


def _parts(n_samples: int) -> Iterator[slice]:
    for start in range(0, n_samples, CHUNK_SAMPLES):
        yield slice(start, start + CHUNK_SAMPLES)


# ---------------------------------------------------------------- reading


class Packing(NamedTuple):
    """How the codes of one signal become numbers."""

    path: str
    name: str
    scale: float
    fill: int | None


def packings(file: Any) -> list[Packing]:
    """Find the signals of an HDF5 file that are stored as hrm packs them.

    A scale of single precision, or an offset, is another program's: that is left to xarray.
    """
    found = []
    for path, name in _SIGNALS:
        data = file.get(f"{path}/{name}")
        if data is None or data.dtype != np.int16 or "add_offset" in data.attrs:
            continue
        scale, fill = (np.ravel(data.attrs.get(key, ())) for key in ("scale_factor", "_FillValue"))
        if scale.size == 1 and scale.dtype == np.float64:
            code = int(fill[0]) if fill.size else None
            found.append(Packing(path, name, float(scale[0]), code))
    return found


def unpacked(variable: xr.Variable, packing: Packing) -> xr.Variable:
    """Give the numbers of a signal; if its codes are on disk, so are they."""
    import xarray as xr

    attrs = {
        name: value
        for name, value in variable.attrs.items()
        if name not in ("scale_factor", "_FillValue")
    }
    if not variable._in_memory:  # xarray has no public question for it
        from hrm.io._unpacked import on_disk

        return on_disk(variable, packing, attrs)
    return xr.Variable(variable.dims, unpack(variable.values, *packing[2:]), attrs)


def blosc_bytes(file: Any) -> int:
    """Bytes of the signals in Blosc, having seen to it that they can be read.

    Deflate shrinks by no more than about 1000, Blosc by far more. So what counts is what is
    really there: the number of chunks times their size.

    Raises
    ------
    MissingDependencyError
        If there are such signals and hdf5plugin is not installed.
    """
    import h5py

    total = 0
    for path, name in _SIGNALS:
        data = file.get(f"{path}/{name}")
        if not isinstance(data, h5py.Dataset) or not _is_in_blosc(data):
            continue
        if not h5py.h5z.filter_avail(_BLOSC_FILTER):
            _plugin()
        total += data.id.get_num_chunks() * math.prod(data.chunks) * data.dtype.itemsize
    return total


def _is_in_blosc(data: Any) -> bool:
    plist = data.id.get_create_plist()
    return any(plist.get_filter(k)[0] == _BLOSC_FILTER for k in range(plist.get_nfilters()))
