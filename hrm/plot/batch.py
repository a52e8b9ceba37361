"""Pictures of a batch: how a number is spread over the studies."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_WIDTH, _HEIGHT, _DPI = 3.1, 2.1, 100
_BAR, _LIMIT = "#1b4f72", "#b03a2e"
_BINS = 24
#: Letters of a title that fit above a histogram.
_TITLE_WIDTH = 40


def histogram(
    values: Sequence[float], *, title: str, unit: str, limit: float | None = None
) -> bytes:
    """Draw how a number is spread.

    Parameters
    ----------
    values : sequence of float
        In `unit`, without NaN.
    title, unit : str
    limit : float, optional
        Upper limit of normal, drawn as a line.

    Returns
    -------
    bytes
        PNG.
    """
    fig = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor="white", layout="constrained")
    ax = fig.add_subplot()
    ax.hist(values, bins=min(_BINS, max(4, len(values))), color=_BAR, edgecolor="white", lw=0.4)
    if limit is not None:
        ax.axvline(limit, color=_LIMIT, lw=1.2, ls="--")
    ax.set_title(textwrap.fill(title, _TITLE_WIDTH), fontsize=8)
    ax.set_xlabel(unit, fontsize=7)
    ax.set_ylabel("studies", fontsize=7)
    ax.tick_params(labelsize=7)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    return _png(fig)


def bars(counts: Mapping[str, int], *, title: str) -> bytes:
    """Draw how often each label comes, the most frequent on top.

    Parameters
    ----------
    counts : mapping of str to int
    title : str

    Returns
    -------
    bytes
        PNG.
    """
    names = list(counts)[::-1]
    height = 0.7 + 0.24 * max(len(names), 1)
    fig = Figure(figsize=(2 * _WIDTH, height), dpi=_DPI, facecolor="white", layout="constrained")
    ax = fig.add_subplot()
    drawn = ax.barh(names, [counts[name] for name in names], color=_BAR)
    ax.bar_label(drawn, fontsize=7, padding=2)
    ax.set_title(title, fontsize=8)
    ax.tick_params(labelsize=7)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    return _png(fig)


def _png(fig: Figure) -> bytes:
    buffer = io.BytesIO()
    # No date and no version of a library: the same numbers give the same bytes.
    fig.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
