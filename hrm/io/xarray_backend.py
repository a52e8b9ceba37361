"""``engine="hrm"`` of xarray: a vendor's file opens like any other.

Installed as the entry point ``hrm`` of ``xarray.backends``; the class itself is as good an
argument ``engine=``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, ClassVar

import xarray as xr
from xarray.backends import BackendEntrypoint

from hrm.errors import HrmError, ParameterError
from hrm.io import open_recording, opened
from hrm.io._registry import choose_reader
from hrm.io.native import NAME as NATIVE


class HrmBackendEntrypoint(BackendEntrypoint):
    """Every format that hrm reads, for `xarray.open_datatree` and `xarray.open_dataset`.

    What the file does not say is given as a keyword: the options of
    `hrm.io.open_recording`, like ``catheter=``.
    """

    description: ClassVar[str] = "High-resolution manometry recordings"
    open_dataset_parameters: ClassVar[tuple[str, ...]] = ("drop_variables", "group")
    supports_groups: ClassVar[bool] = True

    def open_datatree(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **said: Any,
    ) -> xr.DataTree:
        """Open a recording as the tree that `hrm.open_recording` gives."""
        dropped = [drop_variables] if isinstance(drop_variables, str) else drop_variables
        study = open_recording(filename_or_obj, **said)
        if not dropped:
            return study
        kept = {
            node.path: node.to_dataset(inherit=False).drop_vars(list(dropped), errors="ignore")
            for node in study.subtree
        }
        tree = xr.DataTree.from_dict(kept)
        tree.set_close(study.close)
        return tree

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = "pressure",
        **said: Any,
    ) -> xr.Dataset:
        """Open one node of a recording; the root attributes come with it.

        Raises
        ------
        ParameterError
            If the recording has no such node.
        """
        tree = self.open_datatree(filename_or_obj, drop_variables=drop_variables, **said)
        path = "/" + str(PurePosixPath(group or "/")).strip("/.")
        nodes = {node.path: node for node in tree.subtree}
        if path not in nodes:
            raise ParameterError(
                f"the recording has no group of that name; it has {', '.join(sorted(nodes))}"
            )
        dataset = nodes[path].to_dataset(inherit=False)
        dataset.attrs = {**tree.attrs, **dataset.attrs}
        dataset.set_close(tree.close)
        return dataset

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **said: Any,
    ) -> dict[str, xr.Dataset]:
        """Open every node of a recording."""
        tree = self.open_datatree(filename_or_obj, drop_variables=drop_variables, **said)
        return {node.path: node.to_dataset(inherit=False) for node in tree.subtree}

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether a reader of a vendor's format is sure of the content.

        Native files are left to the engines for netCDF, which open them as they are.
        """
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        try:
            with opened(filename_or_obj) as source:
                return choose_reader(source).name != NATIVE
        except (HrmError, OSError):
            return False
