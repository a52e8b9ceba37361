"""The trees over perturbed swallows: how often a diagnosis holds, and what takes it away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hrm.catalog import limit_table
from hrm.metrics.chicago import Swallow
from hrm.metrics.chicago.facts import Rule, Verdict
from hrm.metrics.chicago.study import classify_version
from hrm.pipeline.study import Study
from hrm.stability.drawn import Drawn
from hrm.stability.model import Draws

Classify = Callable[[Sequence[Swallow]], Verdict]


@dataclass(frozen=True)
class Cast:
    """The swallows of a study as a draw makes them.

    Attributes
    ----------
    swallows : sequence of Drawn
        None for one that does not count.
    postures : sequence of str
        Of each swallow.
    draws : Draws
    gastric_bolus : bool
        Whether the intrabolus pressure is read above the gastric reference.
    """

    swallows: Sequence[Drawn | None]
    postures: Sequence[str]
    draws: Draws
    gastric_bolus: bool

    def of(self, draw: int) -> list[Swallow]:
        """Give the swallows of one draw; one whose type cannot be told does not count."""
        found = (self.swallow(draw, int(k)) for k in self.draws.picks[draw])
        return [swallow for swallow in found if swallow is not None]

    def swallow(self, draw: int, k: int) -> Swallow | None:
        """Give swallow `k` as a draw makes it; None where its type cannot be told."""
        seen = self.swallows[k]
        if seen is None or seen.types[draw] is None:
            return None
        gastric = float(self.draws.gastric_mmhg[draw])
        return Swallow(
            posture=self.postures[k],
            irp=float(seen.irp[draw]) - gastric,
            dci=float(seen.dci[draw]),
            distal_latency=float(seen.distal_latency[draw]),
            break_length=float(seen.break_length[draw]),
            ibp=float(seen.ibp[draw]) - (gastric if self.gastric_bolus else 0.0),
            panesophageal=bool(seen.panesophageal[draw]),
        )


def classifier(study: Study, version: str) -> Classify:
    """Give the tree of one version with everything that the draws leave alone."""

    def classify(swallows: Sequence[Swallow]) -> Verdict:
        return classify_version(
            version,
            swallows,
            system=study.system,
            clinical=study.clinical,
            user_limit=study.irp_limit,
            parameters=study.parameters,
        )

    return classify


def tree_stability(found: Mapping[str, Any], classify: Classify, cast: Cast) -> dict[str, Any]:
    """Say how often a diagnosis holds.

    Parameters
    ----------
    found : mapping
        The verdict of one version, with its ``diagnosis`` and ``rationale``.
    classify : callable
    cast : Cast

    Returns
    -------
    dict
        ``agreement`` (share of the draws with the same diagnosis), ``runner_up`` (the most
        frequent other one, or None), ``diagnoses`` (draws by diagnosis) and ``drivers``:
        the limits whose crossing led away first, each with the ``draws`` in which it did.
    """
    count = len(cast.draws)
    verdicts = [classify(cast.of(draw)) for draw in range(count)]
    names = Counter(verdict.diagnosis for verdict in verdicts)
    others = [name for name, _ in _ranked(names) if name != found["diagnosis"]]
    left = [verdict for verdict in verdicts if verdict.diagnosis != found["diagnosis"]]
    forks = Counter(_fork(found["rationale"], verdict) for verdict in left)
    return {
        "agreement": names[found["diagnosis"]] / count,
        "runner_up": others[0] if others else None,
        "diagnoses": dict(_ranked(names)),
        "drivers": [
            {"quantity": quantity, "row": row, "draws": hits}
            for (quantity, row), hits in _ranked(forks)
        ],
    }


def _ranked(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Most frequent first, then by name, so that equal counts always come in one order."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _fork(rationale: Sequence[Mapping[str, Any]], verdict: Verdict) -> tuple[str, str]:
    """First limit on which the way through the tree turns: its quantity and its row.

    Where no limit does, the fact that the tree states, or the first step that only the
    other way takes; where the tree was not gone through at all, the reason.
    """
    if verdict.diagnosis == "not_classified":
        return verdict.considerations[0], ""
    before = {(rule["rule"], rule["row"]): rule["met"] for rule in rationale}
    shared = [rule for rule in verdict.rationale if (rule.rule, rule.row) in before]
    turned = [rule for rule in shared if rule.met != before[rule.rule, rule.row]]
    turned = turned or [rule for rule in verdict.rationale if rule not in shared]
    limited = [rule for rule in turned if rule.limit is not None]
    if limited:
        return _quantity(limited[0]), limited[0].row
    fact = turned[0].rule if turned else "unknown"
    return re.sub(r"[^a-z0-9]+", "_", fact.lower()).strip("_"), ""


def _quantity(rule: Rule) -> str:
    rows = {row.id: row.quantity for row in limit_table()}
    # Only of the IRP can a limit be named that is no row.
    return rows.get(rule.row, "irp4s")
