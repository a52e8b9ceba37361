"""`hrm catheters` and `hrm formats`: what is known, and how sure we are."""

import json
import re
from pathlib import Path

import pytest

from hrm import catalog
from hrm.catheters import shipped_catheters
from hrm.io import plugin
from hrm.io._registry import all_readers, builtin_readers
from hrm.io._variants import EVIDENCE, variants_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
FORMATS = DOCS / "formats"

OWN = '[[catheter]]\nmodel = "mine"\ndepths_cm = [0, 1.5, 3]\naliases = ["M1"]\n'


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_every_catheter_is_listed_with_its_facts(run):
    shown = run("catheters")
    assert shown.exit_code == 0
    for row in shipped_catheters().values():
        line = next(text for text in shown.stdout.splitlines() if text.startswith(row.model))
        length = f"{row.depths_cm[-1]:g} cm" if row.depths_cm else "give --depths"
        for part in (row.n_sensors, length, row.system, row.confidence):
            assert f"  {part}" in line
    rows = json.loads(run("catheters", "--json").stdout)
    assert [row["model"] for row in rows] == list(shipped_catheters())
    assert rows[0]["depths_cm"] == list(shipped_catheters()["CE4-0062"].depths_cm)
    assert {row["model"] for row in rows if row["depths_cm"] is None} >= {"CE4-1083"}


def test_one_catheter_shows_its_positions(run):
    shown = run("catheters", "ce4-0062").stdout
    assert (
        "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 24, 26, 28, 30, 31, 32, 33, 34, 35, 40" in shown
    )
    assert "seen-2nd" in shown
    assert "not known; give --depths" in run("catheters", "CE4-1083").stdout
    assert json.loads(run("catheters", "CE4-0062", "--json").stdout)[0]["n_sensors"] == 22
    wrong = run("catheters", "CE4-62")
    assert wrong.exit_code == 2
    assert "unknown catheter 'CE4-62'; known: CE4-0062, " in wrong.stderr


def test_a_table_of_ones_own(run, own, monkeypatch):
    assert "mine" in run("catheters", "--catheter-file", own).stdout
    assert "0, 1.5, 3" in run("catheters", "M1", "--catheter-file", own).stdout
    assert "mine" not in run("catheters").stdout
    monkeypatch.setenv("HRM_CATHETERS", str(own))
    shown = run("catheters")
    assert "mine" in shown.stdout
    assert str(own) in shown.stderr
    assert str(own) not in shown.stdout


def test_a_template_can_be_written_filled_in_and_used(run, tmp_path):
    assert run("catheters", "--init", "new.toml").exit_code == 0
    assert "my-catheter" in run("catheters", "--catheter-file", "new.toml").stdout
    again = run("catheters", "--init", "new.toml")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run("catheters", "--init", "new.toml", "--force").exit_code == 0
    assert run("catheters", "--init", "b.toml", "CE4-0062").exit_code == 2
    assert not (tmp_path / "b.toml").exists()


def test_a_catheter_of_the_users_own_table_reads_a_file(run, mms, tmp_path, monkeypatch):
    depths = shipped_catheters()["CE4-0062"].depths_cm
    path = tmp_path / "own.toml"
    path.write_text(
        f'[[catheter]]\nmodel = "lab 7"\ndepths_cm = {list(depths)}\n', encoding="utf-8"
    )
    monkeypatch.setenv("HRM_CATHETERS", str(path))
    shown = run("analyze", mms, "--catheter", "lab 7", "--json", "a.json")
    assert shown.exit_code == 0, shown.stderr
    assert json.loads((tmp_path / "a.json").read_text())["recording"]["catheter"] == "lab 7"


def test_every_layout_is_listed_with_its_evidence(run):
    rows = json.loads(run("formats", "--json").stdout)
    assert [row["name"] for row in rows] == [reader.name for reader in all_readers()]
    text = run("formats").stdout
    for row in rows:
        assert row["variants"]
        assert f"{row['name']}: {row['vendor']}\n" in text
        for each in row["variants"]:
            assert each["meaning"] == EVIDENCE[each["evidence"]]
            refused = "" if each["read"] else ", not read"
            assert f"  [{each['evidence']}{refused}] {each['name']}: {each['note']}\n" in text
            assert f"[{each['evidence']}] {each['meaning']}" in text
    assert run("formats", "--json", "--markdown").exit_code == 2


@pytest.mark.parametrize("reader", builtin_readers(), ids=lambda reader: reader.name)
def test_every_reader_of_hrm_says_how_sure_we_are(reader):
    assert variants_of(reader) == tuple(reader.variants)
    names = [each.name for each in reader.variants]
    assert len(set(names)) == len(names)
    for each in reader.variants:
        assert each.evidence in set(EVIDENCE) - {"unstated"}
        assert each.note


def test_the_page_of_formats_is_made_of_the_readers_own_words(run):
    """After a change: paste the output of `hrm formats --markdown` into docs/formats/README.md."""
    page = (FORMATS / "README.md").read_text(encoding="utf-8")
    assert run("formats", "--markdown").stdout in page
    for word in set(EVIDENCE) - {"unstated"}:
        assert f"*{word}*" in page


def test_the_pages_link_to_files_that_are_there():
    pages = [FORMATS / "README.md", DOCS / "readers.md", DOCS / "privacy.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page.name, link)


def test_the_page_on_readers_names_what_there_is():
    text = (DOCS / "readers.md").read_text(encoding="utf-8")
    for name in ("Lines", "TableParser", "Block", "Facts", "note_to_keep", "phi_attr_name"):
        assert name in plugin.__all__
        assert f"`{name}" in text
    for name in plugin.__all__:
        assert hasattr(plugin, name)


def test_every_metric_is_listed_with_its_definition(run):
    shown = run("metrics")
    assert shown.exit_code == 0
    text = " ".join(shown.stdout.split())
    rows = json.loads(run("metrics", "--json").stdout)
    known = {**catalog.metrics(), **catalog.unimplemented_metrics()}
    assert [row["name"] for row in rows] == list(known)
    for row in rows:
        assert f"{row['name']} [{row['units']}], " in text
        assert row["citation"] in text
        assert (row["definition"] if row["implemented"] else row["reason"]) in text
        assert row["implemented"] == (row["name"] in catalog.metrics())


def test_one_metric_is_shown_whole(run):
    shown = " ".join(run("metrics", "irp4s_mmhg").stdout.split())
    row = catalog.metrics()["irp4s_mmhg"]
    for part in (row.definition, row.formula, row.citation, "irp.window_s = 10.0 s"):
        assert part in shown
    assert run("metrics", "irp4s_mmhg_unfiltered").stdout == run("metrics", "irp4s_mmhg").stdout
    assert "not measured" in run("metrics", "sri").stdout
    (one,) = json.loads(run("metrics", "cfv_cm_s", "--json").stdout)
    assert one["parameters"]["front.level_mmhg"] == {"default": 30.0, "unit": "mmHg"}
    wrong = run("metrics", "irp")
    assert wrong.exit_code == 2
    assert "unknown metric 'irp'; did you mean irp4s? ('hrm metrics'" in wrong.stderr
