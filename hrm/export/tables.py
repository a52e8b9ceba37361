"""Every number of a study as a table for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hrm._files import new_file
from hrm.errors import ParameterError
from hrm.store.tables import FORMATS, write_table
from hrm.store.tidy import to_long

if TYPE_CHECKING:
    import xarray as xr


def write_tables(
    study: xr.DataTree, path: str | os.PathLike[str], *, visit: str = "", overwrite: bool = False
) -> None:
    """Write the tidy long table of an analyzed study.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    path : path-like
        Ends in ``.csv``, ``.parquet`` or ``.xlsx``.
    visit : str
        Name of the visit, for a trial.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the ending is another.
    MissingDependencyError
        If the library for it is not installed.
    FileExistsError
        If the file exists and `overwrite` is not set.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise ParameterError(f"a table is written as {', '.join(FORMATS)}; got another ending")
    table = to_long(study, visit=visit)
    with new_file(path, overwrite=overwrite) as place:
        write_table(table, place)
