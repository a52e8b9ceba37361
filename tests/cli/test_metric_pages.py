"""The pages of the catalog: as the tables say, every metric once, and links that lead somewhere."""

import re
from pathlib import Path

import pytest

from hrm import catalog
from hrm.cli._metric_pages import INDEX, TITLES, page_of, pages

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = DOCS / "metrics"
NAMES = [*catalog.metrics(), *catalog.unimplemented_metrics()]


def anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings}


def test_the_pages_are_those_that_the_tables_give():
    had = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert had == pages(), "run: hrm metrics --markdown docs/metrics"


def test_the_command_writes_them_over_earlier_ones(run, tmp_path):
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        shown = run("metrics", "--markdown", folder)
        assert shown.exit_code == 0
        (folder / INDEX).write_text("stale", encoding="utf-8")
    assert run("metrics", "--markdown", folder).exit_code == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert written == pages()


@pytest.mark.parametrize("more", [["irp4s_mmhg"], ["--json"]])
def test_the_pages_are_of_the_whole_catalog(run, tmp_path, more):
    shown = run("metrics", "--markdown", tmp_path / "a", *more)
    assert shown.exit_code == 2
    assert "give it alone" in shown.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_has_its_place_with_all_its_facts(name):
    texts = pages()
    page = texts[page_of(name)]
    assert [key for key, text in texts.items() if f"\n## {name}\n" in text] == [page_of(name)]
    block = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    row = catalog.metrics().get(name) or catalog.unimplemented_metrics()[name]
    for fact in (row.long_name, row.definition, row.confidence):
        assert fact in block
    for key in catalog.citation_keys(row.citation):
        assert f"[{key}](" in block
    if name in catalog.unimplemented_metrics():
        assert f"- Not measured: {row.reason}" in block
        return
    assert f"- Formula: `{row.formula}`\n" in block
    assert f"- Version: {row.version}\n" in block
    for key in row.parameters:
        assert f"`{key}` = " in block
    rows = re.findall(r"^\| `([\w.]+)` \|", block, flags=re.MULTILINE)
    assert rows == [each.id for each in catalog.limit_table() if each.quantity in row.limits]


def test_every_quantity_that_has_a_limit_belongs_to_a_metric():
    claimed = {quantity for row in catalog.metrics().values() for quantity in row.limits}
    assert claimed == {row.quantity for row in catalog.limit_table()}


def test_every_link_leads_somewhere():
    texts = pages()
    assert set(texts) == {INDEX, *TITLES}
    for text in texts.values():
        for link in set(re.findall(r"\]\(([^)]+)\)", text)):
            if link.startswith("https://doi.org/10."):
                continue
            path, _, anchor = link.partition("#")
            target = (FOLDER / path).resolve()
            assert target.is_file(), link
            if anchor:
                page = texts.get(path) or target.read_text(encoding="utf-8")
                assert anchor in anchors(page), link


def test_one_metric_shows_its_limits(run):
    shown = run("metrics", "irp4s_mmhg").stdout
    assert "limits" in shown
    assert ">= 15 mmHg, irp4s.manoscan.supine.v4 (YAD21)" in shown
