"""Provocation tests in words, for summary and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm import catalog
from hrm.report.wording import comparison, in_words, not_measured, number

Result = Mapping[str, Any]
#: How a run is judged: the body makes no contraction, the LES is not above its limit.
_RULES = {"dci_failed": "DCI", "irp4s": "LES not"}


def provocation_lines(result: Result) -> list[tuple[str, str]]:
    """Label and text of each provocation test that was done.

    Parameters
    ----------
    result : mapping
        The published contract.

    Returns
    -------
    list of (str, str)
        Empty without a test; of upright swallows alone `upright_sentence` speaks.
    """
    block = result.get("provocation") or {}
    rules = catalog.default_parameters().replace(result["engine"]["parameter_overrides"])
    out: list[tuple[str, str]] = []
    if block.get("mrs"):
        out += _mrs(block["mrs"])
    if block.get("rdc"):
        out += _rdc(block["rdc"]["runs"], rules)
    if block.get("solid"):
        out.append(("Solid test swallows", _solid(block["solid"], rules)))
    return out


def upright_sentence(result: Result) -> str:
    """Say what the upright swallows show; empty without any."""
    block = (result.get("provocation") or {}).get("upright")
    return f"Upright swallows: {_upright(block)}." if block else ""


def _mrs(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for k, run in enumerate(block["runs"], 1):
        which = f" {k}" if len(block["runs"]) > 1 else ""
        said = [_during(run), f"DCI after {_value(run, 'dci_after_mmhg_s_cm', 'mmHg s cm')}"]
        said += [in_words(remark) for remark in run["remarks"]]
        yield f"Multiple rapid swallows{which}", f"{_ids(run)}: {'; '.join(said)}"
    if block["ratio"] is None:
        text = f"{not_measured(block['status']['ratio'])} (rule: {block['rule']})"
    else:
        mean = number(block["single_dci_mean_mmhg_s_cm"], "mmHg s cm")
        reserve = "present" if block["reserve"] else "none"
        text = f"{reserve}; ratio {block['ratio']:.2f} ({block['rule']}, {mean})"
    yield "Contractile reserve", text


def _rdc(runs: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for k, run in enumerate(runs, 1):
        which = f" {k}" if len(runs) > 1 else ""
        shares = [
            f"{rules[f'rdc.pressurization_{name}_mmhg']:g} mmHg for "
            f"{_value(run, f'pressurized_{name}_percent', '%')}"
            for name in ("low", "high")
        ]
        after = f"DCI after {_value(run, 'dci_after_mmhg_s_cm', 'mmHg s cm')}"
        said = [_during(run), f"pressurized to {', '.join(shares)} of the time", after]
        yield f"Rapid drinking{which}", f"{_ids(run)}: {'; '.join(said)}"


def _during(run: Mapping[str, Any]) -> str:
    inhibited = {True: "inhibited", False: "NOT inhibited"}.get(run["inhibited"])
    if inhibited is None:
        why = in_words(run["status"].get("inhibited", "not known"))
        inhibited = f"inhibition not known ({why})"
    rule = _limits(run["inhibited_by"])
    inhibited += f" (asked for: {rule})" if rule else ""
    return (
        f"{inhibited}; during it DCI {_value(run, 'dci_during_mmhg_s_cm', 'mmHg s cm')}, LES "
        f"{_value(run, 'les_during_mmhg', 'mmHg')}, IRP4s {_value(run, 'irp4s_during_mmhg', 'mmHg')}"
    )


def _limits(ids: Sequence[str]) -> str:
    """Write the rows that said whether the body was quiet and the LES open."""
    table = {row.id: row for row in catalog.limit_table()}
    said = []
    for key in ids:
        row = table.get(key)
        words = _RULES.get(row.quantity, row.quantity) if row else ""
        said.append(f"{words} {comparison(row)} [{key}]" if row else key)
    return ", ".join(said)


def _ids(run: Mapping[str, Any]) -> str:
    first, last = run["swallows"][0], run["swallows"][-1]
    return f"swallows {first} to {last}" if last > first else f"swallow {first}"


def _value(block: Mapping[str, Any], key: str, unit: str) -> str:
    if block[key] is None:
        return not_measured(block["status"].get(key))
    return number(block[key], unit)


def _solid(block: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    if block["percent_effective"] is None:
        return _value(block, "percent_effective", "%")
    share, least = block["percent_effective"], 100.0 * rules["solid.normal_share"]
    side = "normal" if block["normal"] else "below that"
    unknown = f"; {block['unknown']} cannot be told" if block["unknown"] else ""
    return f"{share:.0f} % of {block['counted']} effective (normal: > {least:g} %): {side}{unknown}"


def _upright(block: Mapping[str, Any]) -> str:
    if not block["n_evaluable"]:
        return "none can be evaluated"
    return (
        f"{_value(block, 'percent_contracting', '%')} of {block['n_evaluable']} contract "
        "(not failed), "
        f"median DCI {_value(block, 'dci_median_mmhg_s_cm', 'mmHg s cm')}"
    )
