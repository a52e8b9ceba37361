"""Real Chromium in front of a real server, each started for the test and ended after it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SIZE = {"width": 1280, "height": 720}
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\S+")
#: Seconds that a server may take to start on a machine that is busy.
PATIENCE_MS = 60_000

MANOVIEW = [
    "manoview_36ch_normal.txt",
    *("--system", "manoscan", "--posture", "supine"),
    *("--swallows", str(EXAMPLES / "manoview_36ch_normal.swallows.csv")),
]
MMS = [
    "mms_22ch_type_2.csv",
    *("--catheter", "CE4-0062", "--system", "mms_wp"),
    *("--irp-limit", "irp4s.mms_wp.supine.v4.bra"),
    *("--swallows", str(EXAMPLES / "mms_22ch_type_2.swallows.csv")),
]


@dataclass
class Opened:
    """A page with a study, and where its review log is."""

    page: Page
    folder: Path
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def log(self):
        """The review log; there is one after the first edit."""
        (found,) = self.folder.glob("*.review.jsonl")
        return found

    def settle(self):
        """Wait until every tile is there and drawn."""
        # What is asked for now is drawn in the next frame: until then the old picture is complete.
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        self.page.wait_for_function(
            "() => window.hrmViewer.settled() && window.hrmViewer.drawn.complete"
        )

    def confirmed(self):
        """Wait until everything is answered and no draft is shown."""
        self.page.wait_for_timeout(50)
        self.page.wait_for_function("() => window.hrmViewer.idle()")


@pytest.fixture(scope="session")
def chromium():
    # Plain `make test` reads this file too, and does not install a browser.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to work for root, as whom containers run.
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if root else []
        )
        yield browser
        browser.close()


@contextmanager
def served(arguments, folder):
    """Run ``hrm view`` as a user would; give the link that it prints."""
    command = [sys.executable, "-m", "hrm", "view", *arguments, "--no-browser"]
    with subprocess.Popen(
        [*command, "--review-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        lines = []
        for line in server.stderr:
            lines.append(line)
            if found := LINK.search(line):
                break
        else:
            raise AssertionError("".join(lines))
        try:
            yield found[0]
        finally:
            server.terminate()


@pytest.fixture
def opening(chromium, tmp_path):
    """A function that opens a study in a browser of its own."""
    open_ones = []

    @contextmanager
    def opened(arguments=MANOVIEW, *, reader="AB", **context):
        name, *options = arguments
        file = name if Path(name).is_absolute() else str(EXAMPLES / name)
        given = [file, *options, *(["--reviewer", reader] if reader else [])]
        with served(given, tmp_path) as link:
            place = chromium.new_context(**{"viewport": SIZE, **context})
            page = place.new_page()
            page.set_default_timeout(PATIENCE_MS)
            one = Opened(page, tmp_path)
            open_ones.append(one)
            page.on("pageerror", lambda fault: one.faults.append(str(fault)))
            page.on("console", lambda m: one.faults.append(m.text) if m.type == "error" else None)
            page.on("request", lambda request: one.requests.append(request.url))
            page.goto(link)
            page.wait_for_function("() => document.documentElement.dataset.ready")
            try:
                yield one
            finally:
                place.close()

    yield opened
    for one in open_ones:
        assert one.faults == []


@pytest.fixture
def study(opening):
    """The bundled ManoView study, drawn."""
    with opening() as one:
        one.settle()
        yield one
