"""The whole path of a blinded double reading in a real browser, by ``make test-browser``."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect

from hrm import phantom
from hrm.worklist.plan import read_plan
from hrm.worklist.studies import find_studies
from tests.browser.conftest import LINK, PATIENCE_MS, ROOT, SIZE

KINDS = ("normal", "achalasia_type_2", "normal", "achalasia_type_1", "normal")
STUDIES = 10
REMARK = "two swallows in a row"


def hrm(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hrm", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten phantoms under a patient's name, and who reads them."""
    place = tmp_path_factory.mktemp("trial")
    for seed in range(STUDIES):
        made = phantom.draw(KINDS[seed % len(KINDS)], seed=seed, n_supine=3, n_upright=0)
        recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=seed)
        phantom.write_manoview(recording, place / f"Doe_Jane_{seed}.txt")
    (place / "settings.toml").write_text('[defaults]\nsystem = "manoscan"\nposture = "supine"\n')
    done = hrm(
        *("worklist", place, "--init", "--readers", "AB,CD", "--adjudicator", "EF"),
        *("--double", "--seed", 7),
    )
    assert done.returncode == 0, done.stderr
    return place


@contextmanager
def reading(chromium, folder, reader):
    """The worklist of a reader, blinded, in a browser of its own."""
    command = [sys.executable, "-m", "hrm", "worklist", str(folder), "--serve", "--blinded"]
    with subprocess.Popen(
        [*command, "--reader", reader, "--no-browser"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        lines = []
        for line in server.stderr:
            lines.append(line)
            if link := LINK.search(line):
                break
        else:
            raise AssertionError("".join(lines))
        place = chromium.new_context(viewport=SIZE)
        page = place.new_page()
        page.set_default_timeout(PATIENCE_MS)
        faults, seen = [], []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: seen.append(request.url))
        page.goto(link[0])
        ready(page)
        try:
            yield page
        finally:
            text = page.content() + page.title() + "".join(seen)
            place.close()
            server.terminate()
        assert faults == []
        assert "Doe" not in text


def ready(page):
    page.wait_for_function("() => document.documentElement.dataset.ready === 'yes'")


def sign(page):
    """Sign the study that is open."""
    page.wait_for_function("() => document.documentElement.hasAttribute('data-connected')")
    page.locator("#sign").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign off").click()
    expect(page.locator("#sign")).to_have_text("Reopen")


def exclude(page):
    """Exclude the first swallow, with the key."""
    page.wait_for_function("() => document.documentElement.hasAttribute('data-connected')")
    page.locator("#picture").focus()
    page.keyboard.press("x")
    page.get_by_role("dialog").get_by_label("Reason").fill("double swallow")
    page.get_by_role("dialog").get_by_role("button", name="Exclude").click()
    page.wait_for_function(
        "() => window.hrmViewer.state.result.swallows.some((row) => !row.evaluable)"
    )


def remark(page):
    """Comment on the study."""
    page.get_by_role("button", name="Comment on the study").click()
    page.get_by_role("dialog").locator("textarea").fill(REMARK)
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(page.locator("#comments")).to_contain_text(REMARK)


def read_all(page, excluding=()):
    """Read study after study in the own order; exclude the first swallow of some, and say so."""
    page.locator("#next").click()
    for k in range(STUDIES):
        ready(page)
        code = page.locator("#desk strong").inner_text()
        assert page.title() == f"hrm {code}"
        if code in excluding:
            exclude(page)
            remark(page)
        sign(page)
        if k + 1 < STUDIES:
            page.get_by_role("link", name="Next to read").click()
            page.wait_for_function(
                f"() => document.querySelector('#desk strong')"
                f" && document.querySelector('#desk strong').innerText !== '{code}'"
            )
    page.get_by_role("link", name="Worklist").click()
    ready(page)
    expect(page.locator("#said")).to_have_text(f"{STUDIES} of {STUDIES} signed")


def test_two_read_ten_blinded_a_third_settles_two_and_the_batch_takes_it(
    chromium, folder, tmp_path
):
    with reading(chromium, folder, "AB") as page:
        codes = page.locator("#rows th a").all_inner_texts()
        assert len(codes) == STUDIES
        assert all(re.fullmatch("[A-Z2-7]{6,}", code) for code in codes)
        read_all(page)
    apart = set(codes[:2])
    with reading(chromium, folder, "CD") as page:
        assert page.locator("#rows th a").all_inner_texts() != codes
        read_all(page, excluding=apart)

    listed = json.loads(hrm("worklist", folder, "--json").stdout)
    assert {row["code"] for row in listed if row["status"] == "disagreement"} == apart
    with reading(chromium, folder, "EF") as page:
        expect(page.locator("#rows tr")).to_have_count(2, timeout=PATIENCE_MS)
        for k in range(2):
            page.locator("#rows th a").nth(k).click()
            ready(page)
            expect(page.locator("#readings tr.differs").first).to_be_visible()
            expect(page.locator("#readings")).to_contain_text(
                re.compile(f"reading [12]: “{re.escape(REMARK)}”")
            )
            assert "AB" not in page.locator("#readings").inner_text()
            if k == 0:
                settled = page.locator("#desk strong").inner_text()
                exclude(page)
            sign(page)
            page.get_by_role("link", name="Worklist").click()
            ready(page)
        expect(page.locator("#said")).to_have_text("2 of 2 signed", timeout=PATIENCE_MS)

    assert {row["status"] for row in json.loads(hrm("worklist", folder, "--json").stdout)} == {
        "signed"
    }
    audit = hrm("audit", folder, "--csv", tmp_path / "audit.csv")
    assert audit.returncode == 0, audit.stdout
    assert (tmp_path / "audit.csv").read_text().count("adjudicates") == 2
    done = hrm(
        *("batch", folder, "--settings", folder / "settings.toml", "--workers", 1),
        *("--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "out" / "hrm.sqlite")) as store:
        reviewed = store.execute("SELECT sha256 FROM study WHERE review_hash != ''").fetchall()
        left_out = store.execute(
            "SELECT sha256 FROM study JOIN swallow ON study.id = study WHERE NOT evaluable"
        ).fetchall()
    # Only what was adjudicated is laid over the automatic result, and it is.
    digests = {study.sha256: study.code for study in find_studies(folder, read_plan(folder))}
    assert {digests[sha256] for (sha256,) in reviewed} == apart
    assert [digests[sha256] for (sha256,) in left_out] == [settled]


def drag_les(one, by):
    """Move the upper border of the LES by the keyboard, in steps of 1 mm."""
    page = one.page
    page.wait_for_function("() => document.documentElement.hasAttribute('data-connected')")
    page.get_by_role("slider", name="LES upper border", exact=True).focus()
    for _ in range(by):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    one.confirmed()


def test_what_a_reader_changed_lies_beside_what_was_found(study):
    page = study.page
    expect(page.locator("#readings")).to_be_hidden()
    drag_les(study, 8)
    differing = page.locator("#readings tr.differs", has_text="LES upper border")
    expect(differing).to_contain_text("differs")
    page.locator("#undo").click()
    expect(page.locator("#readings")).to_contain_text("Nothing differs.")


def test_comments_on_study_and_swallow(study):
    remark(study.page)
    study.page.get_by_role("button", name="Edit swallow 2", exact=True).click()
    study.page.get_by_label("Comment (kept").fill("belch before it")
    study.page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    expect(study.page.locator("#swallow-rows tr").nth(1)).to_contain_text("“belch before it”")
    expect(study.page.locator("#comments")).to_contain_text("Swallow 2")
    edits = [json.loads(line) for line in study.log.read_text().splitlines()]
    assert [(edit["field"], edit["new"]) for edit in edits] == [
        ("comment", REMARK),
        ("comment", "belch before it"),
    ]


def test_a_broken_log_is_said_and_kept_aside_by_the_page(opening):
    with opening() as one:
        one.settle()
        drag_les(one, 3)
    broken = one.log.read_bytes().replace(b'"AB"', b'"AC"')
    one.log.write_bytes(broken)
    with opening() as one:
        expect(one.page.locator("#problems")).to_contain_text("no edit is kept")
        expect(one.page.locator("#sign")).to_be_disabled()
        one.page.get_by_role("button", name="Keep the log aside").click()
        one.page.get_by_role("dialog").get_by_role("button", name="Keep aside").click()
        expect(one.page.locator("#sign")).to_be_enabled()
        expect(one.page.locator("#problems")).to_be_hidden()
        one.settle()
        drag_les(one, 3)
        (kept,) = one.folder.glob("*.aside-1.review.jsonl")
        assert kept.read_bytes() == broken


def test_a_signed_study_is_reopened_with_a_reason_only(study):
    page = study.page
    sign(page)
    page.locator("#sign").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reopen").click()
    expect(dialog).to_be_visible()
    dialog.get_by_label("Reason").fill("border read at the crus")
    dialog.get_by_role("button", name="Reopen").click()
    expect(page.locator("#sign")).to_have_text("Sign off")
    sign(page)
    expect(page.locator("#who")).to_contain_text("version 2")
    assert "border read at the crus" in study.log.read_text()


def test_two_tabs_show_the_same(study):
    other = study.page.context.new_page()
    other.goto(study.page.url)
    other.wait_for_function("() => document.documentElement.hasAttribute('data-connected')")
    drag_les(study, 5)
    expect(other.locator("#toasts")).to_contain_text("Changed in another window")
    value = "() => window.hrmViewer.state.result.landmarks.les_upper_cm"
    assert other.evaluate(value) == study.page.evaluate(value)
    other.locator("#undo").click()
    expect(study.page.locator("#toasts")).to_contain_text("Changed in another window")
    assert other.evaluate(value) == study.page.evaluate(value)
