"""The metric catalogue as Markdown pages, for ``hrm metrics --markdown``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from hrm import catalog
from hrm.catalog import Limit, Metric, Parameter, Unimplemented

INDEX = "README.md"
NOT_MEASURED = "not-measured.md"
#: Title of each page, in the order in which the index lists them.
TITLES: Mapping[str, str] = {
    "swallow.md": "One swallow",
    "rest.md": "Landmarks and sphincters at rest",
    "study.md": "The study",
    "provocation.md": "Provocation tests",
    "impedance.md": "Impedance and pharynx",
    NOT_MEASURED: "Named, but not measured",
}
_NOTE = (
    "Made from [metrics.toml](../../hrm/data/metrics.toml) by "
    "`hrm metrics --markdown docs/metrics`: change the table, not this page."
)
_OWN = ("SPEC", "hrm ", "FORMATS")
_TESTS = ("mrs_", "rdc_", "solid_", "upright_")


@cache
def _places() -> Mapping[str, str]:
    """Page of each number that the contract has in a block of its own."""
    from hrm import bolus, results

    swallow = {*results.SWALLOW_METRICS, "onset_s", "window_s"}
    rest = {*results.LANDMARKS, *results.EGJ_METRICS, *results.UES_METRICS}
    impedance = {
        *(*bolus.SWALLOW_METRICS, *bolus.STUDY_METRICS),
        *(*bolus.PHARYNX_METRICS, *bolus.PHARYNX_STUDY_METRICS),
    }
    return {
        **dict.fromkeys(impedance, "impedance.md"),
        **dict.fromkeys(rest, "rest.md"),
        **dict.fromkeys(swallow, "swallow.md"),
    }


def page_of(name: str) -> str:
    """Name of the page that a metric stands on.

    Parameters
    ----------
    name : str
        As in the catalogue.

    Returns
    -------
    str
    """
    if name in catalog.unimplemented_metrics():
        return NOT_MEASURED
    if name in _places():
        return _places()[name]
    return "provocation.md" if name.startswith(_TESTS) else "study.md"


def pages() -> dict[str, str]:
    """Write every page of the catalogue.

    Returns
    -------
    dict
        Text by file name; the same tables give the same texts.
    """
    rows: dict[str, Metric | Unimplemented] = {
        **catalog.metrics(),
        **catalog.unimplemented_metrics(),
    }
    texts = {INDEX: "\n".join(_index(rows)) + "\n"}
    for page, title in TITLES.items():
        lines = [f"# {title}", "", _NOTE, ""]
        for row in rows.values():
            if page_of(row.name) == page:
                lines += [*_metric(row), ""]
        texts[page] = "\n".join(lines).rstrip() + "\n"
    return texts


def _index(rows: Mapping[str, Metric | Unimplemented]) -> Iterator[str]:
    measured = sum(isinstance(row, Metric) for row in rows.values())
    yield "# Metrics"
    yield ""
    yield _NOTE
    yield ""
    yield (
        f"{measured} numbers are measured, {len(rows) - measured} are known by name only. What a "
        "confidence means stands in [references](../references.md#how-sure-we-are); how a missing "
        "number is reported, in [reading the results](../results.md#status-words). "
        "`<name>_unfiltered` is the same number of the unfiltered pressure."
    )
    for page, title in TITLES.items():
        yield ""
        yield f"## [{title}]({page})"
        yield ""
        yield "| Name | Unit | What it is |"
        yield "|---|---|---|"
        for row in rows.values():
            if page_of(row.name) == page:
                yield f"| [`{row.name}`]({page}#{row.name}) | {_unit(row.units)} | {_cell(row.long_name)} |"


def _metric(row: Metric | Unimplemented) -> Iterator[str]:
    yield f"## {row.name}"
    yield ""
    yield f"**{row.long_name}**, unit: {_unit(row.units)}"
    yield ""
    yield row.definition
    yield ""
    if isinstance(row, Metric):
        yield f"- Formula: `{row.formula}`"
    else:
        yield f"- Not measured: {row.reason}"
    yield f"- Source: {_cited(row.citation)}; confidence: `{row.confidence}`"
    if isinstance(row, Metric):
        yield f"- Version: {row.version}"
        yield from _parameters(row)
        yield from _limits(row)


def _parameters(row: Metric) -> Iterator[str]:
    if not row.parameters:
        yield "- Parameters: none"
        return
    yield "- Parameters:"
    for key in row.parameters:
        parameter = catalog.parameter_table()[key]
        yield f"  - `{key}` = {_value(parameter)}: {parameter.text} (`{parameter.confidence}`)"


def _value(parameter: Parameter) -> str:
    value = parameter.value
    if isinstance(value, bool):
        return "true" if value else "false"
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    return f"{value:g}{unit}" if isinstance(value, int | float) else f"`{value}`"


def _limits(row: Metric) -> Iterator[str]:
    limits = [limit for limit in catalog.limit_table() if limit.quantity in row.limits]
    if not limits:
        return
    yield ""
    yield "| Limit | System | Position | Chicago | Beyond it | Source | Confidence | Default |"
    yield "|---|---|---|---|---|---|---|---|"
    for limit in limits:
        yield _limit(limit)


def _limit(limit: Limit) -> str:
    cells = (
        f"`{limit.id}`",
        limit.system,
        limit.position,
        limit.cc_version,
        f"{limit.comparator} {limit.value:g} {_unit(limit.unit)}",
        _cited(limit.citation),
        f"`{limit.confidence}`",
        "yes" if limit.default else "no",
    )
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _unit(unit: str) -> str:
    return "1 (no unit)" if unit == "1" else unit


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _cited(citation: str) -> str:
    """Write a citation with a link for each of its keys."""
    _, colon, remark = citation.partition(":")
    keys = ", ".join(_link(key) for key in catalog.citation_keys(citation))
    return f"{keys}{colon}{remark}"


def _link(key: str) -> str:
    known = catalog.references().get(key)
    if known is not None and known.doi:
        return f"[{key}](https://doi.org/{known.doi})"
    place = "#sources-that-are-not-publications" if key.startswith(_OWN) else "#publications"
    return f"[{key}](../references.md{place})"
