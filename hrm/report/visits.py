"""Two studies side by side: before and after a treatment, or two readings of one recording."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

from hrm._files import new_file
from hrm._page import RESEARCH_USE
from hrm.errors import ParameterError
from hrm.plot._labels import Group
from hrm.plot._panels import Scene, draw_group
from hrm.plot.topography import scene_of
from hrm.report import beside, wording
from hrm.report._panels import draw_recording, rasterize, small
from hrm.report._sheet import INNER, LEFT, SMALL, Line, Sheet, Style, paragraph
from hrm.report.draft import mark_drafts
from hrm.report.pdf import PDF_SETTINGS, save_pages

_GAP = 16.0
_HALF = (INNER - _GAP) / 2.0
_BOLD, _GREY = Style(bold=True), Style(color="0.25")
#: Columns of the table of numbers: name, A, B, change.
_PLACES = (LEFT, LEFT + 190.0, LEFT + 310.0, LEFT + 420.0)
#: Height that a recording with its title takes, and a panel of one swallow [pt].
_OVERVIEW, _PANEL = 140.0, 150.0
Result = Mapping[str, Any]


def write_visits(
    first: xr.DataTree,
    second: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    names: tuple[str, str] = ("A", "B"),
    colors: str = "hrm",
    overwrite: bool = False,
) -> None:
    """Write a PDF that sets two analyzed studies side by side.

    Parameters
    ----------
    first, second : DataTree
        As returned by `hrm.analyze`: two visits of one participant, or two readings.
    path : path-like
        Ends in ``.pdf``.
    names : tuple of str
        What they are called, like ``before`` and ``after``.
    colors : {"hrm", "accessible"}
        Both are drawn on one scale of colors and of depth.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the suffix or `colors` is unknown.
    SchemaError
        If a study has not been analyzed.
    FileExistsError
        If the file exists and `overwrite` is not set.

    Notes
    -----
    A change is given only where both studies were recorded with the same system: values of
    different systems are not comparable.
    """
    if Path(path).suffix.lower() != ".pdf":
        raise ParameterError("the name of a report ends in .pdf")
    drawn = visit_pages(first, second, names=names, colors=colors)
    with new_file(path, overwrite=overwrite) as temporary:
        save_pages(drawn, temporary)


def visit_pages(
    first: xr.DataTree,
    second: xr.DataTree,
    *,
    names: tuple[str, str] = ("A", "B"),
    colors: str = "hrm",
) -> list[Figure]:
    """Draw the pages of `write_visits`, A4 portrait."""
    with mpl.rc_context(PDF_SETTINGS):
        scenes = scene_of(first, colors), scene_of(second, colors)
        results = scenes[0].result, scenes[1].result
        sheet = Sheet()
        _write_head(sheet, results, names)
        _write_diagnoses(sheet, results, names)
        _write_numbers(sheet, results, names)
        _draw_recordings(sheet, scenes, names)
        _draw_swallows(sheet, scenes, names)
        sheet.finish(f"{beside.foot(results[0])} · {RESEARCH_USE}", "page {page} of {pages}")
        mark_drafts(sheet.pages, results)
    return sheet.pages


def _write_head(sheet: Sheet, results: Sequence[Result], names: Sequence[str]) -> None:
    sheet.write(beside.heading(names), LEFT, sheet.y, Style(12.0, bold=True))
    sheet.y += 18.0
    for name, result in zip(names, results, strict=True):
        sheet.lines(paragraph(f"{name}: {beside.source(result)}", INNER))
    sheet.lines(paragraph(RESEARCH_USE, INNER, _BOLD))


def _write_diagnoses(sheet: Sheet, results: Sequence[Result], names: Sequence[str]) -> None:
    sheet.heading("Manometric diagnosis", room=60.0)
    columns = [[*_diagnosis(result, name)] for name, result in zip(names, results, strict=True)]
    rows = max(map(len, columns))
    filled = [[*column, *([Line("")] * (rows - len(column)))] for column in columns]
    sheet.columns(filled, [LEFT, LEFT + _HALF + _GAP])


def _diagnosis(result: Result, name: str) -> Iterator[Line]:
    yield from paragraph(name, _HALF, _GREY)
    for label, standing in beside.diagnoses(result):
        yield from paragraph(label, _HALF, Style(9.0, bold=True))
        yield from paragraph(standing, _HALF)
    for label, text in wording.post_treatment(result):
        yield from paragraph(f"{label}: {text}", _HALF)


def _write_numbers(sheet: Sheet, results: Sequence[Result], names: Sequence[str]) -> None:
    sheet.heading(beside.NUMBERS, room=80.0)
    head, *rows = beside.table(results, names)
    _row(sheet, head, _BOLD)
    for row in rows:
        _row(sheet, row, Style())
    if not beside.same_system(results):
        sheet.lines(paragraph(beside.SYSTEMS_DIFFER, INNER, _GREY))


def _row(sheet: Sheet, cells: Sequence[str], style: Style) -> None:
    sheet.columns([[Line(cell, style)] for cell in cells], _PLACES)


def _draw_recordings(sheet: Sheet, scenes: Sequence[Scene], names: Sequence[str]) -> None:
    for name, scene in zip(names, scenes, strict=True):
        sheet.need(_OVERVIEW)
        sheet.write(f"{name}: whole recording", LEFT, sheet.y + 4.0, Style(bold=True))
        sheet.y += 10.0
        draw_recording(sheet, scene)


def _draw_swallows(sheet: Sheet, scenes: Sequence[Scene], names: Sequence[str]) -> None:
    """A swallow of each with its median IRP, on one scale of depth, time and color."""
    found = [beside.typical(scene.result) for scene in scenes]
    chosen = [k for k in found if k is not None]
    if len(chosen) < len(scenes):
        return
    sheet.heading(beside.TYPICAL, room=_PANEL + 44.0)
    deepest = max(float(scene.depth[-1]) for scene in scenes)
    for column, (name, scene, k) in enumerate(zip(names, scenes, chosen, strict=True)):
        left = LEFT + column * (_HALF + _GAP)
        title = beside.typical_title(scene.result, name, k)
        sheet.write(title, left, sheet.y + 2.0, Style(SMALL, bold=True))
        ax = sheet.axes(left + 31.0, sheet.y + 18.0, _HALF - 60.0, _PANEL)
        draw_group(ax, scene, Group(k, k, "", {}), label=column == 0)
        ax.set_title("", loc="left")
        ax.set_ylim(deepest, 0.0)
        small(ax)
        rasterize(ax)
    sheet.y += _PANEL + 40.0
