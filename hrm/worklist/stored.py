"""The recordings of a batch, where a worklist is made of its output folder."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from hrm.batch.inputs import Input, is_remote
from hrm.batch.settings import Settings, settings_from
from hrm.errors import ParameterError, ProvenanceWarning
from hrm.store.ledger import FILE_NAME, Ledger

#: Names that a ledger holds as digests of a file's content, so that the file is not known.
_FILES = ("swallows", "drift", "layout", "catheter_file")
#: Written beside the settings, and none of them.
_DERIVED = ("parameters_id",)
_QUERY = (
    "SELECT input.path, study.settings FROM input LEFT JOIN study ON study.id = input.study "
    "ORDER BY input.path"
)


def is_store(folder: Path) -> bool:
    """Whether a folder is the output of ``hrm batch``."""
    return (folder / FILE_NAME).is_file()


def stored_inputs(folder: Path, *, settings_too: bool) -> list[Input]:
    """Give the recordings that a batch was asked for, and what was said of each.

    Parameters
    ----------
    folder : Path
        Output of ``hrm batch``.
    settings_too : bool
        Whether a settings file in the folder says what the ledger does not know.

    Returns
    -------
    list of Input

    Raises
    ------
    ParameterError
        If the batch was told of files that the ledger knows by their content only.
    StoreError
        If the ledger cannot be read.

    Warns
    -----
    ProvenanceWarning
        If recordings are gone.
    """
    with Ledger(folder) as ledger:
        rows = ledger.connection.execute(_QUERY).fetchall()
    here = [(path, said) for path, said in rows if not is_remote(path) and Path(path).is_file()]
    if len(here) < len(rows):
        warnings.warn(
            f"{len(rows) - len(here)} of the {len(rows)} recordings of the batch are not files of "
            "this machine (any more), and not on the list",
            ProvenanceWarning,
            stacklevel=2,
        )
    return [
        Input(path, said=_settings(json.loads(said or "{}"), settings_too=settings_too))
        for path, said in here
    ]


def _settings(said: dict[str, Any], *, settings_too: bool) -> Settings:
    unknown = [name for name in _FILES if name in said]
    if unknown and not settings_too:
        raise ParameterError(
            f"the batch was told of files ({', '.join(unknown)}) of which its ledger keeps the "
            "content's digest only: put the settings.toml of that batch into this folder"
        )
    plain = {name: value for name, value in said.items() if name not in (*_FILES, *_DERIVED)}
    return settings_from(plain, where="ledger of the batch")
