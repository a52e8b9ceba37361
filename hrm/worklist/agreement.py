"""How readers agree: with each other, with themselves, and with the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from hrm.readings import AGAIN, Reading
from hrm.worklist.results import Results
from hrm.worklist.studies import Study

if TYPE_CHECKING:
    from hrm.agreement.comparison import Comparison
    from hrm.agreement.estimate import Estimate

ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two who read the same studies.

    Attributes
    ----------
    kind : str
        ``inter`` (two readers), ``intra`` (one reader, twice) or ``engine`` (the automatic
        result against a reader).
    sides : tuple of str
    studies : int
    comparison : Comparison
    """

    kind: str
    sides: tuple[str, str]
    studies: int
    comparison: Comparison


def pairings(
    found: Sequence[tuple[Study, Sequence[Reading]]], results: Results
) -> Iterator[Pairing]:
    """Compare everybody with everybody over the studies that both have signed.

    Parameters
    ----------
    found : sequence of (Study, sequence of Reading)
    results : Results

    Yields
    ------
    Pairing
        Where there is at least one study in common. Adjudications are no readings of their
        own: who adjudicates has seen the others'.
    """
    from hrm.agreement.comparison import compare
    from hrm.agreement.source import from_results

    signed: dict[str, dict[str, dict[str, Any]]] = {}
    for study, readings in found:
        for reading in readings:
            if reading.signed_off and reading.reader and not reading.adjudicates:
                signed.setdefault(reading.reader, {})[study.code] = _named(
                    results.of(study, reading), study.code
                )
    seen = {code for by_study in signed.values() for code in by_study}
    engine = {
        study.code: _named(results.of(study, None), study.code)
        for study, _ in found
        if study.code in seen
    }
    for kind, first, second in _pairs(sorted(signed)):
        one, other = (engine if name == ENGINE else signed[name] for name in (first, second))
        shared = sorted(set(one) & set(other))
        if shared:
            sources = [from_results(side[code] for code in shared) for side in (one, other)]
            yield Pairing(kind, (first, second), len(shared), compare(*sources))


def rows(pairing: Pairing) -> Iterator[dict[str, Any]]:
    """Give the statistics of a pairing, one quantity a row, for a table.

    Yields
    ------
    dict
        ``kind``, ``a``, ``b``, ``quantity``, ``unit``, ``level`` (swallow or study), ``n``,
        ``statistic``, ``estimate``, ``low``, ``high``, ``status``. Differences are a minus b.
    """
    head: dict[str, Any] = {"kind": pairing.kind, "a": pairing.sides[0], "b": pairing.sides[1]}
    for row in pairing.comparison.metrics:
        for level in row.levels:
            where: dict[str, Any] = {"quantity": row.metric, "unit": row.unit, "level": level.name}
            found = {
                "bias": level.limits.bias,
                "lower_limit": level.limits.lower,
                "upper_limit": level.limits.upper,
                "icc_2_1": level.icc_2_1,
                "icc_3_1": level.icc_3_1,
            }
            for name, estimate in found.items():
                yield head | where | {"n": level.limits.n, "statistic": name} | _ends(estimate)
    for label in pairing.comparison.labels:
        where = {"quantity": label.name, "unit": "1", "level": label.scope}
        n = sum(map(sum, label.table))
        for name in ("kappa", "linear", "quadratic"):
            statistic = name if name == "kappa" else f"kappa_{name}"
            ends = _ends(getattr(label, name))
            yield head | where | {"n": n, "statistic": statistic} | ends


def _ends(estimate: Estimate) -> dict[str, Any]:
    return {
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "status": estimate.status,
    }


def _pairs(readers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    first = [reader for reader in readers if not reader.endswith(AGAIN)]
    for one, other in combinations(first, 2):
        yield "inter", one, other
    for reader in first:
        if reader + AGAIN in readers:
            yield "intra", reader, reader + AGAIN
    for reader in first:
        yield "engine", ENGINE, reader


def _named(result: dict[str, Any], code: str) -> dict[str, Any]:
    """The result under the code of the worklist: a digest would tell which file it is."""
    return {**result, "recording": {**result["recording"], "study_id": code}}
