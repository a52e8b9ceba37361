"""Chicago Classification: the decision trees, and the facts they decide on.

`classify` runs version 4.0 and 3.0 over the measured swallows of one study and says
for each which rules decided, with the value, the limit and the row it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hrm.catalog import Parameters
from hrm.metrics.chicago.difference import difference
from hrm.metrics.chicago.facts import (
    CONSIDERATIONS,
    DIAGNOSES,
    RAISED_IRP,
    Clinical,
    Swallow,
    UserLimit,
    clinical_block,
    clinical_from,
    user_limit_from,
)
from hrm.metrics.chicago.study import classify_version

VERSIONS = ("ccv4", "ccv3")

__all__ = [
    "CONSIDERATIONS",
    "DIAGNOSES",
    "RAISED_IRP",
    "VERSIONS",
    "Clinical",
    "Swallow",
    "UserLimit",
    "classify",
    "clinical_block",
    "clinical_from",
    "user_limit_from",
]


def classify(
    swallows: Sequence[Swallow],
    *,
    system: str,
    clinical: Clinical,
    user_limit: UserLimit | None,
    parameters: Parameters,
    limits_fit: bool = True,
) -> dict[str, Any]:
    """Classify one study by both versions.

    Parameters
    ----------
    swallows : sequence of Swallow
        The evaluable single swallows.
    system : str
        Key of the manometry system, or ``unknown``.
    clinical : Clinical
        What the recording cannot say: symptoms, other tests, operations.
    user_limit : UserLimit or None
        IRP limit that the user named.
    parameters : Parameters
    limits_fit : bool
        Whether the catheter is of the kind that the system's limits were found with.

    Returns
    -------
    dict
        ``ccv4`` and ``ccv3``, each with ``diagnosis``, ``conclusive``, ``limited``,
        ``considerations``, ``rationale`` and ``provisional``; and ``difference``,
        why the two differ (empty if they agree).

    Notes
    -----
    SPEC section 8; YAD21 and KAH15.
    """
    both = {
        name: classify_version(
            name,
            swallows,
            system=system,
            clinical=clinical,
            user_limit=user_limit,
            parameters=parameters,
            limits_fit=limits_fit,
        )
        for name in VERSIONS
    }
    out: dict[str, Any] = {name: asdict(verdict) for name, verdict in both.items()}
    out["difference"] = difference(both["ccv4"], both["ccv3"])
    return out
