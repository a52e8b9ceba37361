"""ManoView tables without header."""

from fuzz._harness import text_target
from fuzz._mutate import text_mutator

OPTIONS = ({}, {"strictness": "warn"}, {"depths": tuple(range(36))})
_WORDS = (b"0.0", b"0.01", b"0.02", b"260.60", b"1 2 3", b"0.0 1 2 3", b"0.00000", b"-0.0", b"1e9")
TARGET = text_target("manoview_headless", "manoview-headless", OPTIONS, text_mutator(_WORDS))
