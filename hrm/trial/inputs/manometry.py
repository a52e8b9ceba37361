"""The manometry of a trial: recordings of a batch, joined by participant and visit.

Nothing is classified here: after a myotomy the Chicago Classification does not hold, and
the numbers are described as they are. A number that was not measured is None with its
status; an LES that left no pressure to measure is not 0 mmHg.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from hrm import catalog
from hrm.store import Ledger
from hrm.trial.definitions import Quantity, quantities
from hrm.trial.inputs.plan import TrialPlan

#: Values whose origin is one of these a reader has given or seen.
_REVIEWED = ("reader:", "review:")


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of one participant at one visit.

    Parameters
    ----------
    value : float or None
        None: not measured; `status` says why.
    unit, status : str
    source : tuple of str
        ``<sha256 of the file>#hrm-<version>#<parameters id>+<said>#<who>``, one for each number it
        was made of.
    """

    value: float | None
    unit: str
    status: str
    source: tuple[str, ...]

    @property
    def reviewed(self) -> bool:
        """Whether a reader gave the number or corrected what it was measured from."""
        return any(_who(each).startswith(_REVIEWED) for each in self.source)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording of one participant at one visit, with the numbers that are compared.

    `automatic` holds the numbers before a reader's review, where there was one and the ledger
    still has them, for the agreement of reader and software.
    """

    sha256: str
    engine: str
    system: str
    diagnosis: str | None
    readings: Mapping[str, Reading]
    automatic: Mapping[str, Reading] | None = None

    @property
    def reviewed(self) -> bool:
        """Whether a reader corrected anything of it."""
        return any(reading.reviewed for reading in self.readings.values())


@dataclass(frozen=True, slots=True)
class Linked:
    """Every recording that belongs to somebody randomized, by participant and visit."""

    quantities: tuple[Quantity, ...]
    recordings: Mapping[tuple[str, str], Recorded]
    #: Recordings of who was assessed and not randomized; they are in no table.
    unused: int
    #: Digest of the sources of each batch, for the manifest.
    sha256: Mapping[str, str]
    #: Files of the batches that could not be measured: whose they are, no ledger says.
    failed: int


@dataclass(frozen=True, slots=True)
class _Study:
    """One result of a ledger that holds."""

    batch: int
    number: int
    participant: str | None
    visit: str | None
    recorded: Recorded

    def name(self) -> str:
        """Name it in a fault, by what no patient's name can be in."""
        return f"batch {self.batch}, recording {self.recorded.sha256[:12]}"


def _who(source: str) -> str:
    return source.rpartition("#")[2]


def read_manometry(
    folder: Path,
    plan: TrialPlan,
    seen: Collection[tuple[str | None, str | None]],
    assessed: set[str],
    randomized: set[str],
) -> tuple[Linked | None, list[str]]:
    """Join the recordings of the plan's batches to participants and visits.

    Parameters
    ----------
    folder : Path
        Of the trial; the plan's batches count from here.
    plan : TrialPlan
    seen : collection of (participant, visit)
        The visits that the clinical data have.
    assessed, randomized : set of str
        Codes of participants.

    Returns
    -------
    linked : Linked or None
        None if the plan has no manometry.
    faults : list of str
        Recordings that belong to nobody, to two visits, to a visit without data; two
        recordings of one visit. None is quoted but by its digest.
    """
    choice = plan.options.manometry
    if choice is None:
        return None, []
    wanted = quantities(choice.les_pressure, choice.posture)
    studies, failed, faults = _studies(folder, choice.batches, wanted, choice.posture)
    faults += _unlinked(studies, plan, seen, assessed, randomized)
    faults += _twice(studies)
    found: dict[tuple[str, str], Recorded] = {}
    for study in studies:
        if study.participant in randomized and study.visit is not None:
            key = (study.participant, study.visit)
            found[key] = _better(found.get(key), study.recorded)
    unused = sum(study.participant in assessed - randomized for study in studies)
    digests = {f"batch {study.batch}": "" for study in studies}
    for name in digests:
        digests[name] = _digest(study for study in studies if f"batch {study.batch}" == name)
    return Linked(wanted, found, unused, digests, failed), faults


def _digest(studies: Iterator[_Study]) -> str:
    from hashlib import sha256

    rows = sorted(
        (study.recorded.sha256, *reading.source, repr(reading.value))
        for study in studies
        for reading in study.recorded.readings.values()
    )
    return sha256(json.dumps(rows).encode()).hexdigest()


def _better(old: Recorded | None, new: Recorded) -> Recorded:
    """Of two results of one recording the reviewed one counts."""
    return old if old is not None and old.reviewed else new


def _unlinked(
    studies: Sequence[_Study],
    plan: TrialPlan,
    seen: Collection[tuple[str | None, str | None]],
    assessed: set[str],
    randomized: set[str],
) -> list[str]:
    visits = {visit.name for visit in plan.visits}
    faults = []
    for study in studies:
        if study.participant not in assessed:
            faults.append(f"{study.name()}: expected the participant of the trial that it is of")
        elif study.visit not in visits:
            faults.append(f"{study.name()}: expected a visit of the plan that it was made at")
        # Who was not randomized has no visits.
        elif study.participant in randomized and (study.participant, study.visit) not in seen:
            faults.append(f"{study.name()}: expected its visit in visits.csv")
    return faults


def _twice(studies: Sequence[_Study]) -> list[str]:
    places: dict[str, set[tuple[str | None, str | None]]] = {}
    files: dict[tuple[str | None, str | None], set[str]] = {}
    for study in studies:
        place = (study.participant, study.visit)
        places.setdefault(study.recorded.sha256, set()).add(place)
        files.setdefault(place, set()).add(study.recorded.sha256)
    out = []
    for study in studies:
        place = (study.participant, study.visit)
        if len(places[study.recorded.sha256]) > 1:
            out.append(
                f"{study.name()}: expected one visit, found {len(places[study.recorded.sha256])}"
            )
        if None not in place and len(files[place]) > 1:
            out.append(
                f"{study.name()}: expected one recording of a visit, found {len(files[place])}"
            )
    return sorted(set(out))


def _studies(
    folder: Path, batches: Sequence[str], wanted: Sequence[Quantity], posture: str
) -> tuple[list[_Study], int, list[str]]:
    found: list[_Study] = []
    faults = []
    failed = 0
    for number, batch in enumerate(batches, start=1):
        place = folder / batch
        if not (place / "hrm.sqlite").exists():
            faults.append(f"manometry.batches, entry {number}: expected a folder of hrm batch")
            continue
        with Ledger(place) as ledger:
            found += _of_ledger(ledger, number, wanted, posture)
            (count,) = ledger.connection.execute(
                "SELECT count(*) FROM input WHERE study IS NULL"
            ).fetchone()
            failed += count
    return found, failed, faults


def _of_ledger(
    ledger: Ledger, batch: int, wanted: Sequence[Quantity], posture: str
) -> Iterator[_Study]:
    rows = ledger.connection.execute(
        "SELECT id, participant, visit, sha256, engine, settings_id, review_hash, result FROM study "
        "WHERE id IN (SELECT study FROM input WHERE study IS NOT NULL) ORDER BY sha256, id"
    ).fetchall()
    for number, participant, visit, sha256, engine, settings, review, result in rows:
        told = json.loads(result)
        automatic = None
        if review:
            old = ledger.connection.execute(
                "SELECT id FROM study WHERE sha256 = ? AND engine = ? AND settings_id = ? "
                "AND review_hash = ''",
                (sha256, engine, settings),
            ).fetchone()
            automatic = _readings(ledger, old[0], wanted, posture) if old else None
        recorded = Recorded(
            sha256,
            engine,
            str(told["recording"]["system"]),
            told["classification"]["ccv4"]["diagnosis"],
            _readings(ledger, number, wanted, posture),
            automatic,
        )
        yield _Study(batch, number, participant, visit, recorded)


def _readings(
    ledger: Ledger, study: int, wanted: Sequence[Quantity], posture: str
) -> dict[str, Reading]:
    return {
        each.key: _of_study(ledger, study, each, posture)
        if each.metric
        else _of_swallows(ledger, study, each, posture)
        for each in wanted
    }


def _of_study(ledger: Ledger, study: int, quantity: Quantity, posture: str) -> Reading:
    row = ledger.connection.execute(
        "SELECT value, unit, status, source FROM metric "
        "WHERE study = ? AND metric = ? AND swallow IS NULL",
        (study, quantity.metric),
    ).fetchone()
    if row is None:
        return Reading(None, catalog.metrics()[quantity.metric].units, "not_measured", ())
    value, unit, status, source = row
    if _other_posture(ledger, study, quantity, posture):
        return Reading(None, unit, f"not_{posture}", (source,))
    return Reading(value, unit, "ok" if value is not None else status, (source,))


def _other_posture(ledger: Ledger, study: int, quantity: Quantity, posture: str) -> bool:
    """Whether a share of swallows is of swallows in another posture than the plan's."""
    if not quantity.metric.startswith("percent_"):
        return False
    (count,) = ledger.connection.execute(
        "SELECT count(*) FROM swallow WHERE study = ? AND evaluable AND posture = ?",
        (study, posture),
    ).fetchone()
    return not count


def _of_swallows(ledger: Ledger, study: int, quantity: Quantity, posture: str) -> Reading:
    """Median over the evaluable single swallows in the plan's posture."""
    rows = ledger.connection.execute(
        "SELECT metric.value, metric.source FROM metric JOIN swallow "
        "ON swallow.study = metric.study AND swallow.swallow = metric.swallow "
        "WHERE metric.study = ? AND metric.metric = ? AND swallow.evaluable "
        "AND swallow.posture = ? AND swallow.protocol IN ('single', 'unknown') "
        "AND metric.value IS NOT NULL AND metric.status = 'ok' ORDER BY metric.swallow",
        (study, quantity.swallows, posture),
    ).fetchall()
    unit = catalog.metrics()[quantity.swallows].units
    if not rows:
        return Reading(None, unit, "no_evaluable_swallow", ())
    sources = tuple(sorted({source for _, source in rows}))
    return Reading(median(value for value, _ in rows), unit, "ok", sources)
