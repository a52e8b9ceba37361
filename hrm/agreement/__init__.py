"""How well two sets of results agree: matched, compared, and put on one page.

`read_source` takes result files, a folder of them or a table of reported numbers; `compare`
matches them and gives limits of agreement, intraclass correlations and kappas; `as_dict` and
`write_page` are what `hrm compare` writes. The statistics stand alone as `bland_altman`,
`bland_altman_repeated`, `icc` and `cohen_kappa`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hrm.agreement.comparison import Comparison, compare
    from hrm.agreement.correlation import icc
    from hrm.agreement.estimate import Estimate
    from hrm.agreement.kappa import cohen_kappa
    from hrm.agreement.limits import Limits, bland_altman, bland_altman_repeated
    from hrm.agreement.record import as_dict
    from hrm.agreement.source import Source, from_results, from_rows, read_source
    from hrm.agreement.webpage import page

__all__ = [
    "Comparison",
    "Estimate",
    "Limits",
    "Source",
    "as_dict",
    "bland_altman",
    "bland_altman_repeated",
    "cohen_kappa",
    "compare",
    "from_results",
    "from_rows",
    "icc",
    "page",
    "read_source",
]

_HOME = {
    "Comparison": "comparison",
    "as_dict": "record",
    "compare": "comparison",
    "icc": "correlation",
    "Estimate": "estimate",
    "cohen_kappa": "kappa",
    "Limits": "limits",
    "bland_altman": "limits",
    "bland_altman_repeated": "limits",
    "page": "webpage",
    "Source": "source",
    "from_results": "source",
    "from_rows": "source",
    "read_source": "source",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is used (PEP 562)."""
    if name in _HOME:
        return getattr(import_module(f"hrm.agreement.{_HOME[name]}"), name)
    raise AttributeError(f"module 'hrm.agreement' has no attribute {name!r}")
