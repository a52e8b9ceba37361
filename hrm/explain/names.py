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
#: Names offered for one that is not known.
_MOST_NEAR = 4

#: What follows from numbers and is none.
_LABELS = frozenset(
    ("diagnosis", "diagnosis_ccv4", "diagnosis_ccv3", "type", "pressurization", "morphology")
)
#: Names in use that are too far from those of the catalogue to be found by likeness.
_KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("les_resting", "les_resting_pressure", "les_basal", "les_basal_pressure"),
            *("les_pressure", "lesp", "basal_pressure", "egj_resting", "egj_pressure"),
        ),
        ("basal_mean_mmhg", "basal_end_expiratory_mmhg"),
    ),
    "resting_pressure": ("basal_mean_mmhg", "ues_resting_mmhg"),
    "ues_resting_pressure": ("ues_resting_mmhg",),
    "irp": ("irp4s",),
    "mnbi": ("distal_baseline_ohm",),
    "intrabolus_pressure": ("ibp_mmhg",),
    "contractile_front_velocity": ("cfv_cm_s",),
    "peristaltic_break": ("break_cm",),
    "dl": ("distal_latency_s",),
    "latency": ("distal_latency_s",),
    "pip": ("pressure_inversion_point_cm",),
    "tz": ("transition_zone_cm",),
    "cd": ("crural_diaphragm_cm",),
    "hernia": ("les_cd_separation_cm",),
}

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
    known = {key: key for key in (*catalog.metrics(), *catalog.unimplemented_metrics())}
    known |= {catalog.without_unit(key): key for key in known}
    letters = {_letters(spelled): key for spelled, key in known.items()}
    found = known.get(plain) or letters.get(_letters(plain), "")
    if found and (not tail or found in SWALLOW_METRICS):
        return found + tail
    if plain in _LABELS:
        raise ParameterError(
            f"{name!r} is a label and no number: 'hrm analyze' prints the rules and limits that it "
            "rests on, and each number of them can be explained"
        )
    near = _near(plain, known)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ParameterError(f"unknown metric {name!r}{hint} ('hrm metrics' lists them all)")


def _letters(name: str) -> str:
    """What is left of a name that is written ``EGJ-CI`` or ``IRP 4s``."""
    return "".join(filter(str.isalnum, name))


def _near(plain: str, known: Mapping[str, str]) -> list[str]:
    """Names that may be meant: those in use for it, or those spelled most alike."""
    usual = _KNOWN_AS.get("_".join(re.split(r"[\s_-]+", plain)))
    if usual:
        return list(usual)
    alike = difflib.get_close_matches(plain, known, n=2 * _MOST_NEAR, cutoff=0.5)
    # With and without its unit a metric is named once.
    named = {known[spelled]: spelled for spelled in reversed(alike)}
    return [spelled for spelled in alike if named[known[spelled]] == spelled][:_MOST_NEAR]


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
