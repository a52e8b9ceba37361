"""Many recordings: what to run, a cluster to run it on, and a ledger that loses nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.batch.inputs import Input, find_inputs, read_manifest
    from hrm.batch.run import Options, Summary, run_batch
    from hrm.batch.settings import Settings, SettingsFile, read_settings

_HOMES = {
    "Input": "hrm.batch.inputs",
    "Options": "hrm.batch.run",
    "Settings": "hrm.batch.settings",
    "SettingsFile": "hrm.batch.settings",
    "Summary": "hrm.batch.run",
    "find_inputs": "hrm.batch.inputs",
    "read_manifest": "hrm.batch.inputs",
    "read_settings": "hrm.batch.settings",
    "run_batch": "hrm.batch.run",
}

__all__ = [
    "Input",
    "Options",
    "Settings",
    "SettingsFile",
    "Summary",
    "find_inputs",
    "read_manifest",
    "read_settings",
    "run_batch",
]


def __getattr__(name: str) -> Any:
    """Load a name from the module that defines it: the settings need no cluster."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hrm.batch' has no attribute {name!r}")
