"""EDF and EDF+."""

from fuzz._harness import SEEDS, text_target
from fuzz._mutate import edf_mutator

_ORDER = {"channel_order": "proximal_first", "depths": (0.0, 1.0, 2.0)}
OPTIONS = (
    _ORDER,
    {**_ORDER, "strictness": "warn", "keep_phi": True, "channel_order": "distal_first"},
    *({"layout": path} for path in sorted((SEEDS / "layout").glob("edf*.tom"))),
    {},
)
TARGET = text_target("edf", "edf", OPTIONS, edf_mutator)
