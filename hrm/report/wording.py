"""The results in words: one place for every text that summary and report share.

Nothing here draws, and nothing heavy is imported. The words for the codes of the
contract are in ``hrm/data/words.toml``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hrm import catalog
from hrm.catalog import Limit, Metric

DASH = "–"
POSTURES = ("supine", "upright", "unknown")
#: What the guideline asks of a study's wet swallows (VIEWER section 1).
ASKED_SWALLOWS, ASKED_INTERVAL_S = 10, 30.0
VERSIONS = (("ccv4", "4.0"), ("ccv3", "3.0"))
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "": ""}


def in_words(code: str) -> str:
    """Write a code of the contract as words."""
    return code.replace("_", " ")


def diagnosis(code: str) -> str:
    """Write a diagnosis out."""
    return catalog.words()["diagnosis"].get(code, in_words(code))


def consideration(code: str) -> str:
    """Write out a consideration, or the reason why a study is not classified."""
    return catalog.words()["consideration"].get(code, in_words(code))


def flag(code: str) -> str:
    """Write out what is remarked of a swallow."""
    return catalog.words()["flag"].get(code, in_words(code))


def confidence(code: str) -> str:
    """Say how sure a row of the limits table is."""
    return catalog.words()["confidence"].get(code, in_words(code))


def confidences() -> Mapping[str, str]:
    """Give the words for every degree of confidence."""
    return catalog.words()["confidence"]


def pressurization(code: str) -> str:
    """Write a pattern of pressurization."""
    return catalog.words()["pressurization"].get(code, in_words(code))


def posture(code: str) -> str:
    """Write a posture so that it can stand after a comma."""
    return "posture unknown" if code == "unknown" else code


def number(value: float, unit: str) -> str:
    """Write a number as precisely as it deserves, with its unit."""
    text = f"{value:.0f}" if unit in ("mmHg s cm", "%", "1") else f"{value:.1f}"
    if unit == "s":
        text = f"{value:.2f}"
    return text if unit in ("", "1") else f"{text} {unit}"


def comparison(limit: Limit) -> str:
    """Write a limit: comparator, value, unit."""
    unit = "" if limit.unit in ("", "1") else f" {limit.unit}"
    return f"{SIGNS[limit.comparator]} {limit.value:g}{unit}"


def missing(status: Mapping[str, str], key: str) -> str:
    """Write a number that was not measured, with the reason."""
    return not_measured(status.get(key))


def not_measured(reason: str | None) -> str:
    """Say that there is no number, and why where that is known."""
    return f"not measured: {in_words(reason)}" if reason else "not measured"


def out_of(reason: str | None) -> str:
    """Say why a swallow does not count."""
    if not reason:
        return "no reason given"
    return catalog.words()["reason"].get(reason, in_words(reason))


def measured(block: Mapping[str, Any], key: str) -> str:
    """Write a number of a block of the contract, or why there is none."""
    status = block.get("status", {})
    if block[key] is None:
        return missing(status, key)
    remark = status.get(key, "ok")
    metric = catalog.metrics().get(key)
    text = number(block[key], metric.units if metric else "")
    return text if remark == "ok" else f"{text} ({in_words(remark)})"


def morphology(egj: Mapping[str, Any]) -> str:
    """Write the morphology of the junction by both cut-offs in use, and whether it is a hernia."""
    kind, other = egj["morphology"], egj["morphology_alternative"]
    if kind is None and other is None:
        return "not measured: needs LES and crural diaphragm"
    said = [kind or "not measured: needs the inversion point"]
    hernias = (egj["hernia_ccv3"], egj["hernia_alternative"])
    if other and other != (kind or "").rstrip("ab"):
        said.append(f"{other} by 1 and 3 cm")
    if "hernia" in hernias:
        said.append("hiatal hernia" if set(hernias) == {"hernia"} else "hiatal hernia by 2 cm")
    return "; ".join(said)


def metrics_of(block: Mapping[str, Any]) -> Iterator[tuple[str, Metric]]:
    """Give the numbers of a block that the catalogue knows, in their order."""
    known = catalog.metrics()
    for key in block:
        if key in known:
            yield key, known[key]


# -- the classification ---------------------------------------------------------------


def standing(verdict: Mapping[str, Any], version: str) -> str:
    """Say how firmly a diagnosis stands, by that version of the classification."""
    if verdict["diagnosis"] == "not_classified":
        why = [consideration(code) for code in _reasons(verdict)]
        return f"no label is given: {'; '.join(why)}" if why else "no label is given"
    text = "conclusive" if verdict["conclusive"] else "NOT conclusive"
    if version == "3.0" and verdict["conclusive"]:
        # Not "conclusive" beside a version 4.0 that doubts the same name.
        text = "by its rules; version 3.0 knows no inconclusive result"
    least = catalog.default_parameters()["tree.minimum_swallows"]
    return text + (
        f"; LIMITED: fewer than {least} evaluable swallows" if verdict["limited"] else ""
    )


def remarks(verdict: Mapping[str, Any]) -> list[str]:
    """Write out what a reader must weigh, and the warnings of the tree."""
    said = [code for code in verdict["considerations"] if code not in _reasons(verdict)]
    # A warning may say a consideration in the same words.
    return list(dict.fromkeys([*(consideration(code) for code in said), *verdict["warnings"]]))


def _reasons(verdict: Mapping[str, Any]) -> list[str]:
    """Codes that are the reason for no label: those that are rules themselves."""
    if verdict["diagnosis"] != "not_classified":
        return []
    rules = {rule["rule"] for rule in verdict["rationale"]}
    return [code for code in verdict["considerations"] if code in rules]


def rule_text(rule: Mapping[str, Any]) -> str:
    """Write one rule: what was compared with what."""
    name = catalog.words()["consideration"].get(rule["rule"], rule["rule"])
    value, unit, sign = rule["value"], rule["unit"], rule["comparator"]
    if value is None:
        value = DASH
    elif not isinstance(value, str):
        value = _beside(value, unit, sign, rule["limit"], met=rule["met"])
    if not sign:
        return f"{name}: {in_words(value)}" if value else str(name)
    return f"{name}: {value} {SIGNS[sign]} {rule['limit']:g} {unit}"


def _beside(value: float, unit: str, sign: str, limit: float | None, *, met: bool) -> str:
    """Write a value with as many digits as it takes to see on which side of the limit it lies."""
    text = number(value, unit).removesuffix(f" {unit}")
    if limit is None or not math.isfinite(value):
        return text
    for digits in range(2, 8):
        if _COMPARE[sign](float(text), limit) == met:
            break
        text = f"{value:.{digits}f}"
    return text


def rule_source(rule: Mapping[str, Any]) -> str:
    """Name the row and the citation of a rule; empty where no row decides."""
    return ", ".join(part for part in (rule["row"], rule["citation"]) if part)


def provisional_text(row: Mapping[str, Any]) -> str:
    """Write one line of what an unclassified study would be."""
    sure = "" if row["conclusive"] else ", not conclusive"
    return (
        f"{catalog.systems()[row['system']].name}, {row['posture']}, IRP limit {row['limit_mmhg']:g} mmHg ({row['row']}): "
        f"{diagnosis(row['diagnosis'])}{sure}"
    )


def post_treatment(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of what can be said after an operation; empty without one."""
    block = result["classification"].get("post_treatment")
    if block is None:
        return []
    kinds = (
        ("irp4s_median_supine_mmhg", "Median IRP4s, supine", "mmHg"),
        ("irp4s_median_upright_mmhg", "Median IRP4s, upright", "mmHg"),
        ("irp4s_median_unknown_mmhg", "Median IRP4s, posture unknown", "mmHg"),
        ("basal_mean_mmhg", "LES resting pressure, respiratory mean", "mmHg"),
        ("basal_end_expiratory_mmhg", "LES resting pressure, end expiration", "mmHg"),
        ("percent_with_contraction", "Swallows with contraction", "%"),
        ("percent_panesophageal", "Panesophageal pressurization", "%"),
        ("percent_premature", "Premature swallows", "%"),
        ("greatest_dci_mmhg_s_cm", "Greatest DCI", "mmHg s cm"),
    )
    swallows = f"{block['n_evaluable']} evaluable, {posture(block['posture'])}"
    out = [("Operation", in_words(block["prior_surgery"])), ("Swallows", swallows)]
    for key, label, unit in kinds:
        if block[key] is not None:
            out.append((label, number(block[key], unit)))
        elif not key.startswith("irp4s"):
            out.append((label, not_measured(None)))
    return out


# -- the limits that were used -----------------------------------------------------------


def irp_limit(result: Mapping[str, Any], position: str) -> Limit | None:
    """Upper limit of the IRP that holds for a posture, the user's own before the table's.

    Parameters
    ----------
    result : mapping
        The published contract.
    position : str
        One of `POSTURES`.

    Returns
    -------
    Limit or None
        As Chicago Classification 4.0 compares; None where it has no limit, and after
        an operation. A number that the user named holds for the primary posture only.
    """
    if "post_treatment" in result["classification"]:
        return None
    system, own = result["recording"]["system"], result["engine"]["irp_limit"]
    row = catalog.find_limit("irp4s", system=system, position=position, cc_version="4.0")
    primary = result["study"]["primary_posture"]
    if own is None or position != (primary if own["position"] == "any" else own["position"]):
        return row
    if row is not None and row.id == own["row"]:
        return row
    return Limit(
        id=own["row"],
        quantity="irp4s",
        system=system,
        position=position,
        cc_version="4.0",
        comparator=">=",
        value=own["value_mmhg"],
        unit="mmHg",
        citation=own["citation"],
        confidence="user",
        default=False,
    )


def used_limits(result: Mapping[str, Any]) -> list[Limit]:
    """Every row that stands in a rationale, typed a swallow or marks a number, each once.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of Limit
        A number of the user's own, which is no row of the table, is among them.
    """
    table = {row.id: row for row in catalog.limit_table()}
    rules = [rule for name, _ in VERSIONS for rule in result["classification"][name]["rationale"]]
    # Those of the rationale come first, in its order.
    rows: dict[str, Limit] = {}
    for rule in rules:
        if rule["comparator"]:
            rows.setdefault(rule["row"], table.get(rule["row"]) or _as_limit(rule))
    rows |= {key: table[key] for key in result["engine"]["limit_ids"] if key not in rows}
    for place in dict.fromkeys(row["posture"] for row in result["swallows"]):
        for limit in (irp_limit(result, place), _bolus_limit(result, place)):
            if limit is not None:
                rows.setdefault(limit.id, limit)
    return list(rows.values())


def _as_limit(rule: Mapping[str, Any]) -> Limit:
    """Make a row of a rule whose limit is the user's number or comes from a parameter."""
    return Limit(
        id=rule["row"],
        quantity=rule["rule"],
        system=catalog.ANY,
        position=catalog.ANY,
        cc_version="",
        comparator=rule["comparator"],
        value=rule["limit"],
        unit=rule["unit"],
        citation=rule["citation"],
        confidence=rule["confidence"],
        default=False,
    )


def _bolus_limit(result: Mapping[str, Any], place: str) -> Limit | None:
    system = result["recording"]["system"]
    return catalog.find_limit("ibp", system=system, position=place, cc_version="4.0")


def abnormal(result: Mapping[str, Any], swallow: Mapping[str, Any]) -> dict[str, str]:
    """Say which numbers of a swallow lie beyond a limit.

    Parameters
    ----------
    result, swallow : mapping
        The published contract, and one of its swallows.

    Returns
    -------
    dict
        ``"above"`` or ``"below"`` by the name of the number.
    """
    used = set(result["engine"]["limit_ids"])
    rows = [row for row in catalog.limit_table() if row.id in used and row.cc_version == "4.0"]
    by_quantity = {row.quantity: row for row in rows}
    place = swallow["posture"]
    pairs = [
        ("irp4s_mmhg", irp_limit(result, place)),
        ("dci_mmhg_s_cm", by_quantity.get("dci_weak")),
        ("dci_mmhg_s_cm", by_quantity.get("dci_hypercontractile")),
        ("distal_latency_s", by_quantity.get("dl_premature")),
        ("break_cm", by_quantity.get("break_fragmented")),
        ("ibp_mmhg", _bolus_limit(result, place)),
    ]
    return {
        key: "below" if limit.comparator.startswith("<") else "above"
        for key, limit in pairs
        if limit is not None and swallow[key] is not None and limit.crossed_by(swallow[key])
    }


# -- the study in a few sentences ------------------------------------------------------------


def summary_sentences(result: Mapping[str, Any]) -> list[str]:
    """Sum up the findings: how many swallows count, IRP, body, junction."""
    study, egj = result["study"], result["egj"]
    primary = study["primary_posture"]
    medians = [_median_text(result, name) for name in POSTURES if _median(result, name) is not None]
    out = [
        f"Median IRP4s: {'; '.join(medians) if medians else not_measured('no evaluable swallow')}."
    ]
    own = [row for row in result["swallows"] if row["evaluable"] and row["posture"] == primary]
    if own:
        kinds = [row["type"] for row in own]
        counts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
        text = f"Of {len(own)} evaluable swallows, {posture(primary)}: {', '.join(counts)}"
        pressurized = study["percent"]["panesophageal"]
        text += f"; panesophageal pressurization in {pressurized:.0f} %" if pressurized else ""
        out.append(f"{text}.")
    junction = "morphology not definable"
    if egj["morphology"]:
        junction = f"type {morphology(egj).replace('; ', ', ')}"
    pressure = measured(egj, "basal_end_expiratory_mmhg")
    out.append(f"EGJ {junction}, LES resting pressure at end expiration {pressure}.")
    return out


def _median(result: Mapping[str, Any], name: str) -> float | None:
    value: float | None = result["study"][f"irp4s_median_{name}_mmhg"]
    return value


def _median_text(result: Mapping[str, Any], name: str) -> str:
    value, limit = _median(result, name), irp_limit(result, name)
    if value is None:
        return f"{posture(name)} {DASH}"
    if limit is None:
        return f"{posture(name)} {value:.1f} mmHg (no limit)"
    raised = limit.crossed_by(value)
    text = _beside(value, "mmHg", limit.comparator, limit.value, met=raised)
    side = "raised" if raised else "not raised"
    doubt = irp_doubt(result, name)
    doubt = f"; borderline: {doubt}" if doubt else ""
    return f"{posture(name)} {text} mmHg ({side}; limit {comparison(limit)}{doubt})"


def irp_doubt(result: Mapping[str, Any], name: str) -> str:
    """Say why a median IRP may lie on either side of its limit; empty where nothing does.

    Parameters
    ----------
    result : mapping
        The published contract.
    name : str
        One of `POSTURES`.

    Returns
    -------
    str
        That it lies near, and the other readings that are near the limit or across it.
    """
    lead, out = f"median IRP, {name}, ", []
    rules = {
        rule["rule"].removeprefix(lead): rule
        for rule in result["classification"]["ccv4"]["rationale"]
        if rule["rule"].startswith(lead)
    }
    if "distance to its limit" in rules:
        out.append(f"within {rules['distance to its limit']['limit']:g} mmHg")
    limit, readings = (
        irp_limit(result, name),
        result["study"].get("irp4s_readings_mmhg", {}).get(name, {}),
    )
    for key, value in readings.items():
        ends = tuple(f"{what} its limit with {in_words(key)}" for what in ("across", "distance to"))
        if limit is not None and any(rule.startswith(ends) for rule in rules):
            met = limit.crossed_by(value)
            text = _beside(value, "mmHg", limit.comparator, limit.value, met=met)
            out.append(f"{text} {catalog.words()['irp_reading'].get(key, in_words(key))}")
    return ", ".join(out)


def shares(result: Mapping[str, Any]) -> str:
    """Write the percentages over the evaluable swallows of the primary posture."""
    primary = result["study"]["primary_posture"]
    count = sum(row["evaluable"] and row["posture"] == primary for row in result["swallows"])
    parts = [
        f"{in_words(name)} {share:.0f}"
        for name, share in result["study"]["percent"].items()
        if share is not None
    ]
    if not parts:
        return f"Percent of swallows: {not_measured('no evaluable swallow')}."
    return f"Percent of {count} evaluable, {posture(primary)}: {', '.join(parts)}."


def review_sentence(result: Mapping[str, Any]) -> str:
    """Say whether a reader has looked at what the engine proposes."""
    review = result.get("review")
    if review is None:
        return "Automatic result, not reviewed by a reader."
    readers = ", ".join(review["readers"]) or "nobody"
    state = "signed off" if review["signed_off"] else "NOT signed off"
    return f"{review['n_edits']} edits by {readers}; {state}."


def protocol_sentences(result: Mapping[str, Any]) -> list[str]:
    """Hold the study against what the guideline asks: enough swallows, far enough apart."""
    primary = result["study"]["primary_posture"]
    singles = [row for row in result["swallows"] if row["protocol"] in ("single", "unknown")]
    good = [row for row in singles if row["evaluable"] and row["posture"] == primary]
    least = catalog.default_parameters()["tree.minimum_swallows"]
    enough = "met" if len(good) >= least else "NOT met"
    count = sum(row["posture"] == primary for row in singles)
    asked = f"asked for: at least {least} of {ASKED_SWALLOWS}; {enough}"
    out = [f"{len(good)} of {count} wet swallows, {posture(primary)}, evaluable ({asked})."]
    gaps = _intervals(result["swallows"])  # within a test they are short on purpose
    if gaps:
        early = sum(gap < ASKED_INTERVAL_S for gap in gaps)
        far = "met" if not early else f"NOT met {early} times"
        out.append(
            f"Shortest time between swallows {min(gaps):.1f} s "
            f"(asked for: {ASKED_INTERVAL_S:g} s; {far})."
        )
    return out


def _intervals(swallows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [
        float(later["onset_s"]) - float(earlier["onset_s"])
        for earlier, later in pairwise(swallows)
        if later["protocol"] in ("single", "unknown")
    ]
