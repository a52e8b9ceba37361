"""A study without what identifies the patient, and an account of it without a single value.

The new study is put together from what is on the lists of `hrm.io.identity`; nothing is
copied because nobody thought of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrm import catalog, reported
from hrm.catheters import Catheter, catheters, model_of_device
from hrm.io import identity
from hrm.io._registry import all_readers
from hrm.schema import DEPTH_REFERENCES, EVENT_LABELS, REQUIRED_ATTRS, validate

if TYPE_CHECKING:
    import xarray as xr

UNKNOWN = "unknown"

#: Variables and coordinates of a recording, with their unit and dims; nothing else is copied.
_VARIABLES: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "pressure": {
        "pressure": ("mmHg", ("sensor", "time")),
        "time": ("s", ("time",)),
        "depth": ("cm", ("sensor",)),
        "sensor_ok": ("", ("sensor",)),
    },
    "impedance": {
        "impedance": ("ohm", ("segment", "impedance_time")),
        "impedance_time": ("s", ("impedance_time",)),
        "segment_depth": ("cm", ("segment",)),
    },
    "events": {
        "onset": ("s", ("event",)),
        "duration": ("s", ("event",)),
        "label": ("", ("event",)),
        "source": ("", ("event",)),
        "note": ("", ("event",)),
    },
}
_COORDINATES = {"time", "depth", "sensor_ok", "impedance_time", "segment_depth"}
_LONG_NAMES = {
    "pressure": "pressure",
    "time": "time from the first sample",
    "sensor_ok": "sensor can be used",
}


#: Why a value that a file might report of a swallow is not there.
_REPORTED_CODES = (
    reported.NO_DATA,
    reported.UNRECOGNIZED,
    reported.CONTRADICTORY,
    reported.NO_EVENT,
    reported.SEVERAL_EVENTS,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one slot; never its value.

    `slot` is of a fixed vocabulary, `action` says what was done, `count` how often.
    """

    slot: str
    action: str
    count: int


class _Account:
    """Counts what is done to which slot."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, slot: str, action: str, count: int = 1) -> None:
        if count:
            self._counts[slot, action] += count

    def changes(self) -> tuple[Change, ...]:
        return tuple(Change(*key, count) for key, count in sorted(self._counts.items()))


def deidentify(
    study: xr.DataTree,
    *,
    reference_date: dt.date | None = None,
    participant: str | None = None,
    keep_notes: bool = False,
    models: Mapping[str, Catheter] | None = None,
) -> tuple[xr.DataTree, tuple[Change, ...]]:
    """Make a study that holds only what is on the allow-lists.

    Parameters
    ----------
    study : DataTree
        As read with ``keep_phi=True``, so that what is dropped can be accounted for.
    reference_date : date, optional
        Day 1 of the study day that takes the place of the recording's date. Without it
        the date is dropped.
    participant : str, optional
        Code to carry as ``study_id``; otherwise it becomes a digest of the source.
    keep_notes : bool
        Keep free text of events. The study then says so (``phi_notes``), and a reader
        drops the text again unless asked to keep it.
    models : mapping of str to Catheter, optional
        Registry against which device texts are read; by default hrm's and the user's.

    Returns
    -------
    DataTree
        Recording only, without results: they are found again by ``analyze``, and what was
        said with them may identify the reader. What the file itself reports of its swallows
        stays, in ``/swallows``, as far as it is numbers and words of a vocabulary.
    tuple of Change
        What became of which slot, without values.

    Raises
    ------
    SchemaError
        If `study` is not a valid study.
    """
    import xarray as xr

    validate(study)
    account = _Account()
    known = catheters() if models is None else models
    nodes = {
        f"/{name}": _node(child.to_dataset(inherit=False), name, account)
        for name, child in study.children.items()
        if name in _VARIABLES
    }
    nodes["/events"] = _events(nodes["/events"], account, keep_notes=keep_notes)
    others = [node for node in study.subtree if node.path.split("/")[1] not in (*_VARIABLES, "")]
    rows = reported.rows_of(study)
    if rows is not None:
        nodes["/swallows"] = _reported(rows, account)
        home = reported.NODE if reported.NODE.strip("/") in study.children else "/swallows"
        others = [node for node in others if node.path != home]
    account.note("results and other nodes", "dropped", len(others))
    attrs = _root_attrs(study, known, account)
    attrs |= _day(study.attrs, reference_date, account)
    attrs["catheter"] = _catheter(study, known, account)
    attrs["study_id"] = participant or str(attrs["source_sha256"])[:12]
    if attrs["study_id"] != study.attrs["study_id"]:
        instead = "the code given" if participant else "a digest of the source"
        account.note("study_id", f"replaced by {instead}")
    if keep_notes:
        attrs[identity.NOTES_ATTR] = "kept"
    made = xr.DataTree.from_dict({**nodes, "/": xr.Dataset(attrs=attrs)})
    validate(made)
    return made, account.changes()


def _node(node: xr.Dataset, name: str, account: _Account) -> xr.Dataset:
    """Copy the numbers and texts that belong into a node, with attributes of our own."""
    import xarray as xr

    wanted = _VARIABLES[name]
    account.note("other variables", "dropped", len(set(node.variables) - set(wanted)))
    account.note("attributes of nodes", "dropped", len(node.attrs))
    made: dict[str, Any] = {}
    for variable, (unit, dims) in wanted.items():
        if variable not in node.variables or node[variable].dims != dims:
            continue
        attrs = {"units": unit} if unit else {}
        if variable in _LONG_NAMES:
            attrs["long_name"] = _LONG_NAMES[variable]
        if variable == "depth":
            given = str(node[variable].attrs.get("depth_reference"))
            attrs["depth_reference"] = given if given in DEPTH_REFERENCES else "first_sensor"
        extra = set(node[variable].attrs) - {"units", "long_name", "depth_reference"}
        account.note("attributes of variables", "dropped", len(extra))
        made[variable] = (dims, node[variable].values, attrs)
    coords = {key: made.pop(key) for key in list(made) if key in _COORDINATES}
    return xr.Dataset(made, coords=coords)


def _events(events: xr.Dataset, account: _Account, *, keep_notes: bool) -> xr.Dataset:
    notes = [str(note) for note in events["note"].values]
    kept = [note if keep_notes else identity.note_to_keep(note, keep_phi=False) for note in notes]
    free = sum(note != "" and not identity.is_protocol_text(note) for note in notes)
    account.note("free text of events", "kept as asked" if keep_notes else "dropped", free)
    account.note("protocol words of events", "kept", sum(note != "" for note in notes) - free)
    columns = {
        "note": kept,
        "label": _of_vocabulary(events, "label", EVENT_LABELS, "annotation", account),
        "source": _of_vocabulary(events, "source", identity.EVENT_SOURCES, UNKNOWN, account),
    }
    return events.assign(
        {name: ("event", np.array(texts, dtype=object)) for name, texts in columns.items()}
    )


def _of_vocabulary(
    events: xr.Dataset, name: str, allowed: Any, instead: str, account: _Account
) -> list[str]:
    texts = [str(text) for text in events[name].values]
    wrong = sum(text not in allowed for text in texts)
    account.note(f"{name} of events", f"replaced by '{instead}'", wrong)
    return [text if text in allowed else instead for text in texts]


def _reported(rows: xr.Dataset, account: _Account) -> xr.Dataset:
    """Copy what the file reports of its swallows: numbers, and words of the vocabulary."""
    slot = "reported values of swallows"
    made = []
    for at in range(rows.sizes["swallow"]):
        row = {
            str(name).removeprefix(reported.PREFIX): rows[name].values[at]
            for name in rows.data_vars
            if rows[name].dims == ("swallow",)
        }
        clean = _reported_row(row)
        made.append(clean)
        n_numbers = sum(math.isfinite(value) for value in clean.metrics.values())
        account.note(slot, "kept", n_numbers + sum(text != "" for text in clean.words.values()))
        texts = {"label": clean.label, **clean.words}
        dropped = [name for name, text in texts.items() if str(row.get(name, "")) != text]
        account.note(slot, "text dropped", len(dropped))
    known = {"onset", "number", "label", "status", *reported.WORDS, *reported.METRICS}
    other = {str(name).removeprefix(reported.PREFIX) for name in rows.variables} - known
    account.note(slot, "other column dropped", len(other))
    return reported.to_dataset(made)


def _reported_row(row: Mapping[str, Any]) -> reported.ReportedSwallow:
    count = _finite(row.get("number"))
    number = 0 if math.isnan(count) else int(count)
    words = {
        name: str(row[name]) if row[name] in allowed else ""
        for name, allowed in reported.WORDS.items()
        if name in row
    }
    return reported.ReportedSwallow(
        onset_s=_finite(row.get("onset")),
        # A count has two digits at most; what has more may be a record number.
        number=number if 0 <= number < 100 else 0,
        label=identity.note_to_keep(str(row.get("label", "")), keep_phi=False),
        words=words,
        metrics={name: _finite(row[name]) for name in reported.METRICS if name in row},
        status=_reported_status(str(row.get("status", ""))),
    )


def _finite(value: Any) -> float:
    """A number of a column of numbers; NaN of anything else, a text of digits too."""
    number = float(value) if isinstance(value, np.number | int | float) else math.nan
    return number if math.isfinite(number) else math.nan


def _reported_status(text: str) -> dict[str, str]:
    """Of the reasons why a value is missing, those that are codes of known columns."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    known = {"onset", *reported.WORDS, *reported.METRICS}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: why for name, why in entries if name in known and why in _REPORTED_CODES}


def _root_attrs(
    study: xr.DataTree, models: Mapping[str, Catheter], account: _Account
) -> dict[str, Any]:
    """Required attributes, and of the others those on the allow-list."""
    readers = {reader.name for reader in all_readers()} | {"make_recording", "array", "phantom"}
    words: dict[str, Any] = {
        "source_format": readers,
        "reader": readers,
        "system": {*catalog.systems(), UNKNOWN},
    }
    out: dict[str, Any] = dict(REQUIRED_ATTRS)
    for name, value in study.attrs.items():
        slot = str(name)
        if slot.startswith(identity.PHI_PREFIX):
            if slot != identity.NOTES_ATTR:
                _note_slot(slot, value, models, account)
        elif slot in ("study_id", "catheter", "start_time"):
            continue
        elif identity.attr_to_keep(slot, value) or (slot in words and value in words[slot]):
            out[slot] = value
        elif slot in REQUIRED_ATTRS:
            account.note(slot, "replaced by the default", int(value != REQUIRED_ATTRS[slot]))
        else:
            account.note("other attributes", "dropped")
    if not out["source_sha256"]:
        # Without a digest of the source the numbers themselves name the study.
        out["source_sha256"] = _digest(study)
    return out


def _digest(study: xr.DataTree) -> str:
    return hashlib.sha256(np.asarray(study["pressure/pressure"].values).tobytes()).hexdigest()


def _note_slot(name: str, value: Any, models: Mapping[str, Catheter], account: _Account) -> None:
    slot = identity.slot_of(name)
    if slot in identity.DATE_SLOTS:
        return  # told by `_day`
    model = slot in identity.DEVICE_SLOTS and model_of_device(str(value), models) is not None
    account.note(slot, "reduced to the model" if model else "dropped")


def _day(attrs: Mapping[Any, Any], reference: dt.date | None, account: _Account) -> dict[str, int]:
    """Study day in place of the recording's date; none if the dates given contradict each other."""
    given = {
        identity.slot_of(str(name)): str(value)
        for name, value in attrs.items()
        if str(name) == "start_time" or str(name).startswith(identity.PHI_PREFIX)
        if identity.slot_of(str(name)) in identity.DATE_SLOTS and value != UNKNOWN
    }
    dates = {date for date in map(identity.date_in, given.values()) if date is not None}
    counted = reference is not None and len(dates) == 1
    for slot, text in given.items():
        dated = counted and identity.date_in(text) is not None
        account.note(slot, "replaced by the study day" if dated else "dropped")
    if reference is None or len(dates) != 1:
        return {}
    return {"study_day": identity.study_day(dates.pop(), reference)}


def _catheter(study: xr.DataTree, models: Mapping[str, Catheter], account: _Account) -> str:
    """Model of the study, or the one that a device text names and the positions do not contradict."""
    stated = str(study.attrs["catheter"])
    if stated in models:
        return stated
    if stated != UNKNOWN:
        account.note("catheter", "replaced by 'unknown', as no table of catheters holds it")
    named = {
        model_of_device(str(value), models)
        for name, value in study.attrs.items()
        if identity.slot_of(str(name)) in identity.DEVICE_SLOTS
        and str(name).startswith(identity.PHI_PREFIX)
    } - {None}
    depths = tuple(study["pressure"].to_dataset()["depth"].values)
    fitting = [name for name in named if name is not None and _fits(models[name], depths)]
    return fitting[0] if len(named) == len(fitting) == 1 else UNKNOWN


def _fits(model: Catheter, depths: tuple[float, ...]) -> bool:
    return model.n_sensors == len(depths) and model.depths_cm in ((), depths)
