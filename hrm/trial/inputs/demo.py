"""A synthetic trial: everything in it is drawn from a seed, and nobody in it exists.

150 participants in two arms, five visits, three sites, with drop-outs, deviations, missing
items, visits outside their windows, retreatments, adverse events and incidents. The numbers are
of a plausible size and were fitted to no trial; no conclusion can be drawn from them.

Shares are met by chance and not exactly. `random.Random` gives the same numbers on every machine.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from hrm.trial.inputs import layout

SEED = 20
#: Said on every page that is made of it.
SYNTHETIC = (
    "SYNTHETIC DATA: participants, recordings and results are made up by a program; "
    "nothing here says anything about a treatment."
)
TEST, REFERENCE = "posterior", "anterior"
_RANDOMIZED, _DECLINED, _NOT_ELIGIBLE = 150, 7, 5
_SITES = ("site A", "site B", "site C")
#: Name, first and last day of the window, and the share of participants who come.
_VISITS = (
    ("2 weeks", 7, 28, 0.97),
    ("3 months", 60, 120, 0.95),
    ("6 months", 150, 215, 0.94),
    ("12 months", 300, 430, 0.92),
)
_CENTERS = (14, 91, 182, 365)
_MISSING = "-99"

PLAN = f"""\
# The plan of a SYNTHETIC trial, written by `hrm trial demo`. A plan of your own has your own
# decisions: nothing here is a recommendation.
[trial]
title = "Synthetic trial of posterior against anterior myotomy"
seed = {SEED}
missing_codes = ["{_MISSING}"]
excluded_reasons = ["not eligible", "declined"]
synthetic = "{SYNTHETIC}"

[arms]
test = "{TEST}"
reference = "{REFERENCE}"

[baseline]
name = "baseline"
window_days = [-90, 0]

[primary]
name = "12 months"
window_days = [300, 430]

[success]
cutoff = 3
comparator = "<"
missing_items = "decided"
retreatment_is_failure = true

[analysis]
margin = 0.15
alpha = 0.025
method = "miettinen-nurminen"
missing_outcome = "failure"
outside_window = "use"

[manometry]
batches = ["results"]
les_pressure = "end_expiratory"
posture = "supine"
same_system = true

[adverse_events]
lexicon = "ASGE"
early_days = 14

[failure]
times_days = [182, 365]
horizon_days = 365
interval = "log-log"
""" + "".join(
    f'\n[[further_visit]]\nname = "{name}"\nwindow_days = [{first}, {last}]\n'
    for name, first, last, _ in _VISITS[:-1]
)

#: Column, ADaM name, label, kind, unit, levels, group, subgroup, stratum.
_COLUMNS: tuple[tuple[str, str, str, str, str, tuple[str, ...], str, bool, bool], ...] = (
    ("age", "AGE", "Age", "mean", "years", (), "baseline", False, False),
    ("sex", "SEX", "Sex", "category", "", ("female", "male"), "baseline", False, False),
    ("site", "SITEID", "Site", "category", "", _SITES, "baseline", False, True),
    ("duration", "DURMON", "Symptom duration", "median", "months", (), "baseline", False, False),
    ("treated_before", "PRIORTRT", "Treated before", "yes-no", "", (), "baseline", True, False),
    ("barium", "BARH5", "Barium column at 5 min", "mean", "cm", (), "baseline", False, False),
    ("procedure_min", "PROCMIN", "Procedure time", "mean", "min", (), "procedure", False, False),
    ("myotomy_cm", "MYOLEN", "Myotomy length", "mean", "cm", (), "procedure", False, False),
    ("clips", "CLIPS", "Clips", "median", "", (), "procedure", False, False),
    ("technical", "TECHSUCC", "Technical success", "yes-no", "", (), "procedure", False, False),
    ("stay", "STAYDAY", "Hospital stay", "median", "days", (), "procedure", False, False),
    ("gerdq", "GERDQ", "GERDQ", "median", "points", (), "reflux", False, False),
    ("ppi", "PPIUSE", "PPI use", "yes-no", "", (), "reflux", False, False),
    (
        *("la_grade", "LAGRADE", "Los Angeles grade", "category", ""),
        *(("none", "A", "B", "C", "D"), "reflux", False, False),
    ),
    ("aet", "AETPCT", "Acid exposure time", "median", "%", (), "reflux", False, False),
    ("aet_abnormal", "AETABN", "Acid exposure above 6%", "yes-no", "", (), "reflux", False, False),
)


@dataclass(frozen=True, slots=True)
class DemoRecording:
    """A recording that the synthetic trial has: whose, when, of what, with which system."""

    participant: str
    visit: str
    phenotype: str
    system: str
    seed: int

    @property
    def file_name(self) -> str:
        """Of the recording's file."""
        return f"{self.participant}-{'before' if self.visit == 'baseline' else 'after'}.txt"


def demo_files(seed: int = SEED) -> dict[str, str]:
    """Make the plan and the clinical data of the synthetic trial.

    Parameters
    ----------
    seed : int
        The same seed gives the same files.

    Returns
    -------
    dict of str to str
        Name and text of ``trial.toml``, ``participants.csv``, ``visits.csv``,
        ``variables.csv``, ``events.csv``, ``deviations.csv`` and ``allocation.csv``.
    """
    rng = Random(seed)
    codes = [_code(number) for number in range(1, _RANDOMIZED + 1)]
    sites = {code: rng.choice(_SITES) for code in codes}
    arms = _allocated(rng, codes, sites)
    untreated = set(rng.sample(codes, 2))
    deviations = _deviations(rng, codes, untreated)
    out = {"trial.toml": PLAN + _variables_toml()}
    out[layout.PARTICIPANTS] = _participants(rng, codes, untreated, deviations)
    out[layout.VISITS] = _visits(rng, codes)
    columns = [row[0] for row in _COLUMNS]
    values = [[code, *_values(rng, sites[code], treated=code not in untreated)] for code in codes]
    out[layout.VARIABLES] = _csv(("participant", *columns), values)
    treated = [code for code in codes if code not in untreated]
    out[layout.EVENTS] = _csv(layout.EVENT_COLUMNS, _events(rng, treated))
    out[layout.DEVIATIONS] = _csv(layout.DEVIATION_COLUMNS, deviations)
    out[layout.ALLOCATION] = _csv(layout.ALLOCATION_COLUMNS, [[code, arms[code]] for code in codes])
    return out


def demo_recordings(visits: str, pairs: int = 30, seed: int = SEED) -> tuple[DemoRecording, ...]:
    """Say which recordings the synthetic trial has: of the first participants, before and after.

    Every tenth of them and who did not come back has no second one; one was recorded with two
    systems.

    Parameters
    ----------
    visits : str
        Text of ``visits.csv``.
    pairs : int
        How many participants have recordings.
    seed : int
    """
    rng = Random(seed + 1)
    came = {tuple(line.split(",")[:2]) for line in visits.splitlines()}
    out = []
    for number in range(1, pairs + 1):
        code = _code(number)
        subtype = rng.choices((1, 2, 3), (2, 6, 1))[0]
        out.append(
            DemoRecording(code, "baseline", f"achalasia_type_{subtype}", "manoscan", 1000 + number)
        )
        if number % 10 != 0 and (code, "12 months") in came:
            system = "mms_wp" if number == 7 else "manoscan"
            out.append(
                DemoRecording(code, "12 months", "absent_contractility", system, 2000 + number)
            )
    return tuple(out)


def manifest(recordings: Sequence[DemoRecording]) -> str:
    """Make the manifest that `hrm batch` takes the recordings from."""
    heads = ("path", "participant", "visit", "system", "posture", "prior_surgery")
    rows = [
        [
            f"recordings/{each.file_name}",
            *(each.participant, each.visit, each.system, "supine"),
            "none" if each.visit == "baseline" else "myotomy",
        ]
        for each in recordings
    ]
    return _csv(heads, rows)


def _code(number: int) -> str:
    """Name somebody who does not exist, so that every row of every file says so."""
    return f"SYN-{number:03d}"


def _csv(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue()


def _variables_toml() -> str:
    def words(row: tuple[str, str, str, str, str, tuple[str, ...], str, bool, bool]) -> str:
        name, adam, label, kind, unit, levels, group, subgroup, stratum = row
        listed = ", ".join(f'"{level}"' for level in levels)
        return (
            f'\n[[variable]]\nname = "{name}"\nadam = "{adam}"\nlabel = "{label}"\n'
            f'kind = "{kind}"\nunit = "{unit}"\nlevels = [{listed}]\ngroup = "{group}"\n'
            f"subgroup = {str(subgroup).lower()}\nstratum = {str(stratum).lower()}\n"
        )

    return "".join(map(words, _COLUMNS))


def _allocated(rng: Random, codes: Sequence[str], sites: Mapping[str, str]) -> dict[str, str]:
    """Permuted blocks of four within each site."""
    waiting: dict[str, list[str]] = {site: [] for site in _SITES}
    out = {}
    for code in codes:
        block = waiting[sites[code]]
        if not block:
            block += [TEST, TEST, REFERENCE, REFERENCE]
            rng.shuffle(block)
        out[code] = block.pop()
    return out


def _deviations(rng: Random, codes: Sequence[str], untreated: set[str]) -> list[list[str]]:
    kinds = (
        ("myotomy shorter than planned", "yes"),
        ("another orientation than allocated", "yes"),
        ("visit by telephone", "no"),
        ("consent form of an older version", "no"),
    )
    chosen = rng.sample([code for code in codes if code not in untreated], 9)
    rows = [[code, *rng.choice(kinds)] for code in chosen]
    return sorted(rows + [[code, "not treated", "yes"] for code in untreated])


def _participants(
    rng: Random, codes: Sequence[str], untreated: set[str], deviations: Sequence[Sequence[str]]
) -> str:
    left = {row[0] for row in deviations if row[2] == "yes"}
    rows = [
        [code, "", "no" if code in untreated else "yes", "no" if code in left else "yes"]
        for code in codes
    ]
    reasons = ["declined"] * _DECLINED + ["not eligible"] * _NOT_ELIGIBLE
    rng.shuffle(reasons)
    rows += [
        [f"{_code(number)}X", reason, "no", "no"] for number, reason in enumerate(reasons, start=1)
    ]
    return _csv(layout.PARTICIPANT_COLUMNS, rows)


def _visits(rng: Random, codes: Sequence[str]) -> str:
    rows: list[list[object]] = []
    for code in codes:
        before = [rng.choice((2, 3, 3)), rng.choice((1, 2, 2, 3)), rng.choice((0, 1, 1, 2))]
        rows.append(
            [code, "baseline", rng.randint(-60, 0), *before, rng.choice((0, 1, 2, 3)), "no"]
        )
        fails, gone = rng.random() < 0.1, False
        retreated = False
        for (name, _, last, share), center in zip(_VISITS, _CENTERS, strict=True):
            gone = gone or rng.random() > 1 - (1 - share) / 2
            if gone or rng.random() > share:
                continue
            day = center + rng.randint(-6, 12) if rng.random() > 0.02 else last + 20
            late = fails and center > 100
            retreated = retreated or (late and rng.random() < 0.25)
            items: list[object] = [_after(rng, late) for _ in range(4)]
            if rng.random() < 0.03:
                items[rng.randrange(4)] = rng.choice(("", _MISSING))
            rows.append([code, name, day, *items, "yes" if retreated else "no"])
    return _csv(layout.VISIT_COLUMNS, rows)


def _after(rng: Random, fails: bool) -> int:
    return rng.choice((1, 1, 2, 2)) if fails else int(rng.random() < 0.22)


def _values(rng: Random, site: str, *, treated: bool) -> list[object]:
    """One value a column of `_COLUMNS`; what belongs to a treatment is empty without one."""
    acid = round(rng.lognormvariate(1.5, 0.8), 1) if rng.random() < 0.8 else None
    known = [
        min(max(round(rng.gauss(48, 15)), 19), 84),
        rng.choice(("female", "male")),
        site,
        round(rng.lognormvariate(3.2, 0.7)) if rng.random() < 0.97 else _MISSING,
        "yes" if rng.random() < 0.3 else "no",
        round(max(rng.gauss(9, 3.5), 0.0), 1) if rng.random() < 0.9 else "",
    ]
    if not treated:
        return [*known, *([""] * (len(_COLUMNS) - len(known)))]
    endoscopy = rng.choices(("none", "A", "B", "C", "D"), (60, 18, 12, 3, 1))[0]
    return [
        *known,
        round(max(rng.gauss(68, 22), 25)),
        round(max(rng.gauss(11, 2.4), 4.0), 1),
        rng.randint(4, 9),
        "yes" if rng.random() < 0.985 else "no",
        rng.choice((1, 2, 2, 2, 3, 3, 4)),
        rng.randint(5, 11),
        "yes" if rng.random() < 0.35 else "no",
        endoscopy if rng.random() < 0.75 else "",
        "" if acid is None else acid,
        "" if acid is None else "yes" if acid > 6 else "no",
    ]


def _events(rng: Random, treated: Sequence[str]) -> list[list[object]]:
    rows: list[list[object]] = []
    for code in sorted(rng.sample(list(treated), 14)):
        term, grade, serious = rng.choice(
            (
                ("pleural effusion", "mild", "no"),
                ("pneumonia", "moderate", "yes"),
                ("delayed bleeding", "moderate", "yes"),
                ("chest pain", "mild", "no"),
                ("leak", "severe", "yes"),
            )
        )
        during = "no" if rng.random() < 0.85 else "yes"
        day = "" if during == "yes" else rng.choice((0, 1, 1, 2, 3, 9, 30))
        rows.append(
            [code, term, during, day, grade, serious, rng.choice(("yes", "yes", "no")), "no"]
        )
    rows += [
        [code, rng.choice(("mucosotomy", "capnoperitoneum")), "yes", "", "", "no", "yes", "yes"]
        for code in sorted(rng.sample(list(treated), 17))
    ]
    return rows
