"""A text that somebody wrote at a moment of the recording, as an event."""

from __future__ import annotations

from hrm.errors import DataQualityWarning
from hrm.io import identity
from hrm.io._raw import RawEvent


class AnnotationsLeftOut(DataQualityWarning):
    """Annotations of a file that lie outside its samples; `times_s` are as the file counts."""

    def __init__(self, message: str, times_s: tuple[float, ...]) -> None:
        super().__init__(message)
        self.times_s = times_s


_WORDS = ("landmark", "resting")


def event_of(onset_s: float, text: str, *, keep_phi: bool, duration_s: float = 0.0) -> RawEvent:
    """Make an event of a text; the text itself stays only if it names nobody, or is asked for.

    Examples
    --------
    >>> event_of(1.0, "wet swallow 3", keep_phi=False).label
    'protocol'
    >>> event_of(1.0, "seen by Dr Smith", keep_phi=False)
    RawEvent(onset_s=1.0, label='annotation', note='', source='operator', duration_s=0.0)
    """
    note = identity.note_to_keep(text, keep_phi=keep_phi)
    if not identity.is_protocol_text(text):
        return RawEvent(onset_s, "annotation", note, duration_s=duration_s)
    # What the operator wrote is no proof of a swallow, hence "protocol".
    word = text.strip().casefold()
    label = next((known for known in _WORDS if word.startswith(known)), "protocol")
    return RawEvent(onset_s, label, note, duration_s=duration_s)
