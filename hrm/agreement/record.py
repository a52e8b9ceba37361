"""The comparison as plain values, for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from typing import Any

from hrm import __version__
from hrm.agreement.comparison import Comparison, MetricAgreement
from hrm.agreement.source import Source

AGREEMENT_VERSION = "1"


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as plain values for JSON; what is not defined is None.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
        Subjects and visits are codes; the measured values themselves are not repeated.
    """
    matching = comparison.matching
    return {
        "agreement_version": AGREEMENT_VERSION,
        "engine": {"version": __version__},
        "level": comparison.level,
        "a": _side(comparison.a, matching.only_a, comparison.only_a),
        "b": _side(comparison.b, matching.only_b, comparison.only_b),
        "matched": [
            {
                "subject": pair.name[0],
                "visit": pair.name[1],
                "swallows_by": pair.by,
                "swallows": [list(numbers) for numbers in pair.swallows],
                "swallows_only_a": list(pair.only_a),
                "swallows_only_b": list(pair.only_b),
            }
            for pair in matching.pairs
        ],
        "visit_stated_once": matching.visit_stated_once,
        "measured_by_other_rules": comparison.n_other_rules,
        "metrics": [_metric_block(row) for row in comparison.metrics],
        "labels": [_plain(row) for row in comparison.labels],
    }


def _side(
    source: Source, unmatched: tuple[tuple[str, str], ...], metrics: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "kind": source.kind,
        "n_studies": len(source.studies),
        "unmatched": [{"subject": subject, "visit": visit} for subject, visit in unmatched],
        "rows_left_out": dict(sorted(source.left_out.items())),
        "metrics_only_here": list(metrics),
    }


def _metric_block(row: MetricAgreement) -> dict[str, Any]:
    levels = [
        {
            "level": level.name,
            "limits": _plain(level.limits),
            "ratio": _plain(level.ratio),
            "icc_2_1": _plain(level.icc_2_1),
            "icc_3_1": _plain(level.icc_3_1),
        }
        for level in row.levels
    ]
    return {
        "metric": row.metric,
        "unit": row.unit,
        "long_name": row.title,
        "coverage": _plain(row.coverage),
        "levels": levels,
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(item) for key, item in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
