"""Samples of a recording, small enough to be part of a page, and what was left out of them.

Pressures are rounded to counts. Where the whole recording at its own rate would be too
large, it is kept at a coarser level (mean and greatest value of 2, 4, 8 … samples) and at its
own rate around the swallows.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hrm.report.pyramid import Pyramid

#: Size of a count [mmHg], best first; a step of the color scale of the page is 0.3 mmHg.
STEPS_MMHG = (0.1, 0.25)
#: Columns of a tile: small, so that a part of some seconds holds whole ones.
TILE_COLUMNS = 128
_MISSING, _MOST = -32768, 32767
#: Deflate comes so near to the entropy of the bytes.
_OVERHEAD = 1.1
#: Time kept around a swallow at the recording's own rate [s].
_BEFORE_S, _AFTER_S = 5.0, 20.0

Values = NDArray[np.float32]
Span = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """Columns of one level.

    Attributes
    ----------
    kind : str
        ``"mean"`` or ``"max"``.
    level : int
        A column stands for ``2**level`` samples.
    first : int
        Column of the level that the part begins with.
    values : array (sensor, column) [mmHg]
    """

    kind: str
    level: int
    first: int
    values: Values

    def described(self) -> dict[str, Any]:
        """Say what it is, ready for JSON."""
        columns = int(self.values.shape[1])
        return {"kind": self.kind, "level": self.level, "first": self.first, "columns": columns}


@dataclass(frozen=True)
class Packed:
    """Samples as a page carries them.

    Attributes
    ----------
    text : str
        Base64.
    parts : list of dict
        What is in it, in order.
    step_mmhg : float
        Size of a count.
    said : str
        How they were sampled, in words.
    """

    text: str
    parts: list[dict[str, Any]]
    step_mmhg: float
    said: str


def pack(values: Values, rate_hz: float, spans: Sequence[Span], room: int) -> Packed:
    """Pack a recording as finely as there is room for.

    Parameters
    ----------
    values : array (sensor, time) [mmHg]
    rate_hz : float
    spans : sequence of (float, float) [s]
        First and last onset of what is looked at most closely.
    room : int
        Length that the base64 may have.

    Returns
    -------
    Packed
    """
    pyramid = Pyramid(values)
    for choice in _choices(pyramid.levels):
        parts = [*_parts(pyramid, choice, rate_hz, spans)]
        coded = [_bytes(part, choice.step_mmhg) for part in parts]
        if _expected(coded) <= room:
            break
    found = [part.described() for part in parts]
    return Packed(_text(coded), found, choice.step_mmhg, _said(rate_hz, choice))


class Choice(NamedTuple):
    """Level of the whole recording, whether swallows are kept as recorded, size of a count."""

    base: int
    near: bool
    step_mmhg: float


def _choices(levels: int) -> Iterator[Choice]:
    """What may be embedded, best first; the last is small in any case."""
    first, last = STEPS_MMHG
    yield Choice(0, near=False, step_mmhg=first)
    yield Choice(0, near=False, step_mmhg=last)
    yield from (Choice(level, near=True, step_mmhg=last) for level in range(1, min(levels, 6)))
    yield from (Choice(level, near=False, step_mmhg=last) for level in range(1, levels))


def _expected(coded: Sequence[bytes]) -> float:
    """Length of the base64, from the entropy of low and of high bytes."""
    total = 0.0
    for part in coded:
        both = np.frombuffer(part, np.uint8).reshape(2, -1)
        for plane in both:
            counts = np.bincount(plane, minlength=256)
            share = counts[counts > 0] / plane.size
            total -= plane.size * float(np.sum(share * np.log2(share))) / 8.0
    return total * _OVERHEAD * 4.0 / 3.0


def _text(coded: Sequence[bytes]) -> str:
    # The strategy for differences; the highest effort takes 20 times as long for 3 %.
    deflate = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    packed = b"".join([*map(deflate.compress, coded), deflate.flush()])
    return base64.b64encode(packed).decode("ascii")


def _parts(
    pyramid: Pyramid, choice: Choice, rate_hz: float, spans: Sequence[Span]
) -> Iterator[Part]:
    base = choice.base
    yield Part("mean", base, 0, pyramid.level(base, "mean"))
    if base:
        yield Part("max", base, 0, pyramid.level(base, "max"))
    recorded = pyramid.level(0, "mean")
    for first, stop in _columns(spans, rate_hz, base, recorded.shape[1]) if choice.near else ():
        yield Part("mean", 0, first, recorded[:, first:stop])


def _columns(
    spans: Sequence[Span], rate_hz: float, base: int, count: int
) -> Iterator[tuple[int, int]]:
    """First and last sample around each span; those that touch are joined."""
    # So that the coarser levels made of a part begin with a whole column.
    unit = 2**base
    out: list[tuple[int, int]] = []
    for start_s, stop_s in sorted(spans):
        first = max(0, int((start_s - _BEFORE_S) * rate_hz)) // unit * unit
        stop = min(count, int(np.ceil((stop_s + _AFTER_S) * rate_hz)))
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        elif first < stop:
            out.append((first, stop))
    yield from out


def _bytes(part: Part, step_mmhg: float) -> bytes:
    """Differences along time as 16 bits that wrap around, all low bytes before all high ones."""
    missing = np.isnan(part.values)
    counts = np.rint(np.nan_to_num(part.values) / step_mmhg)
    whole = np.clip(counts, -_MOST, _MOST).astype("<i2")
    whole[missing] = _MISSING
    steps = np.diff(whole, axis=1, prepend=np.zeros((whole.shape[0], 1), whole.dtype))
    pairs = np.ascontiguousarray(steps, dtype="<i2").view(np.uint8).reshape(-1, 2)
    return pairs[:, 0].tobytes() + pairs[:, 1].tobytes()


def _said(rate_hz: float, choice: Choice) -> str:
    rounded = f"rounded to {choice.step_mmhg:g} mmHg"
    if choice.base == 0:
        return f"Tracing: all samples as recorded, {rate_hz:g} Hz, {rounded}."
    count = 2**choice.base
    coarse = (
        f"mean and highest of every {count} samples over the whole recording "
        f"({rate_hz / count:g} Hz)"
    )
    near = (
        f"all samples as recorded ({rate_hz:g} Hz) from {_BEFORE_S:g} s before each onset to "
        f"{_AFTER_S:g} s after it, otherwise "
    )
    return f"Tracing: {near if choice.near else ''}{coarse}; {rounded}."
