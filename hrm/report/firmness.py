"""How firm a diagnosis is, in words: summary and report share them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hrm.report.wording import consideration, diagnosis

#: Quantities of the limits table that do not read well with spaces for underscores.
_QUANTITIES = {
    "irp4s": "IRP-4s",
    "percent_absent": "percentage of swallows without peristalsis",
    "percent_ibp": "percentage of swallows with raised intrabolus pressure",
    "percent_ineffective_grey": "percentage of ineffective swallows",
    "percent_panesophageal": "percentage of panesophageal pressurization",
}


def stability_sentence(tree: Mapping[str, Any]) -> str:
    """Say in how many draws a diagnosis was kept, what else came out, and what decided.

    Parameters
    ----------
    tree : mapping
        Block ``ccv4`` or ``ccv3`` of the contract, with its ``stability``.
    """
    found = tree["stability"]
    if found["status"] != "ok":
        return f"not known: {consideration(found['status'])}"
    kept = found["diagnoses"].get(tree["diagnosis"], 0)
    text = f"keeps the diagnosis in {kept} of {found['draws']} draws"
    if found["runner_up"] is not None:
        others = [name for name in found["diagnoses"] if name != tree["diagnosis"]]
        times = [f"{diagnosis(name)} in {found['diagnoses'][name]}" for name in others]
        text += f"; otherwise {', '.join(times)}"
    drivers = [f"{_quantity(row['quantity'])} ({row['draws']})" for row in found["drivers"]]
    return text + (f"; decided by {', '.join(drivers)}" if drivers else "")


def _quantity(code: str) -> str:
    if code in _QUANTITIES:
        return _QUANTITIES[code]
    kind = code.removeprefix("percent_")
    return f"percentage of {kind} swallows" if kind != code else code.replace("_", " ")
