"""What may be kept of a file that names a patient.

Allow-lists only: whatever is not known to be harmless is identity, and is
dropped unless the caller asks for it. What is kept on request lives in
attributes named ``phi_...``, so that it can be found and dropped again.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

PHI_PREFIX = "phi_"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Attribute that says that free text was kept.
NOTES_ATTR = f"{PHI_PREFIX}notes"

#: Names of kept header rows that a log may spell out. Any other may be a name itself, like a
#: row that begins with the patient's, and is called `OTHER_SLOT`.
SLOTS = _words(
    """
    name first_name last_name surname given_name initials patient patient_name patient_id id mrn
    record_number case_number study_id study_no accession_number birth_date birthdate birthday born
    date_of_birth dob age sex gender height weight bmi address city zip phone email insurance
    physician doctor referring_physician operator technician nurse institution hospital clinic
    department date time start_date start_time study_date study_time recording_date exam_date
    examination_date date_of_study device device_id device_serial equipment serial serial_number
    catheter catheter_id catheter_type catheter_serial probe probe_id probe_serial software version
    comment comments diagnosis indication reason medication notes remarks history protocol
    recording_id admincode recording_additional patient_additional
    """
)
OTHER_SLOT = "other header field"
#: Slots that date the recording itself, and those that say with what it was made.
DATE_SLOTS = _words(
    """
    date start_date start_time study_date recording_date exam_date examination_date date_of_study
    """
)
DEVICE_SLOTS = _words(
    """
    device device_id device_serial equipment serial serial_number catheter catheter_id
    catheter_type catheter_serial probe probe_id probe_serial
    """
)

#: Root attributes that a de-identified study may carry, and the whole form of each text.
#: Not here, and decided by `hrm.io.deidentify`: study_id, catheter, system and the reader.
ROOT_ATTRS: Mapping[str, str] = {
    "schema_version": r"[0-9]{1,4}",
    "source_sha256": r"[0-9a-f]{64}",
    "reader_version": r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}",
    "sampling_rate": "",
    "insertion_depth": r"unknown|[0-9]{1,3}(?:\.[0-9]{1,2})?",
    "pressure_reference": r"atmospheric|unknown",
    "thermal_compensation": r"applied|not_applied|unknown",
    "time_offset_s": "",
    "first_sample_index": "",
    "integrity_check": r"passed|failed|not_available",
    "unread_channels": r"(?:(?:resp|swallow)[0-9]{0,2} ?)*",
    "organ": r"colon_suspected",
    "unread_columns": "",
    "unread_signals": "",
    "file_pressure_unit": r"mmHg|cmH2O|kPa|hPa|mbar|Pa",
    "layout_sha256": r"[0-9a-f]{64}",
    "recording_part": r"[0-9]{1,4} of [0-9]{1,4}",
    "study_day": "",
}
#: Who said an event; any other word is dropped.
EVENT_SOURCES = frozenset({"operator", "vendor", "unknown", "user", "reader", "phantom", "device"})

#: Preamble rows of an MMS export that hold signal facts only.
MMS_HEADER_KEYS = frozenset({"channels", "sf", "min", "max"})

# At most two digits, so that no birth date or record number passes.
_N = r"(?:\s*[#:.]?\s*\d{1,2})?"
_VOLUME = r"(?:\d{1,3}\s*ml\s*)?"
_MOST_CHARACTERS = 100
_PROTOCOL = re.compile(
    rf"""(?:
      {_VOLUME}(?:leg\s+)?(?:ws|wet\s*swallows?|water\s*swallows?){_N}
    | {_VOLUME}(?:vs|viscous(?:\s*swallows?)?|ss|solid(?:\s*swallows?)?|bread|dry\s*swallows?){_N}
    | {_VOLUME}(?:swallows?|double\s*swallows?|saline|water){_N}
    | (?:mrs|multiple\s*(?:rapid|water)\s*swallows?){_N}
    | {_VOLUME}(?:rdc|rapid\s*drink(?:ing)?(?:\s*challenge)?){_N}
    | (?:leg|leg\s*raise|straight\s*leg\s*raise){_N}
    | air\s*before(?:\s*(?:ws|wet\s*swallows?|swallows?|mrs|leg))?{_N}
    | (?:upright|supine|sitting|seated|standing|recumbent|(?:left|right)\s*lateral)
    | (?:landmarks?|resting|baseline|start|stop|end|pause){_N}
    | (?:ues|les|egj|pip|gastric|stomach|diaphragm){_N}
    | (?:cough|belch|gag|hiccup|sigh|movement|artifact|artefact){_N}
    )""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


def is_protocol_text(text: str) -> bool:
    """Whether a text is wholly of the fixed protocol vocabulary.

    Examples
    --------
    >>> is_protocol_text("wet swallow 3"), is_protocol_text("wet swallow Smith")
    (True, False)
    """
    clean = text.strip()
    # What is longer is none, and trying every way to match it may take long.
    return len(clean) <= _MOST_CHARACTERS and _PROTOCOL.fullmatch(clean) is not None


def note_to_keep(text: str, *, keep_phi: bool) -> str:
    """Return a free text if it may be kept, else an empty one.

    Examples
    --------
    >>> note_to_keep("WS 1", keep_phi=False)
    'WS 1'
    >>> note_to_keep("seen by Dr Smith", keep_phi=False)
    ''
    """
    clean = " ".join(text.split())
    return clean if keep_phi or is_protocol_text(clean) else ""


def phi_attr_name(key: str) -> str:
    """Name of the root attribute that keeps a header row on request."""
    slug = re.sub(r"[^a-z0-9]+", "_", key.casefold()).strip("_")
    return f"{PHI_PREFIX}{slug or 'text'}"


def slot_of(attribute: str) -> str:
    """Name under which a log may list an attribute kept on request.

    Examples
    --------
    >>> slot_of("phi_patient_id"), slot_of("phi_doe_jane")
    ('patient_id', 'other header field')
    """
    slot = attribute.removeprefix(PHI_PREFIX)
    return slot if slot in SLOTS else OTHER_SLOT


def attr_to_keep(name: str, value: Any) -> bool:
    """Whether a root attribute is on the allow-list, by its name and by its whole value.

    Examples
    --------
    >>> attr_to_keep("integrity_check", "passed"), attr_to_keep("integrity_check", "Smith")
    (True, False)
    """
    pattern = ROOT_ATTRS.get(name)
    if pattern is None or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(pattern, value, re.IGNORECASE | re.ASCII) is not None and value != ""
    return not pattern and isinstance(value, int | float) and math.isfinite(value)


def date_in(text: str) -> dt.date | None:
    """Date at the start of a text, if it stands there year first; any other order is a guess.

    Examples
    --------
    >>> date_in("2024-03-01T10:15"), date_in("01/03/2024")
    (datetime.date(2024, 3, 1), None)
    """
    found = re.match(r"\s*(\d{4})([-/.]?)(\d{2})\2(\d{2})(?!\d)", text, re.ASCII)
    try:
        return dt.date(int(found[1]), int(found[3]), int(found[4])) if found else None
    except ValueError:
        return None


def study_day(day: dt.date, reference: dt.date) -> int:
    """Day of a study, counted as CDISC's SDTM does: the reference date is day 1, and no day is 0.

    Examples
    --------
    >>> reference = dt.date(2024, 3, 1)
    >>> study_day(reference, reference), study_day(dt.date(2024, 2, 29), reference)
    (1, -1)
    """
    days = (day - reference).days
    return days + 1 if days >= 0 else days


def names_within(file_name: str, values: Iterable[Any]) -> bool:
    """Whether a file's name holds a word or a number of some header texts.

    A word has three letters or more (three: as a word of its own), a number five digits
    or more.

    Examples
    --------
    >>> names_within("janedoe-1.nc", ["DOE, Jane"]), names_within("sleeve.nc", ["LEE"])
    (True, False)
    """
    name = file_name.casefold()
    parts = set(re.findall(r"[^\W\d_]+|\d+", name))
    texts = [str(value).casefold() for value in values]
    words = {word for text in texts for word in re.findall(r"[^\W\d_]{3,}|\d{5,}", text)}
    return any(word in parts or (len(word) > 3 and word in name) for word in words)


def without_phi(attrs: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
    """Return the attributes without those kept on request."""
    return {name: value for name, value in attrs.items() if not str(name).startswith(PHI_PREFIX)}


def holds_phi(attrs: Mapping[Hashable, Any]) -> bool:
    """Whether a study was read with its identity kept."""
    return any(str(name).startswith(PHI_PREFIX) for name in attrs)
