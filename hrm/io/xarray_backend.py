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
        group: str | None = None,
        **said: Any,
    ) -> xr.DataTree:
        """Open a recording as the tree that `hrm.open_recording` gives, or one `group` of it.

        The attributes of the study come with a group.

        Raises
        ------
        ParameterError
            If the recording has no such group.
        """
        study = open_recording(filename_or_obj, **said)
        try:
            path = _path_of(study, group)
        except ParameterError:
            study.close()
            raise
        dropped = [drop_variables] if isinstance(drop_variables, str) else drop_variables
        if not dropped and path == "/":
            return study
        kept = {
            f"/{PurePosixPath(node.path).relative_to(path)}".removesuffix("."): node.to_dataset(
                inherit=False
            ).drop_vars(list(dropped or ()), errors="ignore")
            for node in study[path].subtree
        }
        tree = xr.DataTree.from_dict(kept)
        tree.attrs = {**study.attrs, **tree.attrs}
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
        """Open one group of a recording, the pressures unless another is named.

        The attributes of the study come with it.

        Raises
        ------
        ParameterError
            If the recording has no such group.
        """
        tree = self.open_datatree(
            filename_or_obj, drop_variables=drop_variables, group=group, **said
        )
        dataset = tree.to_dataset(inherit=False)
        dataset.set_close(tree.close)
        return dataset

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        **said: Any,
    ) -> dict[str, xr.Dataset]:
        """Open every group of a recording, or those within one."""
        tree = self.open_datatree(
            filename_or_obj, drop_variables=drop_variables, group=group, **said
        )
        groups = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
        groups["/"].set_close(tree.close)
        return groups

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


def _path_of(study: xr.DataTree, group: str | None) -> str:
    """Path of a group that is there; the root if none is named.

    Raises
    ------
    ParameterError
        If it is not there; lists those that are.
    """
    path = "/" + str(PurePosixPath(group or "/")).strip("/.")
    there = {node.path for node in study.subtree}
    if path not in there:
        raise ParameterError(
            f"group=: the recording has no group of that name; it has {', '.join(sorted(there))}"
        )
    return path
