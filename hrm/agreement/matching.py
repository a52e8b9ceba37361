"""Which study is which, and which swallow: nothing is matched twice, and nothing is dropped."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hrm.agreement.definitions import rules
from hrm.agreement.source import Source, Study
from hrm.errors import ParameterError

HOW = ("auto", "onset", "number")


@dataclass(frozen=True, slots=True)
class StudyPair:
    """One study on both sides, with its swallows: matched by number or by onset."""

    a: Study
    b: Study
    swallows: tuple[tuple[int, int], ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]
    by: str

    @property
    def name(self) -> tuple[str, str]:
        """Subject, and visit as the side has it that says one."""
        return self.a.subject, self.a.visit or self.b.visit


@dataclass(frozen=True, slots=True)
class Matching:
    """Studies that are on both sides, and those that are not (subject, visit)."""

    pairs: tuple[StudyPair, ...]
    only_a: tuple[tuple[str, str], ...]
    only_b: tuple[tuple[str, str], ...]
    visit_stated_once: int = 0


def match(a: Source, b: Source, *, how: str = "auto") -> Matching:
    """Match the studies of two sources, and their swallows.

    Parameters
    ----------
    a, b : Source
    how : {"auto", "onset", "number"}
        Of the swallows. ``auto``: by onset where every swallow of both sides has one, by
        number elsewhere.

    Returns
    -------
    Matching

    Raises
    ------
    ParameterError
        If `how` is unknown.
    """
    if how not in HOW:
        raise ParameterError(f"match must be one of {', '.join(HOW)}; got {how!r}")
    keys = {key: key for key in a.studies if key in b.studies}
    loose = _one_visit_each(a, b, set(keys), set(keys))
    keys |= loose
    pairs = [_pair(a.studies[mine], b.studies[yours], how) for mine, yours in sorted(keys.items())]
    return Matching(
        pairs=tuple(pairs),
        only_a=tuple(sorted(set(a.studies) - set(keys))),
        only_b=tuple(sorted(set(b.studies) - set(keys.values()))),
        visit_stated_once=len(loose),
    )


def _one_visit_each(
    a: Source, b: Source, used_a: set[tuple[str, str]], used_b: set[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Match a study without a visit to the only study of the subject on the other side."""
    mine, yours = _by_subject(a), _by_subject(b)
    found = {}
    for subject in sorted(mine.keys() & yours.keys()):
        if len(mine[subject]) == 1 == len(yours[subject]):
            first, second = mine[subject][0], yours[subject][0]
            if first not in used_a and second not in used_b and "" in (first[1], second[1]):
                found[first] = second
    return found


def _by_subject(source: Source) -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in source.studies:
        out[key[0]].append(key)
    return out


def _pair(a: Study, b: Study, how: str) -> StudyPair:
    mine, yours = a.swallows, b.swallows
    dated = all(a.onset(n) is not None for n in mine) and all(b.onset(n) is not None for n in yours)
    by = how if how != "auto" else "onset" if dated and mine and yours else "number"
    found = _by_onset(a, b) if by == "onset" else [(n, n) for n in mine if n in set(yours)]
    taken_a, taken_b = {n for n, _ in found}, {n for _, n in found}
    return StudyPair(
        a=a,
        b=b,
        swallows=tuple(found),
        only_a=tuple(n for n in mine if n not in taken_a),
        only_b=tuple(n for n in yours if n not in taken_b),
        by=by,
    )


def _by_onset(a: Study, b: Study) -> list[tuple[int, int]]:
    """Match the nearest onsets first, each swallow once."""
    tolerance = float(rules()["match.onset_s"].value)
    near = []
    for mine in a.swallows:
        for yours in b.swallows:
            first, second = a.onset(mine), b.onset(yours)
            if first is not None and second is not None and abs(first - second) <= tolerance:
                near.append((abs(first - second), mine, yours))
    found: dict[int, int] = {}
    for _, mine, yours in sorted(near):
        if mine not in found and yours not in found.values():
            found[mine] = yours
    return sorted(found.items())
