"""A report is preliminary until a reader has signed the study off; its pages say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

DRAFT = "PRELIMINARY"
SIGN_OFF = "not signed off by a reader"
#: Name by which the mark is told from the text of the page.
WATERMARK = "watermark"
#: So pale that the text over it stays legible, also in gray print.
_COLOR = "#ececec"


def signed_off(result: Mapping[str, Any]) -> bool:
    """Whether a reader stands behind a result: only then is anything that is printed final."""
    return bool((result["review"] or {}).get("signed_off", False))


def mark_drafts(pages: Sequence[Figure], results: Sequence[Mapping[str, Any]]) -> None:
    """Write across the pages that they are preliminary, unless every study is signed off.

    Parameters
    ----------
    pages : sequence of Figure
    results : sequence of mapping
        Of all studies that the pages show, in hrm's contract.
    """
    if all(map(signed_off, results)):
        return
    for page in pages:
        mark = page.text(
            *(0.5, 0.5, f"{DRAFT}\n{SIGN_OFF}"),
            ha="center",
            va="center",
            rotation=55,
            fontsize=46,
            color=_COLOR,
            linespacing=1.3,
            zorder=-10,
            parse_math=False,
            gid=WATERMARK,
        )
        mark.set_in_layout(False)
