"""Results kept: the tidy long table of one study, and the ledger of a whole batch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.store.ledger import Ledger
    from hrm.store.tables import long_table, study_table
    from hrm.store.tidy import COLUMNS, to_long, write_long

_HOMES = {
    "COLUMNS": "hrm.store.tidy",
    "Ledger": "hrm.store.ledger",
    "long_table": "hrm.store.tables",
    "study_table": "hrm.store.tables",
    "to_long": "hrm.store.tidy",
    "write_long": "hrm.store.tidy",
}

__all__ = ["COLUMNS", "Ledger", "long_table", "study_table", "to_long", "write_long"]


def __getattr__(name: str) -> Any:
    """Load a name from the module that defines it: a ledger needs no xarray."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hrm.store' has no attribute {name!r}")
