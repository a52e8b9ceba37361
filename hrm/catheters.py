"""The registry of catheters: where the pressure sensors of each model sit.

hrm's own table comes first, then the user's file, then a file named for one run.
A model that is already there is replaced only if the later table says so outright,
because the same name must not mean other positions unnoticed.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hrm._toml import MOST_BYTES, load_toml_bounded
from hrm.errors import FormatError, ParameterError

#: Environment variable that names the user's file; ``off`` or empty means none.
VARIABLE = "HRM_CATHETERS"
SHIPPED, PERSONAL, NAMED = "hrm", "user", "file"
SENSOR_TYPES = ("solid_state", "water_perfused", "unknown")

# The name goes into every result, so it must be one: no line ends, no sentences.
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/ -]{0,47}")
_TEXTS = ("model", "sensor_type", "vendor", "system", "source", "confidence", "note")
_CONFIDENCES = ("seen", "seen-2nd", "mem-high", "mem-med", "mem-low", "choice")
_EXPECTED = (
    "must hold [[catheter]] tables with model, n_sensors, depths_cm (cm, proximal to distal), "
    "sensor_type and vendor; 'hrm catheters --init FILE' writes one to fill in"
)

TEMPLATE = """\
# Catheters of your own for hrm, one [[catheter]] table for each model.
# Use it for one run with --catheter-file FILE, or for all of yours: name it in the
# environment variable HRM_CATHETERS, or save it where 'hrm catheters' says.
# 'hrm catheters --catheter-file FILE' checks it. Never put a patient's data here.

[[catheter]]
# Name to give with --catheter; it goes into every result. Up to 48 of A-Z a-z 0-9 . _ + / - blank.
model = "my-catheter"

# Pressure sensors, and how far each sits below the first one, in cm, proximal to distal.
# Leave depths_cm out if the positions are not known: --depths gives them then.
n_sensors = 4
depths_cm = [0, 1, 2.5, 5]

# solid_state, water_perfused or unknown.
sensor_type = "unknown"

# Maker of the catheter.
vendor = "unknown"

# Manometry system that it belongs to, as 'hrm info' lists them, or unknown. Limits are
# taken from --system, never from here.
system = "unknown"

# Where the positions come from, and how sure you are: seen (read off a data sheet or the
# catheter itself), seen-2nd (in somebody's code or text), mem-high, mem-med, mem-low (recalled).
source = "data sheet of the maker"
confidence = "seen"

# Other names by which a file's header may call this model.
# aliases = ["MC-4"]

# A model that hrm ships, or that an earlier table holds, is replaced only if this says so.
# replaces = true
"""


@dataclass(frozen=True, slots=True)
class Catheter:
    """A catheter model: where its pressure sensors sit.

    `depths_cm` runs proximal to distal, measured from the first sensor; empty
    when the positions are not known, and then they must be given. `aliases` are
    other names that a file may use. `replaces` says that the row is meant to take
    the place of one of the same name, `origin` whose table it is from: ``hrm``, the
    user's own (``user``), or one named for this run (``file``).
    """

    model: str
    n_sensors: int
    depths_cm: tuple[float, ...]
    sensor_type: str
    vendor: str
    source: str
    confidence: str
    system: str = "unknown"
    aliases: tuple[str, ...] = ()
    note: str = ""
    replaces: bool = False
    origin: str = SHIPPED


_FIELDS = {each.name for each in fields(Catheter)} - {"origin"}


@cache
def shipped_catheters() -> Mapping[str, Catheter]:
    """Every model of hrm's own table."""
    text = (files("hrm") / "data" / "catheters.toml").read_text(encoding="utf-8")
    rows = [_catheter(row, SHIPPED) for row in tomllib.loads(text)["catheter"]]
    return MappingProxyType({row.model: row for row in rows})


def catheters(extra: Path | None = None) -> Mapping[str, Catheter]:
    """Every known catheter model, with the user's own tables laid over hrm's.

    Parameters
    ----------
    extra : Path, optional
        A TOML file for this run, with ``[[catheter]]`` tables like those of
        ``hrm/data/catheters.toml``.

    Raises
    ------
    ParameterError
        If a user's table cannot be read, or holds a known model without saying
        ``replaces = true``.
    """
    models = dict(shipped_catheters())
    personal = user_file()
    if personal is not None:
        _lay_over(models, _user_catheters(personal, PERSONAL), PERSONAL)
    if extra is not None:
        _lay_over(models, _user_catheters(extra, NAMED), NAMED)
    return MappingProxyType(models)


def user_file() -> Path | None:
    """File that holds the user's own catheters; None if there is none.

    Raises
    ------
    ParameterError
        If `HRM_CATHETERS` names a file that is not there.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        place = usual_place()
        return place if place.is_file() else None
    if named.lower() in ("", "off"):
        return None
    if not Path(named).is_file():
        raise ParameterError(
            f"the environment variable {VARIABLE} names a file that is not there; "
            "correct it, or set it to 'off'"
        )
    return Path(named)


def usual_place() -> Path:
    """Where the user's own file is looked for if `HRM_CATHETERS` is not set."""
    from platformdirs import user_config_path

    return user_config_path("hrm", appauthor=False) / "catheters.toml"


def model_of_device(text: str, models: Mapping[str, Catheter]) -> str | None:
    """Model that a device text of a header names, whatever serial number follows it.

    Parameters
    ----------
    text : str
        What a file says of its device: a model, a serial number, or both.
    models : mapping of str to Catheter
        As of `catheters`.

    Returns
    -------
    str or None
        None if no model, or more than one, is named; nothing else of the text is kept.

    Examples
    --------
    >>> model_of_device("Catheter CE4-0062 SN 00123", catheters())
    'CE4-0062'
    >>> model_of_device("SN 00123", catheters()) is None
    True
    """
    found = {
        row.model
        for row in models.values()
        for name in (row.model, *row.aliases)
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE)
    }
    return found.pop() if len(found) == 1 else None


def _lay_over(models: dict[str, Catheter], rows: list[Catheter], origin: str) -> None:
    known = {name.casefold(): name for name in models}
    for row in rows:
        taken = known.get(row.model.casefold())
        if taken is None:
            models[row.model] = row
        elif row.replaces:
            del models[taken]
            models[row.model] = row
        else:
            raise ParameterError(
                f"{_FILES[origin]} holds a model {row.model}, which is known already (table "
                f"'{models[taken].origin}'); give it another name, or say replaces = true in it"
            )


_FILES = {
    SHIPPED: "hrm's own table of catheters",
    PERSONAL: f"your own catheter file ({VARIABLE}, or the one that 'hrm catheters' names)",
    NAMED: "the catheter file",
}


def _user_catheters(path: Path, origin: str) -> list[Catheter]:
    try:
        with path.open("rb") as stream:
            rows = load_toml_bounded(stream.read(MOST_BYTES + 1), path=path).get("catheter")
    except FormatError as err:
        # Nothing of the file is quoted in it: it says what is wrong, and where.
        raise ParameterError(f"{_FILES[origin]} {_EXPECTED}; {err}") from err
    except OSError as err:
        raise ParameterError(
            f"{_FILES[origin]} {_EXPECTED} ({type(err).__name__} while reading it)"
        ) from err
    if not isinstance(rows, list) or not rows:
        raise ParameterError(f"{_FILES[origin]} {_EXPECTED}; it holds none")
    found, faults = [], []
    for number, row in enumerate(rows, 1):
        try:
            found.append(_catheter({"source": "user", "confidence": "seen", **row}, origin))
        except (ValueError, TypeError, OverflowError) as err:
            said = str(err) if isinstance(err, ParameterError) else "it is not a table"
            faults.append(f"catheter {number}: {said}")
    names = [row.model.casefold() for row in found]
    faults += [f"the model {row.model} is there twice" for row in _doubles(found, names)]
    if faults:
        raise ParameterError(f"{_FILES[origin]} {_EXPECTED}. Found: {'; '.join(faults)}")
    return found


def _doubles(rows: list[Catheter], names: list[str]) -> list[Catheter]:
    return [row for k, row in enumerate(rows) if names.index(row.model.casefold()) < k]


def _catheter(row: Mapping[str, Any], origin: str) -> Catheter:
    """Check one row; whatever is wrong is told, and no text of the file but a sound model name."""
    faults = _row_faults(row)
    if faults:
        raise ParameterError(", ".join(faults))
    depths = tuple(float(value) for value in row.get("depths_cm", ()))
    given = {
        "sensor_type": "unknown",
        "vendor": "unknown",
        **row,
        "depths_cm": depths,
        "n_sensors": row.get("n_sensors", len(depths)),
        "aliases": tuple(row.get("aliases", ())),
    }
    return replace(Catheter(**given), origin=origin)


def _row_faults(row: Mapping[str, Any]) -> list[str]:
    faults = []
    if set(row) - _FIELDS:
        faults.append(f"a key that is none of {', '.join(sorted(_FIELDS))}")
    for name in _TEXTS:
        if not isinstance(row.get(name, ""), str):
            faults.append(f"{name} is not a text")
    if not _MODEL.fullmatch(str(row.get("model", ""))):
        faults.append("model is not 1 to 48 of A-Z a-z 0-9 . _ + / - and blanks")
    if row.get("sensor_type", "unknown") not in SENSOR_TYPES:
        faults.append(f"sensor_type is none of {', '.join(SENSOR_TYPES)}")
    if row.get("confidence", "seen") not in _CONFIDENCES:
        faults.append(f"confidence is none of {', '.join(_CONFIDENCES)}")
    aliases = row.get("aliases", [])
    if not isinstance(aliases, list) or not all(_is_name(name) for name in aliases):
        faults.append("aliases is not a list of names")
    if not isinstance(row.get("replaces", False), bool):
        faults.append("replaces is not true or false")
    return faults + _position_faults(row)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _MODEL.fullmatch(value) is not None


def _position_faults(row: Mapping[str, Any]) -> list[str]:
    depths = row.get("depths_cm", [])
    if not isinstance(depths, list) or not all(is_number(value) for value in depths):
        return ["depths_cm is not a list of numbers"]
    count = row.get("n_sensors", len(depths))
    if not isinstance(count, int) or isinstance(count, bool) or count < 2:
        return ["n_sensors is not a whole number from 2"]
    if not depths:
        return []
    faults = []
    if len(depths) != count:
        faults.append(f"{count} sensors but {len(depths)} depths")
    if any(after <= before for before, after in pairwise(depths)):
        faults.append("depths do not increase from proximal to distal")
    if depths[0] != 0:
        faults.append("depths do not begin with 0, the first sensor")
    return faults


def is_number(value: Any) -> bool:
    """Whether a value of a TOML file is a number that a float can be."""
    # Compared, not converted: a whole number may be beyond any float.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= sys.float_info.max
