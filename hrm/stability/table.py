"""What one swallow is under every combination of the perturbations.

Where one of them acts alone, the numbers are measured. Where several act together, their
effects are added, unless that may matter: a swallow whose type or pressurization changes
anywhere in the table is measured at every combination.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrm.metrics.swallow_types import SwallowLimits, swallow_type
from hrm.stability.nodes import Levels, Node, Place

_START: Levels = (0, 0, 0)


@dataclass(frozen=True)
class Table:
    """One swallow at every combination of levels, all arrays (border, onset, drift).

    Attributes
    ----------
    irp, ibp : array [mmHg]
        Above the gastric reference as it was found; `ibp` may be absolute.
    dci : array [mmHg s cm]
    distal_latency : array [s]
    break_length : array [cm]
    panesophageal : array of bool
    types : array of object
        Type of the swallow, or None where a number that decides is missing.
    """

    irp: NDArray[np.float64]
    dci: NDArray[np.float64]
    distal_latency: NDArray[np.float64]
    break_length: NDArray[np.float64]
    ibp: NDArray[np.float64]
    panesophageal: NDArray[np.bool_]
    types: NDArray[np.object_]

    @property
    def changes(self) -> bool:
        """Whether any combination changes the type or the pressurization."""
        return bool(
            (self.types != self.types[_START]).any()
            or (self.panesophageal != self.panesophageal[_START]).any()
        )


def swallow_table(place: Place, limits: SwallowLimits) -> Table:
    """Make the table of one swallow.

    Parameters
    ----------
    place : Place
    limits : SwallowLimits

    Returns
    -------
    Table
    """
    nodes, pressures = place.one_at_a_time(), place.pressures()
    table = tabulate(nodes, pressures, place.shape, limits)
    if not table.changes:
        return table
    return tabulate({**nodes, **place.together()}, pressures, place.shape, limits)


def tabulate(
    nodes: Mapping[Levels, Node],
    pressures: NDArray[np.float64],
    shape: Levels,
    limits: SwallowLimits,
) -> Table:
    """Fill a table from what was measured, adding effects where it was not.

    Parameters
    ----------
    nodes : mapping of tuple of int to Node
        At least those that differ from level 0 on one axis at most.
    pressures : array (border, onset) [mmHg]
        IRP without drift.
    shape : tuple of int
    limits : SwallowLimits

    Returns
    -------
    Table
    """
    dci = _numbers(nodes, shape, lambda node: node.dci, of_failed=True)
    latency = _numbers(nodes, shape, lambda node: node.distal_latency)
    gap = _numbers(nodes, shape, lambda node: node.break_length)
    bolus = _numbers(nodes, shape, lambda node: node.ibp)
    failed = np.vectorize(limits.failed.crossed_by, otypes=[bool])(dci)
    kinds = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        if failed[at] and at not in nodes:
            latency[at] = gap[at] = bolus[at] = np.nan
        integral, late, length = (float(values[at]) for values in (dci, latency, gap))
        kinds[at] = swallow_type(integral, late, length, limits).type
    return Table(
        irp=_pressures(nodes, pressures, shape),
        dci=dci,
        distal_latency=latency,
        break_length=gap,
        ibp=bolus,
        panesophageal=_patterns(nodes, shape),
        types=kinds,
    )


def _alone(at: tuple[int, ...]) -> list[Levels]:
    """The levels of a combination that are not 0, each of them alone."""
    border, onset, drift = at
    each = ((border, 0, 0), (0, onset, 0), (0, 0, drift))
    return [levels for levels in each if levels != _START]


def _numbers(
    nodes: Mapping[Levels, Node],
    shape: Levels,
    number: Callable[[Node], float],
    *,
    of_failed: bool = False,
) -> NDArray[np.float64]:
    """Fill in what was measured, and add the effects elsewhere.

    A number that is lost at one level is lost in every combination with it. One that is
    missing only because the contraction failed there has no effect: whether that holds in
    a combination, its own contractile integral says.
    """
    values = {at: number(node) for at, node in nodes.items()}
    known = (value for value in (values[_START], *values.values()) if np.isfinite(value))
    base = next(known, np.nan)
    out = np.full(shape, base)
    for at in np.ndindex(shape):
        if at in values:
            out[at] = values[at]
            continue
        for alone in _alone(at):
            if of_failed or np.isfinite(values[alone]) or not nodes[alone].failed:
                out[at] += values[alone] - base
    return out


def _pressures(
    nodes: Mapping[Levels, Node], pressures: NDArray[np.float64], shape: Levels
) -> NDArray[np.float64]:
    """IRP: measured at every pair of border and onset, the effect of the drift added."""
    out = np.repeat(pressures[:, :, None], shape[2], axis=2)
    for at in np.ndindex(shape):
        drift = at[2]
        if at in nodes:
            out[at] = nodes[at].irp
        elif drift:
            out[at] += nodes[0, 0, drift].irp - nodes[_START].irp
    return out


def _patterns(nodes: Mapping[Levels, Node], shape: Levels) -> NDArray[np.bool_]:
    """Panesophageal pressurization: changed where any of the levels changes it."""
    start = nodes[_START].panesophageal
    out = np.full(shape, start)
    for at in np.ndindex(shape):
        seen = [nodes[at]] if at in nodes else [nodes[alone] for alone in _alone(at)]
        if any(node.panesophageal != start for node in seen):
            out[at] = not start
    return out
