"""Studies for the trees: swallows with representative numbers, and the table of cases."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from pathlib import Path

from hrm.catalog import default_parameters
from hrm.metrics import chicago
from hrm.metrics.chicago import Swallow

CASES = Path(__file__).with_name("chicago_cases.csv")
NAN = math.nan

#: DCI [mmHg s cm], distal latency [s] and break [cm] in the middle of each type, not at its edge.
NUMBERS = {
    "normal": (1800.0, 6.5, 1.0),
    "weak": (260.0, 6.5, 3.0),
    "weak early": (260.0, 3.8, 3.0),
    "failed": (20.0, NAN, NAN),
    "fragmented": (900.0, 6.5, 7.0),
    "premature": (1500.0, 3.6, 1.0),
    "hypercontractile": (12000.0, 6.5, 0.5),
    "premature hypercontractile": (12000.0, 3.6, 0.5),
}
#: The same for Starlet, whose DCI limits are 500, 1000 and 10 000.
STARLET = NUMBERS | {"weak": (750.0, 6.5, 3.0), "weak early": (750.0, 3.8, 3.0)}
RAISED_IBP, NORMAL_IBP = 26.0, 9.0


def swallow(kind, posture, *, irp, ibp=NAN, pep=False, numbers=NUMBERS):
    dci, latency, gap = numbers[kind]
    return Swallow(posture, irp, dci, latency, gap, ibp, pep)


def kinds_of(text):
    """``7 normal, 3 weak early`` as ten words."""
    out = []
    for part in filter(None, text.split(", ")):
        count, kind = part.split(" ", 1)
        out += [kind] * int(count)
    return out


def block(text, posture, irp, *, ibp=NAN, pep=0, numbers=NUMBERS):
    """Swallows of one posture; `ibp` is ``raised of measured``, the rest has no number."""
    kinds = kinds_of(text)
    raised, measured = map(int, ibp.split(" of ")) if isinstance(ibp, str) and ibp else (0, 0)
    pressures = [RAISED_IBP] * raised + [NORMAL_IBP] * (measured - raised)
    pressures += [NAN] * (len(kinds) - measured)
    return [
        swallow(kind, posture, irp=irp, ibp=pressures[i], pep=i < pep, numbers=numbers)
        for i, kind in enumerate(kinds)
    ]


def classify(swallows, *, system="manoscan", limit=None, limits_fit=True, **clinical):
    return chicago.classify(
        swallows,
        system=system,
        clinical=chicago.clinical_from(clinical),
        user_limit=chicago.user_limit_from(limit),
        parameters=default_parameters(),
        limits_fit=limits_fit,
    )


def moved(swallows, posture):
    return [replace(one, posture=posture) for one in swallows]


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    row: dict[str, str]

    def __getitem__(self, name):
        return self.row[name]

    @property
    def swallows(self):
        numbers = STARLET if self["system"] == "starlet" else NUMBERS
        supine = block(
            self["supine swallows"],
            "supine",
            number(self["supine IRP"]),
            ibp=self["supine IBP raised"],
            # In a study upright only, the column counts those swallows.
            pep=int(self["supine PEP"]),
            numbers=numbers,
        )
        upright = block(
            self["upright swallows"], "upright", number(self["upright IRP"]), numbers=numbers
        )
        return supine + upright

    @property
    def clinical(self):
        said = {
            "tbe": self["TBE"],
            "flip": self["FLIP"],
            "prior_surgery": self["surgery"],
        }
        said = {name: value for name, value in said.items() if value}
        if self["symptoms"]:
            said["symptoms"] = [] if self["symptoms"] == "none" else self["symptoms"].split()
        if self["opioids"]:
            said["opioids"] = self["opioids"] == "yes"
        return said

    @property
    def limit(self):
        text = self["IRP limit"]
        return None if not text else float(text) if text[0].isdigit() else text

    def classified(self):
        return classify(self.swallows, system=self["system"], limit=self.limit, **self.clinical)


def number(text):
    return float(text) if text else NAN


def cases():
    with CASES.open(encoding="utf-8", newline="") as file:
        return [Case(row) for row in csv.DictReader(file)]
