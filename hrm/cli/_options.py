"""Options that several subcommands share, and the reading of a recording with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hrm import catalog
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from hrm.io.swallow_table import SwallowTable

F = TypeVar("F", bound=Callable[..., Any])

INPUT = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
OUTPUT = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says about a file."""

    member: str | None
    reader: str | None
    catheter: str | None
    catheter_file: Path | None
    depths: tuple[float, ...] | None
    system: str | None
    participant: str | None
    strictness: str
    layout: Path | None
    sampling_rate: float | None
    pressure_unit: str | None
    channel_order: str | None


def reading_options(function: F, *, format_option: str = "--reader") -> F:
    """Add the options that say what a file cannot; `reading` collects them."""
    by_format = click.option(
        format_option,
        "reader",
        metavar="NAME",
        help="Read as this format instead of looking at the content.",
    )
    for option in reversed((*_READING, by_format)):
        function = option(function)
    return function


def reading_parameters() -> tuple[click.Parameter, ...]:
    """Options that say what a file cannot, whichever command they are given to."""

    def bare() -> None:
        """Take the options."""

    return tuple(reading_options(bare).__click_params__)  # type: ignore[attr-defined]


def reading(given: dict[str, Any]) -> Reading:
    """Take the reading options out of the arguments of a subcommand."""
    return Reading(**{name: given.pop(name) for name in Reading.__slots__})


def open_file(path: Path, said: Reading, *, keep_phi: bool = False) -> xr.DataTree:
    """Read a recording with what the user said about it."""
    from hrm.io import open_recording

    return open_recording(path, keep_phi=keep_phi, **options_of(said))


def options_of(said: Reading) -> dict[str, Any]:
    """What the user said, as keywords of the functions of `hrm.io`."""
    return {name: getattr(said, name) for name in Reading.__slots__}


def swallows_of(table: SwallowTable | None, recording: xr.DataTree) -> list[dict[str, Any]]:
    """Onsets of the swallow table in seconds, having said which way they were taken."""
    if table is None:
        return []
    rate = float(recording.attrs["sampling_rate"])
    click.echo(f"hrm: note: swallow table: {table.said(rate)}", err=True)
    return table.in_seconds(rate)


def force_option(function: F) -> F:
    """Add ``--force``."""
    return click.option("--force", is_flag=True, help="Replace output files that exist.")(function)


def check_outputs(outputs: list[Path], *, source: Path | None, force: bool) -> None:
    """Refuse outputs that cannot be written, before the work is done.

    Raises
    ------
    ParameterError
        If two outputs, or an output and the input, are the same file.
    OSError
        If an output exists, is a folder, or its folder is missing or closed.
    """
    from hrm._files import check_target

    for k, path in enumerate(outputs):
        if source is not None and path.exists() and path.samefile(source):
            raise ParameterError("an output is the input file itself; name another file")
        if path.resolve() in [other.resolve() for other in outputs[:k]]:
            raise ParameterError("two outputs have the same name; name two files")
        _checked(check_target, path, force)


def _checked(check: Callable[..., None], path: Path, force: bool) -> None:
    try:
        check(path, overwrite=force)
    except FileExistsError as err:
        message = "the output file exists; --force replaces it"
        raise FileExistsError(err.errno or 0, message, str(path)) from err
    except OSError as err:
        raise type(err)(err.errno or 0, str(err), str(path)) from err


def _numbers(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(cell) for cell in text.replace(",", " ").split())
    except ValueError as err:
        raise click.BadParameter("expected numbers in cm, like 0,1,2,3.5") from err


def _known_system(_context: click.Context, _option: click.Parameter, key: str | None) -> str | None:
    return None if key is None else catalog.check_system(key)


MEMBER = click.option(
    "--member", metavar="NAME", help="File within a zip archive; 'hrm info FILE' lists them."
)

LAYOUT = click.option(
    "--layout",
    metavar="TOML",
    type=INPUT,
    help="Columns of a plain table, or signals of an EDF file; 'hrm layout --init' writes one.",
)

_READING = (
    MEMBER,
    click.option("--catheter", metavar="MODEL", help="Catheter model; 'hrm catheters' lists them."),
    click.option(
        "--catheter-file",
        metavar="TOML",
        type=INPUT,
        help="Your own table of catheters, like hrm/data/catheters.toml.",
    ),
    click.option(
        "--depths",
        metavar="CM,CM,...",
        callback=_numbers,
        help="Sensor positions in cm from the first sensor, proximal to distal.",
    ),
    click.option(
        "--system",
        metavar="KEY",
        callback=_known_system,
        help="Manometry system, whose limits apply; 'hrm info' lists them.",
    ),
    click.option(
        "--participant",
        metavar="CODE",
        help="Pseudonym that names the study in the output, instead of a digest of the file.",
    ),
    click.option(
        "--strictness",
        type=click.Choice(["raise", "warn"]),
        default="raise",
        show_default=True,
        help="What to do about a fault that leaves the samples readable.",
    ),
    LAYOUT,
    click.option(
        "--sampling-rate", metavar="HZ", type=float, help="Of a plain table that does not say it."
    ),
    click.option(
        "--pressure-unit",
        type=click.Choice(["mmHg", "cmH2O", "kPa", "hPa", "mbar", "Pa"]),
        help="Of a plain table that does not say it.",
    ),
    click.option(
        "--channel-order",
        type=click.Choice(["proximal_first", "distal_first"]),
        help="End of the catheter where the first channel of a plain table or EDF file sits.",
    ),
)
