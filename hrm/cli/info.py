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
from hrm.cli._spelling import as_options

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
    "Describe it:\n"
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
        facts, text = {"members": names, "formats": _formats(file, names)}, _archive_text
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
    said = () if layout else _to_be_said(file, facts["reader"], member)
    return {**facts, "packing": packing, "to_be_said": list(said)}


def _to_be_said(file: Path, name: str, member: str | None) -> tuple[str, ...]:
    """What the file leaves for the user to say, of a format that does."""
    from hrm.io import opened
    from hrm.io._registry import all_readers

    reader = next(each for each in all_readers() if each.name == name)
    with opened(file, member) as source:
        ask = getattr(reader, "to_be_said", None)
        return tuple(ask(source)) if ask else ()


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


def _formats(file: Path, names: list[str]) -> list[str | None]:
    """Format of each file in an archive; None of one that is not read, or not looked at."""
    from hrm.errors import HrmError
    from hrm.io import opened
    from hrm.io._registry import choose_reader

    found: list[str | None] = []
    for name in names[:_MOST_MEMBERS]:
        try:
            with opened(file, name) as source:
                found.append(choose_reader(source).name)
        except HrmError:
            found.append(None)
    return found + [None] * (len(names) - len(found))


#: Files of an archive that are looked at: each has to be unpacked in part.
_MOST_MEMBERS = 50


def _archive_text(facts: dict[str, Any]) -> str:
    names, formats = facts["members"], facts["formats"]
    # Such a name may hold anything, also what a terminal takes for a command.
    shown = ["".join(c if c.isprintable() else "?" for c in name) for name in names]
    unknown = [*["not read"] * _MOST_MEMBERS, *["not looked at"] * len(names)]
    rows = [
        f"{number:>4}  {name}  ({found or none})"
        for number, (name, found, none) in enumerate(zip(shown, formats, unknown, strict=False), 1)
    ]
    return "\n".join(
        [
            f"zip archive of {len(names)} files",
            *rows,
            "to look at one of them:      hrm info FILE --member NAME",
            _of_joining(formats),
        ]
    )


def _of_joining(formats: list[str | None]) -> str:
    from hrm.io.join import JOINABLE

    kinds = set(formats)
    if len(formats) > _MOST_MEMBERS or (len(kinds) == 1 and kinds <= JOINABLE):
        return "if they are one study:       hrm convert FILE OUT --join"
    if len(kinds) > 1:
        return "They are not of one format, so not the windows of one study: --join refuses them."
    return "Files of this format are not joined: each counts its times anew."


def _file_text(facts: dict[str, Any]) -> str:
    packed = facts["packing"] != "none"
    words = {**facts, "packing": _PACKED[facts["packing"]]}
    labels = _FACTS | ({"size_bytes": "size unpacked (bytes)"} if packed else {})
    lines = [f"{label:<30}{_value(words.get(key), packed=packed)}" for key, label in labels.items()]
    if facts["reader"] == "plain-table":
        lines[0] += ": rows of numbers, of no other format that is known here"
    lines += _unchecked(facts, packed=packed)
    if facts["to_be_said"]:
        lines += ["", "The file does not say, so you have to:"]
        lines += [f"  - {as_options(each)}" for each in facts["to_be_said"]]
        lines.append(_DESCRIBE)
    return "\n".join(lines)


def _unchecked(facts: dict[str, Any], *, packed: bool) -> list[str]:
    """Say that a file may yet be cut or damaged: its two ends cannot tell."""
    if facts["reader"] == _NATIVE:  # has a digest of its own, which was compared
        return []
    seen = "only its begin was" if packed else "only its two ends were"
    return [
        f"{'whole and sound':<30}not checked: {seen} looked at; 'hrm quality FILE' reads it all"
    ]


_NATIVE = "hrm-native"


def _value(value: Any, *, packed: bool) -> str:
    if value is None and packed:
        return "not said at its begin (the rest is not unpacked for this)"
    if value is None:
        return "not said at either end of the file"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
