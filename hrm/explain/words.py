"""Codes of the contract in plain words."""

from __future__ import annotations

from collections.abc import Mapping

#: Statuses that spaces instead of underscores do not make clear.
_WORDS: Mapping[str, str] = {
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
}


def in_words(code: str) -> str:
    """Write a status as words."""
    return _WORDS.get(code, code.replace("_", " "))
