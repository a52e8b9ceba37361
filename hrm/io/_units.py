"""Units that files state, and their exact ratio to those of the data contract."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

#: mmHg in one of each unit. The conventional millimetre of mercury is 13.5951 g/cm3 times
#: 9.80665 m/s2 times 1 mm, 133.322387415 Pa; that of water takes 1 g/cm3 (ISO 80000-4, annex).
PRESSURE_UNITS: Mapping[str, Fraction] = {
    "mmHg": Fraction(1),
    "cmH2O": Fraction(100_000, 135_951),
    "kPa": Fraction(10**12, 133_322_387_415),
    "hPa": Fraction(10**11, 133_322_387_415),
    "mbar": Fraction(10**11, 133_322_387_415),
    "Pa": Fraction(10**9, 133_322_387_415),
}

#: Ohm in one of each unit.
IMPEDANCE_UNITS: Mapping[str, Fraction] = {"ohm": Fraction(1), "kohm": Fraction(1000)}
