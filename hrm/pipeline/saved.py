"""What an analysis was told that was saved with its study; it holds until told otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

from hrm import catalog
from hrm.errors import HrmError, ParameterError
from hrm.metrics import chicago


@dataclass(frozen=True)
class Told:
    """Options of `hrm.analyze`, in the form that it takes.

    Attributes
    ----------
    clinical : mapping
    irp_limit : float [mmHg], str or None
    parameters : mapping
        Values other than the default ones.
    """

    clinical: Mapping[str, Any]
    irp_limit: float | str | None
    parameters: Mapping[str, Any]


def told_before(recording: xr.DataTree) -> Told:
    """Read the options of the analysis that a recording was saved with.

    Parameters
    ----------
    recording : DataTree

    Returns
    -------
    Told
        Empty for a recording that was never analyzed.

    Raises
    ------
    ParameterError
        If what was saved is not what this version writes: the name of the attribute.
    """
    clinical = _note(recording, "clinical")
    limit = _note(recording, "irp_limit")
    parameters = _note(recording, "parameter_overrides")
    return Told(clinical, _limit(limit), parameters)


def _note(recording: xr.DataTree, name: str) -> dict[str, Any]:
    check = {
        "clinical": chicago.clinical_from,
        "irp_limit": lambda note: chicago.user_limit_from(_limit(note)),
        "parameter_overrides": catalog.default_parameters().replace,
    }[name]
    try:
        note = json.loads(str(recording.attrs.get(name, "null"))) or {}
        check(note)
    except (ValueError, TypeError, KeyError, AttributeError, HrmError) as err:
        raise ParameterError(
            f"attribute {name!r} of the recording should hold the options of an earlier "
            "analysis; it holds something else. Delete the attribute, or convert the "
            "recording again from its source"
        ) from err
    return dict(note)


def _limit(note: Mapping[str, Any]) -> float | str | None:
    if not note:
        return None
    limit: float | str = note["value_mmhg"] if note["row"] == "user" else note["row"]
    return limit
