"""Swallow types of the Chicago Classification."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hrm.catalog import Limit, find_limit
from hrm.errors import ParameterError

TYPES = ("normal", "weak", "failed", "fragmented", "premature", "hypercontractile")


@dataclass(frozen=True)
class SwallowLimits:
    """The limit rows that type a swallow."""

    failed: Limit
    weak: Limit
    hypercontractile: Limit
    premature: Limit
    fragmented: Limit

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the rows used."""
        rows = (self.failed, self.weak, self.hypercontractile, self.premature, self.fragmented)
        return tuple(row.id for row in rows)


@dataclass(frozen=True)
class SwallowType:
    """Type of one swallow, with the flags that do not exclude each other.

    `type` is None when a number that decides is missing; `status` says which.
    """

    type: str | None
    flags: tuple[str, ...]
    status: str


def swallow_limits(system: str, cc_version: str = "4.0") -> SwallowLimits:
    """Look up the rows for a system.

    Parameters
    ----------
    system : str
        A key of the systems table, or ``unknown`` for the rows that hold for any.
    cc_version : {"4.0", "3.0"}

    Returns
    -------
    SwallowLimits

    Raises
    ------
    ParameterError
        If the table has no row for this version.
    """

    def row(quantity: str) -> Limit:
        limit = find_limit(quantity, system=system, position="any", cc_version=cc_version)
        if limit is None:
            raise ParameterError(f"no limit for {quantity} in Chicago Classification {cc_version}")
        return limit

    return SwallowLimits(
        failed=row("dci_failed"),
        weak=row("dci_weak"),
        hypercontractile=row("dci_hypercontractile"),
        premature=row("dl_premature"),
        fragmented=row("break_fragmented"),
    )


def swallow_type(
    dci: float, distal_latency: float, break_length: float, limits: SwallowLimits
) -> SwallowType:
    """Type one swallow.

    Parameters
    ----------
    dci : float [mmHg s cm]
        Contractile integral without pressurization.
    distal_latency : float [s]
        NaN when there is no front.
    break_length : float [cm]
    limits : SwallowLimits

    Returns
    -------
    SwallowType
        Precedence failed, premature, hypercontractile, fragmented, weak, normal
        (SPEC section 5.2); a swallow that is premature and hypercontractile
        carries both flags.
    """
    if not math.isfinite(dci):
        return SwallowType(None, (), "dci_missing")
    if limits.failed.crossed_by(dci):
        return SwallowType("failed", (), "ok")
    if limits.weak.crossed_by(dci):
        early = ("premature_weak",) if limits.premature.crossed_by(distal_latency) else ()
        return SwallowType("weak", early, "ok")
    flags = []
    if limits.premature.crossed_by(distal_latency):
        flags.append("premature")
    if limits.hypercontractile.crossed_by(dci):
        flags.append("hypercontractile")
    if flags:
        return SwallowType(flags[0], tuple(flags), "ok")
    if not math.isfinite(distal_latency):
        # A vigorous swallow whose front cannot be timed may be premature.
        return SwallowType(None, (), "distal_latency_missing")
    if not math.isfinite(break_length):
        return SwallowType(None, (), "break_missing")
    if limits.fragmented.crossed_by(break_length):
        return SwallowType("fragmented", (), "ok")
    return SwallowType("normal", (), "ok")
