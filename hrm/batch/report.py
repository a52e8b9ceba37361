"""The quality report of a batch: what worked, what did not and why, what stands out."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from hrm import __version__, catalog
from hrm._page import RESEARCH_USE, document, image, table
from hrm.report.wording import diagnosis as diagnosis_in_words
from hrm.store import Ledger
from hrm.store.tables import input_table, study_table

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
.studies { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .8rem; }
figure { margin: 0; border: 1px solid #bbb; padding: .4rem; break-inside: avoid; }
figure img { width: 100%; image-rendering: auto; } figcaption { font-size: 12px; }
.odd { border-color: #b03a2e; } .odd strong { color: #8f2a20; }
"""
_STATUS_WORDS = {
    "ok": "measured",
    "failed": "failed",
    "quarantined": "set aside: ended their worker",
    "not_measured": "not tried yet",
}
#: Numbers whose spread is drawn.
_SPREAD = (
    *("irp4s_median_supine_mmhg", "basal_end_expiratory_mmhg", "egj_ci_mmhg_cm"),
    *("dci_median_mmhg_s_cm", "les_cd_separation_cm", "noise_mmhg"),
)


@dataclass(frozen=True)
class _Study:
    """What the page shows of one study."""

    id: int
    row: Mapping[str, Any]
    result: Mapping[str, Any]
    thumbnail: bytes | None
    #: Why it stands out; empty if it does not.
    odd: tuple[str, ...]


def batch_report(ledger: Ledger) -> str:
    """Write the quality report of a batch as one HTML page.

    Parameters
    ----------
    ledger : Ledger

    Returns
    -------
    str
        Names studies by their pseudonym and failed inputs by number; no path is in it.
    """
    inputs = input_table(ledger)
    studies = _studies(ledger, study_table(ledger))
    body = [
        _head(),
        *_counts(inputs, studies),
        *_failures(inputs),
        *_spread(studies),
        *_pictures(studies),
    ]
    return document("Batch: quality report", body, style=_STYLE)


def _head() -> str:
    return (
        f"<p><strong>{RESEARCH_USE}</strong> hrm {escape(__version__)}. Studies are named by "
        "their pseudonym and inputs by number; 'hrm results DIR --failed' gives the paths on "
        "your own terminal.</p>"
    )


def _studies(ledger: Ledger, rows: pd.DataFrame) -> list[_Study]:
    records = {record["study"]: record for record in _records(rows)}
    found = ledger.connection.execute(
        "SELECT id, result, thumbnail FROM study "
        "WHERE id IN (SELECT study FROM input WHERE study IS NOT NULL) ORDER BY study_id, id"
    )
    plain = []
    for name, text, picture in found:
        row = dict(records[name])
        result = json.loads(text)
        row["dci_median_mmhg_s_cm"] = _median_dci(result)
        plain.append((name, row, result, picture))
    limits = _outlier_limits([row for _, row, _, _ in plain])
    return [_Study(*each, _oddities(each[1], each[2], limits)) for each in plain]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in record.items()} for record in rows.to_dict("records")
    ]


def _median_dci(result: Mapping[str, Any]) -> float | None:
    """Median over the evaluable swallows of the primary posture, whose verdicts count."""
    from statistics import median

    posture = result["study"]["primary_posture"]
    values = [
        row["dci_mmhg_s_cm"]
        for row in result["swallows"]
        if row["evaluable"] and row["posture"] == posture and row["dci_mmhg_s_cm"] is not None
    ]
    return median(values) if values else None


def _numbers(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    values = [row.get(name) for row in rows]
    return [float(value) for value in values if value is not None and value == value]  # noqa: PLR0124


def _outlier_limits(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Tukey's far fences: three interquartile ranges beyond the quartiles."""
    from statistics import quantiles

    limits = {}
    for name in _SPREAD:
        values = _numbers(rows, name)
        if len(values) >= _FEWEST_FOR_FENCES:
            low, _, high = quantiles(values, n=4, method="inclusive")
            reach = _FENCE * (high - low)
            limits[name] = (low - reach, high + reach)
    return limits


_FENCE = 3.0
_FEWEST_FOR_FENCES = 8


def _oddities(
    row: Mapping[str, Any], result: Mapping[str, Any], limits: Mapping[str, tuple[float, float]]
) -> tuple[str, ...]:
    found = []
    for name, (low, high) in limits.items():
        value = row.get(name)
        if value is not None and value == value and not low <= value <= high:  # noqa: PLR0124
            found.append(f"{_title(name)} far from the others")
    quality = result["quality"]
    bad = [sensor for sensor in quality["sensors"] if not sensor["usable"]]
    if bad:
        found.append(f"{len(bad)} {'sensor' if len(bad) == 1 else 'sensors'} not usable")
    if quality["egj_crossed"] is False:
        found.append("catheter does not cross the EGJ")
    if result["classification"]["ccv4"]["diagnosis"] is None:
        found.append("no diagnosis")
    unstable = row.get("stability_ccv4")
    if unstable is not None and unstable == unstable and unstable < _STABLE:  # noqa: PLR0124
        found.append(f"diagnosis holds in {unstable:.0%} of draws")
    return tuple(found)


#: Share of draws below which a diagnosis is named here; docs/stability.md.
_STABLE = 0.95


def _title(name: str) -> str:
    metric = catalog.metrics().get(name)
    return metric.long_name if metric is not None else _OWN_TITLES[name]


#: Numbers that this page alone has.
_OWN_TITLES = {
    "dci_median_mmhg_s_cm": "median DCI, primary posture",
    "stability_ccv4": "draws that keep the v4.0 diagnosis",
}


def _unit(name: str) -> str:
    metric = catalog.metrics().get(name)
    return metric.units if metric is not None else "mmHg s cm"


def _counts(inputs: pd.DataFrame, studies: Sequence[_Study]) -> Iterator[str]:
    counts = Counter(inputs["status"])
    yield "<h2>What was asked for, and what came of it</h2>"
    rows = [(word, str(counts[name])) for name, word in _STATUS_WORDS.items() if counts[name]]
    yield table(("status", "inputs"), [*rows, ("all", str(len(inputs)))])
    odd = sum(bool(study.odd) for study in studies)
    yield f"<p>{len(studies)} studies have a result; {odd} of them stand out and are shown first.</p>"


def _failures(inputs: pd.DataFrame) -> Iterator[str]:
    bad = inputs[inputs["status"].isin(["failed", "quarantined"])]
    bad = bad.sort_values(["manifest_row", "input"])
    if not len(bad):
        return
    yield "<h2>What failed, by cause</h2>"
    groups = sorted(bad.groupby("cause"), key=lambda group: -len(group[1]))
    for cause, group in groups:
        yield f"<h3>{escape(str(cause).replace('_', ' '))}: {_inputs(len(group))}</h3>"
        yield f"<p>What to do: {escape(str(group['advice'].iloc[0]))}.</p>"
        yield "<ul>"
        yield from _messages(_records(group))
        yield "</ul>"


def _inputs(n: int) -> str:
    return f"{n} input{'' if n == 1 else 's'}"


def _messages(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write each message once; those that differ in a line or a count are one."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(re.sub(r"\d+", "0", row["message"]), []).append(row)
    most = sorted(alike.values(), key=len, reverse=True)
    for own in most[:_MOST_MESSAGES]:
        n = len(own)
        places = ", ".join(_place(row) for row in own[:_MOST_PLACES])
        more = f" and {n - _MOST_PLACES} more" if n > _MOST_PLACES else ""
        first = escape(own[0]["message"])
        yield f"<li>{first} <span class='note'>({n}: {places}{more})</span></li>"
    if left := sum(map(len, most[_MOST_MESSAGES:])):
        yield f"<li>Other messages: {_inputs(left)}; see 'hrm results DIR --failed'</li>"


_MOST_MESSAGES, _MOST_PLACES = 8, 12


def _place(row: Mapping[str, Any]) -> str:
    number = row["manifest_row"]
    if number is not None and number == number:  # noqa: PLR0124
        return f"row {int(number)}"
    return f"input {row['input']}"


def _spread(studies: Sequence[_Study]) -> Iterator[str]:
    from hrm.plot.batch import bars, histogram

    if not studies:
        return
    yield "<h2>Diagnoses</h2>"
    for tree, words in (("ccv4", "Chicago v4.0"), ("ccv3", "Chicago v3.0")):
        labels = Counter(
            _diagnosis(study.row[f"diagnosis_{tree}"])
            + ("" if study.row[f"conclusive_{tree}"] else ", not conclusive")
            for study in studies
        )
        yield image(bars(dict(labels.most_common()), title=words), f"Diagnoses, {words}")
    yield "<h2>Numbers</h2>"
    rows = [study.row for study in studies]
    for name in (*_SPREAD, "stability_ccv4"):
        values = _numbers(rows, name)
        if values:
            unit = "share of draws" if name == "stability_ccv4" else _unit(name)
            title = f"{_title(name)} (n {len(values)})"
            yield image(histogram(values, title=title, unit=unit), title)


def _diagnosis(code: Any) -> str:
    """Write a diagnosis out, as the PDF of one study does."""
    return diagnosis_in_words(code) if isinstance(code, str) and code else "No diagnosis"


def _pictures(studies: Sequence[_Study]) -> Iterator[str]:
    yield "<h2>Every study</h2>"
    yield '<div class="studies">'
    for study in sorted(studies, key=lambda each: (-len(each.odd), each.row["study_id"])):
        yield _picture(study)
    yield "</div>"


def _picture(study: _Study) -> str:
    row = study.row
    name = escape(str(row["study_id"]))
    visit = f", {escape(str(row['visit']))}" if row["visit"] else ""
    drawn = ""
    if study.thumbnail:
        data = base64.b64encode(study.thumbnail).decode("ascii")
        drawn = f'<img alt="Pressure topography of {name}" src="data:image/png;base64,{data}">'
    diagnosis = escape(_diagnosis(row["diagnosis_ccv4"]))
    odd = f"<br><strong>{escape('; '.join(study.odd))}</strong>" if study.odd else ""
    return (
        f"<figure{' class=odd' if study.odd else ''}>{drawn}<figcaption>{name}{visit}: {diagnosis}; "
        f"IRP {_said(row['irp4s_median_supine_mmhg'])}, LES {_said(row['basal_end_expiratory_mmhg'])} "
        f"mmHg; {_said(row['n_evaluable'], digits=0)} swallows{odd}</figcaption></figure>"
    )


def _said(value: Any, *, digits: int = 1) -> str:
    return "not measured" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124
