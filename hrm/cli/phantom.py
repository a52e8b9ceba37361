"""``hrm phantom``: a synthetic study to try the engine on, without patient data."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option

if TYPE_CHECKING:
    import xarray as xr

#: Catheter and sampling rate [Hz] that are usual for each layout.
_LAYOUTS = {
    "mms-csv": ("CE4-0062", 20.0),
    "manoview": ("manoscan-36", 100.0),
    "native": ("manoscan-36", 100.0),
}


@click.command(name="phantom")
@click.argument("out", type=OUTPUT)
@click.option(
    "--phenotype",
    metavar="TYPE",
    default="normal",
    show_default=True,
    help="E.g. normal, achalasia_type_2, hypercontractile; an unknown one lists all.",
)
@click.option(
    "--layout",
    type=click.Choice(list(_LAYOUTS)),
    default="native",
    show_default=True,
    help="File format: a vendor's text export, or hrm's own file.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same study.")
@click.option(
    "--supine", type=click.IntRange(1, 60), default=10, show_default=True, help="Supine swallows."
)
@click.option(
    "--upright", type=click.IntRange(0, 60), default=5, show_default=True, help="Upright swallows."
)
@click.option(
    "--noise",
    type=click.FloatRange(0.0, 20.0),
    default=0.0,
    show_default=True,
    help="White sensor noise, SD in mmHg.",
)
@click.option(
    "--swallows", "table", type=OUTPUT, metavar="CSV", help="Also write the swallow table."
)
@force_option
def command(
    out: Path,
    phenotype: str,
    layout: str,
    seed: int,
    supine: int,
    upright: int,
    noise: float,
    table: Path | None,
    force: bool,
) -> None:
    """Write a synthetic study to OUT.

    The swallow table says what such a file cannot: 'hrm analyze --swallows CSV'.
    """
    outputs = [out, *([table] if table else [])]
    check_outputs(outputs, source=None, force=force)
    from hrm._files import new_file
    from hrm.phantom import draw, sample, swallow_table

    drawn = draw(phenotype, seed=seed, n_supine=supine, n_upright=upright)
    catheter, rate = _LAYOUTS[layout]
    study = sample(drawn, catheter=catheter, sampling_rate=rate, noise_mmhg=noise, seed=seed)
    with ExitStack() as stack:
        # All of them are renamed at the end, or none.
        places = [stack.enter_context(new_file(path, overwrite=force)) for path in outputs]
        _write(study, places[0], layout)
        if table:
            _write_table(swallow_table(drawn), places[1])
    for path in outputs:
        click.echo(f"wrote {click.format_filename(path)}", err=True)


def _write(study: xr.DataTree, path: Path, layout: str) -> None:
    from hrm.io import write_native
    from hrm.phantom import write_manoview, write_mms_csv

    if layout == "native":
        write_native(study, path)
    elif layout == "manoview":
        write_manoview(study, path)
    else:
        write_mms_csv(study, path)


def _write_table(rows: list[dict[str, Any]], path: Path) -> None:
    from hrm.io.swallow_table import COLUMNS
    from hrm.schema import PROTOCOLS

    lines = [",".join(COLUMNS)]
    for row in rows:
        protocol = row["protocol"] if row["protocol"] in PROTOCOLS else "unknown"
        lines.append(f"{row['onset_s']:.3f},{row['posture']},{protocol}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
