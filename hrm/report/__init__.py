"""Reports on one study: the PDF, and the words that every output uses for the results.

Importing this package loads no Matplotlib; `write_report` does when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.report.pdf import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in __all__:
        return getattr(import_module("hrm.report.pdf"), name)
    raise AttributeError(f"module 'hrm.report' has no attribute {name!r}")
