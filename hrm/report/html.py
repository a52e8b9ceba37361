"""The report as a page that stands alone: opened from a disk, it shows and moves the tracing.

Nothing is fetched: style, script, pictures and samples are in the file, and the page's policy
lets a browser run that script only and ask nobody.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Any

import xarray as xr

from hrm._files import new_file
from hrm._page import RESEARCH_USE
from hrm.errors import ParameterError
from hrm.plot._labels import groups
from hrm.plot._panels import Scene
from hrm.plot.topography import scene_of
from hrm.report import _sections as sections
from hrm.report import beside, model
from hrm.report._markup import paragraph, section
from hrm.report.draft import DRAFT, SIGN_OFF, signed_off
from hrm.report.joined import asset, script
from hrm.report.pdf import check_text
from hrm.report.tracing import Tracing, tracing

Result = Mapping[str, Any]

#: What a page may be as a whole, and what a picture in it takes at most [bytes].
_MOST_BYTES, _PICTURE_BYTES = 2_750_000, 42_000
#: However many pictures there are, samples have so much room.
_LEAST_ROOM = 1_000_000


def write_html(
    study: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    colors: str = "hrm",
    impedance: bool = False,
    reason_for_referral: str = "",
    clinical_diagnosis: str = "",
    overwrite: bool = False,
) -> None:
    """Write the report on an analyzed study as one HTML file.

    Parameters
    ----------
    study : DataTree
        As returned by `hrm.analyze`.
    path : path-like
        Ends in ``.html``.
    colors : {"hrm", "accessible"}
        Ramp of the topography.
    impedance : bool
        Draw the bolus over the pressure in the pictures of the swallows.
    reason_for_referral, clinical_diagnosis : str
        What only the physician can say, at most 1000 characters each.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError
        If the suffix or `colors` is unknown, a text is too long or has characters that the
        reports cannot write, or there is no impedance that could be drawn.
    SchemaError
        If the study has not been analyzed.
    FileExistsError
        If the file exists and `overwrite` is not set.

    Notes
    -----
    It says what the PDF says, in the same words and order. The same study and texts give the
    same bytes; no identity is in them but what the physician writes into the two texts.
    """
    _check_suffix(path)
    with new_file(path, overwrite=overwrite) as temporary:
        text = page(
            study,
            colors=colors,
            impedance=impedance,
            reason_for_referral=reason_for_referral,
            clinical_diagnosis=clinical_diagnosis,
        )
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_visits_html(
    first: xr.DataTree,
    second: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    names: tuple[str, str] = ("A", "B"),
    colors: str = "hrm",
    overwrite: bool = False,
) -> None:
    """Write a page that sets two analyzed studies side by side.

    Parameters
    ----------
    first, second : DataTree
        As returned by `hrm.analyze`: two visits of one participant, or two readings.
    path : path-like
        Ends in ``.html``.
    names : tuple of str
        What they are called, like ``before`` and ``after``.
    colors : {"hrm", "accessible"}
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    ParameterError, SchemaError, FileExistsError
        As `write_html`.
    """
    _check_suffix(path)
    with new_file(path, overwrite=overwrite) as temporary:
        text = visits_page(first, second, names=names, colors=colors)
        temporary.write_text(text, encoding="utf-8", newline="\n")


def page(
    study: xr.DataTree,
    *,
    colors: str = "hrm",
    impedance: bool = False,
    reason_for_referral: str = "",
    clinical_diagnosis: str = "",
) -> str:
    """Give the page of `write_html`."""
    check_text("reason_for_referral", reason_for_referral)
    check_text("clinical_diagnosis", clinical_diagnosis)
    scene = scene_of(study, colors, impedance=impedance)
    result = scene.result
    keys = model.limit_keys(result)
    room = _room(len(groups(result)))
    shown = tracing(study, result, colors=colors, first=_first(result), room=room)
    body = [
        sections.head(result, reason_for_referral, clinical_diagnosis),
        sections.diagnosis(result, keys),
        sections.treated(result),
        sections.summary(result),
        sections.review(result),
        sections.recording(scene, "1", shown.said),
        sections.table(result),
        sections.rest(result),
        sections.provocation(result),
        sections.impedance(result),
        sections.panels(scene),
        sections.limits(result, keys),
    ]
    name = f"hrm report on study {result['recording']['study_id']}"
    return _document(name, model.TITLE, body, model.foot(result), [result], {"1": shown})


def visits_page(
    first: xr.DataTree, second: xr.DataTree, *, names: tuple[str, str], colors: str = "hrm"
) -> str:
    """Give the page of `write_visits_html`."""
    scenes = scene_of(first, colors), scene_of(second, colors)
    results = scenes[0].result, scenes[1].result
    body = [
        *(paragraph(f"{n}: {beside.source(r)}") for n, r in zip(names, results, strict=True)),
        sections.two_diagnoses(results, names),
        sections.two_numbers(results, names),
    ]
    shown: dict[str, Tracing] = {}
    ends = min(float(s.depth[0]) for s in scenes), max(float(s.depth[-1]) for s in scenes)
    for key, study, scene, name in zip("12", (first, second), scenes, names, strict=True):
        number = _first(scene.result)
        shown[key] = tracing(
            study, scene.result, colors=colors, first=number, room=_room(1) // 2, depths_cm=ends
        )
        heading = f"{name}: whole recording"
        body.append(sections.recording(scene, key, shown[key].said, heading))
    body.append(_typical(scenes, names))
    foot = f"{beside.foot(results[0])} · {RESEARCH_USE}"
    return _document("hrm report on two studies", beside.heading(names), body, foot, results, shown)


def _typical(scenes: Sequence[Scene], names: Sequence[str]) -> str:
    """A swallow of each with its median IRP, on one scale of depth, time and color."""
    places = [beside.typical(scene.result) for scene in scenes]
    deepest = max(float(scene.depth[-1]) for scene in scenes)
    figures = [
        sections.typical(scene, beside.typical_title(scene.result, name, k), k, key, deepest)
        for key, scene, name, k in zip("12", scenes, names, places, strict=True)
        if k is not None
    ]
    # One alone has nothing to be compared with.
    if len(figures) < len(places):
        return ""
    return section("typical", beside.TYPICAL, f'<div class="halves">{"".join(figures)}</div>')


def _room(pictures: int) -> int:
    """Length that the samples may take beside the pictures of the swallows."""
    return max(_LEAST_ROOM, _MOST_BYTES - _PICTURE_BYTES * (pictures + 3))


def _first(result: Result) -> int | None:
    """Number of the swallow that is looked at first: the commonest kind, its median IRP."""
    rows = [row for row in result["swallows"] if row["irp4s_mmhg"] is not None]
    rows = [row for row in rows if row["evaluable"]] or rows
    if not rows:
        return int(result["swallows"][0]["id"]) if result["swallows"] else None
    kinds = Counter((row["type"], row["pressurization"]) for row in rows)
    ((kind, _),) = kinds.most_common(1)
    own = [row for row in rows if (row["type"], row["pressurization"]) == kind]
    own.sort(key=itemgetter("irp4s_mmhg"))
    return int(own[(len(own) - 1) // 2]["id"])


def _document(
    name: str,
    heading: str,
    body: Sequence[str],
    foot: str,
    results: Sequence[Result],
    shown: Mapping[str, Tracing],
) -> str:
    style = asset("theme.css") + asset("report.css")
    # Its own, as the picture stands in a tree of its own, which no style outside reaches.
    inner = asset("picture.css") + asset("inner.css")
    code = script()
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"script-src {_digest(code)}; style-src {_digest(style)} {_digest(inner)}"
    )
    draft = not all(map(signed_off, results))
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(name)}</title>\n<style>{style}</style>\n</head>\n<body>",
            _draft() if draft else "",
            f'<header>\n<h1>{escape(heading)}</h1>\n<p class="use">{RESEARCH_USE}</p>\n</header>',
            "<main>",
            *(part for part in body if part),
            f"</main>\n<footer>{escape(foot)}</footer>",
            f'<template id="tracing"><style>{inner}</style>\n{asset("tracing.html")}</template>',
            *(_data(key, each) for key, each in shown.items()),
            f"<script>{code}</script>\n</body>\n</html>\n",
        )
    )


def _draft() -> str:
    """Say that it is preliminary: at the top of the screen, and across each sheet of paper."""
    return (
        f'<aside class="draft" aria-label="State"><strong>{DRAFT}</strong> {SIGN_OFF}</aside>\n'
        f'<div class="watermark" aria-hidden="true">{DRAFT}<br>{SIGN_OFF}</div>'
    )


def _data(key: str, shown: Tracing) -> str:
    given = json.dumps(shown.given, allow_nan=False, separators=(",", ":"))
    # Nothing in it may look like the end of a script to who reads the page.
    given = given.replace("<", "\\u003c")
    return (
        f'<script type="application/json" id="study-{key}">{given}</script>\n'
        f'<script type="text/plain" id="samples-{key}">{shown.samples}</script>'
    )


def _digest(text: str) -> str:
    """Name a script or a style in the policy by its content."""
    found = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"


def _check_suffix(path: str | os.PathLike[str]) -> None:
    if Path(path).suffix.lower() != ".html":
        raise ParameterError("the name of a report as a page ends in .html")
