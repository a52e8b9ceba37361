"""Which signals of an EDF file are pressures: by the layout, or by labels P1 to Pn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hrm.errors import ParameterError, UnsupportedVersionError
from hrm.io._edf_header import NAME, Header, Signal
from hrm.io._registry import ReadOptions
from hrm.io._units import IMPEDANCE_UNITS, PRESSURE_UNITS
from hrm.io.layout import Layout

_LABEL = re.compile(r"P ?0*([1-9]\d{0,3})", re.IGNORECASE)
HOW = (
    "name the pressures in a layout file ('hrm layout --init' writes one to fill in; "
    "layout=): pressure.columns with their labels or numbers, and pressure.order"
)


@dataclass(frozen=True, slots=True)
class Channels:
    """Numbers of the signals, proximal to distal, and what leads to mmHg and ohm."""

    pressure: tuple[int, ...]
    pressure_factor: Fraction
    impedance: tuple[int, ...] = ()
    impedance_factor: Fraction = Fraction(1)
    units: str = "mmHg"

    def rate_hz(self, header: Header, which: Sequence[int]) -> float:
        """Sampling rate of some of the signals, which all have the same."""
        return float(header.signals[which[0]].n_samples / header.record_s)


def find_channels(header: Header, layout: Layout, options: ReadOptions) -> Channels:
    """Find pressures and impedances.

    Raises
    ------
    ParameterError
        If nobody says which signals are pressures, or which of them is the most proximal;
        or the layout does not fit the file.
    UnsupportedVersionError
        If units or rates differ between the pressures, or a unit is unknown.
    """
    if options.channel_order is None:
        raise ParameterError(
            "an EDF file does not say which end of the catheter its first pressure is: say "
            "channel_order= proximal_first or distal_first; or " + HOW
        )
    if layout.pressure.columns is None:
        pressure = by_label(header)
    else:
        pressure = _named(header, layout.pressure.columns, "pressure.columns")
    unit = _unit(header, pressure, PRESSURE_UNITS, options.pressure_unit, "pressure")
    _check_one_rate(header, pressure, "pressure")
    if options.channel_order == "distal_first":
        pressure = pressure[::-1]
    if layout.impedance is None or layout.impedance.columns is None:
        return Channels(pressure, PRESSURE_UNITS[unit], units=unit)
    segments = _named(header, layout.impedance.columns, "impedance.columns")
    if set(segments) & set(pressure):
        raise ParameterError("layout file: a signal is named as pressure and as impedance")
    ohm = _unit(header, segments, IMPEDANCE_UNITS, layout.impedance.unit, "impedance")
    _check_one_rate(header, segments, "impedance")
    if layout.impedance.order == "distal_first":
        segments = segments[::-1]
    return Channels(pressure, PRESSURE_UNITS[unit], segments, IMPEDANCE_UNITS[ohm], unit)


def by_label(header: Header) -> tuple[int, ...]:
    """Signals labelled P1 to Pn, by that number, if these are all the pressures there are.

    Raises
    ------
    ParameterError
        If the labels are others, or signals in a unit of pressure are left over.
    """
    found: dict[int, list[int]] = {}
    for number, signal in header.signals.items():
        match = _LABEL.fullmatch(signal.label)
        if match:
            found.setdefault(int(match[1]), []).append(number)
    ordered = tuple(found[k][0] for k in sorted(found))
    whole = sorted(found) == list(range(1, len(found) + 1)) and len(found) > 1
    others = set(pressures_of(header)) - set(ordered)
    if not whole or others or any(len(same) > 1 for same in found.values()):
        raise ParameterError(
            "the labels of the signals are not P1 to Pn, each once, with no other signal in a unit "
            "of pressure, so which signals are the pressures is not clear: " + HOW
        )
    return ordered


def left_open(header: Header) -> tuple[str, ...]:
    """What the user has to say before the file can be read."""
    out = []
    try:
        numbers: tuple[int, ...] = by_label(header)
    except ParameterError:
        numbers = pressures_of(header)
        out.append(
            "which signals are the pressures: their labels are not P1 to Pn (pressure.columns in a "
            "layout file)"
        )
    out.append("which end of the catheter the first pressure is (channel_order=, pressure.order)")
    if any(not header.signals[number].dimension for number in numbers) or not numbers:
        out.append("the unit, if the file states none (pressure_unit=, pressure.unit)")
    out.append("where the sensors sit (depths= or catheter=, pressure.depths_cm)")
    return tuple(out)


def pressures_of(header: Header) -> tuple[int, ...]:
    """Every signal in a unit of pressure."""
    return tuple(
        number
        for number, signal in header.signals.items()
        if _known(signal.dimension, PRESSURE_UNITS) is not None
    )


def is_impedance(signal: Signal) -> bool:
    """Whether a signal is in a unit of impedance."""
    return _known(signal.dimension, IMPEDANCE_UNITS) is not None


def _named(header: Header, columns: Sequence[int | str], what: str) -> tuple[int, ...]:
    labels: dict[str, list[int]] = {}
    for number, signal in header.signals.items():
        labels.setdefault(signal.label.casefold(), []).append(number)
    out = []
    for entry, column in enumerate(columns, 1):
        if isinstance(column, int):
            same = [column] if column in header.signals else []
        else:
            same = labels.get(column.strip().casefold(), [])
        if len(same) != 1:
            raise ParameterError(
                f"layout file: {what}, entry {entry}, is there {len(same)} times among the "
                f"{len(header.signals)} signals with samples; give the labels of the file, each "
                "once, or the numbers of the signals"
            )
        out.append(same[0])
    if len(set(out)) != len(out):
        raise ParameterError(f"layout file: {what} names a signal twice")
    return tuple(out)


def _unit(
    header: Header,
    numbers: Sequence[int],
    known: Mapping[str, Fraction],
    said: str | None,
    what: str,
) -> str:
    """Give the one unit of some signals: what the file says, or where it is silent the user."""
    if said is not None and said not in known:
        raise ParameterError(f"the unit of the {what} must be one of {', '.join(known)}")
    units = set()
    for number in numbers:
        text = header.signals[number].dimension
        unit = _known(text, known) if text else said
        if unit is None:
            raise UnsupportedVersionError(
                f"signal {number} has {'an unknown' if text else 'no'} physical dimension; "
                f"of a {what} it must be one of {', '.join(known)}"
                + ("" if text else f", or be said: {_UNIT_OPTION[what]}"),
                reader=NAME,
            )
        units.add(unit)
    if len(units) > 1:
        raise UnsupportedVersionError(
            f"the {what} signals have {len(units)} different units; export them in one",
            reader=NAME,
        )
    unit = units.pop()
    if said is not None and said != unit:
        raise ParameterError(f"the unit said of the {what} is {said}, the file says {unit}")
    return unit


_UNIT_OPTION = {
    "pressure": "pressure_unit=",
    "impedance": "impedance.unit in the layout file",
}


def _known(text: str, known: Mapping[str, Fraction]) -> str | None:
    # Only whole units of the list, so that no two of them differ by the case of a letter alone.
    return next((unit for unit in known if unit.casefold() == text.casefold()), None)


def _check_one_rate(header: Header, numbers: Sequence[int], what: str) -> None:
    counts = {header.signals[number].n_samples for number in numbers}
    if len(counts) > 1:
        raise UnsupportedVersionError(
            f"the {what} signals have {len(counts)} different sampling rates; export them at one",
            reader=NAME,
        )
