"""What the decision trees look at, and how they write down what decided."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hrm.catalog import Limit, find_limit, limit_table
from hrm.errors import ParameterError
from hrm.metrics.swallow_types import SwallowLimits, swallow_type

SYMPTOMS = ("dysphagia", "chest_pain")
OBSTRUCTIVE_SYMPTOMS = frozenset(SYMPTOMS)
TEST_RESULTS = ("abnormal", "normal", "unknown")
SURGERIES = ("none", "myotomy", "dilation", "fundoplication", "other", "unknown")
DIAGNOSES = (
    "normal",
    "achalasia_type_1",
    "achalasia_type_2",
    "achalasia_type_3",
    "egjoo",
    "absent_contractility",
    "des",
    "hypercontractile",
    "iem",
    "fragmented_peristalsis",
    "not_classified",
)


@dataclass(frozen=True)
class Clinical:
    """What the recording cannot say.

    Attributes
    ----------
    symptoms : frozenset of str or None
        Some of `SYMPTOMS`; empty when asked and absent, None when not asked.
    tbe, flip : str
        Timed barium esophagram and impedance planimetry, one of `TEST_RESULTS`.
    opioids : bool or None
    prior_surgery : str
        One of `SURGERIES`.
    """

    symptoms: frozenset[str] | None = None
    tbe: str = "unknown"
    flip: str = "unknown"
    opioids: bool | None = None
    prior_surgery: str = "unknown"

    @property
    def has_symptoms(self) -> bool | None:
        """Whether there is dysphagia or chest pain; None when not asked."""
        if self.symptoms is None:
            return None
        return bool(self.symptoms & OBSTRUCTIVE_SYMPTOMS)

    @property
    def test_supports_obstruction(self) -> bool:
        """Whether the barium esophagram or planimetry is abnormal."""
        return "abnormal" in (self.tbe, self.flip)


@dataclass(frozen=True)
class Swallow:
    """The numbers of one evaluable single swallow; NaN where not measured."""

    posture: str
    irp: float
    dci: float
    distal_latency: float
    break_length: float
    ibp: float
    panesophageal: bool


@dataclass(frozen=True)
class UserLimit:
    """An IRP limit that the user named: a row of the table, or a number of their own."""

    value: float
    row: str
    citation: str
    position: str = "any"

    def as_limit(self, cc_version: str, system: str, position: str) -> Limit:
        """Return it as a row, compared as that version compares."""
        return Limit(
            id=self.row,
            quantity="irp4s",
            system=system,
            position=position,
            cc_version=cc_version,
            comparator=">=" if cc_version == "4.0" else ">",
            value=self.value,
            unit="mmHg",
            citation=self.citation,
            confidence="user",
            default=False,
        )


@dataclass(frozen=True)
class Rule:
    """One rule that was looked at: the value, the limit, and whether it was met."""

    rule: str
    value: float | str | None
    comparator: str
    limit: float | None
    unit: str
    row: str
    citation: str
    met: bool


@dataclass(frozen=True)
class Verdict:
    """Result of one tree."""

    diagnosis: str
    conclusive: bool
    limited: bool = False
    considerations: tuple[str, ...] = ()
    rationale: tuple[Rule, ...] = ()
    provisional: tuple[dict[str, object], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Posture:
    """The swallows of one posture and the IRP limit for it."""

    name: str
    swallows: Sequence[Swallow]
    types: Sequence[str]
    early: Sequence[bool]
    weak_early: Sequence[bool]
    irp: float
    limit: Limit | None

    @property
    def n(self) -> int:
        """Number of swallows."""
        return len(self.swallows)

    @property
    def raised(self) -> bool:
        """Whether the median IRP is beyond its limit."""
        return self.limit is not None and self.limit.crossed_by(self.irp)

    @property
    def measured(self) -> bool:
        """Whether the median IRP and a limit for it are known."""
        return self.limit is not None and math.isfinite(self.irp)

    def borderline(self, fraction: float) -> bool:
        """Whether the IRP is in the upper part of normal."""
        if self.limit is None or self.raised:
            return False
        return self.irp >= fraction * self.limit.value

    def percent(self, *kinds: str) -> float:
        """Share of the swallows of these types [%]."""
        return 100.0 * sum(kind in kinds for kind in self.types) / self.n if self.n else math.nan

    @property
    def percent_panesophageal(self) -> float:
        """Share with panesophageal pressurization [%]."""
        hits = sum(swallow.panesophageal for swallow in self.swallows)
        return 100.0 * hits / self.n if self.n else math.nan

    @property
    def percent_early(self) -> float:
        """Share of premature swallows [%]; a vigorous early one may have another type."""
        return 100.0 * sum(self.early) / self.n if self.n else math.nan

    @property
    def percent_weak_early(self) -> float:
        """Share of early contractions too weak to be called premature [%]."""
        return 100.0 * sum(self.weak_early) / self.n if self.n else math.nan

    @property
    def absent_peristalsis(self) -> bool:
        """Whether every swallow failed or is premature."""
        return self.n > 0 and all(
            kind == "failed" or early for kind, early in zip(self.types, self.early, strict=True)
        )

    @property
    def all_failed(self) -> bool:
        """Whether every swallow failed."""
        return self.n > 0 and all(kind == "failed" for kind in self.types)


def posture_facts(
    name: str, swallows: Sequence[Swallow], limits: SwallowLimits, limit: Limit | None
) -> Posture:
    """Gather what a tree needs of the swallows of one posture."""
    own = [swallow for swallow in swallows if swallow.posture == name]
    kinds = [
        swallow_type(swallow.dci, swallow.distal_latency, swallow.break_length, limits)
        for swallow in own
    ]
    pressures = [swallow.irp for swallow in own if math.isfinite(swallow.irp)]
    return Posture(
        name=name,
        swallows=own,
        types=[kind.type or "unknown" for kind in kinds],
        early=["premature" in kind.flags for kind in kinds],
        weak_early=["premature_weak" in kind.flags for kind in kinds],
        irp=statistics.median(pressures) if pressures else math.nan,
        limit=limit,
    )


@dataclass
class Notes:
    """The running account of a tree: rules looked at, considerations, warnings."""

    rules: list[Rule] = field(default_factory=list)
    considerations: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def check(self, rule: str, value: float, limit: Limit) -> bool:
        """Write down a comparison with a row of the table and return its outcome."""
        met = limit.crossed_by(value)
        self.rules.append(
            Rule(
                rule,
                _plain(value),
                limit.comparator,
                limit.value,
                limit.unit,
                limit.id,
                limit.citation,
                met,
            )
        )
        return met

    def state(self, rule: str, value: float | str, *, met: bool, row: str = "") -> bool:
        """Write down a fact that no row of the table decides."""
        plain = _plain(value) if isinstance(value, float) else value
        self.rules.append(Rule(rule, plain, "", None, "", row, "", met))
        return met

    def consider(self, *names: str) -> None:
        """Add considerations, each once."""
        self.considerations += [name for name in names if name not in self.considerations]


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def share_limit(quantity: str, system: str, cc_version: str) -> Limit:
    """Row for a share of swallows or another limit of a tree; the table always has it."""
    found = find_limit(quantity, system=system, position="any", cc_version=cc_version)
    if found is None:
        raise LookupError(f"no row for {quantity} in Chicago Classification {cc_version}")
    return found


def clinical_from(stated: Mapping[str, Any] | None) -> Clinical:
    """Check what the user says of the patient.

    Parameters
    ----------
    stated : mapping or None
        Any of ``symptoms`` (iterable of `SYMPTOMS`, empty when asked and absent),
        ``tbe``, ``flip`` (`TEST_RESULTS`), ``opioids`` (bool), ``prior_surgery``
        (`SURGERIES`).

    Returns
    -------
    Clinical

    Raises
    ------
    ParameterError
        Listing every value that is not known.
    """
    given = dict(stated or {})
    faults = [f"unknown field {name!r}" for name in given if name not in Clinical.__annotations__]
    symptoms = given.get("symptoms")
    if symptoms is not None:
        symptoms = frozenset(symptoms)
        unknown = sorted(symptoms - set(SYMPTOMS))
        if unknown:
            faults.append(f"symptoms are {', '.join(SYMPTOMS)} or none, got {', '.join(unknown)}")
    for name, known in (
        ("tbe", TEST_RESULTS),
        ("flip", TEST_RESULTS),
        ("prior_surgery", SURGERIES),
    ):
        if given.get(name, "unknown") not in known:
            faults.append(f"{name} is one of {', '.join(known)}, got {given[name]!r}")
    if faults:
        raise ParameterError("clinical information: " + "; ".join(faults))
    return Clinical(
        symptoms=symptoms,
        tbe=str(given.get("tbe", "unknown")),
        flip=str(given.get("flip", "unknown")),
        opioids=given.get("opioids"),
        prior_surgery=str(given.get("prior_surgery", "unknown")),
    )


def user_limit_from(stated: float | str | None) -> UserLimit | None:
    """Check the IRP limit that the user names: a number, or the id of a row.

    Parameters
    ----------
    stated : float [mmHg], str or None

    Returns
    -------
    UserLimit or None

    Raises
    ------
    ParameterError
        Listing the known rows.
    """
    if stated is None:
        return None
    if not isinstance(stated, str):
        if not (math.isfinite(stated) and stated > 0):
            raise ParameterError(f"the IRP limit must be a positive number of mmHg, got {stated!r}")
        return UserLimit(float(stated), "user", "named by the user")
    rows = {row.id: row for row in limit_table() if row.quantity == "irp4s"}
    if stated not in rows:
        raise ParameterError(
            f"unknown IRP limit {stated!r}; give a number of mmHg or one of {', '.join(rows)}"
        )
    row = rows[stated]
    return UserLimit(row.value, row.id, row.citation, row.position)
