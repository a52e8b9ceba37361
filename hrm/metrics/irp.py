"""Integrated relaxation pressure."""

from __future__ import annotations

import math
from collections.abc import Mapping

import xarray as xr

from hrm.catalog import Parameters
from hrm.metrics._base import Field, Measurement, known
from hrm.metrics.relaxation import Sleeve, integrated_relaxation_pressure, relaxation_sleeve


def irp(sleeve: Sleeve, parameters: Parameters) -> Measurement:
    """Mean of the lowest 4 s of e-sleeve pressure in the 10 s after onset.

    Parameters
    ----------
    sleeve : Sleeve [mmHg above gastric]
        From `hrm.metrics.relaxation.relaxation_sleeve`.
    parameters : Parameters

    Returns
    -------
    Measurement [mmHg]
        The 4 s need not be contiguous. Detail: ``sleeve_cm``, ``window_s`` and
        the ``times_s`` of the samples averaged.

    Notes
    -----
    SPEC section 4; GHO07. The sleeve is 6 cm long from 2 cm above the LES.
    """
    return integrated_relaxation_pressure(sleeve, parameters["irp.duration_s"])


def irp_readings(
    field: Field,
    others: Mapping[str, xr.DataArray],
    *,
    onset_s: float,
    stop_s: float,
    les_upper_cm: float,
    les_lower_cm: float,
    gastric_mmhg: float,
    gastric_trace: xr.DataArray | None = None,
    parameters: Parameters,
) -> dict[str, float]:
    """IRP by the other admissible placements of the sleeve and interpolation kernels.

    Parameters
    ----------
    field : DataArray or Cut (depth, time) [mmHg]
        By the kernel that the IRP is reported with.
    others : mapping of str to DataArray (depth, time) [mmHg]
        The same swallow by other kernels for the LES, by their names.
    onset_s, stop_s, les_upper_cm, gastric_mmhg, gastric_trace, parameters
        As for `hrm.metrics.relaxation.relaxation_sleeve`.
    les_lower_cm : float [cm]
        Distal LES border at rest.

    Returns
    -------
    dict of str to float [mmHg]
        ``kernel_<name>`` by each other kernel; ``sleeve_centered`` on the middle of the
        LES; ``border_higher`` and ``border_lower`` with the proximal border shifted by
        ``irp.borderline_shift_cm``. ``between_sensors`` has the difference of the kernels
        once more, where cubic reads higher than PCHIP. What cannot be measured is left out.

    Notes
    -----
    SPEC section 3.2: where the IRP crosses its limit between placements it is borderline.
    A sphincter whose peak lies between sensors lay about as far above the cubic kernel as
    that above PCHIP, on 100 synthetic studies whose truth was known.
    """
    shift = parameters["irp.borderline_shift_cm"]
    above, length = parameters["irp.sleeve_above_cm"], parameters["irp.sleeve_length_cm"]
    # The border that would put the sleeve's middle on the middle of the LES.
    centered = (les_upper_cm + les_lower_cm) / 2.0 - length / 2.0 + above
    wanted: dict[str, tuple[Field, float]] = {
        f"kernel_{name}": (other, les_upper_cm) for name, other in others.items()
    }
    wanted |= {
        "sleeve_centered": (field, centered),
        "border_higher": (field, les_upper_cm - shift),
        "border_lower": (field, les_upper_cm + shift),
    }

    def reading(pressure: Field, border: float) -> float:
        sleeve = relaxation_sleeve(
            pressure,
            onset_s=onset_s,
            stop_s=stop_s,
            les_upper_cm=border,
            les_lower_cm=les_lower_cm,
            gastric_mmhg=gastric_mmhg,
            gastric_trace=gastric_trace,
            parameters=parameters,
        )
        return irp(sleeve, parameters).value

    found = {name: reading(*case) for name, case in wanted.items()}
    own = reading(field, les_upper_cm)
    by = {f"kernel_{parameters['interpolation.les_kernel']}": own, **found}
    rise = by.get("kernel_cubic", math.nan) - by.get("kernel_pchip", math.nan)
    if rise > 0.0:
        found["between_sensors"] = own + rise
    return {name: value for name, value in found.items() if known(value)}
