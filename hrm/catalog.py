"""The definitions that are data: limits, parameters, systems, catheters, metrics, papers.

Everything a clinician may dispute lives in ``hrm/data/*.toml`` with its source
and how sure we are of it; this module loads and types those tables. It imports
nothing heavy, so a reader can look a catheter up without xarray.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from hrm.catheters import Catheter as Catheter  # noqa: PLC0414 - re-exported, as mypy asks
from hrm.catheters import catheters as catheters  # noqa: PLC0414 - as above
from hrm.errors import ParameterError

CONFIDENCES = ("seen", "seen-2nd", "mem-high", "mem-med", "mem-low", "choice")
ANY = "any"

# Unless its row says otherwise, a number may be changed by this factor: enough for any
# sensitivity study, and narrow enough to catch a slip of the unit or of the decimal point.
WIDEST_FACTOR = 50.0


#: Units as they stand at the end of a metric's name.
_UNIT_END = re.compile(r"_(mmhg(_s)?(_cm)?|mmhg_cm|cm(_s)?|s|ohm|millisiemens)$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named, versioned parameter of a definition.

    `minimum` and `maximum` narrow or widen the general range (see `bounds`);
    `choices` are the words that a text may be. `below` and `at_most` name another
    parameter that must be greater, or at least as great.
    """

    key: str
    value: Any
    unit: str
    confidence: str
    source: str
    text: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    below: str = ""
    at_most: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and greatest value of a number, in `unit`.

        A share (a number with unit 1) is at most 1, a count at least 1.
        """
        low, high = self.value / WIDEST_FACTOR, self.value * WIDEST_FACTOR
        if isinstance(self.value, int):
            low = max(1, math.ceil(low))
        elif self.unit == "1":
            high = 1.0
        return (
            low if self.minimum is None else self.minimum,
            high if self.maximum is None else self.maximum,
        )

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        low, high = self.bounds
        kind = "a whole number" if isinstance(self.value, int) else "a number"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{kind} from {low:g} to {high:g}{unit}"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the threshold table.

    `value` is in `unit`; a measured number is beyond the limit when
    ``number <comparator> value``.
    """

    id: str
    quantity: str
    system: str
    position: str
    cc_version: str
    comparator: str
    value: float
    unit: str
    citation: str
    confidence: str
    default: bool = True
    note: str = ""

    def crossed_by(self, number: float) -> bool:
        """Whether `number` lies beyond this limit (NaN never does)."""
        if self.comparator == ">":
            return number > self.value
        if self.comparator == ">=":
            return number >= self.value
        if self.comparator == "<":
            return number < self.value
        return number <= self.value


@dataclass(frozen=True, slots=True)
class System:
    """A manometry system whose limits differ from the others'."""

    key: str
    name: str
    technology: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue.

    `formula` is the definition in short, `parameters` are the keys of the parameters that
    it rests on, and `confidence` says how sure the rule is. `limits` are the quantities of the
    limits table that it is held against, by system and posture.
    """

    name: str
    units: str
    long_name: str
    definition: str
    citation: str
    version: str
    formula: str
    parameters: tuple[str, ...]
    confidence: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unimplemented:
    """A quantity that the literature names and hrm does not measure, with the reason."""

    name: str
    units: str
    long_name: str
    definition: str
    citation: str
    confidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reference:
    """One publication that a definition or a limit rests on.

    Empty or 0 where the project's specification does not say. `confidence` is
    about these details; how sure we are of what the publication is cited for
    stands in the row that cites it.
    """

    key: str
    about: str
    confidence: str
    authors: str = ""
    journal: str = ""
    year: int = 0
    pages: str = ""
    doi: str = ""
    pmc: str = ""
    note: str = ""


@dataclass(frozen=True)
class Parameters(Mapping[str, Any]):
    """Values of all parameters, read-only, with the id that names them.

    Examples
    --------
    >>> from hrm.catalog import default_parameters
    >>> default_parameters()["irp.window_s"]
    10.0
    >>> default_parameters().replace({"interpolation.kernel": "linear"})["interpolation.kernel"]
    'linear'
    """

    values_by_key: Mapping[str, Any]
    version: str
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        """Value of the parameter `key`."""
        return self.values_by_key[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self.values_by_key)

    def __len__(self) -> int:
        """Count the parameters."""
        return len(self.values_by_key)

    def replace(self, overrides: Mapping[str, Any]) -> Parameters:
        """Return a copy with some values changed.

        Raises
        ------
        ParameterError
            If a key is unknown, a value has another type than the default or is
            not allowed, or two values contradict each other.
        """
        merged = dict(self.values_by_key)
        for key, value in overrides.items():
            merged[key] = _checked(_known_parameter(key), value)
        _check_order(merged)
        changed = {**self.overrides, **{key: merged[key] for key in overrides}}
        return Parameters(MappingProxyType(merged), self.version, MappingProxyType(changed))

    @property
    def id(self) -> str:
        """Name of this set: table version and a digest of parameters and limits."""
        text = json.dumps(
            [dict(self.values_by_key), _load("limits.toml")], sort_keys=True, default=str
        )
        return f"{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _known_parameter(key: str) -> Parameter:
    table = parameter_table()
    if key in table:
        return table[key]
    near = difflib.get_close_matches(str(key), table, n=4, cutoff=0.5)
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise ParameterError(
        f"unknown parameter {key!r}{hint}; the known ones are listed in hrm/data/parameters.toml"
    )


def _checked(row: Parameter, value: Any) -> Any:
    _check_kind(row, value)
    if isinstance(row.value, bool):
        return value
    if isinstance(row.value, str):
        allowed = value in row.choices
    else:
        low, high = row.bounds
        allowed = low <= value <= high  # False for NaN
    if not allowed:
        raise ParameterError(
            f"parameter {row.key!r} must be {row.allowed}, got {value!r}; the default is {row.value}"
        )
    return type(row.value)(value)


def _check_kind(row: Parameter, value: Any) -> None:
    if isinstance(row.value, int | float) and not isinstance(row.value, bool):
        ok = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        ok = isinstance(value, type(row.value))
    if not ok:
        raise ParameterError(
            f"parameter {row.key!r} expects a {type(row.value).__name__}, "
            f"got {type(value).__name__}"
        )
    if isinstance(row.value, int) and isinstance(value, float) and not value.is_integer():
        raise ParameterError(
            f"parameter {row.key!r} must be {row.allowed}, got {value!r}; the default is {row.value}"
        )


def _check_order(values: Mapping[str, Any]) -> None:
    faults = []
    for row in parameter_table().values():
        mine = values[row.key]
        if row.below and not mine < values[row.below]:
            faults.append(f"{row.key} ({mine:g}) must be below {row.below} ({values[row.below]:g})")
        if row.at_most and not mine <= values[row.at_most]:
            faults.append(
                f"{row.key} ({mine:g}) must be at most {row.at_most} ({values[row.at_most]:g})"
            )
    if faults:
        raise ParameterError(
            f"parameters contradict each other: {'; '.join(faults)}; set them together"
        )


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((files("hrm") / "data" / name).read_text(encoding="utf-8"))


@cache
def parameter_table() -> Mapping[str, Parameter]:
    """Every parameter with its default, unit, source and confidence."""
    rows = [
        Parameter(**{**row, "choices": tuple(row.get("choices", ()))})
        for row in _load("parameters.toml")["parameter"]
    ]
    return MappingProxyType({row.key: row for row in rows})


@cache
def default_parameters() -> Parameters:
    """Return the parameters as shipped."""
    values = {key: row.value for key, row in parameter_table().items()}
    return Parameters(MappingProxyType(values), str(_load("parameters.toml")["version"]))


@cache
def alternative_table() -> tuple[Mapping[str, Any], ...]:
    """Rules that others use where the literature settles none; none is ever a default."""
    return tuple(MappingProxyType(row) for row in _load("alternatives.toml")["alternative"])


@cache
def event_words() -> Mapping[str, str]:
    """What the texts of events say of protocol and posture, by text in small letters."""
    return MappingProxyType(_load("words.toml")["event"])


@cache
def limit_table() -> tuple[Limit, ...]:
    """Every row of the threshold table."""
    return tuple(Limit(**row) for row in _load("limits.toml")["limit"])


def find_limit(quantity: str, *, system: str, position: str, cc_version: str) -> Limit | None:
    """Find the default row for a quantity, the most specific one first.

    A row for the very system and position wins over one for ``any``. Rows that
    are not defaults (``mem-low`` facts, other published cuts) are never returned.

    Returns
    -------
    Limit or None
        None when the table has no default for this case.
    """
    best: tuple[int, Limit] | None = None
    for row in limit_table():
        if row.quantity != quantity or row.cc_version != cc_version or not row.default:
            continue
        if row.system not in (system, ANY) or row.position not in (position, ANY):
            continue
        rank = 2 * (row.system == system) + (row.position == position)
        if best is None or rank > best[0]:
            best = (rank, row)
    return best[1] if best else None


@cache
def systems() -> Mapping[str, System]:
    """Every known manometry system, by key."""
    rows = [System(**row) for row in _load("limits.toml")["system"]]
    return MappingProxyType({row.key: row for row in rows})


def check_system(key: str) -> str:
    """Return `key` if it names a known system.

    Raises
    ------
    ParameterError
        Listing the known systems.
    """
    if key not in systems():
        raise ParameterError(f"unknown system {key!r}; known systems: {', '.join(systems())}")
    return key


def technology_conflict(catheter: str, system: str) -> list[str]:
    """Say when a catheter and the system whose limits apply cannot belong together.

    Parameters
    ----------
    catheter : str
        Model; an unknown one conflicts with nothing.
    system : str

    Returns
    -------
    list of str
        Empty, or one warning.
    """
    model, known = catheters().get(catheter), systems().get(system)
    if model is None or known is None or "unknown" in (model.sensor_type, known.technology):
        return []
    if model.sensor_type == known.technology:
        return []
    own, wanted = (text.replace("_", " ") for text in (model.sensor_type, known.technology))
    warning = (
        f"catheter {catheter} is {own}, but the limits of {known.name} are for {wanted} "
        "sensors: no diagnosis should rest on them"
    )
    return [warning]


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric of the catalogue, by name."""
    rows = [
        Metric(**{**row, **{key: tuple(row.get(key, ())) for key in ("parameters", "limits")}})
        for row in _load("metrics.toml")["metric"]
    ]
    return MappingProxyType({row.name: row for row in rows})


@cache
def unimplemented_metrics() -> Mapping[str, Unimplemented]:
    """Every quantity that is known by name and not measured, by name."""
    rows = [Unimplemented(**row) for row in _load("metrics.toml")["unimplemented"]]
    return MappingProxyType({row.name: row for row in rows})


@cache
def references() -> Mapping[str, Reference]:
    """Every publication that a limit, a parameter or a metric cites, by key.

    Examples
    --------
    >>> from hrm.catalog import citation_keys, references
    >>> citation_keys("GHO07, SPEC 4")
    ('GHO07', 'SPEC 4')
    >>> references()["GHO07"].doi
    '10.1152/ajpgi.00252.2007'
    """
    rows = [Reference(**row) for row in _load("references.toml")["reference"]]
    return MappingProxyType({row.key: row for row in rows})


def citation_keys(citation: str) -> tuple[str, ...]:
    """Split a citation into its keys; what follows a colon is a remark.

    Parameters
    ----------
    citation : str
        Of a limit or a metric, or the source of a parameter.

    Returns
    -------
    tuple of str
        Keys of `references`; or ``SPEC n``, ``FORMATS`` and ``hrm 0.1``, which are
        the project's own and explained in ``docs/references.md``.
    """
    return tuple(re.split(r",\s*", citation.partition(":")[0].strip()))


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Give plain words for the codes of the contract, by kind of code."""
    return _load("words.toml")


def without_unit(name: str) -> str:
    """Name of a metric without the unit at its end: ``irp4s`` of ``irp4s_mmhg``."""
    return _UNIT_END.sub("", name)


@cache
def definitions_id() -> str:
    """Digest of every table of definitions: limits, parameters, metrics, catheters, words."""
    tables = sorted(
        (file.name, file.read_bytes())
        for file in (files("hrm") / "data").iterdir()
        if file.name.endswith((".toml", ".json"))
    )
    digest = hashlib.sha256()
    for name, content in tables:
        # What names and lengths come before cannot be taken for content.
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@cache
def result_schema() -> dict[str, Any]:
    """Return the JSON Schema of the result contract (``schema_version`` 1)."""
    text = (files("hrm") / "data" / "result-1.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
