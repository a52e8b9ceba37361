"""Pictures of the metric catalogue, drawn when the site is built.

Each is `hrm explain` of a synthetic swallow, without its words: what a number is made of is
shown by the very marks that the engine measured it with, so no picture can be out of date.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

import hrm
from hrm import phantom
from hrm.explain.names import OF_SWALLOW
from hrm.explain.text import words_of
from hrm.plot.explain import Words, explanation_figure

#: Metrics with a picture, and the members of the family that look there.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "irp4s_mmhg": (
        *("window_s", "irp02s_mmhg", "irp1s_mmhg", "irp2s_mmhg", "irp3s_mmhg", "irp5s_mmhg"),
        *("les_nadir_mmhg", "les_residual_mmhg"),
    ),
    "dci_mmhg_s_cm": ("dci_box_mmhg_s_cm", "dci_les_mmhg_s_cm"),
    "distal_latency_s": ("onset_s", "cdp_cm"),
    "cfv_cm_s": (),
    "break_cm": (),
    "ibp_mmhg": ("ibp_mean_mmhg",),
    "peaks": (),
    "ues_relaxation_s": (
        *("ues_residual_mmhg", "ues_irp02s_mmhg", "ues_time_to_nadir_s", "ues_recovery_s"),
    ),
    "les_upper_cm": ("les_lower_cm", "les_length_cm"),
    "crural_diaphragm_cm": ("pressure_inversion_point_cm", "les_cd_separation_cm"),
    "transition_zone_cm": (),
    "ues_upper_cm": ("ues_lower_cm", "ues_resting_mmhg"),
    "basal_end_expiratory_mmhg": ("basal_mean_mmhg", "basal_inspiratory_mmhg"),
    "gastric_reference_mmhg": (),
    "egj_ci_mmhg_cm": (
        *("egj_ci_les_mmhg_cm", "egj_ci_crural_mmhg_cm"),
        *("egj_ci_sum_mmhg_cm", "egj_ci_total_mmhg_cm"),
    ),
    "mrs_dci_during_mmhg_s_cm": ("mrs_start_s", "mrs_stop_s", "mrs_dci_during_box_mmhg_s_cm"),
    "mrs_irp4s_during_mmhg": ("mrs_les_during_mmhg",),
    "mrs_dci_after_mmhg_s_cm": ("mrs_ratio", "mrs_ratio_of_mean"),
    "rdc_irp4s_during_mmhg": ("rdc_start_s", "rdc_stop_s", "rdc_les_during_mmhg"),
    "rdc_pressurized_low_percent": ("rdc_pressurized_high_percent",),
    "transit_time_s": ("transit_time_median_s", "n_transit_judged", "percent_complete_transit"),
    "nadir_impedance_s": (
        *("nadir_impedance_pressure_mmhg", "peak_pressure_mmhg", "nadir_impedance_to_peak_s"),
        "impedance_ratio",
    ),
    "flow_ibp_mmhg": ("flow_ibp_slope_mmhg_s", "pressure_flow_index"),
    "ues_maximum_admittance_millisiemens": (),
    "distal_baseline_ohm": (),
}
#: A picture for each member of the families.
PICTURE_OF = {
    name: shown for shown, others in FAMILIES.items() for name in (shown, *others)
}  # fmt: skip

_SEED, _RATE_HZ, _NOISE_MMHG = 1, 50.0, 0.5
_SWALLOW = 2
_DPI, _QUALITY = 80, 80


def study() -> Any:
    """Analyze one synthetic study that has all that the pictures show."""
    tests = phantom.Provocation(mrs_runs=1, rdc="normal")
    made = phantom.draw("normal", seed=_SEED, n_supine=3, n_upright=2, provocation=tests)
    options: dict[str, Any] = {"sampling_rate": _RATE_HZ, "noise_mmhg": _NOISE_MMHG}
    recording = phantom.sample(made, impedance=True, **options)
    return hrm.analyze(recording, system="manoscan", posture="supine")


def picture(analyzed: Any, name: str) -> bytes:
    """Draw one metric as a small WebP."""
    found = hrm.explain_metric(analyzed, name, _SWALLOW if name in OF_SWALLOW else None)
    if found.status != "ok" or found.evidence.field is None:
        raise ValueError(f"no picture of {name}: {found.status}")
    figure = explanation_figure(found, Words(words_of(found).heading, (), ()))
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=_DPI, bbox_inches="tight", pad_inches=0.05)
    small = io.BytesIO()
    Image.open(drawn).convert("RGB").save(small, "WEBP", quality=_QUALITY)
    return small.getvalue()
