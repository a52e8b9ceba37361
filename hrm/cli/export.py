"""``hrm export``: the results of one recording for other people's systems."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._analysis import analysis_options, asked
from hrm.cli._options import INPUT, OUTPUT, check_outputs, force_option
from hrm.cli._outputs import Writer, tell_written, write_outputs
from hrm.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

#: What can be written, with what it is for and how its name must end.
_KINDS = {
    "json": ("The results, in hrm's published schema.", (".json",)),
    "csv": ("Every number in a row, as text.", (".csv",)),
    "parquet": ("The same as Parquet.", (".parquet",)),
    "xlsx": ("The same for Excel.", (".xlsx",)),
    "fhir": ("A FHIR R4B bundle: report, observations, codes.", (".json",)),
    "dicom": ("The PDF report as a DICOM object.", (".dcm",)),
}


def _outputs(function: Any) -> Any:
    for kind, (help_text, _) in reversed(_KINDS.items()):
        function = click.option(
            f"--{kind}", f"{kind}_out", metavar="PATH", type=OUTPUT, help=help_text
        )(function)
    return function


@click.command(name="export")
@click.argument("file", type=INPUT)
@_outputs
@click.option(
    "--identity",
    metavar="TOML",
    type=INPUT,
    help="Whom the study is of, for --fhir and --dicom; without it only the pseudonym is written.",
)
@click.option("--attach-report", is_flag=True, help="Put the PDF report into the FHIR bundle.")
@click.option("--visit", metavar="NAME", default="", help="Column 'visit' of the tables.")
@analysis_options
@force_option
def command(
    file: Path,
    identity: Path | None,
    attach_report: bool,
    visit: str,
    force: bool,
    **given: Any,
) -> None:
    """Write the results of the recording in FILE for other systems.

    Give the options that the recording is analyzed with. FHIR and DICOM are preliminary
    until a reader has signed the study off (hrm review), then final.
    """
    outputs = {kind: given.pop(f"{kind}_out") for kind in _KINDS}
    outputs = {kind: path for kind, path in outputs.items() if path}
    _check(outputs, identity)
    check_outputs([*outputs.values()], source=file, force=force)
    from hrm.export import load_identity

    who = load_identity(identity) if identity else None
    study = asked(file, given).analyzed()
    pdf = b""
    if "dicom" in outputs or (attach_report and "fhir" in outputs):
        pdf = _report(study)
    writers = _writers(study, who, pdf, attach=attach_report, visit=visit)
    write_outputs(outputs, writers, force=force)
    tell_written(outputs)


def _check(outputs: dict[str, Path], identity: Path | None) -> None:
    if not outputs:
        raise click.UsageError(
            f"name at least one output: {', '.join(f'--{kind}' for kind in _KINDS)}"
        )
    for kind, path in outputs.items():
        ends = _KINDS[kind][1]
        if path.suffix.lower() not in ends:
            raise click.BadParameter(
                f"the name ends in {' or '.join(ends)}", param_hint=f"--{kind}"
            )
    if identity and not {"fhir", "dicom"} & set(outputs):
        raise ParameterError(
            "--identity goes into --fhir and --dicom only; the other exports never name anybody"
        )


def _report(study: xr.DataTree) -> bytes:
    """Draw the PDF of the study; it goes into other files only."""
    from hrm.report import write_report

    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.pdf"
        write_report(study, path)
        return path.read_bytes()


def _writers(
    study: xr.DataTree, who: Any, pdf: bytes, *, attach: bool, visit: str
) -> dict[str, Writer]:
    from hrm import export
    from hrm.results import to_dict

    return {
        "json": lambda place: place.write_text(
            json.dumps(to_dict(study), indent=2, allow_nan=False) + "\n", encoding="utf-8"
        ),
        "fhir": lambda place: export.write_fhir(
            study, place, pdf=pdf if attach else None, identity=who
        ),
        "dicom": lambda place: export.write_dicom(study, place, pdf=pdf, identity=who),
        **dict.fromkeys(
            ("csv", "parquet", "xlsx"),
            lambda place: export.write_tables(study, place, visit=visit),
        ),
    }
