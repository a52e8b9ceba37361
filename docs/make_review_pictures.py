"""Take the pictures of docs/review.md: a blinded double reading of phantoms in a real browser.

Run it in the repository after ``make test-browser``, which installs what it needs:
``.venv/bin/python docs/make_review_pictures.py``.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from hrm import phantom
from hrm.annotate import append
from hrm.edits import Change
from hrm.readings import reading_path
from hrm.worklist.plan import WorklistPlan, write_plan
from hrm.worklist.results import Results
from hrm.worklist.studies import Study, find_studies

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "review"
PLAN = WorklistPlan(("AB", "CD"), adjudicator="EF", double=True, seed=7)
SIGN = Change("study", "signed_off", new=True)
KINDS = ("normal", "achalasia_type_2", "normal", "achalasia_type_1", "normal", "normal")
SIZE = {"width": 1360, "height": 800}


def recordings(folder: Path) -> None:
    """Write six phantoms, and who reads them."""
    for seed, kind in enumerate(KINDS):
        made = phantom.draw(kind, seed=seed, n_supine=5, n_upright=0)
        recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=50.0, seed=seed)
        phantom.write_manoview(recording, folder / f"recording_{seed}.txt")
    (folder / "settings.toml").write_text('[defaults]\nsystem = "manoscan"\nposture = "supine"\n')
    write_plan(PLAN, folder)


def sign(folder: Path, study: Study, reader: str, *changes: Change) -> None:
    """Sign a study as a reader, with changes."""
    path = reading_path(study.sha256, folder, reader)
    append(path, *changes, SIGN, sha256=study.sha256, reader=reader, reason="read")


def apart(folder: Path, study: Study) -> list[Change]:
    """What the second reader sees otherwise: a swallow that does not count, and a border."""
    found = Results(folder).of(study, None)
    onset = found["swallows"][1]["onset_s"]
    name = f"swallow@{round(onset, 2):.2f}"
    upper = round(found["landmarks"]["les_upper_cm"] + 0.6, 1)
    return [
        Change("landmarks", "les_upper_cm", upper),
        Change(name, "include", new=False),
        Change(name, "comment", "a double swallow"),
    ]


@contextlib.contextmanager
def worklist(folder: Path, reader: str, *options: str) -> Iterator[Page]:
    """Open the list of a reader."""
    command = [sys.executable, "-m", "hrm", "worklist", str(folder), "--serve", "--no-browser"]
    said = ["--reader", reader] if reader else []
    with (
        sync_playwright() as playwright,
        subprocess.Popen(  # noqa: S603 - arguments of our own
            [*command, *said, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        link = None
        for line in server.stderr or ():
            if link := re.search(r"http://\S+token=\S+", line):
                break
        if link is None:
            raise SystemExit("hrm worklist printed no link")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(link[0])
        page.wait_for_function("() => document.documentElement.dataset.ready === 'yes'")
        yield page
        browser.close()
        server.terminate()


def drawn(page: Page) -> None:
    """Wait until a study is drawn."""
    page.wait_for_function("() => window.hrmViewer && window.hrmViewer.drawn.complete")
    page.wait_for_timeout(800)


def keep(page: Page, name: str, height: int = SIZE["height"]) -> None:
    """Keep what the page shows, down to a height, as a small picture."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.crop((0, 0, SIZE["width"], height)).save(OUT / f"{name}.webp", quality=75, method=6)


def main() -> None:
    """Take all pictures."""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings(folder)
        studies = find_studies(folder, PLAN)
        for study in studies[:3]:
            sign(folder, study, "AB")
        with worklist(folder, "AB", "--blinded") as page:
            keep(page, "list", height=370)
            page.locator("#next").click()
            drawn(page)
            keep(page, "study")
        for study in studies[:3]:
            sign(folder, study, "CD", *(apart(folder, study) if study is studies[0] else ()))
        with worklist(folder, "EF", "--blinded") as page:
            page.wait_for_function(
                "() => !document.querySelector('#rows .comparing')", timeout=60_000
            )
            page.locator("#rows th a").first.click()
            drawn(page)
            page.locator("#readings tr.differs").first.wait_for(timeout=60_000)
            keep(page, "adjudication")
        with worklist(folder, "") as page:
            page.wait_for_function(
                "() => !document.querySelector('#rows .comparing')", timeout=60_000
            )
            keep(page, "coordinator", height=370)


if __name__ == "__main__":
    main()
