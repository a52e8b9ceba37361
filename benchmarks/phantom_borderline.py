"""Studies at the edge of a limit: are they flagged so?"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from phantom_conditions import SETUPS, Condition, Setup
from phantom_study import EXPECTED, Row, informed, match

from hrm import phantom
from hrm.catalog import default_parameters, find_limit

PARAMETERS = default_parameters()
#: Number of a swallow that a quantity of a borderline study is about.
NUMBERS = {
    "dci_failed": "dci_mmhg_s_cm",
    "dci_weak": "dci_mmhg_s_cm",
    "dci_hypercontractile": "dci_mmhg_s_cm",
    "dl_premature": "distal_latency_s",
    "break_fragmented": "break_cm",
}
#: How the rules begin that flag a supine median IRP.
IRP_RULES = ("median IRP, supine, distance to its limit", "median IRP, supine, across its limit")


def borderline_flags(
    phenotype: str, seed: int, conditions: Sequence[Condition], setups: Sequence[Setup] = SETUPS
) -> list[Row]:
    """Whether a study at the edge of its phenotype is flagged, for each catheter and noise."""
    drawn = phantom.draw(phenotype, seed=seed, borderline=True)
    rows = []
    for setup in setups:
        offset = phantom.default_offset(drawn, setup.catheter)
        truth = phantom.truth(drawn, offset_cm=offset)
        for condition in conditions:
            recording = condition.sampled(drawn, setup, truth, offset_cm=offset, seed=seed)
            found = informed(drawn, recording)
            row = flagged(truth, found)
            version = "ccv3" if phenotype == "fragmented_peristalsis" else "ccv4"
            verdict = found["classification"][version]
            name, right = verdict["diagnosis"], EXPECTED[version][phenotype]
            row.update(diagnosis=name, right=name == right)
            row["misled"] = name != right and verdict["conclusive"] and not any(row["flagged"])
            row.update(phenotype=phenotype, seed=seed, setup=setup.name, condition=condition.name)
            rows.append(row)
    return rows


def flagged(truth: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Flag of the quantity a borderline study is about, where it was measured, and the margin."""
    quantity = truth["borderline_quantity"]
    limit = limit_of(quantity)
    if quantity == "irp4s":
        rules = [rule["rule"] for rule in found["classification"]["ccv4"]["rationale"]]
        flags = [any(rule.startswith(IRP_RULES) for rule in rules)]
        margin = PARAMETERS["irp.borderline_mmhg"]
        span, seen = (limit - margin, limit + margin), [found["study"]["irp4s_median_supine_mmhg"]]
    else:
        name = NUMBERS[quantity]
        margin = PARAMETERS["borderline.relative"] * limit
        span = (limit - margin, limit + margin)
        if quantity == "dl_premature":
            span = (PARAMETERS["dl.borderline_low_s"], PARAMETERS["dl.borderline_high_s"])
        near = barely(truth, found, quantity, span)
        flags, seen = [name in row["borderline"] for row in near], [row[name] for row in near]
    within = [value is not None and span[0] <= value <= span[1] for value in seen]
    return {"quantity": quantity, "span": span, "flagged": flags, "within": within, "seen": seen}


def limit_of(quantity: str) -> float:
    """Limit of a quantity in the studies drawn [its unit]."""
    row = find_limit(quantity, system="manoscan", position="supine", cc_version="4.0")
    if row is None:
        raise ValueError(f"no limit of {quantity} for a supine study")
    return row.value


def barely(
    truth: dict[str, Any], found: dict[str, Any], quantity: str, span: tuple[float, float]
) -> list[dict[str, Any]]:
    """Swallows found whose true number lies within `span`."""
    name = NUMBERS[quantity]
    pairs, _, _ = match(truth["swallows"], found["swallows"])
    return [
        seen
        for known, seen in pairs
        if known["posture"] == "supine"
        and known[name] is not None
        and span[0] <= known[name] <= span[1]
        # A break decides nothing in a failed or weak swallow.
        and (quantity != "break_fragmented" or known["type"] in ("normal", "fragmented"))
    ]


def borderline_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lines of the borderline table, by deciding quantity and catheter."""
    head = ("studies", "numbers", "within", "flagged", "any", "right", "misled", "silent")
    lines = [f"{'quantity / setup':58s} " + " ".join(f"{name:>8s}" for name in head)]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        low, high = row["span"]
        margin = f"{row['quantity']} {low:g} to {high:g}"
        groups[f"{margin} / {row['setup']}"].append(row)
    for label, members in [*groups.items(), ("all", list(rows))]:
        numbers = [
            pair for row in members for pair in zip(row["within"], row["flagged"], strict=True)
        ]
        cells = (
            len(members),
            len(numbers),
            sum(within for within, _ in numbers),
            sum(flag for _, flag in numbers),
            sum(any(row["flagged"]) for row in members),
            sum(row["right"] for row in members),
            sum(row["misled"] for row in members),
            len(silent(members)),
        )
        lines.append(f"{label:58s} " + " ".join(f"{cell:8d}" for cell in cells))
    return lines


def silent(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Studies with a number measured within the margin and not flagged."""
    return [
        row
        for row in rows
        if any(
            within and not flag for within, flag in zip(row["within"], row["flagged"], strict=True)
        )
    ]


def report_borderline(rows: Sequence[Row]) -> int:
    """Print the borderline table and every study that is wrong or not flagged; 1 if any is silent."""
    sys.stdout.write(
        "numbers: true ones within the margin; within: measured within it; flagged: of the numbers;\n"
        "any: studies with a flag; right: studies with the diagnosis as drawn; misled: conclusive,\n"
        "wrong and not flagged; silent: a number measured within the margin and not flagged\n"
    )
    sys.stdout.write("\n".join(borderline_table(rows)) + "\n")
    for row in rows:
        if not (row["right"] and all(row["flagged"])):
            seen = ", ".join("none" if value is None else f"{value:.2f}" for value in row["seen"])
            sys.stdout.write(
                f"{row['phenotype']} {row['seed']}, {row['setup']}, {row['condition']}: "
                f"{row['quantity']} {seen}, {sum(row['flagged'])} flagged, {row['diagnosis']}\n"
            )
    broken = silent(rows)
    sys.stdout.write(f"{len(broken)} studies with a borderline number that is not flagged\n")
    return 1 if broken else 0
