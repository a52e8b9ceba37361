"""What a native file cannot hold, said before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrm.errors import SchemaError

if TYPE_CHECKING:
    import xarray as xr


def check_storable(study: xr.DataTree) -> None:
    """Refuse a study that netCDF cannot store, naming all of what it cannot.

    Raises
    ------
    SchemaError
        If there is any such thing.
    """
    faults = []
    for node in study.subtree:
        dataset = node.to_dataset(inherit=False)
        faults += [f"{node.path}: {fault}" for fault in _attr_faults(dataset.attrs)]
        for name, variable in dataset.variables.items():
            where = f"{node.path}/{name}".replace("//", "/")
            faults += [f"{where}: {fault}" for fault in _attr_faults(variable.attrs)]
            if variable.dtype.kind not in "biufOUT":
                faults.append(f"{where}: {variable.dtype} is not stored")
            elif variable.dtype.kind in "OUT":
                faults += [f"{where}: {fault}" for fault in _text_faults(variable.values.flat)]
    if faults:
        raise SchemaError("the study cannot be stored: " + "; ".join(faults))


def _attr_faults(attrs: Any) -> list[str]:
    faults = []
    for name, value in attrs.items():
        kinds = (str, int, float, np.integer, np.floating)
        texts = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
        if isinstance(value, bool) or not (isinstance(value, kinds) or texts):
            faults.append(f"attribute {name!r} is not text, a number or a list of texts")
        else:
            faults += [
                f"attribute {name!r}: {fault}"
                for fault in _text_faults(value if isinstance(value, list) else [value])
                if isinstance(value, str | list)
            ]
    return faults


def _text_faults(values: Any) -> list[str]:
    faults = set()
    for value in values:
        if not isinstance(value, str):
            faults.add(f"a {type(value).__name__} among texts")
        elif "\0" in value:
            faults.add("a text with a NUL character")
        elif not value.isascii() and value.encode("utf-8", "replace").decode() != value:
            faults.add("a text that is not valid Unicode")
    return sorted(faults)
