"""How disputed definitions move the numbers and the diagnosis of one recording.

Where the literature does not settle a rule, hrm takes one and says so. Here the others
are tried on the very recording: a number that depends on the choice is seen to.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hrm import catalog
from hrm.errors import HrmError

if TYPE_CHECKING:
    import xarray as xr

_TREES = ("ccv4", "ccv3")
#: Numbers of the study that are compared, by block of the contract.
_OF_STUDY = {
    "study": (
        *("irp4s_median_supine_mmhg", "irp4s_median_upright_mmhg", "irp4s_median_unknown_mmhg"),
    ),
    "egj": (
        *("basal_mean_mmhg", "basal_end_expiratory_mmhg", "basal_inspiratory_mmhg"),
        *("egj_ci_mmhg_cm", "les_cd_separation_cm"),
    ),
    "landmarks": ("les_upper_cm", "les_lower_cm", "gastric_reference_mmhg"),
}
#: Numbers of the swallows that are compared.
_OF_SWALLOWS = (
    *("onset_s", "irp4s_mmhg", "dci_mmhg_s_cm", "distal_latency_s", "cdp_cm", "break_cm"),
    *("ibp_mmhg", "cfv_cm_s", "ues_residual_mmhg"),
)


@dataclass(frozen=True)
class MovedNumber:
    """A number of the study under the chosen and under another rule; None: not measured."""

    metric: str
    unit: str
    chosen: float | None
    other: float | None

    @property
    def difference(self) -> float | None:
        """Other minus chosen; None where one of them is not measured."""
        if self.chosen is None or self.other is None:
            return None
        return self.other - self.chosen


@dataclass(frozen=True)
class MovedSwallows:
    """A number of the swallows: how far it moves, over those that have it under both rules."""

    metric: str
    unit: str
    n: int
    #: Median and greatest (in size) of other minus chosen; None without such a swallow.
    median: float | None
    greatest: float | None
    #: Swallows that have the number under one of the rules only.
    gained: tuple[int, ...]
    lost: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """One other rule, and what it does to a recording.

    Parameters
    ----------
    id, about, text, source : str
        From ``hrm/data/alternatives.toml``.
    parameters : mapping
        What is set differently.
    diagnosis : mapping of str to (str or None, str or None)
        Under the chosen and under the other rule, for each tree.
    study : tuple of MovedNumber
    swallows : tuple of MovedSwallows
    types : tuple of (int, str or None, str or None)
        Swallows whose type is another.
    n_swallows : (int, int)
    failed : str
        Why the recording cannot be measured by this rule; empty if it can.
    in_use : bool
        It is what the analysis uses already; then nothing is compared.
    """

    id: str
    about: str
    text: str
    source: str
    parameters: Mapping[str, Any]
    diagnosis: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    study: tuple[MovedNumber, ...] = ()
    swallows: tuple[MovedSwallows, ...] = ()
    types: tuple[tuple[int, str | None, str | None], ...] = ()
    n_swallows: tuple[int, int] = (0, 0)
    failed: str = ""
    in_use: bool = False

    @property
    def changes_diagnosis(self) -> bool:
        """Whether a tree says something else."""
        return any(chosen != other for chosen, other in self.diagnosis.values())


def compare_parameters(
    recording: xr.DataTree, *, parameters: Mapping[str, Any] | None = None, **options: Any
) -> list[Comparison]:
    """Measure a recording by each disputed rule in turn, and say what moves.

    Parameters
    ----------
    recording : DataTree
        From `hrm.open_recording` or `hrm.make_recording`.
    parameters : mapping, optional
        As of `hrm.analyze`; the other rule is laid over them.
    **options
        The other options of `hrm.analyze`.

    Returns
    -------
    list of Comparison
        In the order of ``hrm/data/alternatives.toml``. Differences are the other rule's
        value minus the chosen one's, in the unit of the metric.

    Raises
    ------
    HrmError
        If the recording cannot be measured by the chosen rules.

    Notes
    -----
    One rule is changed at a time; what two changes do together may be more or less than
    the sum.
    """
    said = dict(parameters or {})
    chosen = _measured(recording, said, options)
    values = catalog.default_parameters().replace(said)
    return [
        _compared(row, recording, chosen, said, options)
        if any(values[key] != value for key, value in row["set"].items())
        else Comparison(**_named(row), in_use=True)
        for row in catalog.alternative_table()
    ]


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as plain values, for JSON."""
    plain = asdict(comparison)
    for row, number in zip(plain["study"], comparison.study, strict=True):
        row["difference"] = number.difference
    return plain | {"changes_diagnosis": comparison.changes_diagnosis}


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    names = {name: row[name] for name in ("id", "about", "text", "source")}
    return names | {"parameters": dict(row["set"])}


def _measured(
    recording: xr.DataTree, parameters: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    from hrm.pipeline import analyze
    from hrm.results import to_dict

    return to_dict(analyze(recording, parameters=parameters, **options))


def _compared(
    row: Mapping[str, Any],
    recording: xr.DataTree,
    chosen: Mapping[str, Any],
    said: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Comparison:
    try:
        other = _measured(recording, {**said, **row["set"]}, options)
    except HrmError as err:
        return Comparison(**_named(row), failed=str(err))
    pairs = list(_pairs(chosen["swallows"], other["swallows"]))
    return Comparison(
        **_named(row),
        diagnosis={tree: (_diagnosis(chosen, tree), _diagnosis(other, tree)) for tree in _TREES},
        study=tuple(_study_numbers(chosen, other)),
        swallows=tuple(_swallow_numbers(name, pairs) for name in _OF_SWALLOWS),
        types=tuple((a["id"], a["type"], b["type"]) for a, b in pairs if a["type"] != b["type"]),
        n_swallows=(len(chosen["swallows"]), len(other["swallows"])),
    )


def _diagnosis(result: Mapping[str, Any], tree: str) -> str | None:
    found: str | None = result["classification"][tree]["diagnosis"]
    return found


def _study_numbers(chosen: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[MovedNumber]:
    for block, names in _OF_STUDY.items():
        for name in names:
            a, b = chosen[block][name], other[block][name]
            if a is not None or b is not None:
                yield MovedNumber(name, catalog.metrics()[name].units, a, b)


def _pairs(
    chosen: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Match swallows by their onset, which the other rule may have moved by a little."""
    farthest = catalog.default_parameters()["sensitivity.match_s"]
    left = list(other)
    for row in chosen:
        near = min(left, key=lambda each: abs(each["onset_s"] - row["onset_s"]), default=None)
        if near is not None and abs(near["onset_s"] - row["onset_s"]) <= farthest:
            left.remove(near)
            yield row, near


def _swallow_numbers(
    name: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> MovedSwallows:
    both = [b[name] - a[name] for a, b in pairs if a[name] is not None and b[name] is not None]
    return MovedSwallows(
        metric=name,
        unit=catalog.metrics()[name].units,
        n=len(both),
        median=statistics.median(both) if both else None,
        greatest=max(both, key=abs) if both else None,
        gained=tuple(a["id"] for a, b in pairs if a[name] is None and b[name] is not None),
        lost=tuple(a["id"] for a, b in pairs if a[name] is not None and b[name] is None),
    )
