"""Laborie/MMS CSV."""

from fuzz._harness import text_target
from fuzz._mutate import text_mutator

_DEPTHS = {"depths": (0.0, 1.0, 2.0)}
OPTIONS = (
    _DEPTHS,
    {},
    {**_DEPTHS, "strictness": "warn"},
    {**_DEPTHS, "strictness": "warn", "keep_phi": True},
    {"catheter": "CE4-0062", "keep_phi": True},
)
_WORDS = (
    *(
        "Name=",
        "Channels=",
        "Sf=",
        "Min=",
        "Max=",
        "Sample number",
        "P1",
        "P2",
        "P3",
        "P01",
        "Resp1",
    ),
    *(
        "Swallow1",
        "Marker",
        "20",
        "0.5",
        "10",
        "檢查流程",
        "Contraction vigor",
        "Contraction  pattarn",
    ),
    *("ws_10_vigor", "ws_5_dci", "ws_10_irp40", "ws_10_dl", "ws_10_large_break", "catheter_type"),
    *("CE4-0062", "4", "無數據", "Normal", "hyper-contraction", "Failed", "Intact", "Wet swallow1"),
    *("wet swallow 12", "leg 5 ml WS#3", "MRS1", "Landmark", "Resting1", "1,250", "1.250,5", "DOE"),
)
TARGET = text_target(
    "mms", "mms-csv", OPTIONS, text_mutator(tuple(word.encode() for word in _WORDS))
)
