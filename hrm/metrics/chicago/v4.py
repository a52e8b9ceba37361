"""Chicago Classification version 4.0, step by step (SPEC section 8.1, YAD21)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hrm.catalog import Parameters, find_limit
from hrm.metrics.chicago.facts import Clinical, Notes, Posture, share_limit

VERSION = "4.0"

#: Patterns that opioids can cause (RIC21 for type III).
_OPIOID_EFFECTS = ("achalasia_type_3", "des", "egjoo", "hypercontractile")


@dataclass
class Tree:
    """The facts of one study, and the account of how the tree went through them."""

    system: str
    primary: Posture
    other: Posture | None
    clinical: Clinical
    parameters: Parameters
    notes: Notes = field(default_factory=Notes)

    def share(self, rule: str, value: float, quantity: str) -> bool:
        """Compare a share of swallows with its row."""
        return self.notes.check(rule, value, share_limit(quantity, self.system, VERSION))


def decide(tree: Tree) -> tuple[str, bool]:
    """Go through the tree.

    Parameters
    ----------
    tree : Tree
        Its `notes` are filled.

    Returns
    -------
    diagnosis, conclusive : str, bool
    """
    primary = tree.primary
    limit = primary.limit
    raised = limit is not None and tree.notes.check(
        f"median IRP, {primary.name}", primary.irp, limit
    )
    diagnosis, conclusive = _raised_irp(tree) if raised else _normal_irp(tree)
    if tree.clinical.opioids and diagnosis in _OPIOID_EFFECTS:
        tree.notes.consider("repeat_off_opioids")
    return diagnosis, conclusive


def _raised_irp(tree: Tree) -> tuple[str, bool]:
    """Step 2: the IRP of the primary posture is raised."""
    spastic = tree.share("premature swallows", tree.primary.percent_early, "percent_premature")
    if tree.notes.state(
        "every swallow failed or premature",
        tree.primary.percent("failed") + tree.primary.percent_early,
        met=tree.primary.absent_peristalsis,
    ):
        return _absent_peristalsis(tree, spastic=spastic)
    if spastic:
        # Spasm with some peristalsis: outflow obstruction until barium or FLIP says more.
        tree.notes.consider("achalasia_type_3", "tbe_or_flip")
        return "egjoo", False
    return _outflow_obstruction(tree)


def _absent_peristalsis(tree: Tree, *, spastic: bool) -> tuple[str, bool]:
    if spastic:
        return "achalasia_type_3", True
    pressurized = tree.share(
        "panesophageal pressurization",
        tree.primary.percent_panesophageal,
        "percent_panesophageal",
    )
    diagnosis = "achalasia_type_2" if pressurized else "achalasia_type_1"
    conclusive = True
    if tree.primary.percent_early > 0:
        tree.notes.consider("achalasia_type_3", "tbe_or_flip")
        conclusive = False
    if tree.other is not None and tree.other.n and not tree.other.absent_peristalsis:
        tree.notes.state("peristalsis appears on changing position", tree.other.name, met=True)
        tree.notes.consider("peristalsis_on_position_change", "tbe_or_flip")
        conclusive = False
    return diagnosis, conclusive


def _outflow_obstruction(tree: Tree) -> tuple[str, bool]:
    """Step 2c: raised IRP with peristalsis."""
    other, notes = tree.other, tree.notes
    other_known = other is not None and other.measured
    if other_known and other is not None and other.limit is not None:
        notes.check(f"median IRP, {other.name}", other.irp, other.limit)
    else:
        missing = "upright" if tree.primary.name == "supine" else "supine"
        notes.state(f"{missing} IRP missing", "not measured", met=True)
        notes.consider(f"{missing}_irp")
    bolus = _bolus_pressure(tree)
    if (other_known and other is not None and not other.raised) or bolus is False:
        notes.warnings.append("isolated IRP elevation: one posture or the bolus pressure is normal")
        notes.consider("isolated_irp_elevation")
        diagnosis, _ = _normal_irp(tree)
        return diagnosis, False
    _egjoo_subtype(tree)
    if not other_known or bolus is None:
        return "egjoo", False
    return "egjoo", _egjoo_is_conclusive(tree)


def _bolus_pressure(tree: Tree) -> bool | None:
    """Whether intrabolus pressure is raised in enough supine swallows; None if not known."""
    supine = next(
        (p for p in (tree.primary, tree.other) if p is not None and p.name == "supine"), None
    )
    row = find_limit("ibp", system=tree.system, position="supine", cc_version=VERSION)
    values = [] if supine is None else [s.ibp for s in supine.swallows]
    known = [value for value in values if math.isfinite(value)]
    if row is None or supine is None or not known:
        why = "no limit for this system" if row is None else "not measured"
        tree.notes.state("intrabolus pressure missing", why, met=True)
        tree.notes.consider("intrabolus_pressure")
        return None
    share = 100.0 * sum(row.crossed_by(value) for value in known) / supine.n
    return tree.share(
        f"supine swallows with intrabolus pressure {row.comparator} {row.value:g} mmHg",
        share,
        "percent_ibp",
    )


def _egjoo_subtype(tree: Tree) -> None:
    primary = tree.primary
    if primary.percent_early > 0:
        tree.notes.consider("with_spastic_features")
    elif _is_hypercontractile(tree):
        tree.notes.consider("with_hypercontractile_features")
    elif _ineffective(tree) is not None:
        tree.notes.consider("with_ineffective_motility")
    else:
        tree.notes.consider("without_disordered_peristalsis")


def _egjoo_is_conclusive(tree: Tree) -> bool:
    """Symptoms and a supportive test make a manometric EGJOO a clinical one."""
    notes, clinical = tree.notes, tree.clinical
    symptoms = notes.state(
        "dysphagia or chest pain", _word(clinical.has_symptoms), met=bool(clinical.has_symptoms)
    )
    test = notes.state(
        "barium esophagram or FLIP abnormal",
        f"tbe {clinical.tbe}, flip {clinical.flip}",
        met=clinical.test_supports_obstruction,
    )
    if not symptoms:
        notes.consider("symptoms")
    if not test:
        notes.consider("tbe_or_flip")
    return symptoms and test


def _normal_irp(tree: Tree) -> tuple[str, bool]:
    """Step 3: the IRP of the primary posture is not raised, or only there."""
    primary, notes = tree.primary, tree.notes
    other_raised = tree.other is not None and tree.other.raised
    if (
        other_raised
        and tree.other is not None
        and tree.other.limit is not None
        and not primary.raised
    ):
        notes.check(f"median IRP, {tree.other.name}", tree.other.irp, tree.other.limit)
        notes.warnings.append(f"the {tree.other.name} IRP is raised, the {primary.name} is not")
        notes.consider(f"raised_{tree.other.name}_irp")
    if tree.share("failed swallows", primary.percent("failed"), "percent_absent"):
        return _absent_contractility(tree)
    if tree.share("premature swallows", primary.percent_early, "percent_premature"):
        return "des", _needs_symptoms(tree)
    sure = True
    if tree.share(
        "early contractions too weak to be premature",
        primary.percent_weak_early,
        "percent_premature",
    ):
        notes.consider("des")
        sure = False
    if _is_hypercontractile(tree):
        notes.consider("exclude_mechanical_obstruction")
        return "hypercontractile", _needs_symptoms(tree) and sure
    ineffective = _ineffective(tree)
    if ineffective is not None:
        return "iem", ineffective and sure
    return "normal", sure


def _absent_contractility(tree: Tree) -> tuple[str, bool]:
    """Step 3a: no contraction at all, the IRP not raised."""
    primary, other, notes = tree.primary, tree.other, tree.notes
    fraction = tree.parameters["tree.irp_borderline_fraction"]
    conclusive = True
    if other is None or not other.measured:
        missing = "upright" if primary.name == "supine" else "supine"
        notes.state(f"{missing} IRP missing", "not measured", met=True)
        notes.consider(f"{missing}_irp")
        conclusive = False
    if other is not None and other.raised:
        notes.consider("achalasia_type_1", "tbe_or_flip")
        conclusive = False
    postures = [p for p in (primary, other) if p is not None]
    borderline = [p for p in postures if p.borderline(fraction)]
    for posture in borderline:
        notes.state(
            f"{posture.name} IRP at least {fraction:.2f} of its limit",
            posture.irp,
            met=True,
            row="tree.irp_borderline_fraction",
        )
    asked = tree.clinical.symptoms
    if borderline and (asked is None or "dysphagia" in asked):
        # Dysphagia makes a borderline IRP suspicious; not having asked cannot clear it.
        notes.consider(
            "achalasia_type_1", "tbe_or_flip", *(() if asked is not None else ("symptoms",))
        )
        conclusive = False
    if tree.share(
        "panesophageal pressurization", primary.percent_panesophageal, "percent_panesophageal"
    ):
        notes.consider("achalasia_type_2", "tbe_or_flip")
        conclusive = False
    return "absent_contractility", conclusive


def _is_hypercontractile(tree: Tree) -> bool:
    return tree.share(
        "hypercontractile swallows",
        tree.primary.percent("hypercontractile"),
        "percent_hypercontractile",
    )


def _ineffective(tree: Tree) -> bool | None:
    """Step 3d: True conclusive, False in the grey zone, None not ineffective."""
    primary = tree.primary
    share = primary.percent("failed", "weak", "fragmented")
    many = tree.share("ineffective swallows", share, "percent_ineffective")
    failed = tree.share("failed swallows", primary.percent("failed"), "percent_failed")
    if many or failed:
        return True
    if tree.share("ineffective swallows, grey zone", share, "percent_ineffective_grey"):
        tree.notes.consider("bolus_transit", "mrs_reserve")
        return False
    return None


def _needs_symptoms(tree: Tree) -> bool:
    """DES and hypercontractile esophagus are diagnoses only with symptoms."""
    present = tree.clinical.has_symptoms
    tree.notes.state("dysphagia or chest pain", _word(present), met=bool(present))
    if not present:
        tree.notes.consider("symptoms")
    return bool(present)


def _word(value: bool | None) -> str:
    return "not asked" if value is None else "present" if value else "absent"
