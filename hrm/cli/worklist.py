"""``hrm worklist``: what is to be read, by whom, and how readers agree."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hrm.cli._options import force_option
from hrm.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    from hrm.viewer.session import Opened
    from hrm.worklist.desk import Desk
    from hrm.worklist.listing import Listed
    from hrm.worklist.plan import WorklistPlan
    from hrm.worklist.results import Results
    from hrm.worklist.studies import Study

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(name="worklist")
@click.argument("folder", type=_FOLDER)
@click.option("--init", is_flag=True, help="Write worklist.toml; needs --readers.")
@click.option("--readers", metavar="CODE,CODE,...", help="With --init: who reads.")
@click.option("--adjudicator", metavar="CODE", default="", help="With --init: who settles.")
@click.option("--double", is_flag=True, help="With --init: two readers for every study.")
@click.option(
    "--reread",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    help="With --init: share that each reader reads once more.",
)
@click.option("--seed", type=click.IntRange(0), default=0, help="With --init: of the order.")
@click.option(
    "--reader", "own", metavar="CODE", help="List what this reader has to read, in order."
)
@click.option(
    "--status",
    type=click.Choice(["new", "in_review", "signed", "disagreement"]),
    help="List these only.",
)
@click.option(
    "--files",
    is_flag=True,
    help="Say also which file each code is, and its digest in the audit: this unblinds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.option(
    "--agreement",
    "agreement_out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write agreement.csv and a page for each two who read the same studies.",
)
@click.option(
    "--serve", is_flag=True, help="Read in a browser on this machine; --reader says as whom."
)
@click.option(
    "--blinded", is_flag=True, help="With --serve: show codes only, and nobody else's reading."
)
@click.option(
    "--hide-diagnosis", is_flag=True, help="With --serve: hide the automatic diagnosis too."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="With --serve.")
@click.option("--browser/--no-browser", default=True, help="With --serve: open the page.")
@click.option(
    "--idle-minutes",
    type=click.FloatRange(min=0.01, max=10_000),
    default=60.0,
    show_default=True,
    help="With --serve: end when no page asked for anything so long.",
)
@force_option
def command(folder: Path, **given: Any) -> None:
    """Say where every recording of FOLDER stands: new, in review, signed, or in disagreement.

    Readers write logs of their own (hrm review --own). manifest.csv and settings.toml in
    FOLDER say of the recordings what they say to a batch.
    """
    from hrm.worklist.listing import as_dict, of_reader
    from hrm.worklist.listing import listed as row_of
    from hrm.worklist.plan import read_plan
    from hrm.worklist.results import Results
    from hrm.worklist.studies import find_studies

    if given["init"]:
        _init(folder, given)
        return
    plan, results = read_plan(folder), Results(folder)
    studies = find_studies(folder, plan)
    if given["serve"]:
        _serve(folder, plan, studies, given)
        return
    listed = [row_of(study, plan, results.differ(study, plan)) for study in studies]
    if given["agreement_out"] is not None:
        _agreement(listed, results, given["agreement_out"], force=given["force"])
        return
    shown = of_reader(listed, given["own"], plan) if given["own"] else listed
    if given["status"]:
        shown = [row for row in shown if row.state and row.state.status == given["status"]]
    if given["as_json"]:
        files = [_file(row.study) if given["files"] else {} for row in shown]
        rows = [as_dict(row) | file for row, file in zip(shown, files, strict=True)]
        click.echo(json.dumps(rows, indent=2))
    else:
        lines = _lines(shown, files=given["files"])
        click.echo("\n".join([*lines, *_progress(listed, plan)]))


def _init(folder: Path, given: dict[str, Any]) -> None:
    from hrm.worklist.plan import WorklistPlan, write_plan

    if not given["readers"]:
        raise click.UsageError("--init needs --readers CODE,CODE")
    codes = tuple(code.strip() for code in given["readers"].split(","))
    said = {name: given[name] for name in ("adjudicator", "double", "reread", "seed")}
    path = write_plan(WorklistPlan(codes, **said), folder, overwrite=given["force"])
    click.echo(f"wrote {click.format_filename(path)}", err=True)


def _serve(
    folder: Path, plan: WorklistPlan, studies: Sequence[Study], given: dict[str, Any]
) -> None:
    """Serve the list, and each study in the viewer."""
    try:
        from hrm.viewer.serve import Terms, serve_app
    except ImportError as err:
        raise MissingDependencyError(
            "the viewer needs packages that are not installed: pip install 'hrm[viewer]'"
        ) from err
    from hrm.viewer.shelf import Shelf
    from hrm.worklist.desk import Desk

    hide = given["hide_diagnosis"]
    said = {"reader": given["own"] or "", "blinded": given["blinded"], "no_diagnosis": hide}
    desk = Desk(folder, plan, studies, **said)
    terms = Terms(given["port"], given["browser"], given["idle_minutes"] * 60.0)
    try:
        serve_app(
            lambda gate: Shelf(desk, lambda code: opened_of(desk, code, hide=hide), gate),
            terms,
            lambda line: click.echo(line, err=True),
            name="hrm worklist",
        )
    finally:
        desk.close()


def opened_of(desk: Desk, code: str, *, hide: bool = False) -> Opened:
    """Open a study of a worklist for the viewer, with the reader's own log."""
    from hrm.batch.worker import Job, engine_id, open_input, swallows_of
    from hrm.viewer.journal import Place
    from hrm.viewer.mask import Mask
    from hrm.viewer.session import Opened

    study = desk.study(code)
    said = study.settings
    recording = open_input(Job(0, str(study.path), said, engine_id()))
    options = {
        "system": said.system,
        "posture": said.posture,
        "swallows": swallows_of(said, recording),
        "clinical": said.clinical(),
        "irp_limit": said.irp_limit,
        "parameters": said.parameters,
    }
    folder = Path(said.review_dir or study.path.parent)
    place = Place(folder, study.sha256, desk.reader, own=bool(desk.reader))
    mask = Mask(code, str(study.path), study.sha256, blinded=desk.blinded, no_diagnosis=hide)
    # Who coordinates looks at what was found, and at the readings beside it.
    ignored = not desk.reader
    return Opened(study.path, recording, options, place, ignored, mask, desk.adjudicates)


def _lines(shown: Sequence[Listed], *, files: bool) -> Iterator[str]:
    for row in shown:
        digest, path = row.study.sha256[:12], click.format_filename(row.study.path)
        file = f"; {digest} {path}" if files else ""
        if row.state is None:
            yield f"{row.study.code}  {'unknown':<13} {row.fault}{file}"
            continue
        settled = [(r.reader, "settled") for r in row.readings if r.adjudicates and r.signed_off]
        states = [*row.state.by_reader, *settled]
        own = ", ".join(f"{code} {_words(state)}" for code, state in states)
        waits = f"; waits for {', '.join(row.state.waits_for)}" if row.state.waits_for else ""
        yield f"{row.study.code}  {_words(row.state.status):<13} {own}{waits}{file}"


def _file(study: Study) -> dict[str, str]:
    """Which recording it is: its file, and its digest in review logs and audits."""
    return {"file": str(study.path), "sha256": study.sha256}


def _progress(listed: Sequence[Listed], plan: WorklistPlan) -> Iterator[str]:
    from hrm.worklist.state import STATES

    counts = Counter(row.state.status if row.state else "unknown" for row in listed)
    said = [f"{counts[name]} {_words(name)}" for name in (*STATES, "unknown") if counts[name]]
    yield f"{len(listed)} studies: {', '.join(said)}"
    for code in plan.readers:
        mine = [row.state for row in listed if row.state and code in row.study.readers]
        done = sum(dict(state.by_reader)[code] == "signed" for state in mine)
        yield f"{code}: {done} of {len(mine)} signed"


def _words(code: str) -> str:
    return code.replace("_", " ")


def _agreement(listed: Sequence[Listed], results: Results, out: Path, *, force: bool) -> None:
    from hrm._files import new_file
    from hrm.cli.compare import page_of
    from hrm.worklist.agreement import pairings, rows

    found = list(pairings([(row.study, row.readings) for row in listed], results))
    if not found:
        raise ParameterError(
            "no two signed readings are of the same study, and no reader has signed one"
        )
    out.mkdir(parents=True, exist_ok=True)
    table = [row for pairing in found for row in rows(pairing)]
    with new_file(out / "agreement.csv", overwrite=force) as place:
        place.write_text(_csv(table), encoding="utf-8")
    for pairing in found:
        name = f"{pairing.kind}_{pairing.sides[0]}_{pairing.sides[1]}.html"
        with new_file(out / name, overwrite=force) as place:
            place.write_text(page_of(pairing.comparison, pairing.sides), encoding="utf-8")
        click.echo(f"{' and '.join(pairing.sides)}: {pairing.studies} studies in common")
    click.echo(f"wrote {click.format_filename(out)}", err=True)


def _csv(table: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(table[0]) if table else [], lineterminator="\n")
    writer.writeheader()
    for row in table:
        clean = {
            name: "NA" if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        writer.writerow(clean)
    return out.getvalue()
