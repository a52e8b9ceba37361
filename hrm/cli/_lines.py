"""Lines of a summary: a label with its text, a note, and words for a code."""

from __future__ import annotations

import textwrap

DASH = "–"
WIDTH = 110
LABEL = 30


def row(label: str, text: str, *, indent: int = 2) -> str:
    """Write a label and, beside it, its text in as many lines as it takes."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent + label.ljust(LABEL - 1) + " ",
        subsequent_indent=" " * (indent + LABEL),
        break_long_words=False,
        break_on_hyphens=False,
    )


def words(code: str) -> str:
    """Write a code of the contract as words."""
    return code.replace("_", " ")


def note(text: str, *, hanging: int = 0) -> str:
    """Write a text over the whole width."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="  ",
        subsequent_indent=" " * (2 + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
