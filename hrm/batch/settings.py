"""What is said of a file, from four places; what is said of one beats what is said of all.

From weak to strong: ``[defaults]`` of the settings file; the options of the command;
the ``[[files]]`` of the settings file whose pattern fits, later ones first; the row of
the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from hrm import catalog
from hrm._toml import MOST_BYTES, load_toml_bounded
from hrm.errors import ParameterError

#: Paths in the settings; ``{stem}`` in them stands for the name of the recording's file.
_PATHS = ("swallows", "drift", "layout", "catheter_file", "review_dir")
_CLINICAL = ("symptoms", "tbe", "flip", "opioids", "prior_surgery")
_CHOICES = {
    "posture": ("supine", "upright"),
    "strictness": ("raise", "warn"),
    "channel_order": ("proximal_first", "distal_first"),
    "pressure_unit": ("mmHg", "cmH2O", "kPa", "hPa", "mbar", "Pa"),
    "tbe": ("normal", "abnormal"),
    "flip": ("normal", "abnormal"),
    "prior_surgery": ("none", "myotomy", "dilation", "fundoplication", "other"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that a result depends on beside the file; None: not said.

    The names are those of the options of ``hrm analyze``.
    """

    participant: str | None = None
    visit: str | None = None
    member: str | None = None
    reader: str | None = None
    catheter: str | None = None
    catheter_file: str | None = None
    depths: tuple[float, ...] | None = None
    system: str | None = None
    posture: str | None = None
    swallows: str | None = None
    drift: str | None = None
    layout: str | None = None
    sampling_rate: float | None = None
    pressure_unit: str | None = None
    channel_order: str | None = None
    strictness: str | None = None
    irp_limit: float | str | None = None
    symptoms: tuple[str, ...] | None = None
    tbe: str | None = None
    flip: str | None = None
    opioids: bool | None = None
    prior_surgery: str | None = None
    review_dir: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def over(self, weaker: Settings) -> Settings:
        """Lay these over weaker ones; parameters are laid over one by one."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "parameters"}
        stated = {name: value for name, value in said.items() if value is not None}
        return replace(weaker, **stated, parameters={**weaker.parameters, **self.parameters})

    def beside(self, path: str) -> Settings:
        """Resolve the paths that name a file beside each recording (``{stem}``)."""
        found: dict[str, Any] = {}
        for name in _PATHS:
            template = getattr(self, name)
            if template and "{stem}" in template:
                here = Path(path)
                beside = here.parent / template.replace("{stem}", here.name.partition(".")[0])
                # A template is said of all files: one that has no such file says nothing.
                found[name] = str(beside) if beside.exists() else None
        return replace(self, **found)

    def clinical(self) -> dict[str, Any]:
        """What is said of the patient, as `hrm.analyze` takes it."""
        said = {name: getattr(self, name) for name in _CLINICAL}
        return {name: value for name, value in said.items() if value is not None}

    def to_json(self) -> str:
        """Write what is said, without any path: a digest stands for the content of a file."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        # The log itself is part of the key, and so is the content of a member, whose name
        # in the archive may be a patient's.
        for name in ("review_dir", "member"):
            said.pop(name, None)
        for name in _PATHS:
            if name in said:
                said[name] = _digest(Path(said[name]), name)
        said["parameters_id"] = catalog.default_parameters().replace(self.parameters).id
        return json.dumps(said, sort_keys=True, ensure_ascii=False)


def settings_id(settings_json: str) -> str:
    """Digest of settings: those with the same one give the same result."""
    return sha256(settings_json.encode()).hexdigest()[:16]


def settings_from(said: Mapping[str, Any], *, where: str) -> Settings:
    """Check what a person or a file says.

    Parameters
    ----------
    said : mapping
        Names of `Settings`; texts are converted, empty ones say nothing.
    where : str
        Where it is said, for the message: ``manifest, row 3``.

    Raises
    ------
    ParameterError
        Naming every fault at once.
    """
    known = {f.name for f in fields(Settings)}
    faults = [f"unknown name {name!r}" for name in said if name not in known]
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in known or value is None or value == "":
            continue
        try:
            values[name] = _typed(name, value)
        except (ValueError, TypeError, ParameterError) as err:
            faults.append(f"{name}: {err}")
    if faults:
        raise ParameterError(f"{where}: {'; '.join(faults)}. Names are {', '.join(sorted(known))}")
    return Settings(**values)


def _typed(name: str, value: Any) -> Any:
    if name in _CONVERTED:
        return _CONVERTED[name](value)
    if not isinstance(value, str):
        raise TypeError("expected a text")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"expected {' or '.join(_CHOICES[name])}")
    return value


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("expected a table of parameters and values")
    # Also checks them, with a message that names each.
    catalog.default_parameters().replace(value)
    return dict(value)


def _depths(value: str | Sequence[float]) -> tuple[float, ...]:
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    return tuple(float(part) for part in parts)


def _yes(value: Any) -> bool:
    if value not in (True, False, "yes", "no"):
        raise ValueError("expected yes or no")
    return value in (True, "yes")


def _symptoms(value: str | Sequence[str]) -> tuple[str, ...]:
    parts = value.replace(",", " ").split() if isinstance(value, str) else list(value)
    if parts == ["none"]:
        return ()
    if not set(parts) <= {"dysphagia", "chest_pain"}:
        raise ValueError("expected dysphagia, chest_pain, both, or none")
    return tuple(parts)


def _number_or_text(value: float | str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


_CONVERTED: Mapping[str, Callable[[Any], Any]] = {
    "parameters": _parameters,
    "depths": _depths,
    "symptoms": _symptoms,
    "opioids": _yes,
    "sampling_rate": float,
    "irp_limit": _number_or_text,
    "system": catalog.check_system,
}


def _digest(path: Path, name: str) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise ParameterError(f"the file given as {name} cannot be read: {reason}") from err


@dataclass(frozen=True)
class SettingsFile:
    """A settings file: what holds for all files, and what for those that a pattern names."""

    defaults: Settings = field(default_factory=Settings)
    files: tuple[tuple[str, Settings], ...] = ()

    def of(self, path: str, *, options: Settings, row: Settings) -> Settings:
        """Give the settings of one file, from weak to strong."""
        result = options.over(self.defaults)
        for pattern, said in self.files:
            if _fits(path, pattern):
                result = said.over(result)
        return row.over(result).beside(path)


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern fits the path, or its end from any folder on."""
    plain = path.replace("\\", "/")
    return fnmatchcase(plain, pattern) or fnmatchcase(plain, f"*/{pattern}")


def read_settings(path: Path) -> SettingsFile:
    """Read a settings file (TOML): ``[defaults]`` and ``[[files]]`` with ``match``.

    Raises
    ------
    FormatError
        If it is no TOML.
    ParameterError
        If it says something that is not known; relative paths in it count from its folder.
    """
    with path.open("rb") as file:
        text = file.read(MOST_BYTES + 1)
    tables = load_toml_bounded(text, path=path)
    unknown = set(tables) - {"defaults", "files"}
    if unknown or not isinstance(tables.get("files", []), list):
        raise ParameterError("settings: expected the tables [defaults] and [[files]], nothing else")
    defaults = _table(tables.get("defaults", {}), path.parent, "settings, [defaults]")
    files = []
    for k, table in enumerate(tables.get("files", []), 1):
        where = f"settings, [[files]] number {k}"
        if not isinstance(table, dict) or not isinstance(table.get("match"), str):
            raise ParameterError(f'{where}: expected match = "*.csv" or another pattern')
        rest = {name: value for name, value in table.items() if name != "match"}
        files.append((table["match"], _table(rest, path.parent, where)))
    return SettingsFile(defaults, tuple(files))


def _table(said: Any, folder: Path, where: str) -> Settings:
    if not isinstance(said, dict):
        raise ParameterError(f"{where}: expected a table")
    return from_folder(settings_from(said, where=where), folder)


def from_folder(settings: Settings, folder: Path) -> Settings:
    """Let relative paths count from a folder; those with ``{stem}`` lie beside the recording."""
    found: dict[str, Any] = {}
    for name in _PATHS:
        value = getattr(settings, name)
        if value and "{stem}" not in value:
            found[name] = str(folder / value)
    return replace(settings, **found)
