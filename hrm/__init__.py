"""hrm: an open high-resolution manometry signal-processing engine.

Importing this package does nothing: the public names below load when used, so
``import hrm`` costs neither xarray nor numba nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.explain import explain_metric
    from hrm.io import open_recording, write_native
    from hrm.pipeline import analyze
    from hrm.results import to_dict
    from hrm.schema import make_recording
    from hrm.sensitivity import compare_parameters
    from hrm.stability import diagnosis_stability
    from hrm.store import to_long

__version__ = "0.1.0"

_HOMES = {
    "analyze": "hrm.pipeline",
    "compare_parameters": "hrm.sensitivity",
    "diagnosis_stability": "hrm.stability",
    "explain_metric": "hrm.explain",
    "make_recording": "hrm.schema",
    "open_recording": "hrm.io",
    "to_dict": "hrm.results",
    "to_long": "hrm.store",
    "write_native": "hrm.io",
}

__all__ = [
    "__version__",
    "analyze",
    "compare_parameters",
    "diagnosis_stability",
    "explain_metric",
    "make_recording",
    "open_recording",
    "to_dict",
    "to_long",
    "write_native",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hrm' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Names offered for completion."""
    return sorted(__all__)
