"""Data sets in the shape of ADaM: ADSL, one BDS, ADAE and ADTTE, as CSV.

Study days stand where ADaM has dates: a trial's data hold none, and none is made up. A blinded
report has the dummy arms here too. Shape and names follow the ADaM Implementation Guide; this is
no submission package, and has no define.xml.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hrm.errors import ParameterError
from hrm.trial.definitions import eckardt
from hrm.trial.gather import reading_of, score_of, time_to_failure, two_systems
from hrm.trial.inputs.clinical import Clinical
from hrm.trial.inputs.plan import TrialPlan
from hrm.trial.inputs.plan_options import ADAM_NAME, Visit
from hrm.trial.inputs.sheets import exact
from hrm.trial.outcome import Arm, Followed, used

#: Parameters of the BDS that are no manometry: the score, its items in order, and success.
SCORE_CODES = ("ECKTOT", "ECKDYS", "ECKREG", "ECKCP", "ECKWL")
SUCCESS_CODE = "CLINSUCC"


@dataclass(frozen=True, slots=True)
class Field:
    """A variable of a data set: its name, its label (at most 40 characters) and its kind."""

    name: str
    label: str
    kind: str = "text"


_SUBJECT = (
    Field("STUDYID", "Study identifier"),
    Field("USUBJID", "Unique subject identifier"),
)
_ARM = (Field("TRTP", "Planned treatment"), Field("TRTPN", "Planned treatment (N)", "integer"))
ADSL = (
    *_SUBJECT,
    Field("SUBJID", "Subject identifier for the study"),
    Field("TRT01P", "Planned treatment for period 01"),
    Field("TRT01PN", "Planned treatment for period 01 (N)", "integer"),
    Field("ITTFL", "Intent-to-treat population flag"),
    Field("SAFFL", "Safety population flag"),
    Field("PPROTFL", "Per-protocol population flag"),
)
ADBDS = (
    *_SUBJECT,
    *_ARM,
    Field("PARAMCD", "Parameter code"),
    Field("PARAM", "Parameter"),
    Field("PARAMN", "Parameter (N)", "integer"),
    Field("AVISIT", "Analysis visit"),
    Field("AVISITN", "Analysis visit (N)", "integer"),
    Field("ADY", "Analysis relative day", "integer"),
    Field("AVAL", "Analysis value", "float"),
    Field("BASE", "Baseline value", "float"),
    Field("CHG", "Change from baseline", "float"),
    Field("ABLFL", "Baseline record flag"),
    Field("ANL01FL", "Analysis flag 01"),
    Field("REASON", "Why the value or its change is missing"),
    Field("REVFL", "Value reviewed by a reader flag"),
    Field("SRCREF", "Sources of the value"),
)
ADAE = (
    *_SUBJECT,
    *_ARM,
    Field("AESEQ", "Sequence number", "integer"),
    Field("AEDECOD", "Term as recorded"),
    Field("AETOXGR", "Grade in the lexicon of the plan"),
    Field("AESER", "Serious event"),
    Field("AEREL", "Related to the treatment"),
    Field("ASTDY", "Day after the procedure", "integer"),
    Field("ATIMGR", "Timing group"),
    Field("INCIDFL", "Incident, no adverse event, flag"),
)
ADTTE = (
    *_SUBJECT,
    *_ARM,
    Field("PARAMCD", "Parameter code"),
    Field("PARAM", "Parameter"),
    Field("AVAL", "Analysis value", "float"),
    Field("AVALU", "Analysis value unit"),
    Field("CNSR", "Censor, 0 is an event", "integer"),
    Field("EVNTDESC", "Event or censoring description"),
)

Row = Mapping[str, str]


def data_sets(
    plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm]
) -> dict[str, tuple[tuple[Field, ...], list[Row]]]:
    """Make every data set that the trial has: its fields and its rows.

    Raises
    ------
    ParameterError
        If a name is none of ADaM's or stands twice.
    """
    own = tuple(
        Field(each.adam, each.label[:40], "float" if each.kind in ("mean", "median") else "text")
        for each in plan.options.columns
    )
    made: dict[str, tuple[tuple[Field, ...], list[Row]]] = {
        "adsl": ((*ADSL, *own), list(_adsl(plan, clinical, arms))),
        "adbds": (ADBDS, list(_adbds(plan, clinical, arms))),
    }
    if clinical.further.adverse_events is not None:
        made["adae"] = (ADAE, list(_adae(plan, clinical, arms)))
    if plan.options.failure is not None:
        made["adtte"] = (ADTTE, list(_adtte(plan, clinical, arms)))
    for fields, _ in made.values():
        check_names(fields)
    return made


def check_names(fields: Sequence[Field]) -> None:
    """Refuse names and labels that ADaM does not allow.

    Raises
    ------
    ParameterError
        If a name is longer than 8, has other characters, or stands twice; if a label is
        longer than 40; or if the name of a flag does not end in FL.
    """
    names = [each.name for each in fields]
    wrong = [name for name in names if ADAM_NAME.fullmatch(name) is None]
    wrong += [each.name for each in fields if not 0 < len(each.label) <= 40]
    wrong += [
        each.name for each in fields if each.label.endswith(" flag") and each.name[-2:] != "FL"
    ]
    wrong += sorted({name for name in names if names.count(name) > 1})
    if wrong:
        raise ParameterError(
            f"{len(wrong)} variables of a data set have a name or a label that ADaM does not "
            f"allow, or stand twice: {', '.join(dict.fromkeys(wrong))}"
        )


def to_csv(fields: Sequence[Field], rows: Sequence[Row]) -> str:
    """Write a data set; an empty cell is a missing value."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([each.name for each in fields])
    writer.writerows([row.get(each.name, "") for each in fields] for row in rows)
    return out.getvalue()


def _yes(truth: object) -> str:
    return "Y" if truth else "N"


def _maybe(truth: bool | None) -> str:
    return "" if truth is None else _yes(truth)


def _people(arms: Sequence[Arm]) -> Iterator[tuple[Arm, int, Followed]]:
    """Everybody in the order of the codes, so that the file does not show the arms in blocks."""
    everybody = [
        (arm, number, each) for number, arm in enumerate(arms, start=1) for each in arm.people
    ]
    yield from sorted(everybody, key=lambda item: item[2].person.code)


def _subject(plan: TrialPlan, each: Followed) -> dict[str, str]:
    # In every row, so that rows that are merged or moved elsewhere still say what they are.
    start = "SYNTHETIC" if plan.options.synthetic else "HRM"
    study = f"{start}-{plan.sha256[:8]}"
    return {"STUDYID": study, "USUBJID": f"{study}-{each.person.code}"}


def _planned(arm: Arm, number: int) -> dict[str, str]:
    return {"TRTP": arm.label, "TRTPN": str(number)}


def _adsl(plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm]) -> Iterator[Row]:
    for arm, number, each in _people(arms):
        code = each.person.code
        row = _subject(plan, each) | {
            "SUBJID": code,
            "TRT01P": arm.label,
            "TRT01PN": str(number),
            "ITTFL": "Y",
            "SAFFL": _yes(each.person.treated),
            "PPROTFL": _yes(each.person.per_protocol),
        }
        for column in plan.options.columns:
            value = clinical.further.values.get(column.name, {}).get(code)
            if column.kind == "yes-no" and value is not None:
                row[column.adam] = _yes(value)
            elif value is not None:
                row[column.adam] = value if isinstance(value, str) else exact(value)
        yield row


def _adbds(plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm]) -> Iterator[Row]:
    for arm, number, each in _people(arms):
        start = _subject(plan, each) | _planned(arm, number)
        yield from _of_scores(plan, clinical, each, start)
        yield from _of_manometry(plan, clinical, each, start)


def _at(plan: TrialPlan, clinical: Clinical, code: str, visit: Visit) -> dict[str, str]:
    number = plan.visits.index(visit)
    seen = clinical.visits.get((code, visit.name))
    return {
        "AVISIT": visit.name,
        "AVISITN": str(number),
        "ADY": "" if seen is None else str(seen.study_day),
        "ABLFL": "Y" if number == 0 else "",
        "ANL01FL": _yes(used(seen, plan) is not None),
    }


def _of_scores(
    plan: TrialPlan, clinical: Clinical, each: Followed, start: Mapping[str, str]
) -> Iterator[Row]:
    code = each.person.code
    labels = ("Eckardt score", *(f"Eckardt: {name.lower()}" for name in eckardt().labels))
    for place, (name, label) in enumerate(zip(SCORE_CODES, labels, strict=True)):
        base, _ = score_of(plan, clinical, code, plan.baseline, place - 1 if place else None)
        for visit in plan.visits:
            if (code, visit.name) not in clinical.visits:
                continue
            value, reason = score_of(plan, clinical, code, visit, place - 1 if place else None)
            about = {"PARAMCD": name, "PARAM": label, "PARAMN": str(place + 1), "REASON": reason}
            yield {**start, **about, **_at(plan, clinical, code, visit), **_values(value, base)}
    about = {"PARAMCD": SUCCESS_CODE, "PARAM": "Clinical success", "PARAMN": str(len(labels) + 1)}
    yield {
        **start,
        **about,
        **_at(plan, clinical, code, plan.primary),
        "AVAL": "" if each.success is None else str(int(each.success)),
        "REASON": "outcome missing" if each.success is None else "",
    }


def _values(value: float | None, base: float | None) -> dict[str, str]:
    row = {"AVAL": exact(value), "BASE": exact(base)}
    if value is not None and base is not None:
        row["CHG"] = exact(value - base)
    return row


def _of_manometry(
    plan: TrialPlan, clinical: Clinical, each: Followed, start: Mapping[str, str]
) -> Iterator[Row]:
    if clinical.linked is None:
        return
    code = each.person.code
    for place, quantity in enumerate(clinical.linked.quantities, start=11):
        base, _ = reading_of(plan, clinical, code, plan.baseline, quantity.key)
        for visit in plan.visits:
            reading, reason = reading_of(plan, clinical, code, visit, quantity.key)
            if reading is None:
                continue
            row = {
                **start,
                "PARAMCD": quantity.code,
                "PARAM": f"{quantity.label} ({reading.unit})",
                "PARAMN": str(place),
                **_at(plan, clinical, code, visit),
                **_values(reading.value, base.value if base else None),
                "REASON": reason,
                "REVFL": _yes(reading.reviewed),
                "SRCREF": " ".join(reading.source),
            }
            if visit != plan.baseline and two_systems(plan, clinical, code):
                row |= {"CHG": "", "REASON": "different system"}
            yield row


def _adae(plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm]) -> Iterator[Row]:
    told = clinical.further.adverse_events
    if told is None:
        return
    for arm, number, each in _people(arms):
        own = [
            (event, day)
            for event, day in zip(told.events, clinical.further.event_days, strict=True)
            if event.participant == each.person.code
        ]
        for place, (event, day) in enumerate(own, start=1):
            yield {
                **_subject(plan, each),
                **_planned(arm, number),
                "AESEQ": str(place),
                "AEDECOD": event.term,
                "AETOXGR": event.grade or "",
                "AESER": _maybe(event.serious),
                "AEREL": _maybe(event.related),
                "ASTDY": "" if day is None else str(day),
                "ATIMGR": event.timing or "",
                "INCIDFL": _yes(event.incident),
            }


def _adtte(plan: TrialPlan, clinical: Clinical, arms: Sequence[Arm]) -> Iterator[Row]:
    for arm, number, each in _people(arms):
        found = time_to_failure(plan, clinical, each.person.code)
        if found is None:
            continue
        day, failed = found
        yield {
            **_subject(plan, each),
            **_planned(arm, number),
            "PARAMCD": "TTFAIL",
            "PARAM": "Time to failure",
            "AVAL": exact(day),
            "AVALU": "DAYS",
            "CNSR": "0" if failed else "1",
            "EVNTDESC": "Failure at a visit" if failed else "Last visit without failure",
        }
