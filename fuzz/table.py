"""Plain tables, read by options alone and by each of several layout files."""

from fuzz._harness import SEEDS, text_target
from fuzz._mutate import text_mutator

_SAID = {"pressure_unit": "mmHg", "channel_order": "proximal_first"}
_FREE = {**_SAID, "sampling_rate": 20.0, "depths": (0.0, 1.0, 2.0)}
OPTIONS = (
    _FREE,
    {**_FREE, "strictness": "warn", "keep_phi": True},
    {**_FREE, "pressure_unit": "kPa", "channel_order": "distal_first"},
    *({"layout": path} for path in sorted((SEEDS / "layout").glob("*.toml"))),
    {},
)
_WORDS = (
    *(b"time", b"P1", b"P2", b"P3", b"note", b"-9999", b"NA", b"0.05", b"0,05", b"50", b"0.1"),
    *(b"WS 1", b'"a"', b'"', b"1;2;3;4", b"1 2 3", b"\xe4", b"1e5", b"kPa"),
)
TARGET = text_target("table", "plain-table", OPTIONS, text_mutator(_WORDS))
