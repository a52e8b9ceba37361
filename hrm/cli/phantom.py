"""``hrm phantom``: a synthetic study to try the engine on, without patient data."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import OUTPUT, check_outputs, force_option
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

    from hrm.phantom import Phantom

#: Catheter and sampling rate [Hz] that are usual for each layout.
_LAYOUTS = {
    "mms-csv": ("CE4-0062", 20.0),
    "manoview": ("manoscan-36", 100.0),
    "native": ("manoscan-36", 100.0),
}


#: What a study can have beyond swallows and noise. The names are those of `options`.
_EXTRAS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--variability",
        type=click.FloatRange(0.0, 0.6),
        default=0.0,
        help="Variation of the height of contractions, e.g. 0.35 for 35 %.",
    ),
    click.option("--hernia", type=click.FloatRange(0.0, 6.0), default=0.0, help="LES to CD in cm."),
    click.option(
        "--inversion",
        type=click.Choice(["crural", "les"]),
        default="crural",
        help="Where breathing turns round in a hernia.",
    ),
    click.option("--mrs", type=click.IntRange(0, 3), default=0, help="Runs of rapid swallows."),
    click.option(
        "--mrs-ratio",
        type=click.FloatRange(0.0, 5.0),
        default=1.5,
        help="DCI after rapid swallows over that of single ones; 0 for no contraction.",
    ),
    click.option(
        "--mrs-inhibition",
        type=click.Choice(["complete", "failed"]),
        default="complete",
        help="Whether the body stays quiet during rapid swallows.",
    ),
    click.option(
        "--rdc",
        type=click.Choice(["none", "normal", "pressurized"]),
        default="none",
        help="Rapid drinking at the end, upright.",
    ),
    click.option("--impedance", is_flag=True, help="Add 18 impedance segments at 2 cm."),
    click.option(
        "--drift",
        type=click.FloatRange(-60.0, 60.0),
        default=0.0,
        help="Linear drift, mean over the sensors at the end in mmHg.",
    ),
    click.option(
        "--dead-sensor",
        "dead",
        metavar="PLACE|INDEX",
        multiple=True,
        help="Sensor without signal: pharynx, ues, body, les, stomach, or its index from 0.",
    ),
    click.option(
        "--saturated-sensor",
        "saturated",
        metavar="PLACE|INDEX",
        multiple=True,
        help="Sensor that cannot go beyond the rail.",
    ),
    click.option(
        "--rail",
        type=click.FloatRange(0.0, 1000.0, min_open=True),
        default=30.0,
        help="Rail of the saturated sensors in mmHg.",
    ),
    click.option(
        "--quantum",
        type=click.FloatRange(0.0, 20.0),
        default=0.0,
        help="Step of the pressures in mmHg, 0 for none.",
    ),
    click.option(
        "--drift-table", type=OUTPUT, metavar="CSV", help="Also write the offsets of both ends."
    ),
    click.option(
        "--truth", "truth_file", type=OUTPUT, metavar="JSON", help="Also write what is true."
    ),
)


def _extra_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_EXTRAS):
        function = option(function)
    return function


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
@_extra_options
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
    **options: Any,
) -> None:
    """Write a synthetic study to OUT.

    The swallow table says what such a file cannot: 'hrm analyze --swallows CSV'.
    """
    drift_table, truth_file = options["drift_table"], options["truth_file"]
    outputs = [path for path in (out, table, drift_table, truth_file) if path]
    _check(layout, options)
    check_outputs(outputs, source=None, force=force)
    from hrm._files import new_file
    from hrm.phantom import swallow_table, write_offsets

    drawn = _draw(phenotype, seed, supine, upright, options)
    study = _sample(drawn, layout, seed, noise, options)
    with ExitStack() as stack:
        # All of them are renamed at the end, or none.
        places = {path: stack.enter_context(new_file(path, overwrite=force)) for path in outputs}
        _write(study, places[out], layout)
        if table:
            _write_table(swallow_table(drawn), places[table])
        if drift_table:
            write_offsets(study, places[drift_table])
        if truth_file:
            _write_truth(drawn, layout, options, places[truth_file])
    for path in outputs:
        click.echo(f"wrote {click.format_filename(path)}", err=True)


def _check(layout: str, options: dict[str, Any]) -> None:
    if options["impedance"] and layout == "mms-csv":
        raise ParameterError(
            "the layout mms-csv has no impedance; write manoview or native, or leave "
            "--impedance out"
        )
    if options["drift_table"] and not options["drift"]:
        raise ParameterError("--drift-table needs --drift: without drift there are no offsets")


def _draw(phenotype: str, seed: int, supine: int, upright: int, options: dict[str, Any]) -> Phantom:
    from hrm.phantom import Provocation, draw

    return draw(
        phenotype,
        seed=seed,
        n_supine=supine,
        n_upright=upright,
        variability=options["variability"],
        hernia_cm=options["hernia"],
        inversion=options["inversion"],
        provocation=Provocation(
            mrs_runs=options["mrs"],
            mrs_ratio=options["mrs_ratio"],
            mrs_inhibited=options["mrs_inhibition"] == "complete",
            rdc=options["rdc"],
        ),
    )


def _sample(
    drawn: Phantom, layout: str, seed: int, noise: float, options: dict[str, Any]
) -> xr.DataTree:
    from hrm.phantom import sample

    catheter, rate = _LAYOUTS[layout]
    return sample(
        drawn,
        catheter=catheter,
        sampling_rate=rate,
        noise_mmhg=noise,
        quantum_mmhg=options["quantum"],
        drift_mmhg=options["drift"],
        drift_course="linear",
        dead_sensors=[_sensor(drawn, text, catheter) for text in options["dead"]],
        saturated_sensors=[_sensor(drawn, text, catheter) for text in options["saturated"]],
        rail_mmhg=options["rail"],
        impedance=options["impedance"],
        seed=seed,
    )


def _sensor(drawn: Phantom, text: str, catheter: str) -> int:
    from hrm.phantom import sensor_at

    return int(text) if text.isdecimal() else sensor_at(drawn, text, catheter=catheter)


def _write_truth(drawn: Phantom, layout: str, options: dict[str, Any], path: Path) -> None:
    from hrm.phantom import default_offset, truth

    offset = default_offset(drawn, _LAYOUTS[layout][0])
    found = truth(drawn, offset_cm=offset, impedance=options["impedance"])
    path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write(study: xr.DataTree, path: Path, layout: str) -> None:
    from hrm.io import write_native
    from hrm.phantom import write_manoview, write_mms_csv

    if layout == "native":
        write_native(study, path)
    elif layout == "manoview":
        kohm = None
        if "impedance" in study.children:
            kohm = study["impedance"].to_dataset()["impedance"].values / 1000.0
        write_manoview(study, path, impedance=kohm)
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
