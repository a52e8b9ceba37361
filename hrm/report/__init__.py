"""Reports on one study or two: the PDF, the page, and the words that every output uses.

Importing this package loads no Matplotlib; the functions that write do when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.report.html import write_html, write_visits_html
    from hrm.report.pdf import write_report
    from hrm.report.visits import write_visits

#: Modules of the public names.
_HOMES = {
    "write_html": "html",
    "write_report": "pdf",
    "write_visits": "visits",
    "write_visits_html": "html",
}

__all__ = ["write_html", "write_report", "write_visits", "write_visits_html"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(f"hrm.report.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hrm.report' has no attribute {name!r}")
