"""Codes of the contract in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hrm import catalog

#: Statuses that spaces instead of underscores do not make clear.
WORDS: Mapping[str, str] = {
    "not_done": "this test was not done, or no swallow of the recording is known to belong to it",
    "no_impedance": "the recording has no impedance",
    "not_measured": "not measured",
    "landmark_missing": "a landmark that places the measurement is missing",
    "sensor_failed": "a sensor that the measurement needs failed",
    "window_truncated": "the recording or the next swallow cuts the window off",
    "no_wavefront": "no contractile front can be followed",
    "no_contraction": "nothing contracts",
    "no_gastric_sensor": "no sensor lies clear in the stomach, so there is no gastric reference",
    "no_baseline": "no swallow-free stretch was long enough to be a baseline",
    "not_separated": "LES and crural diaphragm are not separated",
    "no_evaluable_swallow": "no evaluable swallow gives it",
    "pharyngeal_borders_unknown": "no reader has named the borders of the parts of the pharynx",
    "catheter_starts_in_pharynx": "the catheter does not span the pharynx",
    "segment_positions_unknown": "the positions of the impedance segments are not known",
    "excluded": "the swallow does not count",
    "not_implemented": "hrm does not measure it",
    "sensor_bridged": "a sensor of the LES failed; its pressure is interpolated from its neighbors",
    "sensor_saturated": "a sensor is at the end of its range",
    "rate_too_low": "too few samples a second",
    "baseline_short": "the baseline is short: fewer than three breaths, or less than its margin",
    "respiration_not_found": "no breathing shows in the baseline",
    "gastric_single": "a single sensor gives the gastric reference",
    "gastric_in_hernia": "no sensor lies below the diaphragm: the zero is from the hernia",
    "no_high_pressure_zone": "the LES shows no resting peak",
    "not_definable_by_pressure": "the LES shows no resting peak and does not relax",
    "les_uncertain": "the LES has no resting peak: placed by its relaxation on swallowing",
    "les_not_covered": "the sensors do not reach the lower border of the LES",
    "border_not_crossed": "the pressure does not fall to the level within the sensors",
    "catheter_ends_in_les": "the catheter ends within the LES",
    "catheter_ends_in_egj": "the catheter ends within the EGJ",
    "catheter_starts_in_ues": "the catheter starts within the UES",
    "catheter_starts_below_ues": "the catheter starts below the UES: no swallow can be dated",
    "front_too_short": "the front is too short to have a velocity",
    "front_simultaneous": "the front arrives everywhere almost at one time",
    "front_retrograde": "the front runs upward",
    "no_relaxation": "the UES does not fall",
    "no_recovery": "the UES does not rise again",
    "hidden_by_pharyngeal_wave": "the pharyngeal wave hides it",
    "no_ues_tone": "the UES has no resting tone",
    "estimated_from_pharyngeal_wave": "the UES has no tone: estimated from the pharyngeal wave",
    "no_inspiratory_augmentation": "the diaphragm does not show with inspiration",
    "no_inversion": "breathing does not turn round along the catheter",
    "no_run": "no run of the test can be measured",
    "no_swallow": "no swallow of this test counts",
    "no_swallow_measured": "of no swallow of this test can it be told",
    "no_supine_single_swallow": "no single supine swallow to compare with",
    "single_swallows_without_contraction": "the single swallows do not contract",
    "no_irp_limit_for_system": "the system has no limit of the IRP",
    "no_bolus": "the impedance does not fall: no bolus shows",
    "no_bolus_entry": "the impedance was low before: no entry of a bolus shows",
    "no_bolus_exit": "the impedance does not rise again: no exit of the bolus shows",
    "nadir_after_peak": "the bolus is there after the contraction",
    "segments_do_not_reach": "no impedance segment lies where it is read",
    "no_segment_in_ues": "no impedance segment lies in the UES",
    "saved_by_earlier_version": "the study was analyzed before hrm knew this number",
    "recording_too_short": "the recording is too short",
}


#: What a row of the limits table is a limit of.
QUANTITIES: Mapping[str, str] = {
    "irp4s": "IRP-4s",
    "ibp": "intrabolus pressure",
    "dci_failed": "DCI of a failed swallow",
    "dci_weak": "DCI of a weak swallow",
    "dci_hypercontractile": "DCI of a hypercontractile swallow",
    "dci_hypertensive": "DCI of a hypertensive swallow",
    "dl_premature": "DL of a premature swallow",
    "cfv_rapid": "CFV of a rapid contraction",
    "break_fragmented": "break of a fragmented swallow",
    "break_small": "small break",
    "break_large": "large break",
    "contour_break": "contour in which breaks are looked for",
    "contour_pressurization": "contour of a pressurization",
    "percent_absent": "swallows without peristalsis",
    "percent_ibp": "swallows with raised intrabolus pressure",
    "percent_ineffective_grey": "ineffective swallows, inconclusive",
    "percent_panesophageal": "swallows with panesophageal pressurization",
    "percent_break_small": "swallows with a small break",
    "percent_break_large": "swallows with a large break",
}


def quantity_words(code: str) -> str:
    """Write what a row of the limits table is a limit of."""
    kind = code.removeprefix("percent_")
    plain = f"{in_words(kind)} swallows" if kind != code else in_words(code)
    return QUANTITIES.get(code, plain)


def in_words(code: str) -> str:
    """Write a status as words."""
    return WORDS.get(code, code.replace("_", " "))


def confidence_words(code: str) -> str:
    """Write how sure a row of a table is."""
    return catalog.words()["confidence"].get(code, code)


def why_not(row: Mapping[str, Any]) -> str:
    """Write why a swallow of the contract is not evaluable."""
    code = row["reason"] or "no_reason_given"
    return f"not evaluable: {catalog.words()['reason'].get(code, in_words(code))}"
