"""What makes a phenotype: ranges of sphincter pressures and kinds of swallows.

Every range keeps 15 % away from the limit that decides (a borderline study puts
one quantity within 5 % of it instead). Percentages follow the classification 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """Ranges of one kind of swallow; `dci` in mmHg s cm, `latency` in s, `gap` in cm.

    A negative gap lets the two muscle segments overlap.
    """

    type: str
    dci: Range
    latency: Range
    gap: Range
    fast_cm_s: Range = (2.8, 5.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One phenotype: resting and residual pressures [mmHg] and its swallows.

    `share` gives for each kind the range of its share of the swallows; `filler` is
    the kind of the rest. `pressurized` is the share of swallows with
    pressurization of the kind `pressurization`.
    """

    les: Range
    irp_supine: Range
    irp_upright: Range
    share: Mapping[str, Range]
    filler: str
    pressurization: str = "none"
    pressurized: Range = (0.0, 0.0)
    level: Range = (36.0, 75.0)
    borderline: str = "irp4s"
    borderline_irp: Range = (14.3, 14.95)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "normal": Kind("normal", (560.0, 6400.0), (5.35, 8.2), (-2.5, 3.6)),
        "weak": Kind("weak", (125.0, 370.0), (5.4, 8.2), (0.5, 6.0)),
        "failed": Kind("failed", (0.0, 75.0), (5.4, 8.2), (2.0, 7.0)),
        "fragmented": Kind("fragmented", (560.0, 2200.0), (5.35, 8.0), (6.1, 9.0)),
        "premature": Kind("premature", (620.0, 5000.0), (2.5, 3.7), (-2.0, 3.4), (8.0, 15.0)),
        "hypercontractile": Kind(
            "hypercontractile", (9400.0, 19500.0), (5.35, 8.0), (-2.5, 1.5), (2.8, 4.5)
        ),
        "barely_failed": Kind("failed", (95.5, 99.0), (5.4, 8.2), (2.0, 5.0)),
        "barely_weak": Kind("weak", (430.0, 447.0), (5.4, 8.2), (-1.0, 3.0)),
        "barely_hypercontractile": Kind(
            "hypercontractile", (8050.0, 8380.0), (5.4, 8.0), (-2.5, 1.5), (2.8, 4.5)
        ),
        "barely_premature": Kind(
            "premature", (700.0, 4000.0), (4.3, 4.46), (-2.0, 3.2), (5.0, 9.0)
        ),
        "barely_fragmented": Kind("fragmented", (600.0, 1800.0), (5.5, 8.0), (5.08, 5.22)),
    }
)

_HIGH: Range = (15.05, 15.7)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "normal": Recipe(
            (12.0, 38.0),
            (3.0, 12.4),
            (2.0, 9.9),
            {"weak": (0.0, 0.1), "failed": (0.0, 0.1)},
            "normal",
        ),
        "achalasia_type_1": Recipe(
            (26.0, 58.0), (17.8, 38.0), (14.5, 32.0), {}, "failed", borderline_irp=_HIGH
        ),
        "achalasia_type_2": Recipe(
            (28.0, 58.0),
            (17.8, 38.0),
            (14.5, 32.0),
            {},
            "failed",
            "panesophageal",
            (0.4, 1.0),
            borderline_irp=_HIGH,
        ),
        "achalasia_type_3": Recipe(
            (26.0, 55.0),
            (17.8, 36.0),
            (14.5, 30.0),
            {"premature": (0.3, 0.9)},
            "failed",
            borderline_irp=_HIGH,
        ),
        "egjoo": Recipe(
            (24.0, 48.0),
            (17.8, 29.0),
            (14.5, 24.0),
            {"weak": (0.0, 0.1)},
            "normal",
            "compartmentalized",
            (0.4, 0.8),
            (36.0, 48.0),
            borderline_irp=_HIGH,
        ),
        "absent_contractility": Recipe(
            (9.0, 16.0), (1.5, 8.3), (1.0, 6.6), {}, "failed", borderline="dci_failed"
        ),
        "des": Recipe(
            (14.0, 36.0),
            (4.0, 12.4),
            (2.5, 9.9),
            {"premature": (0.3, 0.6)},
            "normal",
            borderline="dl_premature",
        ),
        "hypercontractile": Recipe(
            (16.0, 40.0),
            (4.0, 12.4),
            (2.5, 9.9),
            {"hypercontractile": (0.3, 0.8)},
            "normal",
            borderline="dci_hypercontractile",
        ),
        "iem": Recipe(
            (10.0, 26.0),
            (2.0, 11.0),
            (1.5, 9.0),
            {"failed": (0.1, 0.4), "normal": (0.0, 0.2)},
            "weak",
            borderline="dci_weak",
        ),
        "fragmented_peristalsis": Recipe(
            (11.0, 30.0),
            (3.0, 12.0),
            (2.0, 9.5),
            {"fragmented": (0.6, 0.7)},
            "normal",
            borderline="break_fragmented",
        ),
    }
)

PHENOTYPES: tuple[str, ...] = tuple(RECIPES)

#: Kinds of the supine swallows of a borderline study, as shares of the block.
_BORDERLINE_SHARES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "dci_failed": {"barely_failed": 0.1},
        "dl_premature": {"barely_premature": 0.2},
        "dci_hypercontractile": {"barely_hypercontractile": 0.2},
        "dci_weak": {"barely_weak": 0.2, "normal": 0.2, "failed": 0.2},
        "break_fragmented": {"barely_fragmented": 0.2, "fragmented": 0.3},
    }
)


def swallow_kinds(
    recipe: Recipe, count: int, rng: np.random.Generator, *, borderline: bool
) -> list[str]:
    """Draw the kind of every swallow of a block, in random order."""
    shares: Mapping[str, Range] = recipe.share
    if borderline and recipe.borderline in _BORDERLINE_SHARES:
        fixed = _BORDERLINE_SHARES[recipe.borderline]
        shares = {name: (share, share) for name, share in fixed.items()}
    kinds: list[str] = []
    for name, share in shares.items():
        kinds += [name] * _count(share, count, rng)
    kinds += [recipe.filler] * (count - len(kinds))
    return [kinds[i] for i in rng.permutation(count)]


def pressurized_swallows(
    recipe: Recipe, kinds: Sequence[str], rng: np.random.Generator
) -> set[int]:
    """Draw which swallows of a block are pressurized; only the filler kind can be."""
    if recipe.pressurization == "none":
        return set()
    eligible = [i for i, kind in enumerate(kinds) if kind == recipe.filler]
    count = min(_count(recipe.pressurized, len(kinds), rng), len(eligible))
    return {eligible[int(i)] for i in rng.permutation(len(eligible))[:count]}


def _count(share: Range, count: int, rng: np.random.Generator) -> int:
    low, high = np.ceil(share[0] * count - 1e-9), np.floor(share[1] * count + 1e-9)
    return int(rng.integers(int(low), int(max(low, high)) + 1))
