"""What may be kept of a file that names a patient.

Allow-lists only: whatever is not known to be harmless is identity, and is
dropped unless the caller asks for it. What is kept on request lives in
attributes named ``phi_...``, so that it can be found and dropped again.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

PHI_PREFIX = "phi_"

#: Preamble rows of an MMS export that hold signal facts only.
MMS_HEADER_KEYS = frozenset({"channels", "sf", "min", "max"})

# At most two digits, so that no birth date or record number passes.
_N = r"(?:\s*[#:.]?\s*\d{1,2})?"
_VOLUME = r"(?:\d{1,3}\s*ml\s*)?"
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
    return _PROTOCOL.fullmatch(text.strip()) is not None


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


def without_phi(attrs: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
    """Return the attributes without those kept on request."""
    return {name: value for name, value in attrs.items() if not str(name).startswith(PHI_PREFIX)}


def holds_phi(attrs: Mapping[Hashable, Any]) -> bool:
    """Whether a study was read with its identity kept."""
    return any(str(name).startswith(PHI_PREFIX) for name in attrs)
