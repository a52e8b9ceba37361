"""The diagnosis that a truth table amounts to, for studies that were not fitted to one.

A literal reading of the tree (SPEC 8.1; fragmented peristalsis by SPEC 8.2), with the
limits of the one system that the recipes are written for. It says which branch a study
ends in, not whether the branch is conclusive.
"""

from __future__ import annotations

from typing import Any

from hrm.catalog import find_limit


def diagnosis_of(study: dict[str, Any], phenotype: str) -> str | None:
    """Name the branch in which a study ends.

    Parameters
    ----------
    study : dict
        ``study`` of a truth table.
    phenotype : str
        Drawn; fragmented peristalsis is a diagnosis of version 3.0 only.

    Returns
    -------
    str or None
        One of `hrm.phantom.PHENOTYPES`; None without an evaluable supine swallow.
    """
    percent, relaxation = study["percent"], study["irp4s_median_supine_mmhg"]
    if relaxation is None:
        return None
    if _crossed("irp4s", relaxation, position="supine"):
        if percent["failed"] + percent["premature"] == 100.0:
            return _achalasia(percent)
        upright = study["irp4s_median_upright_mmhg"]
        if upright is None or _crossed("irp4s", upright, position="upright"):
            return "egjoo"
    if phenotype == "fragmented_peristalsis":
        return _peristalsis_v3(percent)
    return _peristalsis(percent, _crossed("percent_ineffective_grey", percent["ineffective"]))


def _crossed(quantity: str, value: float, *, position: str = "any", version: str = "4.0") -> bool:
    limit = find_limit(quantity, system="manoscan", position=position, cc_version=version)
    return limit is not None and limit.crossed_by(value)


def _achalasia(percent: dict[str, float]) -> str:
    if _crossed("percent_premature", percent["premature"]):
        return "achalasia_type_3"
    raised = _crossed("percent_panesophageal", percent["panesophageal"])
    return "achalasia_type_2" if raised else "achalasia_type_1"


def _peristalsis(percent: dict[str, float], ineffective: bool) -> str:
    if percent["failed"] == 100.0:
        return "absent_contractility"
    if _crossed("percent_premature", percent["premature"]):
        return "des"
    if _crossed("percent_hypercontractile", percent["hypercontractile"]):
        return "hypercontractile"
    return "iem" if ineffective else "normal"


def _peristalsis_v3(percent: dict[str, float]) -> str:
    below = percent["failed"] + percent["weak"]
    first = _peristalsis(percent, _crossed("percent_ineffective", below, version="3.0"))
    broken = _crossed("percent_fragmented", percent["fragmented"], version="3.0")
    return "fragmented_peristalsis" if first == "normal" and broken else first
