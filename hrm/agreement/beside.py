"""Readings of one study beside each other, with what differs marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: What is laid beside each other of each swallow.
_OF_SWALLOW = ("evaluable", "type", "irp4s_mmhg", "dci_mmhg_s_cm", "distal_latency_s")
#: Digits after the point with which two numbers are compared, as they are shown.
_DIGITS = {"dci_mmhg_s_cm": 0}
_USUAL_DIGITS = 1
#: Stands where a value is hidden; it differs from nothing.
HIDDEN = "hidden"


def beside(sides: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Lay results of one recording beside each other.

    Parameters
    ----------
    sides : mapping of str to dict
        Results in hrm's contract by what they are called.

    Returns
    -------
    dict
        ``sides``: their names; ``rows``: ``what`` (code), ``swallow`` (number in the first,
        or None), ``values`` (one a side) and ``differs``. Swallows are matched by onset, as
        `hrm compare` does; one that a side has not has null there.
    """
    results = list(sides.values())
    rows = [*_study_rows(results), *_swallow_rows(results)]
    return {"sides": list(sides), "rows": rows}


def without_diagnosis(result: dict[str, Any]) -> dict[str, Any]:
    """Give a result with its diagnoses hidden."""
    trees = {
        key: {**tree, "diagnosis": HIDDEN} if isinstance(tree, dict) else tree
        for key, tree in result["classification"].items()
    }
    return {**result, "classification": trees}


def _study_rows(results: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for tree in ("ccv4", "ccv3"):
        values = [result["classification"][tree]["diagnosis"] for result in results]
        yield _row(f"diagnosis_{tree}", None, values)
    yield _row("n_evaluable", None, [result["study"]["n_evaluable"] for result in results])
    for name in (name for name in results[0]["landmarks"] if name != "status"):
        yield _row(name, None, [result["landmarks"][name] for result in results])


def _swallow_rows(results: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, members in _matched(results):
        for name in _OF_SWALLOW:
            yield _row(name, number, [row[name] if row else None for row in members])


def _matched(
    results: Sequence[dict[str, Any]],
) -> Iterator[tuple[int, list[dict[str, Any] | None]]]:
    """Swallows of all sides, by the number in the first, or else in the side that has it."""
    from hrm.agreement.matching import match
    from hrm.agreement.source import from_results

    def source(result: dict[str, Any]) -> Any:
        return from_results([{**result, "recording": {**result["recording"], "study_id": "one"}}])

    tables = [{row["id"]: row for row in result["swallows"]} for result in results]
    first = source(results[0])
    found: list[dict[int, int]] = []
    for result in results[1:]:
        pairs = match(first, source(result)).pairs
        found.append(dict(pairs[0].swallows) if pairs else {})
    for number, row in tables[0].items():
        others = [t.get(p.get(number, 0)) for t, p in zip(tables[1:], found, strict=True)]
        yield number, [row, *others]
    for k, (table, pairs_of) in enumerate(zip(tables[1:], found, strict=True), 1):
        for number in sorted(table.keys() - set(pairs_of.values())):
            members: list[dict[str, Any] | None] = [None] * len(results)
            members[k] = table[number]
            yield number, members


def _row(what: str, swallow: int | None, values: Sequence[Any]) -> dict[str, Any]:
    digits = _DIGITS.get(what, _USUAL_DIGITS)
    shown = [
        round(value, digits) if isinstance(value, float) and not isinstance(value, bool) else value
        for value in values
    ]
    told = [value for value in shown if value != HIDDEN]
    differs = any(value != told[0] for value in told[1:])
    return {"what": what, "swallow": swallow, "values": shown, "differs": differs}
