"""Chicago Classification: the decision trees, and the facts they decide on.

`classify` runs version 4.0 and 3.0 over the measured swallows of one study and says
for each which rules decided, with the value, the limit and the row it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hrm.catalog import Parameters
from hrm.metrics.chicago.facts import (
    Clinical,
    Swallow,
    UserLimit,
    clinical_from,
    user_limit_from,
)
from hrm.metrics.chicago.study import classify_version

VERSIONS = ("ccv4", "ccv3")

__all__ = [
    "VERSIONS",
    "Clinical",
    "Swallow",
    "UserLimit",
    "classify",
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
        )
        for name in VERSIONS
    }
    out: dict[str, Any] = {name: asdict(verdict) for name, verdict in both.items()}
    out["difference"] = _difference(both["ccv4"].diagnosis, both["ccv3"].diagnosis)
    return out


_REASONS = {
    ("egjoo", "egjoo"): "",
    ("iem", "normal"): (
        "v4.0 counts fragmented swallows as ineffective and calls failed >= 50 % ineffective "
        "motility; v3.0 asks for at least 50 % weak or failed swallows"
    ),
    ("normal", "iem"): "v3.0 calls 50 % ineffective swallows a minor disorder already",
    ("iem", "fragmented_peristalsis"): (
        "v4.0 no longer has fragmented peristalsis: fragmented swallows are ineffective ones"
    ),
    ("normal", "fragmented_peristalsis"): "v4.0 no longer has fragmented peristalsis",
}


def _difference(version_4: str, version_3: str) -> str:
    """Why the two versions give other names; empty where they agree."""
    if version_4 == version_3:
        return ""
    known = _REASONS.get((version_4, version_3))
    if known:
        return known
    if "not_classified" in (version_4, version_3):
        return "only one version has an IRP limit for this system and posture"
    if version_3 == "egjoo":
        return (
            "v4.0 asks for a raised IRP in both postures and raised intrabolus pressure; "
            "for v3.0 a raised median IRP with peristalsis is enough"
        )
    if version_3.startswith("achalasia") or version_4.startswith("achalasia"):
        return "v4.0 asks for absent peristalsis; v3.0 for no normal peristalsis"
    return "the limits of the two versions lie on either side of a value; see the rationale"
