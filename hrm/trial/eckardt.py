"""The Eckardt score: four items, their total, and the rule of clinical success."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hrm.errors import ParameterError
from hrm.trial.definitions import eckardt

#: Dysphagia, regurgitation, chest pain, weight loss.
ITEMS = eckardt().items
#: Range of each item, part of the instrument.
LOWEST, HIGHEST = eckardt().lowest, eckardt().highest
COMPARATORS: dict[str, Callable[[int, int], bool]] = {"<": operator.lt, "<=": operator.le}
#: What a score with missing items says: nothing, or what every value of them would say.
MISSING_RULES = ("missing", "decided")


@dataclass(frozen=True, slots=True)
class SuccessRule:
    """When a participant is a clinical success.

    Parameters
    ----------
    cutoff : int
    comparator : str
        ``<`` or ``<=``: success is a total that compares so with the cut-off.
    missing_items : str
        ``missing``: no outcome without all four items; ``decided``: an outcome also if
        every possible value of the missing items gives the same one.
    retreatment_is_failure : bool
    """

    cutoff: int
    comparator: str
    missing_items: str
    retreatment_is_failure: bool

    def outcome(self, items: Sequence[int | None], *, retreated: bool) -> bool | None:
        """Whether it is a success; None if that is not known."""
        checked = _checked(items)
        if retreated and self.retreatment_is_failure:
            return False
        known = sum(item for item in checked if item is not None)
        unknown = checked.count(None)
        if unknown and self.missing_items == "missing":
            return None
        compare = COMPARATORS[self.comparator]
        best = compare(known + unknown * LOWEST, self.cutoff)
        worst = compare(known + unknown * HIGHEST, self.cutoff)
        return best if best == worst else None

    def words(self) -> str:
        """Say the rule, for a footnote."""
        partial = {
            "missing": "no outcome if an item is missing",
            "decided": "with an item missing, an outcome only if each value of it gives the same",
        }[self.missing_items]
        again = "counts" if self.retreatment_is_failure else "does not count"
        return (
            f"success: Eckardt score {self.comparator} {self.cutoff}; {partial}; "
            f"retreatment {again} as failure"
        )


def total(items: Sequence[int | None]) -> int | None:
    """Total of the four items, 0 to 12; None if one is missing.

    Parameters
    ----------
    items : sequence of int or None
        In the order of `ITEMS`.

    Raises
    ------
    ParameterError
        If there are not four, or one is no whole number from 0 to 3.
    """
    known = [item for item in _checked(items) if item is not None]
    return sum(known) if len(known) == len(ITEMS) else None


def _checked(items: Sequence[int | None]) -> Sequence[int | None]:
    if len(items) != len(ITEMS):
        raise ParameterError(f"the Eckardt score has {len(ITEMS)} items; got {len(items)}")
    for name, item in zip(ITEMS, items, strict=True):
        whole = isinstance(item, int) and not isinstance(item, bool)
        if item is not None and not (whole and LOWEST <= item <= HIGHEST):
            raise ParameterError(f"item {name} is a whole number from {LOWEST} to {HIGHEST}")
    return items
