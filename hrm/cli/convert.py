"""``hrm convert``: a recording into hrm's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hrm.cli._options import (
    INPUT,
    OUTPUT,
    check_outputs,
    force_option,
    open_file,
    reading,
    reading_options,
)


@click.command(name="convert")
@click.argument("file", type=INPUT)
@click.argument("out", type=OUTPUT)
@reading_options
@force_option
def command(file: Path, out: Path, force: bool, **given: Any) -> None:
    """Convert FILE to hrm's own format (netCDF-4/HDF5) in OUT, without the patient's identity."""
    said = reading(given)
    check_outputs([out], source=file, force=force)
    study = open_file(file, said)
    from hrm.io import write_native

    write_native(study, out, overwrite=force)
    click.echo(f"wrote {click.format_filename(out)}", err=True)
