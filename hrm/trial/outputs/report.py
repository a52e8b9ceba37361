"""The report of a trial: a page, a Word document, each table and figure as a file, a manifest."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from hrm import __version__, _page
from hrm._files import check_target, new_file
from hrm.errors import ParameterError
from hrm.trial.gather import gather
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import FILE_NAME, TrialPlan, holds_label, read_plan
from hrm.trial.outcome import arms_of
from hrm.trial.outputs.data import data_files
from hrm.trial.outputs.docx import Picture, word_document
from hrm.trial.outputs.figures import MARK, Drawn, all_figures
from hrm.trial.records import Records
from hrm.trial.tables.assembled import Made, all_tables
from hrm.trial.tables.table import TrialTable

BLINDED = (
    "Blinded: the arms were drawn from the seed of the plan and mean nothing; "
    "no difference in this report is one of treatment."
)
_STYLE = """
td { white-space: nowrap; } p.note { margin: .25rem 0; } figure { margin: .5rem 0 1.5rem; } figcaption { color: #444; }
.said { border: 2px solid #b03a2e; padding: .3rem .6rem; font-weight: bold; }
@page { size: A4 landscape; }
@media print { .wide { overflow: visible; } table { font-size: 8pt; } th, td { padding: .1rem .25rem; }
  td { white-space: normal; } }
"""


def report_files(
    folder: Path, *, allocation: Path | None = None, records: Records | None = None
) -> dict[str, bytes]:
    """Make the report of a trial, in memory.

    Parameters
    ----------
    folder : Path
        Holds `trial.toml`, `participants.csv` and `visits.csv`.
    allocation : Path, optional
        Which participant is in which arm; without it the report is blinded.
    records : Records, optional
        Everything beyond participants and primary outcome.

    Returns
    -------
    dict of str to bytes
        Name and content of each file; the same inputs give the same bytes.

    Raises
    ------
    ParameterError, FormatError
        If the plan or the data cannot be used, or a blinded report would name an arm.
    """
    plan = read_plan(folder / FILE_NAME)
    clinical = read_clinical(folder, plan, allocation)
    held = gather(plan, clinical) if records is None else records
    arms = arms_of(clinical, plan)
    made = all_tables(clinical, arms, plan, held)
    drawn = all_figures(clinical, arms, plan, held)
    blinded = allocation is None
    # The title may say what is compared; a blinded report goes without it.
    title = "Blinded trial report" if blinded else plan.title
    said = _said(held, blinded=blinded)
    texts = _table_files(made.tables, MARK if held.synthetic else "")
    texts |= data_files(plan, clinical, arms, held)
    texts["report.html"] = _html(title, said, made, drawn)
    files = {name: text.encode() for name, text in texts.items()}
    pictures = [Picture(each.name, each.caption, each.png) for each in drawn]
    files["report.docx"] = word_document(title, [*said, *_absent(made)], made.tables, pictures)
    for each in drawn:
        files[f"{each.name}.png"], files[f"{each.name}.svg"] = each.png, each.svg
    files["manifest.json"] = _manifest(plan, clinical.sha256, files, blinded=blinded)
    if blinded:
        _check_blinded(files, plan)
    return files


def _said(records: Records, *, blinded: bool) -> list[str]:
    """What a reader must know before any number."""
    said = [records.synthetic] if records.synthetic else []
    return [*said, *([BLINDED] if blinded else []), _page.RESEARCH_USE]


def _absent(made: Made) -> list[str]:
    if not made.absent:
        return []
    return [f"Not made, for the trial has no data for it: {', '.join(made.absent)}."]


def _table_files(tables: Sequence[TrialTable], mark: str) -> dict[str, str]:
    files = {f"{table.name}.csv": table.to_csv(mark) for table in tables}
    files["tables.json"] = _json([table.to_dict() for table in tables])
    return files


def _html(title: str, said: Sequence[str], made: Made, drawn: Sequence[Drawn]) -> str:
    body = [f'<p class="said">{escape(text)}</p>' for text in said[:-1]]
    body.append(f'<p class="note">{escape(said[-1])}</p>')
    body += [f"<p>{escape(text)}</p>" for text in _absent(made)]
    numbers = {each.name: number for number, each in enumerate(drawn, 1)}
    for number, table in enumerate(made.tables, 1):
        body.append(table.to_html(number))
        body += [_figure(each, numbers[each.name]) for each in drawn if each.below == table.name]
    return _page.document(title, body, style=_STYLE)


def _figure(each: Drawn, number: int) -> str:
    words = f"Figure {number}. {each.caption}"
    picture = _page.image(each.png, each.caption)
    return f"<figure>{picture}<figcaption>{escape(words)}</figcaption></figure>"


def _manifest(
    plan: TrialPlan, inputs: Mapping[str, str], files: Mapping[str, bytes], *, blinded: bool
) -> bytes:
    content = {
        "hrm": __version__,
        "blinded": blinded,
        "synthetic": plan.options.synthetic,
        "seed": plan.seed,
        "inputs": {FILE_NAME: plan.sha256, **inputs},
        "outputs": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    return _json(content).encode()


def _json(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _check_blinded(files: Mapping[str, bytes], plan: TrialPlan) -> None:
    """The last gate: no output of a blinded report holds the name of an arm."""
    arms = [plan.test, plan.reference]
    if any(holds_label(_text(name, data), arms) for name, data in files.items()):
        raise ParameterError(
            "a blinded report would hold a word that is also the name of an arm; give the arms "
            "of the plan names that are no words of a report"
        )


def _text(name: str, data: bytes) -> str:
    """Everything in a file that can be read; a PNG holds what the SVG of its name does."""
    if name.endswith(".png"):
        return ""
    if name.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [archive.read(part) for part in archive.namelist() if part.endswith(".xml")]
        return "\n".join(re.sub(r"<[^>]*>", " ", part.decode()) for part in parts)
    return re.sub(r"base64,[^\"]*", "", data.decode())


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
    for place, data in zip(places, files.values(), strict=True):
        with new_file(place, overwrite=overwrite) as temporary:
            temporary.write_bytes(data)
    return places
