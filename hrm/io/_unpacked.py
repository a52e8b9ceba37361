"""A signal whose int16 codes stay on disk, and become float32 where they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from hrm.io._encodings import Packing, unpack


class _Unpacked(BackendArray):
    """Numbers of a variable of codes, part by part.

    Not left to xarray: it would give float64, which are not the samples that were stored.
    """

    def __init__(self, codes: xr.Variable, packing: Packing) -> None:
        self._codes, self._packing = codes, packing
        self.shape = codes.shape
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._part
        )

    def _part(self, key: tuple[Any, ...]) -> NDArray[np.float32]:
        return unpack(self._codes[key].values, self._packing.scale, self._packing.fill)


def on_disk(codes: xr.Variable, packing: Packing, attrs: Mapping[Any, Any]) -> xr.Variable:
    """Give the variable of numbers; it is kept once it has been used whole, as xarray does."""
    lazy = indexing.LazilyIndexedArray(_Unpacked(codes, packing))
    kept = indexing.MemoryCachedArray(lazy)  # type: ignore[no-untyped-call] # of xarray
    return xr.Variable(codes.dims, kept, attrs)
