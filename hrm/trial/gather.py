"""From what was read to what the tables are made of: `Records`, by participant, without arms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hrm.report import wording
from hrm.trial.definitions import Quantity, eckardt
from hrm.trial.eckardt import total
from hrm.trial.inputs.clinical import Clinical, Seen
from hrm.trial.inputs.further import variable_of
from hrm.trial.inputs.manometry import Reading, Recorded
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.plan_options import Visit
from hrm.trial.outcome import used
from hrm.trial.records import (
    CATEGORY,
    Failures,
    Measure,
    Pair,
    Readings,
    Records,
    Repeated,
    Variable,
)

#: Why a value is missing, in the words of a report.
NO_VISIT, NO_RECORDING = "no visit", "no recording"
OUTSIDE, NO_ITEM = "visit outside its window", "item missing"
OTHER_SYSTEM = "different system"

_Found = tuple[float | None, str]


def gather(plan: TrialPlan, clinical: Clinical) -> Records:
    """Make the records of a trial.

    Parameters
    ----------
    plan : TrialPlan
    clinical : Clinical

    Returns
    -------
    Records
        Holds no arm. A visit outside its window has no value if the plan says so; the pair
        of two systems has both values and no change.
    """
    codes = [each.code for each in clinical.participants if not each.excluded]
    scores, pressures = tuple(_scores(plan, clinical, codes)), _pressures(plan, clinical, codes)
    columns = plan.options.columns
    known = {
        each.name: variable_of(each, clinical.further.values.get(each.name, {})) for each in columns
    }

    def group(name: str) -> tuple[Variable, ...]:
        return tuple(known[each.name] for each in columns if each.group == name)

    strata = [known[each.name] for each in columns if each.stratum]
    subtype = tuple(_subtype(plan, clinical, codes))
    at_baseline = tuple(_baseline(each) for each in (*scores, *pressures))
    return Records(
        characteristics=(*group("baseline"), *subtype, *at_baseline),
        procedure=group("procedure"),
        reflux=group("reflux"),
        subgroups=tuple(known[each.name] for each in columns if each.subgroup),
        # The score itself is a table of the report already.
        measures=(*scores[1:], *pressures),
        repeated=_repeated(plan, clinical, codes),
        failures=_failures(plan, clinical, codes),
        adverse_events=clinical.further.adverse_events,
        deviations=clinical.further.deviations,
        readings=_readings(clinical),
        strata=strata[0] if strata else None,
        synthetic=plan.options.synthetic,
    )


def _pairs(
    plan: TrialPlan, codes: Sequence[str], found: Callable[[str, Visit], _Found]
) -> dict[str, Pair]:
    out = {}
    for code in codes:
        before, why_before = found(code, plan.baseline)
        after, why_after = found(code, plan.primary)
        out[code] = Pair(before, after, why_before, why_after)
    return out


def _scores(plan: TrialPlan, clinical: Clinical, codes: Sequence[str]) -> Iterator[Measure]:
    """The Eckardt total and its items, before and after."""
    instrument = eckardt()

    def of(number: int | None) -> Callable[[str, Visit], _Found]:
        return lambda code, visit: score_of(plan, clinical, code, visit, number)

    yield Measure("Eckardt score", instrument.unit, _pairs(plan, codes, of(None)), digits=2)
    for number, label in enumerate(instrument.labels):
        pairs = _pairs(plan, codes, of(number))
        yield Measure(f"Eckardt: {label.lower()}", instrument.unit, pairs, digits=2)


def score_of(
    plan: TrialPlan, clinical: Clinical, code: str, visit: Visit, number: int | None
) -> _Found:
    """Give the Eckardt total (None) or an item of one visit, or why there is none."""
    seen = clinical.visits.get((code, visit.name))
    if seen is None:
        return None, NO_VISIT
    if used(seen, plan) is None:
        return None, OUTSIDE
    value = total(seen.items) if number is None else seen.items[number]
    return (None, NO_ITEM) if value is None else (float(value), "")


def _pressures(plan: TrialPlan, clinical: Clinical, codes: Sequence[str]) -> tuple[Measure, ...]:
    """The manometry before and after; two systems are no pair if the plan says so."""
    linked, choice = clinical.linked, plan.options.manometry
    if linked is None or choice is None:
        return ()
    return tuple(_measure(each, plan, clinical, codes) for each in linked.quantities)


def _measure(
    quantity: Quantity, plan: TrialPlan, clinical: Clinical, codes: Sequence[str]
) -> Measure:
    found = {
        (code, visit.name): reading_of(plan, clinical, code, visit, quantity.key)
        for code in codes
        for visit in (plan.baseline, plan.primary)
    }
    readings = [reading for reading, _ in found.values() if reading is not None]

    def value(code: str, visit: Visit) -> _Found:
        reading, reason = found[(code, visit.name)]
        return (reading.value if reading is not None and not reason else None), reason

    pairs = _pairs(plan, codes, value)
    for code, pair in pairs.items():
        if pair.before is not None and pair.after is not None and two_systems(plan, clinical, code):
            pairs[code] = Pair(pair.before, pair.after, excluded=OTHER_SYSTEM)
    reviewed = sum(each.reviewed for each in readings if each.value is not None)
    measured = sum(each.value is not None for each in readings)
    unit = readings[0].unit if readings else ""
    unit = unit.replace("percent", "%")
    return Measure(
        quantity.label,
        unit,
        pairs,
        quantity.digits,
        quantity.drawn,
        reviewed=reviewed,
        automatic=measured - reviewed,
        kind=quantity.kind,
    )


def reading_of(
    plan: TrialPlan, clinical: Clinical, code: str, visit: Visit, key: str
) -> tuple[Reading | None, str]:
    """Give a number of manometry that counts, or why there is none."""
    recorded = recording_of(clinical, code, visit)
    if recorded is None:
        return None, NO_RECORDING
    if used(clinical.visits[(code, visit.name)], plan) is None:
        return None, OUTSIDE
    reading = recorded.readings[key]
    return reading, "" if reading.value is not None else reading.status.replace("_", " ")


def recording_of(clinical: Clinical, code: str, visit: Visit) -> Recorded | None:
    """Give the recording of a visit, if there is one."""
    linked = clinical.linked
    return linked.recordings.get((code, visit.name)) if linked else None


def two_systems(plan: TrialPlan, clinical: Clinical, code: str) -> bool:
    """Whether two systems recorded a participant where the plan wants one."""
    choice = plan.options.manometry
    before, after = (recording_of(clinical, code, visit) for visit in (plan.baseline, plan.primary))
    if choice is None or not choice.same_system or before is None or after is None:
        return False
    return before.system != after.system


def _baseline(measure: Measure) -> Variable:
    """Describe a measure at baseline."""
    values = {code: pair.before for code, pair in measure.pairs.items() if pair.before is not None}
    return Variable(measure.label, measure.kind, values, measure.unit, digits=measure.digits)


def _subtype(plan: TrialPlan, clinical: Clinical, codes: Sequence[str]) -> Iterator[Variable]:
    """Diagnosis before treatment; after it the studies are described and not classified."""
    found = {}
    for code in codes:
        recorded = recording_of(clinical, code, plan.baseline)
        if recorded is not None and recorded.diagnosis is not None:
            found[code] = recorded.diagnosis
    if found:
        levels = tuple(dict.fromkeys(map(wording.diagnosis, sorted(set(found.values())))))
        said = {code: wording.diagnosis(name) for code, name in found.items()}
        yield Variable("Chicago Classification v4.0 before treatment", CATEGORY, said, "", levels)


def _repeated(plan: TrialPlan, clinical: Clinical, codes: Sequence[str]) -> tuple[Repeated, ...]:
    """The Eckardt score at every visit, if there are more than two."""
    after = plan.visits[1:]
    if len(after) < 2:
        return ()
    scores = {
        (code, visit.name): score_of(plan, clinical, code, visit, None)[0]
        for code in codes
        for visit in plan.visits
    }
    known = {key: value for key, value in scores.items() if value is not None}
    baseline = {code: value for (code, name), value in known.items() if name == plan.baseline.name}
    later = {key: value for key, value in known.items() if key[1] != plan.baseline.name}
    names = tuple(visit.name for visit in after)
    return (Repeated("Eckardt score", eckardt().unit, names, baseline, later),)


def _failures(plan: TrialPlan, clinical: Clinical, codes: Sequence[str]) -> Failures | None:
    choice = plan.options.failure
    if choice is None:
        return None
    followed = {}
    for code in codes:
        last = time_to_failure(plan, clinical, code)
        if last is not None:
            followed[code] = last
    words = plan.rule.words()
    definition = (
        "Failure: the first visit after baseline at which the participant is no success, or was "
        f"retreated. {words[0].upper()}{words[1:]}. Seen at visits only, so that each time is an upper limit."
    )
    return Failures(
        unit="days",
        times=tuple(float(day) for day in choice.times_days),
        followed=followed,
        horizon=float(choice.horizon_days),
        interval=choice.interval,
        definition=definition,
        digits=1,
    )


def time_to_failure(plan: TrialPlan, clinical: Clinical, code: str) -> tuple[float, bool] | None:
    """Day of the first visit with a failure, or of the last one without; None: none was seen."""
    visits: list[Seen] = []
    for visit in plan.visits[1:]:
        seen = used(clinical.visits.get((code, visit.name)), plan)
        if seen is not None and seen.study_day > 0:
            visits.append(seen)
    last: float | None = None
    for seen in sorted(visits, key=lambda each: each.study_day):
        outcome = plan.rule.outcome(seen.items, retreated=seen.retreated)
        if outcome is False:
            return float(seen.study_day), True
        if outcome is not None:
            last = float(seen.study_day)
    return None if last is None else (last, False)


def _readings(clinical: Clinical) -> tuple[Readings, ...]:
    """Software against reader, of the recordings that a reader corrected."""
    linked = clinical.linked
    if linked is None:
        return ()
    out = []
    for quantity in linked.quantities:
        both: list[tuple[float, float]] = []
        unit = ""
        for recorded in linked.recordings.values():
            if recorded.automatic is None:
                continue
            new, old = recorded.readings[quantity.key], recorded.automatic[quantity.key]
            unit = new.unit
            if new.value is not None and old.value is not None:
                both.append((old.value, new.value))
        if both:
            first, second = (tuple(each) for each in zip(*both, strict=True))
            out.append(
                Readings(
                    quantity.label,
                    unit.replace("percent", "%"),
                    first,
                    second,
                    ("software", "reader"),
                    quantity.digits,
                    corrected=True,
                )
            )
    return tuple(out)
