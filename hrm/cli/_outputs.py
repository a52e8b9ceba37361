"""Several files of one command: all of them are there in the end, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import click

#: Writes to a path.
Writer: TypeAlias = Callable[[Path], object]


def write_outputs(
    outputs: Mapping[str, Path | None],
    writers: Mapping[str, Writer],
    *,
    force: bool,
) -> None:
    """Write every output beside its place, and rename them when all are complete.

    Parameters
    ----------
    outputs : mapping of str to Path or None
        By kind; None is not asked for.
    writers : mapping of str to callable
        By kind.
    force : bool
        Replace files that exist.
    """
    from hrm._files import new_file

    with ExitStack() as stack:
        for kind, path in outputs.items():
            if path is not None:
                writers[kind](stack.enter_context(new_file(path, overwrite=force)))


def tell_written(outputs: Mapping[str, Path | None]) -> None:
    """Say which files were written."""
    for path in outputs.values():
        if path:
            click.echo(f"wrote {click.format_filename(path)}", err=True)


def text_writer(text: str) -> Writer:
    """Write a text that is made already."""
    return lambda place: place.write_text(text, encoding="utf-8")
