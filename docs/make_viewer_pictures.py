"""Take the pictures of docs/viewer.md and README.md from the bundled studies in a real browser.

Run it in the repository after ``make test-browser``, which installs what it needs:
``.venv/bin/python docs/make_viewer_pictures.py``.
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

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "viewer"
MANOVIEW = [
    "manoview_36ch_normal.txt",
    *("--system", "manoscan", "--posture", "supine"),
    *("--swallows", "examples/manoview_36ch_normal.swallows.csv"),
]
MMS = [
    "mms_22ch_type_2.csv",
    *("--catheter", "CE4-0062", "--system", "mms_wp"),
    *("--irp-limit", "irp4s.mms_wp.supine.v4.bra"),
    *("--swallows", "examples/mms_22ch_type_2.swallows.csv"),
]
#: What the numbers in the first picture stand beside.
CALLOUTS = [
    "#strip",
    "[data-window='30']",
    "g[data-field='les_upper_cm'] text",
    "g.onset .plate",
    "#legend",
    "g.point circle",
    "#swallow-head",
    "#diagnosis .label",
    "#system",
    "#undo",
]
BADGES = """(selectors) => selectors.forEach((selector, index) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  const badge = document.createElement('div');
  badge.textContent = index + 1;
  Object.assign(badge.style, {
    position: 'fixed', zIndex: 9, width: '22px', height: '22px', borderRadius: '11px',
    background: '#c2185b', color: 'white', font: 'bold 13px sans-serif', lineHeight: '22px',
    textAlign: 'center', border: '1px solid white',
    left: `${Math.max(2, box.left - 14)}px`, top: `${Math.max(2, box.top - 12)}px`,
  });
  document.body.append(badge);
})"""


@contextlib.contextmanager
def study(arguments: list[str], scheme: str) -> Iterator[Page]:
    """Open a bundled study as ``hrm view`` does, and wait until it is drawn."""
    name, *options = arguments
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "hrm", "view", f"examples/{name}", *options]
        own = ["--no-browser", "--reviewer", "AB", "--review-dir", folder]
        with subprocess.Popen(  # noqa: S603 - arguments of our own
            [*command, *own],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            found = re.search(r"http://\S+token=\S+", "".join(iter_until_link(server.stderr)))
            if found is None:
                raise SystemExit("hrm view printed no link")
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1360, "height": 800}, color_scheme=scheme)
            page.goto(found[0])
            page.wait_for_function("() => window.hrmViewer.drawn.complete")
            page.wait_for_timeout(800)
            yield page
            browser.close()
            server.terminate()


def iter_until_link(stream: object) -> Iterator[str]:
    """Lines up to the one with the link."""
    for line in stream:  # type: ignore[attr-defined]
        yield line
        if "token=" in line:
            return


def keep(page: Page, name: str) -> None:
    """Save what is on the screen, small."""
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").save(OUT / f"{name}.webp", quality=75, method=6)


def main() -> None:
    """Take all pictures."""
    OUT.mkdir(exist_ok=True)
    with study(MANOVIEW, "light") as page:
        keep(page, "tracing")
        page.evaluate(BADGES, CALLOUTS)
        keep(page, "overview")
    with study(MANOVIEW, "light") as page:
        line = page.locator("g[data-field='les_upper_cm'] line.stroke").bounding_box()
        page.mouse.move(500, line["y"])
        page.mouse.down()
        page.mouse.move(500, line["y"] - 45, steps=6)
        page.wait_for_timeout(800)
        keep(page, "drag")
        page.mouse.up()
    with study(MMS, "dark") as page:
        page.keyboard.press("2")
        page.locator("button.explain").first.click()
        page.locator("#explain dl").wait_for()
        keep(page, "explain")


if __name__ == "__main__":
    main()
