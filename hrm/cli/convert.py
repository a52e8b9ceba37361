"""``hrm convert``: a recording into hrm's own file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import (
    INPUT,
    OUTPUT,
    Reading,
    check_outputs,
    force_option,
    options_of,
    reading,
    reading_options,
)
from hrm.errors import ParameterError

if TYPE_CHECKING:
    from hrm.io._encodings import Encoding

#: First bytes of hrm's own file, as of every HDF5 file.
_HDF5 = b"\x89HDF\r\n\x1a\n"


@click.command(name="convert")
@click.argument("files", metavar="FILE...", type=INPUT, nargs=-1, required=True)
@click.argument("out", type=OUTPUT)
@click.option(
    "--join",
    is_flag=True,
    help="Join several FILEs, the overlapping windows of one study in any order.",
)
@click.option(
    "--keep-identity",
    is_flag=True,
    help="Keep the patient's identity and free text in OUT; every other command drops them again.",
)
@click.option(
    "--encoding",
    type=click.Choice(["float32", "int16", "blosc"]),
    default="float32",
    show_default=True,
    help="How samples are stored; read back they are the same. float32 is read by every HDF5 "
    "program; int16 is refused unless every sample comes back; blosc needs hrm[blosc].",
)
@reading_options
@force_option
def command(
    files: tuple[Path, ...],
    out: Path,
    join: bool,
    keep_identity: bool,
    encoding: Encoding,
    force: bool,
    **given: Any,
) -> None:
    """Convert FILE to hrm's own format (netCDF-4/HDF5) in OUT, without the patient's identity.

    A text is converted as it is read, so that a recording of a day needs no more memory
    than one of an hour. FILE may be gzipped, or in a zip archive. With --join, several
    FILEs, or the files of a zip archive, become one study; what they hold in common must be
    equal, and no gap is filled. The last name is always the output.
    """
    said = reading(given)
    if len(files) > 1 and not join:
        raise click.UsageError("several files make one study only if you say so with --join")
    if join and said.member is not None:
        raise click.UsageError("--member names a file of one archive; it does not go with --join")
    for file in files:
        _check_input_is_not_out(file, out)
    _check_out_was_named(out, force=force)
    _check_suffix(out)
    check_outputs([out], source=None, force=force)
    _check_participant(files, said, join=join)

    options = {**options_of(said), "keep_phi": keep_identity}
    if join:
        _join(files, out, options, encoding=encoding, force=force)
    else:
        from hrm.io import convert_recording

        with _progress_bar() as progress:
            convert_recording(
                files[0], out, overwrite=force, progress=progress, encoding=encoding, **options
            )
    if keep_identity:
        click.echo("hrm: warning: the output holds the patient's identity", err=True)
    click.echo(f"wrote {click.format_filename(out)}", err=True)


def _check_input_is_not_out(file: Path, out: Path) -> None:
    if out.exists() and file.samefile(out):
        raise ParameterError(
            "the last name is the output, and it is the input file itself; add the name of a new "
            "file, like study.nc"
        )


def _check_out_was_named(out: Path, *, force: bool) -> None:
    """Never replace a recording: the last FILE is taken for OUT if that is forgotten.

    Raises
    ------
    ParameterError
        If the output is there and is no file of hrm's own, or must not be replaced.
    """
    if not out.is_file() or out.stat().st_size == 0:
        return
    with out.open("rb") as stream:
        is_own = stream.read(len(_HDF5)) == _HDF5
    if is_own and force:
        return
    asked = "; to replace an earlier output of hrm by this name, add --force" if is_own else ""
    raise ParameterError(
        "the last name is the output, and there is a file of that name. If it is one of the "
        "recordings, the output is missing: add the name of a new file behind them, like "
        f"study.nc{asked}"
    )


def _check_suffix(out: Path) -> None:
    """Refuse a name by which every other program would take the output for something else."""
    if out.suffix.lower() in _OF_OTHERS:
        raise ParameterError(
            f"the output is a file of hrm's own (netCDF-4/HDF5), not {out.suffix.lower()}: give it "
            "a name like study.nc. Tables of what was measured: 'hrm export'"
        )


#: Suffixes that say another format.
_OF_OTHERS = frozenset(
    (
        *(".csv", ".txt", ".tsv", ".dat", ".asc", ".edf", ".bdf", ".mva", ".mat", ".npy", ".npz"),
        *(".xls", ".xlsx", ".ods", ".parquet", ".json", ".xml", ".toml", ".zip", ".gz", ".dcm"),
        *(".pdf", ".png", ".jpg", ".svg", ".html", ".doc", ".docx"),
    )
)


def _check_participant(files: tuple[Path, ...], said: Reading, *, join: bool) -> None:
    """Refuse a code that the headers show to be identity."""
    if said.participant is None:
        return
    from hrm.io.header_texts import check_code, header_texts

    for file in files:
        texts = header_texts(file, several=join, **options_of(said))
        check_code(said.participant, texts)


def _join(
    files: tuple[Path, ...], out: Path, options: dict[str, Any], *, encoding: Encoding, force: bool
) -> None:
    from hrm.io import open_windows, write_native

    del options["member"]
    write_native(open_windows(files, **options), out, overwrite=force, encoding=encoding)


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None] | None]:
    """Show on a terminal how far the reading is; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="reading", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(min(done, total) - bar.pos)

        yield show
