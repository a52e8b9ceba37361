"""Results for other people's systems: FHIR, DICOM, tables."""

from __future__ import annotations

from typing import Any

__all__ = ["Identity", "fhir_bundle", "load_identity", "write_dicom", "write_fhir", "write_tables"]

_HOME = {
    "Identity": "identity",
    "load_identity": "identity",
    "fhir_bundle": "fhir",
    "write_fhir": "fhir",
    "write_dicom": "dicom",
    "write_tables": "tables",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and nothing else."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
