"""Figures of a study: pressure topography with everything the numbers rest on.

Importing this package loads no Matplotlib; `figure` and `save_figure` do when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.plot.topography import figure, save_figure

__all__ = ["figure", "save_figure"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in __all__:
        return getattr(import_module("hrm.plot.topography"), name)
    raise AttributeError(f"module 'hrm.plot' has no attribute {name!r}")
