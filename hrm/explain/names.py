"""Names of the catalogue: how they are found, and where the contract keeps their values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hrm import bolus, catalog
from hrm.catalog import Metric, Unimplemented
from hrm.errors import ParameterError
from hrm.results import EGJ_METRICS, LANDMARKS, SWALLOW_METRICS, UES_METRICS

UNFILTERED = "_unfiltered"
_UNIT = re.compile(r"_(mmhg(_s)?(_cm)?|mmhg_cm|cm(_s)?|s|ohm|millisiemens)$")

#: Numbers of one swallow.
OF_SWALLOW = (
    *("onset_s", "window_s"),
    *SWALLOW_METRICS,
    *bolus.SWALLOW_METRICS,
    *bolus.PHARYNX_METRICS,
)
#: Numbers of one run of a test, by what they are called in the block of the run.
OF_RUN: Mapping[str, tuple[str, str]] = {
    f"{test}_{name}": (test, name)
    for test in ("mrs", "rdc")
    for name in (
        *("start_s", "stop_s", "dci_during_mmhg_s_cm", "dci_during_box_mmhg_s_cm"),
        *("les_during_mmhg", "irp4s_during_mmhg", "dci_after_mmhg_s_cm"),
        *("pressurized_low_percent", "pressurized_high_percent"),
    )
}


def find_metric(name: str) -> str:
    """Find a metric of the catalogue by its name, with or without the unit at its end.

    Parameters
    ----------
    name : str
        Like ``irp4s_mmhg`` or ``irp4s``; ``_unfiltered`` may follow.

    Returns
    -------
    str
        As in the contract.

    Raises
    ------
    ParameterError
        With the names that are most like it.

    Examples
    --------
    >>> from hrm.explain import find_metric
    >>> find_metric("irp4s"), find_metric("dci"), find_metric("cdp_cm")
    ('irp4s_mmhg', 'dci_mmhg_s_cm', 'cdp_cm')
    """
    plain, tail = name.strip().lower(), ""
    if plain.endswith(UNFILTERED):
        plain, tail = plain.removesuffix(UNFILTERED), UNFILTERED
    known = {**catalog.metrics(), **catalog.unimplemented_metrics()}
    short = {_UNIT.sub("", key): key for key in known}
    found = plain if plain in known else short.get(plain, "")
    if found and (not tail or found in SWALLOW_METRICS):
        return found + tail
    near = difflib.get_close_matches(plain, [*known, *short], n=4, cutoff=0.5)
    hint = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
    raise ParameterError(f"unknown metric {name!r}{hint} ('hrm metrics' lists them all)")


def row_of(name: str) -> Metric | Unimplemented:
    """Row of the catalogue of a name from `find_metric`."""
    plain = name.removesuffix(UNFILTERED)
    return catalog.metrics().get(plain) or catalog.unimplemented_metrics()[plain]


@dataclass(frozen=True)
class Reported:
    """What the contract says of a number; for a run also its place among the runs."""

    value: Any
    status: str
    run: int | None = None


def reported(result: Mapping[str, Any], name: str, swallow: int | None) -> Reported:
    """Look a number up in the published contract.

    Parameters
    ----------
    result : mapping
        From `hrm.to_dict`.
    name : str
        From `find_metric`.
    swallow : int or None
        Number of the swallow, from 1. A number of a run takes the run that holds the
        swallow, or the first.

    Returns
    -------
    Reported

    Raises
    ------
    ParameterError
        If a swallow is missing, superfluous, or not there.
    """
    plain = name.removesuffix(UNFILTERED)
    if plain in OF_RUN:
        return _of_run(result, *OF_RUN[plain], swallow)
    if plain in OF_SWALLOW:
        return _of_swallow(result, name, _checked(result, name, swallow))
    if swallow is not None and plain in catalog.metrics():
        raise ParameterError(f"{name} is a number of the study, not of a swallow; leave it out")
    return _of_study(result, plain)


def _checked(result: Mapping[str, Any], name: str, swallow: int | None) -> int:
    count = len(result["swallows"])
    if count and swallow is not None and 1 <= swallow <= count:
        return swallow
    wanted = f"one of the swallows 1 to {count}" if count else "a swallow, and none was found"
    given = "none was named" if swallow is None else f"got {swallow}"
    raise ParameterError(f"{name} is a number of {wanted}; {given}")


def _of_swallow(result: Mapping[str, Any], name: str, swallow: int) -> Reported:
    block = result["swallows"][swallow - 1]
    for key, names in (("impedance", bolus.SWALLOW_METRICS), ("pharynx", bolus.PHARYNX_METRICS)):
        if name in names:
            part = result[key]
            if part is None:
                return Reported(None, "no_impedance" if key == "impedance" else "not_measured")
            block = part["swallows"][swallow - 1]
    if name.endswith(UNFILTERED) and name not in block:
        raise ParameterError(
            f"{name} is not given: the noise filter did not apply, the number itself is unfiltered"
        )
    status = dict(block.get("status", {}))
    return _found(block[name], status.get(name) or status.get(name.removesuffix(UNFILTERED)))


def _of_run(result: Mapping[str, Any], test: str, key: str, swallow: int | None) -> Reported:
    block = (result["provocation"] or {}).get(test)
    if block is None or not block["runs"]:
        return Reported(None, "not_done")
    places = [k for k, run in enumerate(block["runs"]) if swallow in run["swallows"]]
    if swallow is not None and not places:
        held = "; ".join(f"{run['swallows'][0]}-{run['swallows'][-1]}" for run in block["runs"])
        raise ParameterError(
            f"swallow {swallow} is in no run of {test.upper()}; they hold the swallows {held}"
        )
    place = places[0] if places else 0
    run = block["runs"][place]
    found = _found(run.get(key), run["status"].get(key))
    return Reported(found.value, found.status, place)


def _of_study(result: Mapping[str, Any], name: str) -> Reported:
    if name in catalog.unimplemented_metrics():
        return Reported(None, "not_implemented")
    for key, names in (
        ("landmarks", LANDMARKS),
        ("egj", EGJ_METRICS),
        ("ues", UES_METRICS),
        ("impedance", bolus.STUDY_METRICS),
        ("pharynx", bolus.PHARYNX_STUDY_METRICS),
    ):
        if name in names:
            block = result[key]
            if block is None:
                return Reported(None, "no_impedance" if key == "impedance" else "not_measured")
            return _found(block[name], block["status"].get(name))
    test, _, key = name.partition("_")
    if test in ("mrs", "solid", "upright"):
        block = (result["provocation"] or {}).get(test)
        if block is None:
            return Reported(None, "not_done")
        return _found(block[key], block["status"].get(key))
    return _of_numbers(result["study"], name)


def _of_numbers(block: Mapping[str, Any], name: str) -> Reported:
    status = block["status"]
    for prefix in ("percent_", "hypercontractile_subtypes_", "baseline_"):
        part = block[prefix.removesuffix("_")]
        if name.startswith(prefix):
            key = name.removeprefix(prefix)
            said = part["status"] if prefix == "baseline_" else status.get(prefix.rstrip("_"))
            return _found((part or {}).get(key), None if said == "ok" else said)
    return _found(block[name], status.get(name))


def _found(value: Any, status: str | None) -> Reported:
    missing = "not_measured" if value is None else "ok"
    return Reported(value, status or missing)
