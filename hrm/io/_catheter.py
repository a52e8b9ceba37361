"""Where the sensors sit, when the file does not say: never guessed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hrm.catheters import NAMED, SHIPPED, Catheter, catheters, shipped_catheters
from hrm.errors import ParameterError, ProvenanceWarning

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Placement:
    """Sensor positions of one recording.

    `depths_cm` runs proximal to distal and is counted from the catheter's first
    sensor; the insertion depth is not part of it.
    """

    model: str
    depths_cm: tuple[float, ...]


def resolve(
    n_sensors: int,
    *,
    catheter: str | None = None,
    depths: tuple[float, ...] | None = None,
    catheter_file: Path | None = None,
    default: str | None = None,
) -> Placement:
    """Find the sensor positions of a file with `n_sensors` pressure channels.

    Parameters
    ----------
    n_sensors : int
        Pressure channels in the file.
    catheter : str, optional
        Model, from hrm's table or the user's.
    depths : tuple of float [cm], optional
        Positions, proximal to distal.
    catheter_file : Path, optional
        The user's table; if it holds one model, that one is meant.
    default : str, optional
        Model that the format itself implies for this channel count.

    Returns
    -------
    Placement
        Model and positions.

    Raises
    ------
    ParameterError
        If the positions are unknown or contradict the file; lists the models
        with the same channel count.
    """
    models = catheters(catheter_file)
    if catheter is None and catheter_file is not None:
        catheter = _only_user_model(models, catheter_file if depths is None else None)
    if catheter is not None:
        return _of_model(_known_model(models, catheter, n_sensors), n_sensors, depths)
    if depths is not None:
        return Placement(UNKNOWN, _checked_depths(depths, n_sensors))
    if default is not None and models[default].n_sensors == n_sensors:
        return _of_model(models[default], n_sensors, None)
    raise ParameterError(
        "the file does not say where the sensors sit; name the catheter with "
        "catheter=, or give the positions in cm, proximal to distal, with depths=, or "
        f"describe the catheter in a TOML file: catheter_file=. {_same_count(models, n_sensors)}"
    )


def _only_user_model(models: Mapping[str, Catheter], file: Path | None) -> str | None:
    if file is None:
        return None
    own = [name for name, model in models.items() if model.origin == NAMED]
    if len(own) == 1:
        return own[0]
    raise ParameterError(
        f"the catheter file holds {len(own)} models of its own; name one with catheter="
        + (f": {', '.join(own)}" if own else "")
    )


def _known_model(models: Mapping[str, Catheter], name: str, n_sensors: int) -> Catheter:
    if name in models:
        return models[name]
    raise ParameterError(
        f"unknown catheter {name!r}; {_same_count(models, n_sensors)} "
        "Another one can be described in a TOML file: catheter_file="
    )


def _of_model(model: Catheter, n_sensors: int, depths: tuple[float, ...] | None) -> Placement:
    if model.n_sensors != n_sensors:
        raise ParameterError(
            f"catheter {model.model} has {model.n_sensors} pressure sensors, "
            f"but the file has {n_sensors}; name another catheter or give depths= alone"
        )
    if depths is None and not model.depths_cm:
        raise ParameterError(
            f"catheter {model.model} is known by its channel count only; "
            f"give the {n_sensors} positions with depths="
        )
    if model.origin != SHIPPED and model.model in shipped_catheters():
        warnings.warn(
            f"the positions of catheter {model.model} are those of your own table, not of hrm's: "
            "elsewhere the same name means other positions",
            ProvenanceWarning,
            stacklevel=4,
        )
    if depths is None:
        return Placement(model.model, model.depths_cm)
    given = _checked_depths(depths, n_sensors)
    if model.depths_cm and given != model.depths_cm:
        raise ParameterError(
            f"depths= contradict the positions of catheter {model.model}; give one of the two"
        )
    return Placement(model.model, given)


def _checked_depths(depths: tuple[float, ...], n_sensors: int) -> tuple[float, ...]:
    try:
        values = tuple(float(depth) for depth in depths)
    except (TypeError, ValueError) as err:
        raise ParameterError("depths must be numbers, in cm") from err
    if len(values) != n_sensors:
        raise ParameterError(
            f"{len(values)} depths given, but the file has {n_sensors} pressure channels"
        )
    steps = [after - before for before, after in pairwise(values)]
    if not all(math.isfinite(value) for value in values) or not all(step > 0 for step in steps):
        raise ParameterError("depths must increase strictly from proximal to distal, in cm")
    return values


def _same_count(models: Mapping[str, Catheter], n_sensors: int) -> str:
    rows = [
        model.model + ("" if model.depths_cm else " (positions unknown, needs depths)")
        for model in models.values()
        if model.n_sensors == n_sensors
    ]
    listed = ", ".join(rows) if rows else "none"
    return f"Known models with {n_sensors} pressure channels: {listed}."
