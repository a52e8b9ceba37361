"""The report on one study, as a PDF for print."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from hrm import __version__
from hrm._files import new_file
from hrm.errors import ParameterError
from hrm.plot.topography import scene_of
from hrm.report import _content as content
from hrm.report import _panels as panels
from hrm.report import model
from hrm.report._bolus import write_bolus
from hrm.report._sheet import FONT, Sheet, unprintable
from hrm.report._table import write_table
from hrm.report.draft import mark_drafts

#: Pixels per inch of the topography; fewer where a noisy study would make a large file.
_DPI = (200, 150, 110, 80)
_MOST_BYTES = 1_500_000
_MOST_CHARACTERS = 1000
#: TrueType, so that text can be searched and copied; strongest compression.
PDF_SETTINGS: Any = {"pdf.fonttype": 42, "pdf.compression": 9, "font.family": [FONT]}


def write_report(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    colors: str = "hrm",
    impedance: bool = False,
    reason_for_referral: str = "",
    clinical_diagnosis: str = "",
    overwrite: bool = False,
) -> None:
    """Write the report on an analyzed study; the file appears complete or not at all.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    path : path-like
        Ends in ``.pdf``.
    colors : {"hrm", "accessible"}
        Ramp of the topography; only the second keeps its order in gray print.
    impedance : bool
        Draw the bolus over the pressure of each swallow; its numbers stand in the report
        in any case.
    reason_for_referral, clinical_diagnosis : str
        What only the physician can say, at most 1000 characters each. It stands in
        the PDF and nowhere else.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the suffix or `colors` is unknown, a text is too long or has characters that
        the font of the report cannot write, or there is no impedance that could be drawn.
    SchemaError
        If the study has not been analyzed.
    FileExistsError
        If the file exists and `overwrite` is not set.

    Notes
    -----
    The same study and texts give the same bytes: no date and no author is in the file,
    and no identity but what the physician writes into the two texts.
    """
    if Path(path).suffix.lower() != ".pdf":
        raise ParameterError("the name of a report ends in .pdf")
    with new_file(path, overwrite=overwrite) as temporary:
        drawn = pages(
            study,
            colors=colors,
            impedance=impedance,
            reason_for_referral=reason_for_referral,
            clinical_diagnosis=clinical_diagnosis,
        )
        save_pages(drawn, temporary)


def save_pages(drawn: Sequence[Figure], path: Path) -> None:
    """Write pages as a PDF without a date, coarser where the file would be too large."""
    for dpi in _DPI:
        _save(drawn, path, dpi)
        if path.stat().st_size <= _MOST_BYTES:
            break


def _save(drawn: Sequence[Figure], path: Path, dpi: int) -> None:
    metadata = {
        "Title": "hrm manometry report (research use)",
        "Creator": f"hrm {__version__}",
        "CreationDate": None,
    }
    with mpl.rc_context(PDF_SETTINGS), PdfPages(path, metadata=metadata) as pdf:
        for page in drawn:
            pdf.savefig(page, dpi=dpi)


def pages(
    study: xr.DataTree,
    *,
    colors: str = "hrm",
    impedance: bool = False,
    reason_for_referral: str = "",
    clinical_diagnosis: str = "",
) -> list[Figure]:
    """Draw the pages of a report, A4 portrait.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    colors : {"hrm", "accessible"}
    impedance : bool
    reason_for_referral, clinical_diagnosis : str

    Returns
    -------
    list of Figure
        Two for ten swallows, more for more.

    Raises
    ------
    ParameterError
        As `write_report`.
    SchemaError
        If the study has not been analyzed.
    """
    check_text("reason_for_referral", reason_for_referral)
    check_text("clinical_diagnosis", clinical_diagnosis)
    with mpl.rc_context(PDF_SETTINGS):
        scene = scene_of(study, colors, impedance=impedance)
        result, sheet = scene.result, Sheet()
        keys = model.limit_keys(result)
        content.write_head(sheet, result)
        content.write_fields(
            sheet,
            result,
            reason_for_referral=reason_for_referral,
            clinical_diagnosis=clinical_diagnosis,
        )
        content.write_diagnosis(sheet, result, keys)
        content.write_summary(sheet, result)
        content.write_quality(sheet, result)
        panels.draw_recording(sheet, scene)
        write_table(sheet, result)
        content.write_rest(sheet, result)
        content.write_provocation(sheet, result)
        write_bolus(sheet, result)
        if result["swallows"]:
            sheet.heading(model.PANELS, room=160.0)
            panels.draw_legend(sheet, scene)
            panels.draw_panels(sheet, scene)
        content.write_limits(sheet, result, keys)
        sheet.finish(*content.foot(result))
        mark_drafts(sheet.pages, [result])
    return sheet.pages


def check_text(name: str, text: str) -> None:
    """Refuse a text that the report could not show as it was written; never quote it."""
    if len(text) > _MOST_CHARACTERS:
        raise ParameterError(
            f"{name} has {len(text)} characters; at most {_MOST_CHARACTERS} have room"
        )
    lost = unprintable(" ".join(text.split()))
    if lost:
        codes = ", ".join(f"U+{ord(char):04X}" for char in lost[:8])
        raise ParameterError(f"{name} has characters that the report's font cannot write: {codes}")
