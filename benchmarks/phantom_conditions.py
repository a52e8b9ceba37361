"""What the phantom table varies: catheters, conditions, and the bounds of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from hrm import phantom
from hrm.phantom.placement import sensor_depths

CLINICAL = {"symptoms": ["dysphagia"]}

Bound = tuple[str, str, float]


@dataclass(frozen=True)
class Setup:
    """One catheter and how it is read."""

    name: str
    catheter: str | tuple[float, ...]
    sampling_rate: float
    integer: bool
    one_cm: bool


SETUPS = (
    Setup("36 x 1 cm, 100 Hz", "manoscan-36", 100.0, integer=False, one_cm=True),
    Setup("36 x 1 cm, 20 Hz, integer", "manoscan-36", 20.0, integer=True, one_cm=True),
    Setup("32 x 1 cm, 50 Hz", "diversatek-32", 50.0, integer=False, one_cm=True),
    Setup("22 irregular, 20 Hz, integer", "CE4-0062", 20.0, integer=True, one_cm=False),
)

_FOUND: tuple[Bound, ...] = (
    ("recall", ">=", 0.99),
    ("precision", ">=", 0.98),
    ("onset", "<=", 0.15),
    ("irp", "<=", 1.0),
    ("les", "<=", 0.6),
    ("type", ">=", 0.95),
    ("dci_low", "<=", 25.0),
)
#: Bounds of the ordinary table: (name, comparator, bound), each on a median or a share.
ORDINARY: tuple[Bound, ...] = (
    *_FOUND,
    ("dci_percent", "<=", 5.0),
    ("dl", "<=", 0.3),
    ("diagnosis", ">=", 0.98),
)
#: Bounds under noise, faults and unusual anatomy, without the diagnosis.
_HARD: tuple[Bound, ...] = (
    *_FOUND,
    ("irp_p95", "<=", 3.0),
    ("dci_percent", "<=", 3.0),
    ("dl", "<=", 0.2),
    ("pressurization", ">=", 0.97),
)
HARD: tuple[Bound, ...] = (*_HARD, ("diagnosis", ">=", 0.97))
HARDEST: tuple[Bound, ...] = (*_HARD, ("diagnosis", ">=", 0.95))
#: Own bounds: what the tests of provocation and the bolus show has none elsewhere.
BLOCKS: tuple[Bound, ...] = (
    ("runs_found", ">=", 0.98),
    ("runs_blind", ">=", 0.98),
    ("inhibited", ">=", 0.95),
    ("dci_during", "<=", 25.0),
    ("dci_after_percent", "<=", 3.0),
    ("les_during", "<=", 1.0),
    ("mrs_ratio", "<=", 0.1),
    ("rdc_20_percent", "<=", 3.0),
    ("rdc_30_percent", "<=", 3.0),
    ("rdc_after", ">=", 0.95),
    ("upright_irp", "<=", 1.0),
    ("upright_dci_percent", "<=", 3.0),
)
BOLUS: tuple[Bound, ...] = (
    ("transit", ">=", 0.95),
    ("transit_time", "<=", 0.2),
    ("bolus_entry", "<=", 0.1),
    ("bolus_exit", "<=", 0.1),
    ("bolus_nadir", "<=", 0.2),
    ("baseline_percent", "<=", 5.0),
)


@dataclass(frozen=True)
class Condition:
    """One way to make a study hard: how it is drawn, how it is read, what must hold."""

    name: str
    text: str
    bounds: tuple[Bound, ...] = HARD
    noise_mmhg: float = 0.5
    draw: Mapping[str, Any] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    dead_body: bool = False
    blocks: bool = False
    change: phantom.Alteration | None = None
    shift_cm: float = 0.0
    floor_mmhg: float = -math.inf
    setups: tuple[Setup, ...] = SETUPS

    @property
    def bolus(self) -> bool:
        """Whether the study holds impedance."""
        return bool(self.sample.get("impedance", False))

    def drawn(self, phenotype: str, seed: int) -> phantom.Phantom:
        """Phantom of this condition."""
        more: dict[str, Any] = {"provocation": provocation_of(seed)} if self.blocks else {}
        drawn = phantom.draw(phenotype, seed=seed, **self.draw, **more)
        return drawn if self.change is None else phantom.alter(drawn, self.change, seed=seed)

    def sampled(
        self,
        drawn: phantom.Phantom,
        setup: Setup,
        truth: Mapping[str, Any],
        *,
        offset_cm: float,
        seed: int,
    ) -> xr.DataTree:
        """Recording of a phantom of this condition."""
        dead = [dead_body_sensor(drawn, setup, truth)] if self.dead_body else []
        recording = phantom.sample(
            drawn,
            catheter=setup.catheter,
            sampling_rate=setup.sampling_rate,
            integer=setup.integer,
            offset_cm=offset_cm,
            noise_mmhg=self.noise_mmhg,
            dead_sensors=dead,
            seed=seed,
            **self.sample,
        )
        if math.isfinite(self.floor_mmhg):
            pressure = recording["pressure"].to_dataset()["pressure"]
            np.maximum(pressure.values, self.floor_mmhg, out=pressure.values)
        return recording


def provocation_of(seed: int) -> phantom.Provocation:
    """Tests of a study: seeds go round inhibition, reserve, and ways to drink."""
    return phantom.Provocation(
        mrs_runs=1 + seed % 2,
        mrs_ratio=(1.5, 0.6, 0.0)[seed % 3],
        mrs_inhibited=seed % 4 != 3,
        rdc=("normal", "pressurized")[seed % 2],
        rdc_after=seed % 3 != 2,
    )


def dead_body_sensor(drawn: phantom.Phantom, setup: Setup, truth: Mapping[str, Any]) -> int:
    """Index of a sensor between the sphincters, 2 cm clear of both, drawn at random."""
    depths, marks = sensor_depths(setup.catheter), truth["landmarks"]
    inside = (depths > marks["ues_lower_cm"] + 2.0) & (depths < marks["les_upper_cm"] - 2.0)
    rng = np.random.default_rng([drawn.seed, 811])
    return int(rng.choice(np.flatnonzero(inside)))


def _conditions() -> Iterator[Condition]:
    for noise in (0.0, 0.5, 3.0):
        name = f"noise {noise:g}"
        yield Condition(name, f"white noise of {noise:g} mmHg", ORDINARY, noise)
    yield Condition("noise 5", "white noise of 5 mmHg", HARD, 5.0)
    yield Condition("noise 8", "white noise of 8 mmHg", HARDEST, 8.0)
    for share, bounds in ((0.35, HARD), (0.45, HARDEST)):
        text = f"amplitude varies by {100 * share:.0f} %"
        yield Condition(f"variability {share:g}", text, bounds, draw={"variability": share})
    yield Condition(
        *("noise 5, variability 0.35", "both", HARD, 5.0),
        draw={"variability": 0.35},
    )
    yield Condition(
        *("noise 8, variability 0.45", "both", HARDEST, 8.0),
        draw={"variability": 0.45},
    )
    yield Condition(
        *("drift 15", "linear drift of 15 mmHg, offsets of both ends given"),
        sample={"drift_mmhg": 15.0, "drift_course": "linear"},
    )
    yield Condition("dead body sensor", "one sensor of the body constant", dead_body=True)
    yield Condition("hernia 3", "hernia of 3 cm", draw={"hernia_cm": 3.0})
    yield Condition(
        *("blocks", "rapid swallows, rapid drinking, upright swallows", (*HARD, *BLOCKS)),
        blocks=True,
    )
    yield Condition(
        *("impedance", "18 impedance segments", (*HARD, *BOLUS)), sample={"impedance": True}
    )


_TWO_CM = Setup(
    "18 x 2 cm, 50 Hz", tuple(2.0 * k for k in range(18)), 50.0, integer=False, one_cm=False
)


def _unusual() -> Iterator[Condition]:
    """What drawing never does, one at a time: a stand-in for somebody else's generator."""
    changes = {
        "8 breaths": phantom.Alteration(breaths_per_min=8.0),
        "30 breaths": phantom.Alteration(breaths_per_min=30.0),
        "narrow LES": phantom.Alteration(les_width=0.65),
        "wide LES": phantom.Alteration(les_width=1.5),
        "LES steep above": phantom.Alteration(les_skew=0.4),
        "LES steep below": phantom.Alteration(les_skew=-0.4),
        "cardiac 20": phantom.Alteration(vessel_mmhg=20.0),
        "UES high": phantom.Alteration(ues_shift_cm=-2.0),
        "UES low": phantom.Alteration(ues_shift_cm=2.0),
        "first at 8 s": phantom.Alteration(first_s=8.0),
        "every 15 to 40 s": phantom.Alteration(intervals_s=(15.0, 40.0)),
    }
    for name, change in changes.items():
        yield Condition(f"unusual: {name}", name, change=change, noise_mmhg=1.0)
    yield Condition("unusual: 0.5 cm deeper", "catheter 0.5 cm deeper", shift_cm=0.5)
    yield Condition("unusual: 0.5 cm higher", "catheter 0.5 cm higher", shift_cm=-0.5)
    yield Condition(
        *("unusual: clipped at 0", "noise of 5 mmHg, nothing below 0", HARD, 5.0), floor_mmhg=0.0
    )
    yield Condition("unusual: 2 cm", "a sensor every 2 cm", setups=(_TWO_CM,))


CONDITIONS: Mapping[str, Condition] = MappingProxyType({row.name: row for row in _conditions()})
UNUSUAL: Mapping[str, Condition] = MappingProxyType({row.name: row for row in _unusual()})
EVERY: Mapping[str, Condition] = MappingProxyType({**CONDITIONS, **UNUSUAL})


def groups(names: list[str]) -> list[list[Condition]]:
    """Conditions that read the same phantom in the same place, so that it is drawn once."""
    out: dict[str, list[Condition]] = {}
    for name in names:
        row = EVERY[name]
        key = (sorted(row.draw.items()), row.blocks, row.change, row.shift_cm, row.setups)
        out.setdefault(repr(key), []).append(row)
    return list(out.values())


def missing_as_infinite(known: float | None, seen: float | None, scale: float = 1.0) -> list[float]:
    """Absolute error as a list: empty without a truth, infinite where nothing was measured."""
    if known is None:
        return []
    return [math.inf if seen is None else abs(seen - known) * scale]
