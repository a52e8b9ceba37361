"""Chicago Classification version 3.0, step by step (SPEC section 8.2, KAH15)."""

from __future__ import annotations

from hrm.metrics.chicago.facts import Posture, share_limit
from hrm.metrics.chicago.v4 import Tree

VERSION = "3.0"


def decide(tree: Tree) -> tuple[str, bool]:
    """Go through the tree.

    Parameters
    ----------
    tree : Tree
        With the swallows of the primary posture typed by the limits of version 3.0.

    Returns
    -------
    diagnosis, conclusive : str, bool
        Version 3.0 knows no inconclusive manometric result.
    """
    primary = tree.primary
    limit = primary.limit
    raised = limit is not None and tree.notes.check(
        f"median IRP, {primary.name}", primary.irp, limit
    )
    return (_raised_irp(tree) if raised else _normal_irp(tree)), True


def _share(tree: Tree, rule: str, value: float, quantity: str) -> bool:
    return tree.notes.check(rule, value, share_limit(quantity, tree.system, VERSION))


def _pressurized(tree: Tree) -> bool:
    return _share(
        tree,
        "panesophageal pressurization",
        tree.primary.percent_panesophageal,
        "percent_panesophageal",
    )


def _premature(tree: Tree) -> bool:
    return _share(tree, "premature swallows", tree.primary.percent_early, "percent_premature")


def _raised_irp(tree: Tree) -> str:
    if _share(tree, "failed swallows", tree.primary.percent("failed"), "percent_absent"):
        return "achalasia_type_2" if _pressurized(tree) else "achalasia_type_1"
    normal = tree.notes.state(
        "no normal swallow", tree.primary.percent("normal"), met=not _any_normal(tree.primary)
    )
    if _premature(tree) and normal:
        return "achalasia_type_3"
    return "egjoo"


def _any_normal(posture: Posture) -> bool:
    """Whether any swallow shows normal peristalsis, however vigorous."""
    return any(
        kind in ("normal", "hypercontractile") and not early
        for kind, early in zip(posture.types, posture.early, strict=True)
    )


def _normal_irp(tree: Tree) -> str:
    primary = tree.primary
    if _share(tree, "failed swallows", primary.percent("failed"), "percent_absent"):
        fraction = tree.parameters["tree.irp_borderline_fraction"]
        if primary.borderline(fraction) or _pressurized(tree):
            tree.notes.consider("achalasia")
        return "absent_contractility"
    if _premature(tree):
        return "des"
    if _share(
        tree,
        "hypercontractile swallows",
        primary.percent("hypercontractile"),
        "percent_hypercontractile",
    ):
        return "hypercontractile"
    if _share(
        tree, "ineffective swallows", primary.percent("failed", "weak"), "percent_ineffective"
    ):
        return "iem"
    if _share(tree, "fragmented swallows", primary.percent("fragmented"), "percent_fragmented"):
        return "fragmented_peristalsis"
    return "normal"
