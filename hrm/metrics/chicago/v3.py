"""Chicago Classification version 3.0, step by step (SPEC section 8.2, KAH15)."""

from __future__ import annotations

from hrm.metrics.chicago.facts import share_limit
from hrm.metrics.chicago.tree import Tree

VERSION = "3.0"

#: Swallows that show normal peristalsis, however vigorous; an early one is premature.
_NORMAL = ("normal", "hypercontractile")


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
    return (_raised_irp(tree) if tree.raised_irp() else _normal_irp(tree)), True


def _share(tree: Tree, rule: str, value: float, quantity: str) -> bool:
    return tree.notes.check(rule, value, share_limit(quantity, tree.system, VERSION))


def _all_failed(tree: Tree) -> bool:
    """Every swallow failed; an early contraction with a weak DCI counts as failed."""
    return _share(
        tree,
        "failed swallows, weak early contractions included",
        tree.primary.percent_failed_or_weak_early,
        "percent_absent",
    )


def _pressurized(tree: Tree) -> bool:
    return _share(
        tree,
        "panesophageal pressurization",
        tree.primary.percent_panesophageal,
        "percent_panesophageal",
    )


def _premature(tree: Tree) -> bool:
    return _share(
        tree, "premature swallows", tree.primary.percent_flagged("premature"), "percent_premature"
    )


def _raised_irp(tree: Tree) -> str:
    if _all_failed(tree):
        return "achalasia_type_2" if _pressurized(tree) else "achalasia_type_1"
    normal = tree.primary.percent(*_NORMAL)
    spastic = _premature(tree)
    if (
        tree.notes.state("no swallow of normal or greater vigor", normal, met=normal == 0)
        and spastic
    ):
        return "achalasia_type_3"
    return "egjoo"


def _normal_irp(tree: Tree) -> str:
    primary = tree.primary
    if _all_failed(tree):
        borderline, pressurized = tree.upper_normal(primary), _pressurized(tree)
        if borderline or pressurized:
            tree.notes.consider("achalasia")
        return "absent_contractility"
    if _premature(tree):
        return "des"
    if _share(
        tree,
        "hypercontractile swallows",
        primary.percent_flagged("hypercontractile"),
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
