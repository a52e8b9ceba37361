"""Every fenced block of the documentation runs, and shows what comes out."""

import re
import shutil
import warnings

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import hrm
from docs.site_pictures import FAMILIES, PICTURE_OF
from hrm import catalog
from hrm.cli.main import main
from hrm.errors import HrmWarning
from hrm.results import EGJ_METRICS, LANDMARKS, SWALLOW_METRICS
from tests.pages import ROOT, blocks, run

GENERATED = ("docs/metrics/",)
PAGES = [
    "CONTRIBUTING.md",
    *(
        name
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(GENERATED)
    ),
]
WITH_BLOCKS = [page for page in PAGES if blocks(page)]

MANOVIEW = ROOT / "examples" / "manoview_36ch_normal.txt"


def _copies(*names):
    def make(folder):
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(MANOVIEW, target)

    return make


def _reader(folder):
    """The example table of the page, as the reader's side."""
    (table,) = [block.text for block in blocks("docs/agreement.md") if block.kind == "csv"]
    (folder / "reader.csv").write_text(table)


def _recordings(folder):
    _copies("recordings/a.txt")(folder)
    shutil.copy(MANOVIEW.with_suffix(".swallows.csv"), folder / "recordings" / "a.swallows.csv")


def _windows(folder):
    """Three windows of one study that overlap, in the layout of the page."""
    head, *rows = MANOVIEW.read_text().split("Annotations:")[0].splitlines()
    notes = "Annotations:" + MANOVIEW.read_text().split("Annotations:")[1]
    for number, (start, stop) in enumerate([(0, 5000), (4000, 9000), (8000, None)], 1):
        text = "\n".join([head, *rows[start:stop], notes])
        (folder / f"window{number}.txt").write_text(text)


def _native(folder):
    for name in ("study.nc", "day.nc", "changed.nc"):
        hrm.write_native(hrm.open_recording(MANOVIEW), folder / name)
    with h5py.File(folder / "changed.nc", "a") as file:
        file.attrs["comment"] = "changed by another program"


def _table(folder):
    pressures = np.random.default_rng(0).normal(5.0, 1.0, (3000, 6)).round(1)
    np.savetxt(folder / "table.csv", pressures, fmt="%.1f", delimiter=",")


def _readings(folder):
    """A recording that two readers have signed, each in a log of their own."""
    _copies("FILE", "FOLDER/a.txt")(folder)
    for reader in ("AB", "CD"):
        signing = [
            "--own",
            "--reader",
            reader,
            "--reason",
            "read",
            "--set",
            "study.signed_off=true",
        ]
        assert CliRunner().invoke(main, ["review", "FOLDER/a.txt", *signing]).exit_code == 0


#: What a page takes as given: the files that its commands name.
GIVEN = {
    "docs/agreement.md": _reader,
    "docs/batch.md": _recordings,
    "docs/exports.md": _copies("FILE", "BEFORE", "AFTER"),
    "docs/formats/manoview.md": _windows,
    "docs/formats/native.md": _native,
    "docs/formats/table.md": _table,
    "docs/results.md": _copies("FILE"),
    "docs/review.md": _readings,
}

#: Blocks that cannot run in a test, by page: each says why in a comment before it.
NOT_RUN = {
    "docs/batch.md": 1,
    "docs/readers.md": 1,
    "docs/review.md": 3,
    "docs/trial/inputs.md": 1,
    "docs/viewer.md": 1,
}


@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_every_block_of(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the workers of a batch run this source too
    GIVEN.get(page, lambda _: None)(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("default", HrmWarning)  # a page may show one
        run(page, tmp_path)


def test_few_blocks_are_not_run_and_each_says_why():
    found: dict[str, int] = {}
    for page in PAGES:
        for block in blocks(page):
            if block.note.startswith("not run"):
                assert len(block.said("not run")) > 20, block.where
                found[page] = found.get(page, 0) + 1
    assert found == NOT_RUN


def test_the_reference_names_every_module_that_detects_or_measures():
    """Members come from the docstrings when `make docs` builds the site."""
    pages = (ROOT / "docs" / "reference").glob("python*.md")
    named = set(
        re.findall(r"^::: ([\w.]+)", "\n".join(p.read_text() for p in pages), flags=re.MULTILINE)
    )
    for folder in ("metrics", "detect"):
        files = (path.stem for path in (ROOT / "hrm" / folder).glob("[a-z]*.py"))
        assert {f"hrm.{folder}.{name}" for name in files} <= named


def test_the_catalogue_has_a_picture_of_what_is_measured_on_the_pressure():
    """`make docs` draws them, and fails where a number has no marks."""
    shown = [name for held, others in FAMILIES.items() for name in (held, *others)]
    assert len(shown) == len(set(shown)) == len(PICTURE_OF)
    assert set(shown) <= set(catalog.metrics())
    assert {*SWALLOW_METRICS, *EGJ_METRICS, *LANDMARKS} <= set(shown)


def test_warnings_of_the_site_are_errors():
    """--strict counts only what is printed: with --quiet a broken link would pass."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "mkdocs build --strict\n" in makefile
