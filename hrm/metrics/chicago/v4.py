"""Chicago Classification version 4.0, step by step (SPEC section 8.1, YAD21)."""

from __future__ import annotations

import math

from hrm.catalog import find_limit
from hrm.metrics.chicago.facts import share_limit
from hrm.metrics.chicago.tree import Tree

VERSION = "4.0"

#: Patterns that are diagnoses only with symptoms.
_SYMPTOMATIC = ("egjoo", "des", "hypercontractile")
#: Patterns that opioids can cause (RIC21 for type III).
_OPIOID_EFFECTS = ("achalasia_type_3", "des", "egjoo", "hypercontractile")


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
    diagnosis, conclusive = _raised_irp(tree) if tree.raised_irp() else _normal_irp(tree)
    if tree.clinical.opioids and diagnosis in _OPIOID_EFFECTS:
        tree.notes.consider("repeat_off_opioids")
    if diagnosis in _SYMPTOMATIC:
        conclusive = _has_symptoms(tree) and conclusive
    return diagnosis, conclusive


def _has_symptoms(tree: Tree) -> bool:
    """Step 4: EGJOO, DES and hypercontractile esophagus are diagnoses only with symptoms."""
    present = tree.clinical.has_symptoms
    word = "not asked" if present is None else "present" if present else "absent"
    if not tree.notes.state("dysphagia or chest pain", word, met=bool(present)):
        tree.notes.consider("symptoms")
    return bool(present)


def _share(tree: Tree, rule: str, value: float, quantity: str) -> bool:
    """Compare a share of swallows with its row."""
    return tree.notes.check(rule, value, share_limit(quantity, tree.system, VERSION))


def _raised_irp(tree: Tree) -> tuple[str, bool]:
    """Step 2: the IRP of the primary posture is raised."""
    primary = tree.primary
    # Spasm is tested before pressurization.
    early = primary.percent_flagged("premature")
    spastic = _share(tree, "premature swallows", early, "percent_premature")
    # An early contraction is no peristalsis, and the weaker the less.
    absent = primary.percent_failed_or_early
    if _share(tree, "swallows without peristalsis", absent, "percent_absent"):
        return _achalasia(tree, spastic=spastic)
    if spastic:
        tree.notes.consider("achalasia_type_3", "with_spastic_features")
        _test_supports_obstruction(tree)
        return "egjoo", False
    return _outflow_obstruction(tree)


def _achalasia(tree: Tree, *, spastic: bool) -> tuple[str, bool]:
    """Step 2a: no swallow shows peristalsis."""
    diagnosis = "achalasia_type_3" if spastic else _by_pressurization(tree)
    sure = True
    if not spastic and tree.primary.percent_flagged("premature") > 0:
        tree.notes.consider("achalasia_type_3")
        sure = False
    if tree.primary.percent_flagged("premature_weak") > 0:
        tree.notes.consider("weak_premature_contractions")
        sure = False
    if _contracts_in_other_posture(tree):
        sure = False
    if not sure:
        _test_supports_obstruction(tree)
    return diagnosis, sure


def _by_pressurization(tree: Tree) -> str:
    """Type II or type I."""
    pressurized = _share(
        tree,
        "panesophageal pressurization",
        tree.primary.percent_panesophageal,
        "percent_panesophageal",
    )
    return "achalasia_type_2" if pressurized else "achalasia_type_1"


def _contracts_in_other_posture(tree: Tree) -> bool:
    if tree.other is None or not tree.other.shows_peristalsis:
        return False
    tree.notes.consider("peristalsis_on_position_change")
    return tree.notes.state("peristalsis appears on changing position", tree.other.name, met=True)


def _outflow_obstruction(tree: Tree) -> tuple[str, bool]:
    """Step 2c: raised IRP with peristalsis."""
    both, bolus = _other_posture_raised(tree), _bolus_pressure(tree)
    if both is False or bolus is False:
        what = "upright IRP" if both is False else "intrabolus pressure"
        tree.notes.warnings.append(
            f"isolated {tree.primary.name} IRP elevation: the {what} is normal"
        )
        tree.notes.consider("isolated_irp_elevation")
        return _normal_irp(tree)[0], False
    _egjoo_subtype(tree)
    supported = _test_supports_obstruction(tree)
    return "egjoo", bool(both and bolus and supported)


def _other_posture_raised(tree: Tree) -> bool | None:
    """Whether the other posture's IRP is raised; None, and considered, when not known."""
    other = tree.other
    if other is not None and other.measured:
        return tree.compare_irp(other)
    missing = "upright" if tree.primary.name == "supine" else "supine"
    why = "not measured" if other is None or math.isnan(other.irp) else "no limit"
    tree.notes.state(f"{missing} IRP missing", why, met=True)
    tree.notes.consider(f"{missing}_irp")
    return None


def _bolus_pressure(tree: Tree) -> bool | None:
    """Whether intrabolus pressure is raised in enough supine swallows; None if not known.

    A swallow without the number is neither: it counts for both sides.
    """
    row = find_limit("ibp", system=tree.system, position="supine", cc_version=VERSION)
    values = [s.ibp for s in tree.primary.swallows if tree.primary.name == "supine"]
    enough = share_limit("percent_ibp", tree.system, VERSION)
    why = "not measured" if row is not None else "no limit for this system"
    if row is not None and values:
        raised = 100.0 * sum(map(row.crossed_by, values)) / len(values)
        at_most = raised + 100.0 * sum(map(math.isnan, values)) / len(values)
        if enough.crossed_by(raised) or not enough.crossed_by(at_most):
            level = f"{row.comparator} {row.value:g} mmHg, {row.id}"
            rule = f"supine swallows with raised intrabolus pressure ({level})"
            return tree.notes.check(rule, raised, enough)
        if not all(map(math.isnan, values)):
            why = "not measured in enough swallows"
    tree.notes.state("intrabolus pressure missing", why, met=True)
    tree.notes.consider("intrabolus_pressure")
    return None


def _egjoo_subtype(tree: Tree) -> None:
    """Name the peristalsis; spastic features have a branch of their own."""
    if _is_hypercontractile(tree):
        tree.notes.consider("with_hypercontractile_features")
    elif _ineffective(tree) is not None:
        tree.notes.consider("with_ineffective_motility")
    else:
        tree.notes.consider("without_disordered_peristalsis")


def _test_supports_obstruction(tree: Tree) -> bool:
    """Whether barium or FLIP is abnormal; asked for where neither was done so."""
    found = _state_tests(tree)
    if not found:
        tree.notes.consider("tests_normal" if tree.clinical.tests_normal else "tbe_or_flip")
    return found


def _state_tests(tree: Tree) -> bool:
    clinical = tree.clinical
    return tree.notes.state(
        "barium esophagram or FLIP abnormal",
        f"tbe {clinical.tbe}, flip {clinical.flip}",
        met=clinical.test_supports_obstruction,
    )


def _normal_irp(tree: Tree) -> tuple[str, bool]:
    """Step 3: the IRP of the primary posture is not raised, or only there."""
    primary, other = tree.primary, tree.other
    if other is not None and other.raised and not primary.raised:
        tree.compare_irp(other)
        tree.notes.warnings.append(f"the {other.name} IRP is raised, the {primary.name} is not")
        tree.notes.consider("raised_upright_irp")
    if _share(tree, "failed swallows", primary.percent("failed"), "percent_absent"):
        return _absent_contractility(tree)
    early = primary.percent_flagged("premature")
    if _share(tree, "premature swallows", early, "percent_premature"):
        return "des", True
    early = primary.percent_flagged("premature_weak")
    if _share(tree, "early contractions too weak to be premature", early, "percent_premature"):
        rest, _ = _not_spastic(tree)
        tree.notes.consider("weak_premature_contractions", *(() if rest == "normal" else (rest,)))
        return "des", False
    return _not_spastic(tree)


def _absent_contractility(tree: Tree) -> tuple[str, bool]:
    """Step 3a: no contraction at all, the IRP not raised."""
    conclusive = not _contracts_in_other_posture(tree)
    if tree.other is None or not tree.other.raised:
        conclusive = _other_posture_raised(tree) is False and conclusive
    if _may_be_achalasia(tree):
        _test_supports_obstruction(tree)
        conclusive = False
    return "absent_contractility", conclusive


def _may_be_achalasia(tree: Tree) -> bool:
    """Whether an IRP at the upper end of normal, or pressurization, suggests achalasia."""
    notes, asked = tree.notes, tree.clinical.symptoms
    kind = _by_pressurization(tree)
    borderline = [posture for posture in tree.postures if tree.upper_normal(posture)]
    # Dysphagia makes a borderline IRP suspicious; not having asked cannot clear it.
    suspicious = bool(borderline) and (asked is None or "dysphagia" in asked)
    if suspicious and asked is None:
        notes.consider("symptoms")
    raised = tree.other is not None and tree.other.raised
    if not (suspicious or raised or kind == "achalasia_type_2"):
        return False
    notes.consider(kind)
    return True


def _not_spastic(tree: Tree) -> tuple[str, bool]:
    """Steps 3c to 3e."""
    if _is_hypercontractile(tree):
        return "hypercontractile", _hypercontractile_is_sure(tree)
    ineffective = _ineffective(tree)
    if ineffective is None:
        return "normal", True
    if not ineffective:
        tree.notes.consider("bolus_transit", "mrs_reserve")
    return "iem", ineffective


def _is_hypercontractile(tree: Tree) -> bool:
    # A premature swallow can be hypercontractile too: the flag counts, not the type.
    return _share(
        tree,
        "hypercontractile swallows",
        tree.primary.percent_flagged("hypercontractile"),
        "percent_hypercontractile",
    )


def _hypercontractile_is_sure(tree: Tree) -> bool:
    """Step 3c asks for supine swallows, and for no mechanical obstruction."""
    tree.notes.consider("exclude_mechanical_obstruction")
    if tree.primary.name != "supine":
        tree.notes.consider("supine_swallows")
        return False
    return not _state_tests(tree)


def _ineffective(tree: Tree) -> bool | None:
    """Step 3d: True conclusive, False in the grey zone, None not ineffective."""
    primary = tree.primary
    share = primary.percent("failed", "weak", "fragmented")
    many = _share(tree, "ineffective swallows", share, "percent_ineffective")
    failed = _share(tree, "failed swallows", primary.percent("failed"), "percent_failed")
    if many or failed:
        return True
    if _share(tree, "ineffective swallows, grey zone", share, "percent_ineffective_grey"):
        return False
    return None
