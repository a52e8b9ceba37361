"""What the decision trees look at, and how they write down what decided."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hrm.catalog import Limit, find_limit, limit_table, parameter_table
from hrm.errors import ParameterError
from hrm.metrics.study import median_readings
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

#: Those that a raised IRP leads to.
RAISED_IRP = frozenset(("achalasia_type_1", "achalasia_type_2", "achalasia_type_3", "egjoo"))

#: Every consideration that a result can carry; `hrm/data/words.toml` says each in words.
CONSIDERATIONS = (
    "symptoms",
    "tbe_or_flip",
    "tests_normal",
    "upright_irp",
    "supine_irp",
    "supine_swallows",
    "intrabolus_pressure",
    "isolated_irp_elevation",
    "raised_upright_irp",
    "irp_borderline",
    "achalasia",
    "achalasia_type_1",
    "achalasia_type_2",
    "achalasia_type_3",
    "peristalsis_on_position_change",
    "weak_premature_contractions",
    "hypercontractile",
    "iem",
    "with_spastic_features",
    "with_hypercontractile_features",
    "with_ineffective_motility",
    "without_disordered_peristalsis",
    "exclude_mechanical_obstruction",
    "bolus_transit",
    "mrs_reserve",
    "repeat_off_opioids",
    "limit_named_by_user",
    "prior_surgery",
    "no_evaluable_swallow",
    "irp_missing",
    "posture_unknown",
    "posture_partly_unknown",
    "catheter_contradicts_system",
    "les_sensor_failed",
    "sleeve_between_sensors",
    "swallows_may_be_missed",
    "system_unknown",
    "no_irp_limit_for_system",
)
#: Types of a swallow that carries a contraction down the esophagus.
_PERISTALTIC = ("normal", "weak", "fragmented", "hypercontractile")


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

    @property
    def tests_normal(self) -> bool:
        """Whether both tests were done and neither is abnormal."""
        return self.tbe == self.flip == "normal"


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
    irp_readings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class UserLimit:
    """An IRP limit that the user named: a row of the table, or a number of their own."""

    value: float
    row: str
    citation: str
    position: str = "any"
    confidence: str = "user"

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
            confidence=self.confidence,
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
    confidence: str
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
    """The swallows of one posture and the IRP limit for it.

    Attributes
    ----------
    name : str
    swallows : sequence of Swallow
    types : sequence of str
        Type of each swallow, ``unknown`` where a number that decides is missing.
    flags : sequence of tuple of str
        ``premature`` and ``hypercontractile``, which may both hold, or
        ``premature_weak`` for an early contraction too weak to be premature.
    irp : float [mmHg]
        Median; NaN when not measured.
    limit : Limit or None
        Row of the IRP for this posture.
    irp_readings : mapping of str to float [mmHg]
        Median by other admissible readings.
    """

    name: str
    swallows: Sequence[Swallow]
    types: Sequence[str]
    flags: Sequence[tuple[str, ...]]
    irp: float
    limit: Limit | None
    irp_readings: Mapping[str, float] = field(default_factory=dict)

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

    def percent(self, *kinds: str) -> float:
        """Share of the swallows of these types [%]."""
        return self._share(lambda kind, _: kind in kinds)

    def percent_flagged(self, flag: str) -> float:
        """Share of the swallows with this flag, whatever their type [%]."""
        return self._share(lambda _, flags: flag in flags)

    @property
    def percent_panesophageal(self) -> float:
        """Share with panesophageal pressurization [%]."""
        return _percent(swallow.panesophageal for swallow in self.swallows)

    @property
    def percent_failed_or_weak_early(self) -> float:
        """Share that failed, an early contraction below the weak limit included [%]."""
        return self._share(lambda kind, flags: kind == "failed" or "premature_weak" in flags)

    @property
    def percent_failed_or_early(self) -> float:
        """Share that failed or came early, however weak: no peristalsis [%]."""
        return self._share(
            lambda kind, flags: (
                kind == "failed" or "premature" in flags or "premature_weak" in flags
            )
        )

    @property
    def shows_peristalsis(self) -> bool:
        """Whether any swallow carries a contraction that does not come early."""
        return any(
            kind in _PERISTALTIC and "premature_weak" not in flags
            for kind, flags in zip(self.types, self.flags, strict=True)
        )

    def _share(self, counts: Callable[[str, tuple[str, ...]], bool]) -> float:
        return _percent(map(counts, self.types, self.flags))


def _percent(hits: Iterable[bool]) -> float:
    found = list(hits)
    return 100.0 * sum(found) / len(found) if found else math.nan


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
        flags=[kind.flags for kind in kinds],
        irp=statistics.median(pressures) if pressures else math.nan,
        limit=limit,
        irp_readings=median_readings([swallow.irp_readings for swallow in own]),
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
                rule=rule,
                value=_plain(value),
                comparator=limit.comparator,
                limit=limit.value,
                unit=limit.unit,
                row=limit.id,
                citation=limit.citation,
                confidence=limit.confidence,
                met=met,
            )
        )
        return met

    def choose(self, rule: str, value: float, comparator: str, limit: float, key: str) -> None:
        """Write down a comparison that was met, with a limit made by a parameter [mmHg]."""
        row = parameter_table()[key]
        self.rules.append(
            Rule(
                rule=rule,
                value=_plain(value),
                comparator=comparator,
                limit=limit,
                unit="mmHg",
                row=key,
                citation=row.source,
                confidence=row.confidence,
                met=True,
            )
        )

    def state(self, rule: str, value: float | str, *, met: bool) -> bool:
        """Write down a fact that no row of the table decides."""
        plain = _plain(value) if isinstance(value, float) else value
        self.rules.append(stated_rule(rule, plain, met=met))
        return met

    def consider(self, *names: str) -> None:
        """Add considerations, each once."""
        self.considerations += [name for name in names if name not in self.considerations]


def stated_rule(rule: str, value: float | str | None, *, met: bool) -> Rule:
    """Make a rule that states a fact, without a limit."""
    return Rule(rule, value, "", None, "", "", "", "", met)


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
    symptoms = _symptoms(given.get("symptoms"), faults)
    for name, known in (
        ("tbe", TEST_RESULTS),
        ("flip", TEST_RESULTS),
        ("prior_surgery", SURGERIES),
    ):
        if given.get(name, "unknown") not in known:
            faults.append(f"{name} is one of {', '.join(known)}, got {given[name]!r}")
    if not isinstance(given.get("opioids"), bool | None):
        # Any word would count as yes.
        faults.append(f"opioids is True, False or None, got {given['opioids']!r}")
    if faults:
        raise ParameterError("clinical information: " + "; ".join(faults))
    return Clinical(
        symptoms=symptoms,
        tbe=str(given.get("tbe", "unknown")),
        flip=str(given.get("flip", "unknown")),
        opioids=given.get("opioids"),
        prior_surgery=str(given.get("prior_surgery", "unknown")),
    )


def _symptoms(stated: Iterable[str] | None, faults: list[str]) -> frozenset[str] | None:
    """Check the symptoms; what is wrong with them goes to `faults`."""
    if stated is None:
        return None
    # A bare word would be taken apart into letters.
    given = {stated} if isinstance(stated, str) else set(stated)
    unknown = sorted(str(name) for name in given - set(SYMPTOMS))
    if unknown or isinstance(stated, str):
        faults.append(
            f"symptoms are a list of {', '.join(SYMPTOMS)}, empty when absent; "
            f"got {', '.join(unknown) or repr(stated)}"
        )
    return frozenset(given)


def clinical_block(clinical: Clinical) -> dict[str, Any]:
    """Give what was said of the patient for the results, so that they can be computed again.

    Parameters
    ----------
    clinical : Clinical

    Returns
    -------
    dict
        ``symptoms`` is None when not asked, and ``opioids`` likewise.
    """
    asked = clinical.symptoms
    return {
        "symptoms": None if asked is None else sorted(asked),
        "tbe": clinical.tbe,
        "flip": clinical.flip,
        "opioids": clinical.opioids,
        "prior_surgery": clinical.prior_surgery,
    }


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
    # Version 2 limits the mean IRP, which is not what is compared here.
    rows = {
        row.id: row for row in limit_table() if row.quantity == "irp4s" and row.cc_version != "2.0"
    }
    if stated not in rows:
        raise ParameterError(
            f"unknown IRP limit {stated!r}; give a number of mmHg or one of {', '.join(rows)}"
        )
    row = rows[stated]
    return UserLimit(row.value, row.id, row.citation, row.position, row.confidence)
