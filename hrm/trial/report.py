"""The report of a trial: one page, each table as CSV and JSON, and a manifest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hrm import __version__, _page
from hrm._files import check_target, new_file
from hrm.errors import ParameterError
from hrm.trial import tables
from hrm.trial.clinical import read_clinical
from hrm.trial.outcome import arms_of
from hrm.trial.plan import FILE_NAME, TrialPlan, holds_label, read_plan

BLINDED = (
    "Blinded: the arms were drawn from the seed of the plan and mean nothing; "
    "no difference in this report is one of treatment."
)


def report_files(folder: Path, *, allocation: Path | None = None) -> dict[str, str]:
    """Make the report of a trial, in memory.

    Parameters
    ----------
    folder : Path
        Holds `trial.toml`, `participants.csv` and `visits.csv`.
    allocation : Path, optional
        Which participant is in which arm; without it the report is blinded.

    Returns
    -------
    dict of str to str
        Name and text of each file; the same inputs give the same bytes.

    Raises
    ------
    ParameterError, FormatError
        If the plan or the data cannot be used, or a blinded report would name an arm.
    """
    plan = read_plan(folder / FILE_NAME)
    clinical = read_clinical(folder, plan, allocation)
    made = tables.all_tables(clinical, arms_of(clinical, plan), plan)
    blinded = allocation is None
    files = {f"{table.name}.csv": table.to_csv() for table in made}
    files["tables.json"] = _json([table.to_dict() for table in made])
    body = [f'<p class="note">{_page.RESEARCH_USE}</p>']
    body += [f"<p><strong>{BLINDED}</strong></p>"] if blinded else []
    # The title may say what is compared; a blinded report goes without it.
    title = "Blinded trial report" if blinded else plan.title
    files["report.html"] = _page.document(title, [*body, *(table.to_html() for table in made)])
    files["manifest.json"] = _json(
        {
            "hrm": __version__,
            "blinded": blinded,
            "seed": plan.seed,
            "inputs": {FILE_NAME: plan.sha256, **clinical.sha256},
            "outputs": {name: _digest(text) for name, text in sorted(files.items())},
        }
    )
    if blinded:
        _check_blinded(files, plan)
    return files


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_blinded(files: dict[str, str], plan: TrialPlan) -> None:
    """The last gate: no output of a blinded report holds the name of an arm."""
    if any(holds_label(text, [plan.test, plan.reference]) for text in files.values()):
        raise ParameterError(
            "a blinded report would hold a word that is also the name of an arm; give the arms "
            "of the plan names that are no words of a report"
        )


def write_report(
    folder: Path, output: Path, *, allocation: Path | None = None, overwrite: bool = False
) -> list[Path]:
    """Write the files of `report_files` into a folder, which is made if it is not there.

    Raises
    ------
    FileExistsError
        If one of them is there and `overwrite` is not set; then none is written.
    """
    files = report_files(folder, allocation=allocation)
    output.mkdir(exist_ok=True)
    places = [output / name for name in files]
    for place in places:
        check_target(place, overwrite=overwrite)
    for place, text in zip(places, files.values(), strict=True):
        with new_file(place, overwrite=overwrite) as temporary:
            temporary.write_bytes(text.encode())
    return places
