"""Why the two versions of the classification give one study different names."""

from __future__ import annotations

from hrm.metrics.chicago.facts import Rule, Verdict


def difference(version_4: Verdict, version_3: Verdict) -> str:
    """Say in one sentence why the diagnoses differ.

    Parameters
    ----------
    version_4, version_3 : Verdict

    Returns
    -------
    str
        Empty where the diagnoses agree.
    """
    new, old = version_4.diagnosis, version_3.diagnosis
    if new == old:
        return ""
    if "not_classified" in (new, old):
        return "only one version has an IRP limit for this system and posture"
    mine, other = version_4.rationale[0], version_3.rationale[0]
    if mine.met != other.met:
        return f"the IRP is raised by one version only: {_limit(mine)} in v4.0, {_limit(other)} in v3.0"
    return _by_rule(new, old)


def _limit(rule: Rule) -> str:
    return f"{rule.comparator} {rule.limit:g} {rule.unit}"


def _by_rule(new: str, old: str) -> str:
    """Rule that parts the two, where both see the same IRP."""
    if old == "absent_contractility":
        return "v3.0 counts an early contraction too weak to be premature as failed; for v4.0 it is weak"
    if old == "achalasia_type_3":
        return "v3.0 asks that no swallow is normal; v4.0 that every swallow failed or is premature"
    if new.startswith("achalasia"):
        return (
            "for v4.0 premature swallows are absent peristalsis whatever their number; "
            "v3.0 asks for failed swallows only, or for at least 20 % premature ones"
        )
    if old == "egjoo":
        return (
            "v4.0 asks for a raised IRP in both postures and raised intrabolus pressure; "
            "for v3.0 a raised median IRP with peristalsis is enough"
        )
    if new == "des":
        return (
            "at least 20 % early contractions too weak to be premature are an inconclusive DES for "
            "v4.0; v3.0 counts them as weak"
        )
    return (
        "v4.0 counts fragmented swallows as ineffective and has no fragmented peristalsis; "
        "v3.0 counts the two apart, each from 50 %"
    )
