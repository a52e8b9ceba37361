"""``hrm info``: this installation, or a look at a file."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from hrm import __version__, catalog
from hrm.cli._options import INPUT, LAYOUT, MEMBER

_PACKAGES = (
    "numpy",
    "numba",
    "scipy",
    "xarray",
    "h5netcdf",
    "h5py",
    "matplotlib",
    "pandas",
    "click",
)

#: Keys of `hrm.io.peek` with their labels.
_FACTS = {
    "format": "format",
    "reader": "reader",
    "n_sensors": "pressure sensors",
    "sampling_rate_hz": "sampling rate (Hz)",
    "n_samples": "samples",
    "duration_s": "duration (s)",
    "first_time_s": "first time (s)",
    "has_impedance": "impedance",
    "needs_catheter": "needs --catheter or --depths",
    "packing": "packed",
    "size_bytes": "size (bytes)",
}
_DESCRIBE = (
    "The file does not say which column is which. Describe it:\n"
    "  hrm layout --init layout.toml             a description to fill in\n"
    "  hrm layout layout.toml --for FILE         does it fit?\n"
    "  hrm info FILE --layout layout.toml        this again, described"
)
_PACKED = {"none": "no", "gzip": "with gzip (.gz)", "zip": "in a zip archive (.zip)"}


@click.command(name="info")
@click.argument("file", required=False, type=INPUT)
@click.option("--reader", metavar="NAME", help="Read as this format.")
@MEMBER
@LAYOUT
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    file: Path | None,
    reader: str | None,
    member: str | None,
    layout: Path | None,
    as_json: bool,
) -> None:
    """Show versions and what is known, or look at FILE without reading it whole.

    Nothing of a patient's identity is shown, except that the files of a zip archive are
    listed by their names if it holds several.
    """
    if file is None and (reader, member, layout) != (None, None, None):
        raise click.UsageError("name the FILE to look at")
    if file is None:
        facts, text = installation(), _installation_text
    elif member is None and len(names := _names_in_archive(file)) > 1:
        facts, text = {"members": names}, _archive_text
    else:
        facts, text = look_at(file, reader, member, layout), _file_text
    click.echo(json.dumps(facts, indent=2, allow_nan=False) if as_json else text(facts))


def look_at(
    file: Path, reader: str | None, member: str | None, layout: Path | None
) -> dict[str, Any]:
    """Facts of a file, and how it is packed."""
    from hrm.io import opened, peek
    from hrm.io.described import described

    with opened(file, member) as source:
        packing = source.packing
    if layout is None:
        facts = peek(file, reader=reader, member=member)
    else:
        facts = described(file, layout, reader=reader, member=member)
    return {**facts, "packing": packing}


def installation() -> dict[str, Any]:
    """Describe this installation, without importing what it describes."""
    from hrm.io._registry import all_readers

    return {
        "hrm": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": {name: _version_of(name) for name in _PACKAGES},
        "kernel_cache": _kernel_cache(),
        "parameters_id": catalog.default_parameters().id,
        "readers": {reader.name: reader.description for reader in all_readers()},
        "systems": {key: system.name for key, system in catalog.systems().items()},
        "catheters": {
            name: {"n_sensors": model.n_sensors, "positions_known": bool(model.depths_cm)}
            for name, model in catalog.catheters().items()
        },
    }


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _kernel_cache() -> str | None:
    """Folder of the compiled kernels, as `hrm.kernels` chooses it; importing Numba takes long."""
    from platformdirs import user_cache_path

    wanted = os.environ.get("HRM_NUMBA_CACHE", "")
    if wanted.lower() == "off":
        return None
    return wanted or str(user_cache_path("hrm") / "kernels")


def _installation_text(facts: dict[str, Any]) -> str:
    lines = [f"hrm {facts['hrm']}, Python {facts['python']}, {facts['platform']}"]
    lines += [
        ", ".join(f"{name} {found or 'missing'}" for name, found in facts["packages"].items()),
        f"parameters {facts['parameters_id']}",
        f"kernel cache: {facts['kernel_cache'] or 'off'}",
        "",
        "Readers",
        *(f"  {name:<20} {text}" for name, text in facts["readers"].items()),
        "",
        "Systems (--system)",
        *(f"  {key:<20} {name}" for key, name in facts["systems"].items()),
        "",
        "Catheters (--catheter)",
    ]
    for name, model in facts["catheters"].items():
        unknown = "" if model["positions_known"] else ", positions unknown: give --depths"
        lines.append(f"  {name:<20} {model['n_sensors']} sensors{unknown}")
    return "\n".join(lines)


def _names_in_archive(file: Path) -> list[str]:
    from hrm.io import archive_members

    return archive_members(file)


def _archive_text(facts: dict[str, Any]) -> str:
    names = facts["members"]
    # Such a name may hold anything, also what a terminal takes for a command.
    rows = [f"  {''.join(c if c.isprintable() else '?' for c in name)}" for name in names]
    return "\n".join(
        [
            f"zip archive of {len(names)} files",
            *rows,
            "to look at one of them:      hrm info FILE --member NAME",
            "if they are one study:       hrm convert FILE OUT --join",
        ]
    )


def _file_text(facts: dict[str, Any]) -> str:
    packed = facts["packing"] != "none"
    words = {**facts, "packing": _PACKED[facts["packing"]]}
    labels = _FACTS | ({"size_bytes": "size unpacked (bytes)"} if packed else {})
    lines = [f"{label:<30}{_value(words.get(key), packed=packed)}" for key, label in labels.items()]
    if facts["n_sensors"] is None:
        lines += ["", _DESCRIBE]
    return "\n".join(lines)


def _value(value: Any, *, packed: bool) -> str:
    if value is None and packed:
        return "not said at its begin (the rest is not unpacked for this)"
    if value is None:
        return "not said at either end of the file"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
