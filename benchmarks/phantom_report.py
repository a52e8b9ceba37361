"""Pool the errors of many studies, hold them against the bounds, and write the tables."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from phantom_conditions import EVERY, Bound
from phantom_study import Row

#: What is pooled as a median of absolute errors; everything else is a share.
MEDIANS = (
    *("onset", "irp", "dci_percent", "dci_low", "dl", "les"),
    *("dci_during", "dci_after_percent", "les_during", "mrs_ratio"),
    *("rdc_20_percent", "rdc_30_percent", "upright_irp", "upright_dci_percent"),
    *("transit_time", "bolus_entry", "bolus_exit", "bolus_nadir", "baseline_percent"),
)
SHARES = (
    *("type", "pressurization", "diagnosis", "diagnosis_v3", "borderline"),
    *("runs_found", "runs_blind", "inhibited", "rdc_after", "transit"),
)
COLUMNS = (
    *("recall", "precision", "onset", "irp", "irp_p95", "dci_percent", "dci_low", "dl", "les"),
    *("type", "pressurization", "diagnosis", "diagnosis_v3", "borderline"),
)
#: The finest group first named fails first: a catheter's cells are not listed without it.
LEVELS = {
    "condition": ("condition",),
    "catheter": ("condition", "setup"),
    "phenotype": ("condition", "setup", "phenotype"),
}


def summary(rows: Iterable[Row]) -> dict[str, float]:
    """Recall, precision, medians, 95th percentiles and shares over some studies."""
    rows = list(rows)
    hits = sum(row["hits"] for row in rows)
    out = {
        "recall": hits / max(1, hits + sum(row["missed"] for row in rows)),
        "precision": hits / max(1, hits + sum(row["extra"] for row in rows)),
    }
    for name in MEDIANS:
        values = pooled(rows, name)
        out[name] = float(np.median(values)) if values else math.nan
        # A higher order statistic, not a mean of two: infinity minus infinity is no number.
        out[f"{name}_p95"] = (
            float(np.quantile(values, 0.95, method="higher")) if values else math.nan
        )
    for name in SHARES:
        values = pooled(rows, name)
        out[name] = float(np.mean(values)) if values else math.nan
    return out


def pooled(rows: Iterable[Row], name: str) -> list[float]:
    """Every value of one list over some studies; null, of a file, is an infinite error."""
    return [
        math.inf if value is None else float(value) for row in rows for value in row.get(name, ())
    ]


def grouped(rows: Sequence[Row], keys: Sequence[str]) -> dict[str, list[Row]]:
    """Studies by the values of some keys, in the order in which they first appear."""
    out: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        out[" / ".join(str(row[key]) for key in keys)].append(row)
    return dict(out)


def table(rows: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """Lines of one table, grouped by `keys`."""
    lines = [f"{' / '.join(keys):72s} studies " + " ".join(f"{name[:9]:>9s}" for name in COLUMNS)]
    for label, members in grouped(rows, keys).items():
        numbers = summary(members)
        cells = " ".join(f"{numbers[name]:9.3f}" for name in COLUMNS)
        lines.append(f"{label:72s} {len(members):7d} {cells}")
    return lines


def more_table(rows: Sequence[Row]) -> list[str]:
    """What the provocation tests and the bolus add, by condition and catheter."""
    lines = []
    for label, members in grouped(rows, LEVELS["catheter"]).items():
        numbers = summary(members)
        own = [name for name, _, _ in EVERY[members[0]["condition"]].bounds]
        cells = [f"{name} {numbers[name]:.3f}" for name in own if name not in COLUMNS]
        if cells:
            lines.append(f"{label}: {', '.join(cells)}")
    return lines


def failures(rows: Sequence[Row], level: str) -> list[dict[str, Any]]:
    """Bounds that do not hold, for every group of a level: what was wanted, what was found."""
    found = []
    for label, members in grouped(rows, LEVELS[level]).items():
        numbers = summary(members)
        for bound in EVERY[members[0]["condition"]].bounds:
            if not holds(bound, numbers[bound[0]]):
                name, comparator, value = bound
                found.append(
                    {
                        "group": label,
                        "quantity": name,
                        "found": numbers[name],
                        "comparator": comparator,
                        "bound": value,
                        "numbers": len(pooled(members, name.removesuffix("_p95"))),
                    }
                )
    found += [
        {"group": " / ".join(str(row[key]) for key in LEVELS[level]), "refused": row["error"]}
        for row in rows
        if "error" in row
    ]
    return found


def holds(bound: Bound, value: float) -> bool:
    """Whether a bound holds; what no study could show breaks none."""
    _, comparator, limit = bound
    return math.isnan(value) or (value >= limit if comparator == ">=" else value <= limit)


def failure_lines(broken: Sequence[dict[str, Any]]) -> list[str]:
    """Lines of the bounds that do not hold."""
    return [
        f"{row['group']}: refused, {row['refused']}"
        if "refused" in row
        else f"{row['group']}: {row['quantity']} {row['found']:.3f}, "
        f"wanted {row['comparator']} {row['bound']:g} (of {row['numbers']})"
        for row in broken
    ]


def confusions(rows: Sequence[Row]) -> list[str]:
    """Type confusions, most frequent first."""
    counts = Counter(
        (row["condition"], row["phenotype"], known, seen)
        for row in rows
        for known, seen in row.get("confusion", ())
        if known != seen
    )
    return [
        f"{n:5d}  {condition}, {phenotype}: {known} read as {seen}"
        for (condition, phenotype, known, seen), n in counts.most_common(25)
    ]


def lost(rows: Sequence[Row]) -> list[str]:
    """Numbers that have a truth and were not given, by condition and catheter."""
    lines = []
    for label, members in grouped(rows, LEVELS["catheter"]).items():
        counts: Counter[str] = Counter()
        for row in members:
            counts.update(row.get("lost", {}))
        if counts:
            lines.append(f"{label}: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    return lines


def misnamed(rows: Sequence[Row]) -> list[str]:
    """Wrong diagnoses, one line each."""
    return [
        f"{row['condition']}: {row['phenotype']} {row['seed']}, {row['setup']}: "
        f"{version} {seen}, is {wanted}"
        for row in rows
        for version, seen, wanted in row.get("misnamed", ())
    ]


def markdown(rows: Sequence[Row], keys: Sequence[str]) -> list[str]:
    """The same table as a page wants it."""
    head = (
        *("recall", "precision", "onset s", "IRP mmHg", "IRP p95", "DCI %", "DCI < 450"),
        *("DL s", "LES cm", "type", "pressurization", "diagnosis"),
    )
    names = COLUMNS[: len(head)]
    lines = [
        "| " + " | ".join([*keys, "studies", *head]) + " |",
        "|" + "---|" * (len(keys) + 1 + len(head)),
    ]
    for members in grouped(rows, keys).values():
        numbers = summary(members)
        cells = [_cell(name, numbers[name]) for name in names]
        label = [str(members[0][key]) for key in keys]
        lines.append("| " + " | ".join([*label, str(len(members)), *cells]) + " |")
    return lines


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if name in ("recall", "precision", "onset") else f"{value:.2f}"
