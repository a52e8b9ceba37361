"""Where a hand goes next: places of a border that are measured before they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from hrm.edits import Change
from hrm.errors import HrmError

#: On the page a depth goes in steps of the grid that pressures are read on [cm].
GRAIN_CM = 0.1
#: So many places are measured ahead, on the way that the hand goes.
_FURTHER = 4

Measuring = Callable[[Sequence[Change]], Iterator[None]]


class Ahead:
    """Places that the page may ask for next, one swallow of one place at each step.

    It is of the edits that are kept: with another one begin with a new one.
    """

    def __init__(self) -> None:
        self._last = ("", "", math.nan)
        self._done: set[tuple[str, str, float]] = set()
        self._steps: Iterator[None] = iter(())

    def expect(
        self, changes: Sequence[Change], measure: Measuring, *, measured: bool = True
    ) -> None:
        """Take what the hand moves now for where it will move to.

        Parameters
        ----------
        changes : sequence of Change
        measure : callable
            Measures with other changes, a swallow at each step.
        measured : bool
            Whether that was done for the changes themselves.
        """
        self._steps = iter(())
        if len(changes) != 1:
            return
        (change,) = changes
        places = _places(change, self._last)
        if places:
            now = float(change.new or 0.0)
            self._last = (change.object, change.field, now)
            if measured:
                self._done.add(self._last)
            self._steps = self._each(change, [now, *places], measure)

    def step(self) -> bool:
        """Measure one more swallow; whether there was one."""
        return next(self._steps, self) is None

    def _each(self, change: Change, places: Sequence[float], measure: Measuring) -> Iterator[None]:
        for place in places:
            key = (change.object, change.field, place)
            if key not in self._done:
                # A place that cannot be is left out; the hand may go there, and is told then.
                with suppress(HrmError):
                    yield from measure([replace(change, new=place)])
                self._done.add(key)


def _places(change: Change, last: tuple[str, str, float]) -> list[float]:
    """Values on the way of the hand, nearest first; none of what touches one swallow only."""
    now = change.new
    if change.object != "landmarks" or not change.field.endswith("_cm"):
        return []
    if isinstance(now, bool) or not isinstance(now, int | float) or not math.isfinite(now):
        return []
    moved = now - last[2] if last[:2] == (change.object, change.field) else 0.0
    ways = [math.copysign(1.0, moved)] if moved else [1.0, -1.0]
    steps = [way * k * GRAIN_CM for k in range(1, _FURTHER + 1) for way in ways]
    # As far again as it came: a fast hand skips places.
    further = [moved] if moved else []
    return list(dict.fromkeys(round(now + step, 2) for step in (*further, *steps)))
