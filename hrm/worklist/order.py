"""Which reader reads which study, and when: drawn from the plan's seed, the same every time."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hrm.readings import AGAIN
from hrm.worklist.plan import WorklistPlan

_CODE_LENGTH = 6


def codes(digests: Iterable[str], seed: int) -> dict[str, str]:
    """Name each study by a code that says nothing of it.

    Parameters
    ----------
    digests : iterable of str
        SHA-256 of the recordings.
    seed : int

    Returns
    -------
    dict of str to str
        Code of each digest; longer where two would be alike.
    """
    known = sorted(set(digests))
    for length in range(_CODE_LENGTH, 27):
        made = {sha256: _letters("code", seed, sha256)[:length] for sha256 in known}
        if len(set(made.values())) == len(known):
            return made
    return {sha256: _letters("code", seed, sha256) for sha256 in known}


def assigned(
    digests: Iterable[str], plan: WorklistPlan, before: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """Assign each study to its readers.

    Parameters
    ----------
    digests : iterable of str
    plan : WorklistPlan
    before : mapping of str to sequence of str, optional
        What was assigned already; it stays as it is.

    Returns
    -------
    dict of str to tuple of str
        Two readers if the plan says so, otherwise one: those who have the fewest studies so
        far, so that all have as many as each other, give or take one.
    """
    wanted = 2 if plan.double else 1
    found = {sha256: tuple(readers) for sha256, readers in (before or {}).items()}
    load = Counter(code for readers in found.values() for code in readers)
    new = [sha256 for sha256 in _shuffled(digests, "assign", plan.seed) if sha256 not in found]
    for sha256 in new:
        drawn = sorted(plan.readers, key=lambda code: _letters(f"who {code}", plan.seed, sha256))
        chosen = sorted(drawn, key=lambda code: load[code])[:wanted]
        load.update(chosen)
        found[sha256] = tuple(sorted(chosen))
    return found


def order_for(reader: str, digests: Iterable[str], plan: WorklistPlan) -> list[str]:
    """Give the order in which a reader reads; another one for each reader, and for each pass."""
    return _shuffled(digests, f"order {reader}", plan.seed)


def reread_by(reader: str, digests: Sequence[str], plan: WorklistPlan) -> list[str]:
    """Choose the studies that a reader reads once more, in their order.

    Returns
    -------
    list of str
        The share of the plan, rounded up, of the reader's own studies.
    """
    count = math.ceil(plan.reread * len(digests) - 1e-9)
    chosen = _shuffled(digests, f"again {reader}", plan.seed)[:count]
    return order_for(reader + AGAIN, chosen, plan)


def _shuffled(digests: Iterable[str], purpose: str, seed: int) -> list[str]:
    """Sort by a digest of seed, purpose and study: a random order that newcomers do not upset."""
    return sorted(set(digests), key=lambda sha256: _letters(purpose, seed, sha256))


def _letters(purpose: str, seed: int, sha256: str) -> str:
    made = hashlib.sha256(f"{purpose}|{seed}|{sha256}".encode()).digest()
    return base64.b32encode(made[:16]).decode("ascii").rstrip("=")
