"""The summary that ``hrm analyze`` prints: what a physician reads first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrm import catalog

DASH = "–"
_WIDTH = 110
_LABEL = 30

_LANDMARKS = (
    ("UES", ("ues_upper_cm", "ues_lower_cm")),
    ("Transition zone", ("transition_zone_cm",)),
    ("LES", ("les_upper_cm", "les_lower_cm")),
    ("Crural diaphragm", ("crural_diaphragm_cm",)),
    ("Pressure inversion point", ("pressure_inversion_point_cm",)),
)
_EGJ = (
    ("Basal mean", "basal_mean_mmhg", "{:.1f} mmHg"),
    ("Basal end-expiratory", "basal_end_expiratory_mmhg", "{:.1f} mmHg"),
    ("LES length", "les_length_cm", "{:.1f} cm"),
    ("LES-CD separation", "les_cd_separation_cm", "{:.1f} cm"),
)
#: Columns of the swallow table that are numbers: key, heading, name in remarks, format.
_NUMBERS = (
    ("irp4s_mmhg", "IRP4s", "{:.1f}"),
    ("dci_mmhg_s_cm", "DCI", "{:.0f}"),
    ("distal_latency_s", "DL", "{:.2f}"),
    ("break_cm", "break", "{:.1f}"),
)
_HEADINGS = (
    ("#", 3), ("onset", 7), ("posture", 8), ("type", 17), ("IRP4s", 6), ("DCI", 6), ("DL", 5),
    ("break", 5), ("pressurization", 18),
)  # fmt: skip
_UNITS = ("", "s", "", "", "mmHg", "*", "s", "cm", "")
_RIGHT = {"#", "onset", "IRP4s", "DCI", "DL", "break"}


def summary(result: Mapping[str, Any]) -> str:
    """Write the summary of a study.

    Parameters
    ----------
    result : mapping
        The published contract, from `hrm.to_dict`; ``engine.irp_limit_mmhg``, if it
        is there, is the user's own limit.

    Returns
    -------
    str
        Nothing in it identifies the patient, nor the file.
    """
    parts = [
        [_recording(result)],
        _landmarks(result),
        _egj(result),
        _swallows(result["swallows"]),
        _study(result),
        _limits(result),
        _warnings(result["warnings"]),
        ["For research use only, not for diagnosis or treatment."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _row(label: str, text: str, *, indent: int = 2) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=" " * indent + label.ljust(_LABEL),
        subsequent_indent=" " * (indent + _LABEL),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _words(code: str) -> str:
    return code.replace("_", " ")


def _missing(status: Mapping[str, str], key: str) -> str:
    return f"{DASH} ({_words(status.get(key, 'not measured'))})"


def _recording(result: Mapping[str, Any]) -> str:
    recording, engine = result["recording"], result["engine"]
    system = catalog.systems().get(recording["system"])
    depths = recording["depths_cm"]
    signal = (
        f"{recording['format']}, {recording['n_sensors']} sensors at {depths[0]:g} to "
        f"{depths[-1]:g} cm from {_words(recording['depth_reference'])}, "
        f"{recording['sampling_rate_hz']:g} Hz, {recording['duration_s']:g} s"
    )
    lines = (
        ("Study", recording["study_id"]),
        ("Recording", signal),
        ("Catheter", recording["catheter"]),
        ("System", f"{recording['system']} ({system.name})" if system else recording["system"]),
        ("Engine", f"hrm {engine['version']}, parameters {engine['parameters_id']}"),
        *(
            ("  changed parameter", f"{key} = {value}")
            for key, value in engine["parameter_overrides"].items()
        ),
    )
    return "\n".join(_row(label, text, indent=0) for label, text in lines)


def _landmarks(result: Mapping[str, Any]) -> list[str]:
    found = result["landmarks"]
    status = found["status"]
    reference = _words(result["recording"]["depth_reference"])
    lines = [f"Resting landmarks (cm from {reference})"]
    for label, keys in _LANDMARKS:
        if any(found[key] is None for key in keys):
            missing = next(key for key in keys if found[key] is None)
            lines.append(_row(label, _missing(status, missing)))
            continue
        text = " to ".join(f"{found[key]:.1f}" for key in keys)
        lines.append(_row(label, text + _remark(status, keys[0])))
    gastric = found["gastric_reference_mmhg"]
    text = (
        _missing(status, "gastric_reference_mmhg")
        if gastric is None
        else f"{gastric:.1f} mmHg" + _remark(status, "gastric_reference_mmhg")
    )
    lines.append(_row("Gastric reference", text))
    baseline = result["study"]["baseline"]
    if "start_s" in baseline:
        text = f"{baseline['start_s']:.1f} to {baseline['stop_s']:.1f} s"
        lines.append(_row("Baseline", text + _remark(baseline, "status")))
    else:
        lines.append(_row("Baseline", _missing(baseline, "status")))
    return lines


def _remark(status: Mapping[str, str], key: str) -> str:
    said = status.get(key, "ok")
    return "" if said == "ok" else f" ({_words(said)})"


def _egj(result: Mapping[str, Any]) -> list[str]:
    egj = result["egj"]
    lines = ["Esophagogastric junction at rest"]
    for label, key, form in _EGJ:
        value = egj[key]
        text = (
            _missing(egj["status"], key)
            if value is None
            else form.format(value) + _remark(egj["status"], key)
        )
        lines.append(_row(label, text))
    unknown = f"{DASH} (needs LES and crural diaphragm)"
    lines.append(_row("Morphology", egj["morphology"] or unknown))
    return lines


def _swallows(swallows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not swallows:
        return ["Swallows", "  none found"]
    lines = [
        "Swallows (* DCI in mmHg s cm)",
        _cells([name for name, _ in _HEADINGS]) + "  remarks",
        _cells(_UNITS),
    ]
    for row in swallows:
        numbers = [DASH if row[key] is None else form.format(row[key]) for key, _, form in _NUMBERS]
        kind = (row["type"] or DASH) if row["evaluable"] else "not evaluable"
        line = _cells(
            [
                str(row["id"]),
                f"{row['onset_s']:.1f}",
                row["posture"],
                kind,
                *numbers,
                DASH if "pressurization" in row["status"] else row["pressurization"],
            ]
        )
        remarks = "; ".join(_remarks(row))
        lines.append(f"{line}  {remarks}".rstrip())
    return [line.rstrip() for line in lines]


def _cells(texts: Sequence[str]) -> str:
    cells = [
        text.rjust(width) if name in _RIGHT else text.ljust(width)
        for text, (name, width) in zip(texts, _HEADINGS, strict=True)
    ]
    return " ".join(cells)


def _remarks(row: Mapping[str, Any]) -> Iterator[str]:
    if not row["evaluable"]:
        yield _words(row["reason"] or "no reason given")
    if row["protocol"] not in ("single", "unknown"):
        yield f"protocol {row['protocol']}"
    if row["onset_method"] == "stated":
        yield "onset as stated"
    for flag in row["flags"]:
        if flag not in (row["type"], row["reason"]):
            yield _words(flag)
    names = {key: name for key, name, _ in _NUMBERS}
    for key in row["borderline"]:
        yield f"{names.get(key, key)} borderline"
    missing: dict[str, list[str]] = {}
    for key, name, _ in _NUMBERS:
        if row[key] is None:
            missing.setdefault(_words(row["status"].get(key, "not measured")), []).append(name)
    for reason, metrics in missing.items():
        yield f"{', '.join(metrics)}: {reason}"
    if "pressurization" in row["status"]:
        yield f"pressurization: {_words(row['status']['pressurization'])}"


def _study(result: Mapping[str, Any]) -> list[str]:
    study, swallows = result["study"], result["swallows"]
    good = [row for row in swallows if row["evaluable"]]
    lines = ["Study", _row("Evaluable swallows", f"{len(good)} of {len(swallows)}")]
    for posture in _postures(result):
        values = [
            row for row in good if row["posture"] == posture and row["irp4s_mmhg"] is not None
        ]
        key = f"irp4s_median_{posture}_mmhg"
        if study[key] is None:
            text = _missing(study["status"], key)
        else:
            text = f"{study[key]:.1f} mmHg (n = {len(values)}): {_verdict(result, posture)}"
        lines.append(_row(f"Median IRP4s, {_posture(posture)}", text))
    return lines + _shares(result, good)


def _posture(posture: str) -> str:
    return "posture unknown" if posture == "unknown" else posture


def _postures(result: Mapping[str, Any]) -> list[str]:
    """Postures that have a swallow, or supine where there is no swallow at all."""
    seen = {row["posture"] for row in result["swallows"]}
    return [name for name in ("supine", "upright", "unknown") if name in seen] or ["supine"]


def _shares(result: Mapping[str, Any], good: Sequence[Mapping[str, Any]]) -> list[str]:
    primary, percent = result["study"]["primary_posture"], result["study"]["percent"]
    count = sum(row["posture"] == primary for row in good)
    if not count:
        return [_row("Percent of swallows", f"{DASH} (no evaluable swallow)")]
    parts = [
        f"{name} {share:.0f}% ({round(share * count / 100)}/{count})"
        for name, share in percent.items()
        if share is not None
    ]
    return [_row(f"Of {count} evaluable, {_posture(primary)}", ", ".join(parts))]


def _verdict(result: Mapping[str, Any], posture: str) -> str:
    """Where the median IRP of a posture lies against the limit that holds for it."""
    value = float(result["study"][f"irp4s_median_{posture}_mmhg"])
    limit = _irp_limit(result, posture)
    if isinstance(limit, str):
        return limit
    number, comparator, whose = limit
    beyond = value >= number if comparator == ">=" else value > number
    overrides = result["engine"]["parameter_overrides"]
    near = float({**catalog.default_parameters(), **overrides}["irp.borderline_mmhg"])
    words = f"{'above' if beyond else 'below'} the limit ({comparator} {number:g} mmHg; {whose})"
    return words + (f", borderline: within {near:g} mmHg" if abs(value - number) <= near else "")


def _irp_limit(result: Mapping[str, Any], posture: str) -> tuple[float, str, str] | str:
    """Limit with comparator and origin; or why there is none."""
    own = result["engine"].get("irp_limit_mmhg")
    if own is not None and posture == result["study"]["primary_posture"]:
        return float(own), ">=", "the user's (--irp-limit)"
    system = result["recording"]["system"]
    row = catalog.find_limit("irp4s", system=system, position=posture, cc_version="4.0")
    if row is not None:
        return row.value, row.comparator, f"{row.id}, {row.citation}"
    if system == "unknown":
        return "no limit, because the system is unknown (--system)"
    if posture == "unknown":
        return "no limit, because the posture is unknown (--posture or --swallows)"
    return (
        f"no limit: Chicago Classification 4.0 gives none for {system} {posture} "
        "(--irp-limit sets your own)"
    )


def _limits(result: Mapping[str, Any]) -> list[str]:
    used = set(result["engine"]["limit_ids"])
    rows = [row for row in catalog.limit_table() if row.id in used]
    lines = ["Limits of the swallow types (Chicago Classification 4.0)"]
    lines += [
        _row(
            _words(row.quantity),
            f"{row.comparator} {row.value:g} {row.unit}, {row.id} ({row.citation})",
        )
        for row in rows
    ]
    own = result["engine"].get("irp_limit_mmhg")
    if own is not None:
        lines.append(_row("irp4s, user's limit", f">= {own:g} mmHg (--irp-limit)"))
    return lines


def _warnings(warnings: Sequence[str]) -> list[str]:
    if not warnings:
        return []
    return [
        "Warnings",
        *(
            textwrap.fill(f"- {text}", _WIDTH, subsequent_indent="  ", initial_indent="")
            for text in warnings
        ),
    ]
