"""What is compared: results, a folder of them, or a table of reported numbers."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrm.agreement.cells import (
    READER,
    catalogued,
    check_remark,
    check_unit,
    code_of,
    number_of,
    status_of,
    swallow_of,
    text_of,
)
from hrm.agreement.definitions import labels, metric_of
from hrm.errors import CorruptFileError, FormatError, HrmError, UnsupportedVersionError

COLUMNS = ("subject", "visit", "swallow", "metric", "value", "unit", "status")
#: Columns that a table may leave out: no visit, and a status of what is there.
_OPTIONAL = ("visit", "status")
_REPORTED = "reported_"
_OF_TESTS = ("mrs_", "rdc_")
_BLOCKS = ("landmarks", "egj", "ues", "study")

Key = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number or a label, or None with the status that says why."""

    value: float | str | None
    status: str

    @property
    def counts(self) -> bool:
        """Whether it can be compared: it is there, and its swallow is evaluable."""
        return self.value is not None and self.status != "excluded"


@dataclass(slots=True)
class Study:
    """Everything that is known of one study, by metric and swallow (None: of the study)."""

    subject: str
    visit: str
    readings: dict[Key, Reading] = field(default_factory=dict)
    #: The set of rules that they were measured by; empty where a table does not say.
    rules: str = ""

    @property
    def swallows(self) -> list[int]:
        """Numbers of the swallows, in order."""
        return sorted({swallow for _, swallow in self.readings if swallow is not None})

    def onset(self, swallow: int) -> float | None:
        """Onset of a swallow [s]; None if it is not known."""
        found = self.readings.get(("onset_s", swallow))
        return found.value if found and isinstance(found.value, float) else None


@dataclass(slots=True)
class Source:
    """One side of a comparison.

    `kind` is ``results`` or ``table``; `left_out` counts rows that could not be placed, by
    the reason: ``unknown_metric``, ``unmatched`` (reported of a swallow that was not found).
    """

    kind: str
    studies: dict[tuple[str, str], Study] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def read_source(path: str | os.PathLike[str], *, reported: bool = False) -> Source:
    """Read one side of a comparison.

    Parameters
    ----------
    path : path-like
        A result JSON of ``hrm analyze``, a folder of them (``*.json``), or a CSV with the
        columns of `hrm.to_long`; ``visit`` and ``status`` may be missing.
    reported : bool
        Take what the files themselves report of their swallows instead of what was
        measured.

    Returns
    -------
    Source

    Raises
    ------
    FormatError
        If a file is neither, is damaged, or holds a study twice.
    UnitsError
        If a number has another unit than the catalogue gives it.
    """
    place = Path(path)
    source = _read(place, reported=reported)
    if reported and not any(study.readings for study in source.studies.values()):
        raise FormatError(
            "expected numbers that the recording's file reports, found none; compare with a "
            "table of reported numbers instead",
            reader=READER,
            path=str(place),
        )
    return source


def _read(place: Path, *, reported: bool) -> Source:
    if place.is_dir():
        files = sorted(place.glob("*.json"))
        if not files:
            raise CorruptFileError(
                "the folder holds no .json file; give the results of hrm analyze --json",
                path=str(place),
            )
        return _results(((str(file), _loaded(file)) for file in files), reported=reported)
    if _looks_like_json(place):
        return _results([(str(place), _loaded(place))], reported=reported)
    return _table(place, reported=reported)


def _looks_like_json(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as err:
        raise CorruptFileError(
            "expected a result of hrm analyze --json, found no valid JSON",
            reader=READER,
            path=str(path),
        ) from err


def from_results(results: Iterable[Mapping[str, Any]], *, reported: bool = False) -> Source:
    """Take results as `hrm.to_dict` gives them.

    Parameters
    ----------
    results : iterable of dict
    reported : bool
        As in `read_source`.

    Returns
    -------
    Source
    """
    return _results(((None, result) for result in results), reported=reported)


def _results(results: Iterable[tuple[str | None, Any]], *, reported: bool) -> Source:
    source = Source("results")
    for path, result in results:
        study = _study(result, path, source.left_out, reported=reported)
        if (study.subject, study.visit) in source.studies:
            raise CorruptFileError(
                "two results are of the same study; give each study once, and visits of one "
                "participant as a CSV with the column visit",
                reader=READER,
                path=path,
            )
        source.studies[study.subject, study.visit] = study
    return source


def _study(result: Any, path: str | None, left_out: Counter[str], *, reported: bool) -> Study:
    version = result.get("schema_version") if isinstance(result, dict) else None
    if version is None:
        raise CorruptFileError(
            "expected a result of hrm analyze --json, found another JSON",
            reader=READER,
            path=path,
        )
    if version != "1":
        raise UnsupportedVersionError(
            "expected schema_version 1, found another; analyze the recording again",
            reader=READER,
            path=path,
        )
    try:
        study = Study(code_of(result["recording"]["study_id"], "study_id"), "")
        placed = _reported(result, left_out) if reported else _measured(result)
        study.readings.update(placed)
        study.rules = "" if reported else str(result["engine"]["parameters_id"])
    except (KeyError, TypeError, AttributeError, ValueError) as err:
        if isinstance(err, HrmError):
            raise
        raise CorruptFileError(
            "the result is not complete: a block of the contract is missing or of another kind",
            reader=READER,
            path=path,
        ) from err
    return study


def _measured(result: Mapping[str, Any]) -> Iterator[tuple[Key, Reading]]:
    for row in result["swallows"]:
        start, stop = row["window_s"]
        values = {**row, "window_start_s": start, "window_stop_s": stop}
        evaluable = bool(row["evaluable"])
        yield from _numbers(values, row["status"], int(row["id"]), evaluable=evaluable)
        for name in ("type", "pressurization"):
            yield (name, int(row["id"])), _label(row[name], row["reason"], evaluable=evaluable)
    for block in _BLOCKS:
        yield from _numbers(result[block], result[block]["status"])
    for block in (value for name, value in result.items() if name not in _BLOCKS):
        if isinstance(block, dict) and "status" in block:
            yield from _of_block(block, result["swallows"])
    yield from _of_study(result["study"])
    for test, block in (result.get("provocation") or {}).items():
        yield from _of_test(test, block or {})
    yield ("morphology", None), _label(result["egj"]["morphology"], None)
    for version in ("ccv4", "ccv3"):
        verdict = result["classification"][version]["diagnosis"]
        yield (f"diagnosis_{version}", None), _label(verdict, None)


def _of_block(
    block: Mapping[str, Any], swallows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Key, Reading]]:
    """Numbers of a block that not every study has, such as impedance, and of its swallows."""
    yield from _numbers(block, block["status"])
    evaluable = {int(row["id"]): bool(row["evaluable"]) for row in swallows}
    for row in block.get("swallows", ()):
        number = int(row["id"])
        found = dict(_numbers(row, row["status"], number, evaluable=evaluable[number]))
        if any(reading.value is not None for reading in found.values()):
            yield from found.items()


def _of_study(study: Mapping[str, Any]) -> Iterator[tuple[Key, Reading]]:
    shares = {f"percent_{name}": value for name, value in study["percent"].items()}
    reason = study["status"].get("percent", "not_measured")
    yield from _numbers(shares, dict.fromkeys(shares, reason))


def _of_test(test: str, block: Mapping[str, Any]) -> Iterator[tuple[Key, Reading]]:
    """Numbers of a provocation test; those of a run stand beside its last swallow."""
    parts = [(None, block), *((int(run["swallows"][-1]), run) for run in block.get("runs", ()))]
    for swallow, part in parts:
        named = {f"{test}_{key}": value for key, value in part.items()}
        status = {f"{test}_{key}": code for key, code in part.get("status", {}).items()}
        yield from _numbers(named, status, swallow)


def _numbers(
    values: Mapping[str, Any],
    status: Mapping[str, str],
    swallow: int | None = None,
    *,
    evaluable: bool = True,
) -> Iterator[tuple[Key, Reading]]:
    """Every number of a block that the catalogue knows, missing ones with their reason."""
    for name, value in values.items():
        if metric_of(name) is None or isinstance(value, list | dict | bool | str):
            continue
        if value is None:
            plain = name.removesuffix("_unfiltered")
            yield (
                (name, swallow),
                Reading(None, status.get(name, status.get(plain, "not_measured"))),
            )
        else:
            yield (name, swallow), Reading(float(value), "ok" if evaluable else "excluded")


def _label(code: str | None, reason: str | None, *, evaluable: bool = True) -> Reading:
    if not evaluable:
        return Reading(code, "excluded")
    return Reading(code, "ok" if code is not None else reason or "not_measured")


def _reported(result: Mapping[str, Any], left_out: Counter[str]) -> Iterator[tuple[Key, Reading]]:
    for row in result["swallows"]:
        block = row.get("reported")
        if block is not None:
            # The time of an operator's entry is not an onset: numbers match by the swallow.
            values = {name: value for name, value in block.items() if name != "onset_s"}
            status = {name: block["status"].get(name, "not_reported") for name in values}
            yield from _numbers(values, status, int(row["id"]))
    left_out["unmatched"] += len(result.get("reported_unmatched", ()))


def _table(path: Path, *, reported: bool) -> Source:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return from_rows(csv.DictReader(stream, strict=True), reported=reported, first_line=2)
    except (csv.Error, UnicodeError) as err:
        raise CorruptFileError(
            "expected a comma-separated table in UTF-8, or a result of hrm analyze --json",
            reader=READER,
            path=str(path),
        ) from err
    except FormatError as err:
        err.path = str(path)
        raise


def from_rows(
    rows: Iterable[Mapping[str, Any]], *, reported: bool = False, first_line: int = 1
) -> Source:
    """Take the rows of a tidy long table, as `hrm.to_long` gives them.

    Parameters
    ----------
    rows : iterable of dict
        ``subject``, ``swallow`` (empty for a number of the study), ``metric``, ``value``,
        ``unit``, and, if there are, ``visit`` and ``status``. ``metric`` is a name of the
        catalogue, or a label: ``type``, ``pressurization``, ``diagnosis_ccv4``,
        ``diagnosis_ccv3``, ``morphology``.
    reported : bool
        Take the rows ``reported_...`` under the name that follows; otherwise they are
        left out.
    first_line : int
        Number of the first row, for messages.

    Returns
    -------
    Source

    Raises
    ------
    FormatError
        If a column is missing, a cell has the wrong form or a number stands there twice.
    UnitsError
        If a number has another unit than the catalogue gives it.
    """
    source = Source("table")
    n_rows = 0
    for line, row in enumerate(rows, start=first_line):
        n_rows += 1
        _check_columns(row)
        where = f"line {line}"
        metric = text_of(row["metric"])
        if metric.startswith(_REPORTED) != reported:
            source.left_out["other_origin"] += 1
        else:
            _place(source, row, metric.removeprefix(_REPORTED), where)
    if not n_rows:
        raise CorruptFileError("expected a table with rows, found none", reader=READER)
    for study in source.studies.values():
        _exclude_whole_swallows(study)
    return source


def _check_columns(row: Mapping[str, Any]) -> None:
    missing = [name for name in COLUMNS if name not in row and name not in _OPTIONAL]
    if missing:
        raise CorruptFileError(
            f"expected the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}",
            reader=READER,
        )


def _place(source: Source, row: Mapping[str, Any], metric: str, where: str) -> None:
    subject = code_of(text_of(row["subject"]), "subject", where)
    visit = text_of(row.get("visit"))
    visit = code_of(visit, "visit", where) if visit else ""
    metric = metric if metric in labels() else catalogued(metric)
    if metric not in labels() and metric_of(metric) is None:
        source.left_out["unknown_metric"] += 1
        return
    status = status_of(text_of(row.get("status")), where)
    if status == "unmatched":
        source.left_out["unmatched"] += 1
        return
    study = source.studies.setdefault((subject, visit), Study(subject, visit))
    key = (metric, swallow_of(text_of(row["swallow"]), where))
    if key in study.readings:
        raise CorruptFileError(
            "the same number of the same swallow stands in the table twice",
            reader=READER,
            where=where,
        )
    study.readings[key] = _reading(metric, row, status, where)


def _reading(metric: str, row: Mapping[str, Any], status: str, where: str) -> Reading:
    text = text_of(row["value"])
    known = labels().get(metric)
    if known is None:
        check_unit(metric, text_of(row["unit"]), where)
    if not text:
        return Reading(None, status if status not in ("", "ok") else "not_reported")
    if known is not None:
        if text not in known.categories:
            raise CorruptFileError(
                f"expected for {metric} one of {', '.join(known.categories)}, found another label",
                reader=READER,
                where=where,
            )
        return Reading(text, status or "ok")
    number = number_of(text)
    if number is None:
        raise CorruptFileError(f"expected a number for {metric}, or NA", reader=READER, where=where)
    if not text_of(row.get("source")):
        check_remark(status or "ok", where)
    return Reading(number, status or "ok")


def _exclude_whole_swallows(study: Study) -> None:
    """A swallow whose onset is marked excluded takes all its numbers with it.

    The tidy table marks the numbers that have no other status; those with a remark would
    count again otherwise.
    """
    gone = {
        swallow
        for (metric, swallow), reading in study.readings.items()
        if metric == "onset_s" and swallow is not None and reading.status == "excluded"
    }
    for key, reading in study.readings.items():
        # The numbers of a test stand beside its last swallow, which is none of the single ones.
        if key[1] in gone and reading.value is not None and not key[0].startswith(_OF_TESTS):
            study.readings[key] = Reading(reading.value, "excluded")
