"""What happens to the pressure before any metric: drift, sensors, noise, depth grid.

The recording itself is never changed: everything here returns new pressure, and the
quality block of a result says what was done to it.
"""

from hrm.preprocess.drift import Offsets, correct_drift, estimate_drift, restore_drift
from hrm.preprocess.grid import KERNELS, interpolate_depth, window_field
from hrm.preprocess.noise import estimate_noise, filter_noise, sensor_noise
from hrm.preprocess.quality import (
    FLAGS,
    SensorQuality,
    judge_sensors,
    repair_sensors,
    resolution,
    usable_sensors,
)
from hrm.preprocess.spacing import SpacingFinding, sensor_spacing_findings

__all__ = [
    "FLAGS",
    "KERNELS",
    "Offsets",
    "SensorQuality",
    "SpacingFinding",
    "correct_drift",
    "estimate_drift",
    "estimate_noise",
    "filter_noise",
    "interpolate_depth",
    "judge_sensors",
    "repair_sensors",
    "resolution",
    "restore_drift",
    "sensor_noise",
    "sensor_spacing_findings",
    "usable_sensors",
    "window_field",
]
