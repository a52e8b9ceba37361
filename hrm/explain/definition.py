"""The definition behind a number: parameters as used, limits, publications."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hrm import catalog
from hrm.catalog import Limit, Metric, Parameters, Reference, Unimplemented
from hrm.evidence import Held, Used

#: Quantities of the limits table that a metric is held against.
_QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "dci_mmhg_s_cm": (
        *("dci_failed", "dci_weak", "dci_hypercontractile", "dci_hypertensive"),
        "contour_break",
    ),
    "distal_latency_s": ("dl_premature", "contour_pressurization"),
    "break_cm": ("break_fragmented", "break_small", "break_large", "contour_break"),
    "ibp_mmhg": ("ibp",),
    "cfv_cm_s": ("cfv_rapid",),
    "irp4s_mmhg": ("irp4s",),
    "percent_failed": ("percent_failed", "percent_absent"),
    "percent_ineffective": ("percent_ineffective", "percent_ineffective_grey"),
    **{
        f"percent_{name}": (f"percent_{name}",)
        for name in ("premature", "panesophageal", "hypercontractile", "fragmented")
    },
}
_MEDIANS = re.compile(r"irp4s_median_(supine|upright)_mmhg|upright_irp4s_median_mmhg")


def parameters_of(row: Metric | Unimplemented, used: Parameters) -> tuple[Used, ...]:
    """Parameters that a metric rests on, with the values of this run.

    Parameters
    ----------
    row : Metric or Unimplemented
    used : Parameters

    Returns
    -------
    tuple of Used
    """
    if isinstance(row, Unimplemented):
        return ()
    table = catalog.parameter_table()
    return tuple(
        Used(
            *(key, used[key], table[key].unit, table[key].value),
            *(table[key].confidence, table[key].source, table[key].text),
        )
        for key in row.parameters
    )


def limits_of(
    name: str,
    value: Any,
    *,
    system: str,
    posture: str,
    irp_limit: Mapping[str, Any] | None,
) -> tuple[Held, ...]:
    """Limits that a number is held against, of every version that has one.

    Parameters
    ----------
    name : str
        Of the metric.
    value : float or None
        The number.
    system, posture : str
    irp_limit : mapping or None
        Limit that the user named, as in the contract.

    Returns
    -------
    tuple of Held
        The user's limit first. A contour level belongs to the definition, and no number
        is held against it.
    """
    median = _MEDIANS.fullmatch(name)
    if median:
        posture = median[1] or "upright"
    quantities = ("irp4s",) if median else _QUANTITIES.get(name, ())
    found = list(_rows(quantities, system, posture))
    if "irp4s" in quantities and irp_limit is not None:
        found.insert(0, _named(irp_limit, system))
    number = value if isinstance(value, int | float) else None
    return tuple(
        Held(
            row,
            None
            if number is None or row.quantity.startswith("contour")
            else row.crossed_by(float(number)),
        )
        for row in dict.fromkeys(found)
    )


def _rows(quantities: tuple[str, ...], system: str, posture: str) -> Iterator[Limit]:
    for quantity in quantities:
        for version in ("4.0", "3.0", "2.0"):
            row = catalog.find_limit(quantity, system=system, position=posture, cc_version=version)
            if row is not None:
                yield row


def _named(limit: Mapping[str, Any], system: str) -> Limit:
    """Row of the limits table that the user named, or one made of the user's number."""
    for row in catalog.limit_table():
        if row.id == limit["row"]:
            return row
    return Limit(
        id="user",
        quantity="irp4s",
        system=system,
        position=str(limit["position"]),
        cc_version="4.0",
        comparator=">=",
        value=float(limit["value_mmhg"]),
        unit="mmHg",
        citation=str(limit["citation"]),
        confidence="user",
    )


def references_of(citation: str, limits: tuple[Held, ...]) -> tuple[Reference, ...]:
    """Publications that a definition and its limits cite, each once.

    Parameters
    ----------
    citation : str
        Of the metric.
    limits : tuple of Held

    Returns
    -------
    tuple of Reference
    """
    keys = [
        key
        for text in (citation, *(held.limit.citation for held in limits))
        for key in catalog.citation_keys(text)
    ]
    return tuple(catalog.references()[k] for k in dict.fromkeys(keys) if k in catalog.references())
