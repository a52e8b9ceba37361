"""What the events of a recording say of its swallows: protocol and posture.

The words are in ``hrm/data/words.toml``. A text that is not wholly of them says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import xarray as xr

from hrm import catalog
from hrm.catalog import Parameters
from hrm.schema import POSTURES, PROTOCOLS

_NUMBER = re.compile(r"\s*[#:.]?\s*\d{1,2}$")
_VOLUME = re.compile(r"^\d{1,3}\s*ml\s+")


@dataclass(frozen=True)
class Told:
    """What an event says.

    Attributes
    ----------
    start_s, stop_s : float [s]
        Equal where the event is an instant.
    word : str
        A protocol, a posture, or ``other``: the block before it is over.
    """

    start_s: float
    stop_s: float
    word: str


def meaning(note: str) -> str | None:
    """Give what the text of an event means; None if it says nothing of protocol or posture.

    Parameters
    ----------
    note : str

    Returns
    -------
    str or None
        A protocol (``mrs``, ``rdc``, ``solid``), a posture (``supine``, ``upright``,
        ``unknown`` for one that has no limits), or ``other`` for another test.

    Examples
    --------
    >>> meaning("MRS 2"), meaning("200 ml rapid drink"), meaning("Sitting"), meaning("hiccup")
    ('mrs', 'rdc', 'upright', None)
    """
    text = " ".join(note.casefold().replace("_", " ").replace("-", " ").split())
    text = _NUMBER.sub("", _VOLUME.sub("", text))
    return catalog.event_words().get(text)


def read_events(events: xr.Dataset) -> list[Told]:
    """Read the events that say something of protocol or posture.

    Parameters
    ----------
    events : Dataset (event)
        Node ``/events`` of a recording.

    Returns
    -------
    list of Told
        In the order of their starts.
    """
    rows = zip(
        *(events[name].values.tolist() for name in ("onset", "duration", "note")), strict=True
    )
    found = []
    for onset, duration, note in rows:
        word = meaning(str(note))
        if word is not None:
            length = max(0.0, duration)
            found.append(Told(float(onset), float(onset + length), word))
    return sorted(found, key=lambda told: told.start_s)


def protocols_told(
    told: Sequence[Told], onsets: Sequence[float], parameters: Parameters
) -> list[str]:
    """Say of each swallow to which test the events put it.

    Parameters
    ----------
    told : sequence of Told
    onsets : sequence of float [s]
        Of every swallow, increasing.
    parameters : Parameters

    Returns
    -------
    list of str
        One of `hrm.schema.PROTOCOLS`; ``unknown`` where no event says one. An event with a
        duration covers it. An instant one starts a block at the first swallow within
        ``events.start_s``, and the block ends with a pause of ``provocation.gap_s`` or at the
        next event of a test or a posture.
    """
    out = ["unknown"] * len(onsets)
    early = parameters["events.early_s"]
    for k, one in enumerate(told):
        if one.word not in PROTOCOLS or one.word == "unknown":
            continue
        if one.stop_s > one.start_s:
            chosen = [
                i for i, at in enumerate(onsets) if one.start_s - early <= at <= one.stop_s + early
            ]
        else:
            following = [other.start_s for other in told[k + 1 :] if other.start_s > one.start_s]
            until = min(following, default=float("inf")) - early
            chosen = _block(onsets, one.start_s, until, parameters)
        for i in chosen:
            out[i] = one.word
    return out


def _block(
    onsets: Sequence[float], start_s: float, until_s: float, parameters: Parameters
) -> list[int]:
    """Swallows of the run that begins at an event."""
    first = start_s - parameters["events.early_s"]
    inside = [i for i, at in enumerate(onsets) if first <= at < until_s]
    if not inside or onsets[inside[0]] > start_s + parameters["events.start_s"]:
        return []
    run = inside[:1]
    for before, here in pairwise(inside):
        if onsets[here] - onsets[before] > parameters["provocation.gap_s"]:
            break
        run.append(here)
    return run


def posture_told(told: Sequence[Told], onset_s: float, parameters: Parameters) -> str:
    """Say in which posture the events put a swallow.

    Parameters
    ----------
    told : sequence of Told
    onset_s : float [s]
    parameters : Parameters

    Returns
    -------
    str
        Of the last event with a posture up to ``events.early_s`` after the onset, which
        holds until the next; one with a duration only holds while it lasts. Empty where
        no event says one; ``unknown`` for a posture that has no limits of its own.
    """
    early = parameters["events.early_s"]
    posture = ""
    for one in told:
        if one.word not in POSTURES or one.start_s - early > onset_s:
            continue
        if one.stop_s > one.start_s and onset_s > one.stop_s + early:
            continue
        posture = one.word
    return posture


def event_warnings(told: Sequence[Told], posture: str) -> list[str]:
    """Say where the events contradict the posture that was said of the study.

    Parameters
    ----------
    told : sequence of Told
    posture : str
        Of the study.

    Returns
    -------
    list of str
    """
    others = {one.word for one in told if one.word in POSTURES} - {posture, "unknown"}
    if posture == "unknown" or not others:
        return []
    return [
        f"the study was said to be {posture}, and events of the recording say {word}: the swallows "
        "after them are taken as the events say; a swallow table says otherwise"
        for word in sorted(others)
    ]
