"""Synthetic HRM studies from an analytic pressure field, with known truth.

Used by tests, the demo and the benchmarks. `draw` makes a `Phantom`, `sample`
reads it with a catheter, and `truth` says what an engine should find.
"""

from __future__ import annotations

from hrm.phantom.altered import Alteration, alter
from hrm.phantom.blocks import Provocation
from hrm.phantom.drawing import draw
from hrm.phantom.export import write_manoview, write_mms_csv
from hrm.phantom.faults import write_offsets
from hrm.phantom.field import Phantom
from hrm.phantom.placement import default_offset, sensor_at
from hrm.phantom.recipes import PHENOTYPES
from hrm.phantom.sampling import sample, swallow_table
from hrm.phantom.truth import truth

__all__ = [
    "PHENOTYPES",
    "Alteration",
    "Phantom",
    "Provocation",
    "alter",
    "default_offset",
    "draw",
    "sample",
    "sensor_at",
    "swallow_table",
    "truth",
    "write_manoview",
    "write_mms_csv",
    "write_offsets",
]
