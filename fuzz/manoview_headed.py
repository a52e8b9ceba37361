"""ManoView ASCII with its header."""

from fuzz._harness import text_target
from fuzz._mutate import text_mutator

_DEPTHS = {"depths": (0.0, 1.0, 2.0)}
OPTIONS = (_DEPTHS, {**_DEPTHS, "strictness": "warn", "keep_phi": True}, {})
_WORDS = (
    *(b"TIME:", b"time: ", b"Annotations:", b"\tAnnotations:", b"1", b"2", b"3", b"260.60"),
    *(b"260.61", b"260.60\tWS 1", b"0.00", b"1e9", b"1000000000", b"0.000001", b"260,61", b""),
)
TARGET = text_target("manoview_headed", "manoview-ascii", OPTIONS, text_mutator(_WORDS))
