"""Formats that figures are drawn in."""

from __future__ import annotations

import os
from pathlib import Path

from hrm.errors import ParameterError

FORMATS = ("png", "pdf", "svg")


def format_of(path: str | os.PathLike[str]) -> str:
    """Format that the suffix of a figure's path asks for.

    Raises
    ------
    ParameterError
        If it is not one that figures are drawn in.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ParameterError("the name of a figure ends in .png, .pdf or .svg")
    return kind
