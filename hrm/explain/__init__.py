"""Where a number came from: what was read, by which definition, against which limit.

Importing this package loads nothing heavy; its names do when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.evidence import Explanation
    from hrm.explain.metric import explain_metric
    from hrm.explain.names import find_metric
    from hrm.explain.text import lines
    from hrm.explain.workings import Workings

_HOMES = {
    "Explanation": "hrm.evidence",
    "Workings": "hrm.explain.workings",
    "explain_metric": "hrm.explain.metric",
    "find_metric": "hrm.explain.names",
    "lines": "hrm.explain.text",
}

__all__ = ["Explanation", "Workings", "explain_metric", "find_metric", "lines"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hrm.explain' has no attribute {name!r}")
