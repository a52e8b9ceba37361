"""``hrm analyze``: one recording, measured; summary, JSON, figure, report, hrm's own file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hrm.cli._alternatives import (
    compare_parameters_option,
    compared,
    comparison_json,
    comparison_option,
    comparison_text,
)
from hrm.cli._options import (
    INPUT,
    OUTPUT,
    check_outputs,
    force_option,
    open_file,
    reading,
    reading_options,
    swallows_of,
)
from hrm.cli._parameters import irp_limit_option, parameters_option
from hrm.cli._stability import stability_asked, stability_options
from hrm.cli.quality import drift_option, with_drift
from hrm.cli.review import review_dir_option, review_of
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr


def _symptoms(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> list[str] | None:
    """Symptoms as a list, empty when asked and absent."""
    if text is None:
        return None
    given = [part.strip() for part in text.split(",")]
    if given == ["none"]:
        return []
    if not set(given) <= {"dysphagia", "chest_pain"}:
        raise click.BadParameter("expected dysphagia, chest_pain, both with a comma, or none")
    return given


def _report_path(
    _context: click.Context, _option: click.Parameter, path: Path | None
) -> Path | None:
    if path is not None and path.suffix.lower() != ".pdf":
        raise click.BadParameter("the name of a report ends in .pdf")
    return path


_TEST = click.Choice(["abnormal", "normal"])
#: What the recording cannot say of the patient; handed on as `clinical` to `hrm.analyze`.
_CLINICAL = (
    click.option(
        "--symptoms",
        metavar="LIST|none",
        callback=_symptoms,
        help="dysphagia, chest_pain, or both with a comma; none: asked and absent.",
    ),
    click.option("--tbe", type=_TEST, help="Timed barium esophagram."),
    click.option("--flip", type=_TEST, help="Functional lumen imaging probe."),
    click.option("--opioids", type=click.Choice(["yes", "no"]), help="Patient takes opioids."),
    click.option(
        "--prior-surgery",
        type=click.Choice(["none", "myotomy", "dilation", "fundoplication", "other"]),
        help="After an operation no Chicago label is given, but a description.",
    ),
)


def _clinical_options(function: Any) -> Any:
    for option in reversed(_CLINICAL):
        function = option(function)
    return function


class Stated(NamedTuple):
    """What the physician writes into the report, and nowhere else."""

    reason_for_referral: str
    clinical_diagnosis: str


class Look(NamedTuple):
    """How figure and report are drawn."""

    colors: str
    impedance: bool


def _clinical(given: dict[str, Any]) -> dict[str, Any]:
    """Take what was said of the patient out of the arguments."""
    names = ("symptoms", "tbe", "flip", "opioids", "prior_surgery")
    said = {name: given.pop(name) for name in names}
    if said["opioids"] is not None:
        said["opioids"] = said["opioids"] == "yes"
    return {name: value for name, value in said.items() if value is not None}


@click.command(name="analyze")
@click.argument("file", type=INPUT)
@click.option(
    "--json",
    "json_out",
    metavar="PATH|-",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write the results as JSON; '-' is standard output, and the summary goes to stderr.",
)
@click.option(
    "--figure", "figure_out", metavar="PATH", type=OUTPUT, help="Draw a .png, .pdf or .svg."
)
@click.option(
    "--colors",
    type=click.Choice(["hrm", "accessible"]),
    default="hrm",
    show_default=True,
    help="Color ramp of figure and report.",
)
@click.option(
    "--impedance",
    is_flag=True,
    help="Draw the bolus over the pressure, in figure and report.",
)
@click.option(
    "--report",
    "report_out",
    metavar="PATH",
    type=OUTPUT,
    callback=_report_path,
    help="Write a report for print (.pdf).",
)
@click.option(
    "--reason-for-referral", metavar="TEXT", default="", help="Goes into the report only."
)
@click.option("--clinical-diagnosis", metavar="TEXT", default="", help="Goes into the report only.")
@click.option(
    "--save", "save_out", metavar="PATH", type=OUTPUT, help="Write recording and results (HDF5)."
)
@click.option(
    "--posture",
    type=click.Choice(["supine", "upright"]),
    help="Posture of the swallows that the table does not name.",
)
@click.option(
    "--swallows",
    "table",
    metavar="CSV",
    type=INPUT,
    help="What is known of each swallow: onset_s (s from the first sample) or start (samples), "
    "posture, protocol.",
)
@irp_limit_option
@_clinical_options
@review_dir_option
@click.option(
    "--no-review", "ignore_review", is_flag=True, help="Ignore the review log of FILE, if any."
)
@click.option(
    "--long",
    "long_out",
    metavar="PATH",
    type=OUTPUT,
    help="Write every number with unit, status, version and origin as a tidy CSV table.",
)
@parameters_option
@stability_options
@compare_parameters_option
@comparison_option
@drift_option
@reading_options
@force_option
def command(
    file: Path,
    json_out: Path | None,
    figure_out: Path | None,
    colors: str,
    impedance: bool,
    report_out: Path | None,
    reason_for_referral: str,
    clinical_diagnosis: str,
    save_out: Path | None,
    posture: str | None,
    table: Path | None,
    irp_limit: float | str | None,
    review_dir: Path | None,
    ignore_review: bool,
    long_out: Path | None,
    parameters: dict[str, Any],
    compare_parameters: bool,
    comparison_out: Path | None,
    drift: Path | None,
    force: bool,
    **given: Any,
) -> None:
    """Measure the recording in FILE and print a summary.

    What a file cannot say, the options say: posture, system, catheter, swallows, and
    what is known of the patient.
    """
    from hrm.io.swallow_table import load_swallow_table
    from hrm.plot._formats import format_of

    said, clinical, firm = reading(given), _clinical(given), stability_asked(given)
    to_stdout = json_out is not None and str(json_out) == "-"
    outputs = {
        "json": None if to_stdout else json_out,
        "figure": figure_out,
        "report": report_out,
        "long": long_out,
        "save": save_out,
        "comparison": comparison_out,
    }
    check_outputs([path for path in outputs.values() if path], source=file, force=force)
    if figure_out is not None:
        format_of(figure_out)
    listed = load_swallow_table(table) if table else None
    recording = with_drift(open_file(file, said), drift)
    swallows = swallows_of(listed, recording)
    _check_onsets(recording, swallows)
    from hrm.pipeline import analyze
    from hrm.results import to_dict
    from hrm.stability import diagnosis_stability

    options: dict[str, Any] = {
        "system": said.system,
        "posture": posture,
        "swallows": swallows,
        "clinical": clinical,
        "irp_limit": irp_limit,
        "parameters": parameters,
        "review": review_of(recording, file, review_dir, ignore=ignore_review),
    }
    if firm is None:
        study = analyze(recording, **options)
    else:
        study = diagnosis_stability(recording, **firm, **options)
    others = compared(recording, options) if compare_parameters or comparison_out else []
    result = to_dict(study)
    texts = {
        "json": json.dumps(result, indent=2, allow_nan=False) + "\n",
        "comparison": comparison_json(others),
    }
    stated = Stated(reason_for_referral, clinical_diagnosis)
    look = Look(colors, impedance)
    _publish(outputs, study, texts, look=look, stated=stated, force=force)
    from hrm.cli._summary import summary

    click.echo(summary(result), err=to_stdout)
    if others:
        click.echo(comparison_text(others), err=to_stdout)
    if to_stdout:
        click.echo(texts["json"], nl=False)
    for path in outputs.values():
        if path:
            click.echo(f"wrote {click.format_filename(path)}", err=True)


def _check_onsets(recording: xr.DataTree, rows: Sequence[dict[str, Any]]) -> None:
    duration = recording["pressure"].sizes["time"] / float(recording.attrs["sampling_rate"])
    late = [f"{row['onset_s']:g}" for row in rows if row["onset_s"] >= duration]
    if late:
        raise ParameterError(
            f"swallow table: onset_s {', '.join(late[:8])} is beyond the end of the recording "
            f"({duration:.1f} s); onsets count from the first sample of the file"
        )


def _publish(
    outputs: dict[str, Path | None],
    study: xr.DataTree,
    texts: dict[str, str],
    *,
    look: Look,
    stated: Stated,
    force: bool,
) -> None:
    """Write every output beside its place, and rename them when all are complete."""
    from hrm._files import new_file

    with ExitStack() as stack:
        for kind, path in outputs.items():
            if path is None:
                continue
            place = stack.enter_context(new_file(path, overwrite=force))
            if kind in texts:
                place.write_text(texts[kind], encoding="utf-8")
            elif kind == "figure":
                from hrm.plot import save_figure

                save_figure(study, place, **look._asdict())
            elif kind == "report":
                from hrm.report import write_report

                write_report(study, place, **look._asdict(), **stated._asdict())
            elif kind == "long":
                from hrm.store import write_long

                write_long(study, place)
            else:
                from hrm.io import write_native

                write_native(study, place)
