"""Drive the viewer in Chromium, and hold what was measured against what was set out for.

    python benchmarks/bench_viewer.py [--runs 5] [--chromium /usr/bin/chromium] [--file FILE]

Half an hour of 36 sensors at 100 Hz with 13 swallows: a phantom with rest put between them.
Needs the packages of the extra `viewer`, Playwright and Chromium. Each run starts a new server
and a new browser; medians. Read them with the load of the machine, which is printed.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import hrm
from hrm import phantom
from hrm.io import write_native

RATE_HZ, SECONDS = 100, 1800
#: What was set out for, in the unit of each row; None where nothing was.
WANTED = {
    "server ready: first page [s]": 2.5,
    "study measured [s]": None,
    "first useful picture [ms]": 600,
    "first load [MB]": 1.0,
    "zoom to refined image [ms]": 60,
    "onset: drag to result [ms]": 50,
    "onset: updates per second": 20,
    "LES border: drag to result [ms]": 50,
    "LES border: updates per second": 20,
    "LES border, one way 1 cm/s: drag to result [ms]": 50,
    "LES border, one way 1 cm/s: updates per second": 20,
    "LES border, one way 4 cm/s: drag to result [ms]": None,
    "LES border, one way 4 cm/s: updates per second": None,
    "memory of the server [MB]": 500,
}
DRAG_S = 2.5
#: A hand is over a handle for a while before it presses; the viewer measures ahead by then.
AIMING_MS = 250
#: Where a hand is, by the seconds that it drags: around a place, or on to where it never was [px].
AROUND = "6 * Math.sin(5 * spent)"
ONE_WAY = "-{} * spent"


def half_hour(path):
    """Write a phantom with rest between its swallows, as long as a study is."""
    made = phantom.sample(phantom.draw("normal", seed=1, n_upright=3), sampling_rate=RATE_HZ)
    node = made["pressure"].to_dataset()
    values = node["pressure"].values
    found = hrm.to_dict(hrm.analyze(made, system="manoscan"))
    rest = found["study"]["baseline"]
    quiet = values[:, int(rest["start_s"] * RATE_HZ) : int(rest["stop_s"] * RATE_HZ)]
    onsets = [row["onset_s"] for row in found["swallows"]]
    wanted = SECONDS * RATE_HZ
    share = (wanted - values.shape[1]) // len(onsets)
    # Forward and back again, so that nothing jumps.
    loop = np.concatenate([quiet, quiet[:, ::-1]] * (share // (2 * quiet.shape[1]) + 1), axis=1)
    parts, last = [], 0
    for onset in onsets:
        at = int((onset - 6) * RATE_HZ)
        parts += [values[:, last:at], loop[:, :share]]
        last = at
    whole = np.concatenate([*parts, values[:, last:]], axis=1)
    whole = np.concatenate([whole, loop[:, : wanted - whole.shape[1]]], axis=1)
    depth = node["depth"].values
    write_native(hrm.make_recording(whole.T, sampling_rate=RATE_HZ, depth=depth), path)


def started(file, folder):
    """Start a server; give the process, its link and the time that it took [s]."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "hrm", "view", file, "--system", "manoscan"]
    command += ["--review-dir", folder, "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (link := re.search(r"https?://\S+", line := process.stderr.readline())):
        if not line:
            raise RuntimeError("the viewer did not start")
    return process, link[0], time.perf_counter() - began


def memory(process):
    """Greatest resident memory so far [MB]."""
    text = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


#: Moves of a hand, thirty a second, each before the page draws it, as a browser hands them
#: over; Playwright itself makes about twenty.
MOVING = """(handle, [x, y, along, seconds]) => new Promise((done) => {
  const path = (spent) => PATH;
  const latencies = window.hrmViewer.latencies;
  latencies.length = 0;
  const began = performance.now();
  const move = () => {
    const spent = (performance.now() - began) / 1000;
    if (spent > seconds) return done([...latencies]);
    const shift = path(spent);
    const at = { clientX: x + (along === "x" ? shift : 0), clientY: y + (along === "y" ? shift : 0) };
    handle.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, buttons: 1, ...at }));
    setTimeout(() => requestAnimationFrame(() => setTimeout(move)), 20);
  };
  move();
})"""


def drag(page, handle, along, path=AROUND):
    """Drag a handle for a while; give latencies [ms] and updates per second."""
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.wait_for_timeout(AIMING_MS)
    page.mouse.down()
    seen = handle.evaluate(MOVING.replace("PATH", path), [x, y, along, DRAG_S])
    # Back where it was, so that the next drag begins with the same study.
    page.mouse.move(x, y)
    page.mouse.up()
    page.wait_for_timeout(1500)
    return statistics.median(seen) if seen else float("nan"), len(seen) / DRAG_S


#: Height of a centimeter of the catheter: the picture shows all of it.
PIXELS_OF_CM = """() => {
  const depths = window.hrmViewer.state.study.depth_cm;
  return document.querySelector("#picture").clientHeight / (depths.at(-1) - depths[0]);
}"""
REFINED = "() => window.hrmViewer.drawn.complete && window.hrmViewer.settled()"


def zoomed(page):
    """Zoom in by the wheel, ten times; median time until the image is refined [ms]."""
    box = page.locator("#picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen = []
    for k in range(10):
        page.evaluate("() => { window.hrmViewer.drawn.complete = false }")
        began = time.perf_counter()
        page.mouse.wheel(0, 240 if k < 5 else -240)
        page.wait_for_function(REFINED, polling="raf")
        seen.append((time.perf_counter() - began) * 1000)
    return statistics.median(seen)


def one_run(browser, file, folder):
    """Measure everything once."""
    process, link, listening = started(file, folder)
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        loaded = []

        def noted(answer):  # Playwright cannot take a method of a list
            loaded.append(answer)

        page.on("response", noted)
        began = time.perf_counter()
        with page.expect_response("**/api/study") as study:
            page.goto(link, wait_until="commit")
            served = time.perf_counter()
        study.value.finished()
        answered = time.perf_counter()
        page.wait_for_function(REFINED, polling="raf")
        drawn = time.perf_counter()
        sizes = [answer.request.sizes() for answer in loaded if answer.status == 200]
        total = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
        row = {
            "server ready: first page [s]": listening + served - began,
            "study measured [s]": listening + answered - began,
            "first useful picture [ms]": (drawn - answered) * 1000,
            "first load [MB]": total / 1e6,
            "zoom to refined image [ms]": zoomed(page),
        }
        page.reload()
        page.wait_for_function(REFINED, polling="raf")
        page.wait_for_selector("html[data-connected]")
        border = "[data-field=les_upper_cm][role=slider]"
        cm = page.evaluate(PIXELS_OF_CM)
        for name, selector, along, path in (
            ("onset", ".mark.onset[role=slider]", "x", AROUND),
            ("LES border", border, "y", AROUND),
            ("LES border, one way 1 cm/s", border, "y", ONE_WAY.format(cm)),
            ("LES border, one way 4 cm/s", border, "y", ONE_WAY.format(4 * cm)),
        ):
            latency, rate = drag(page, page.locator(selector).first, along, path)
            row[f"{name}: drag to result [ms]"] = latency
            row[f"{name}: updates per second"] = rate
        row["memory of the server [MB]"] = memory(process)
        page.close()
        return row
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        file = given.file or folder / "half-hour.h5"
        if given.file is None:
            half_hour(file)
        rows = []
        for _ in range(given.runs + 1):
            options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=given.chromium, args=options)
            rows.append(one_run(browser, file, folder))
            browser.close()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {given.runs} runs")
    for name, bound in WANTED.items():
        # The first run warms files and kernels up.
        seen = [row[name] for row in rows[1:]]
        value = statistics.median(seen)
        said = f"{name:48}{value:9.4g}  ({f'{min(seen):.4g} to {max(seen):.4g}':>18})"
        if bound is not None:
            good = value >= bound if "per second" in name else value <= bound
            said += f"  wanted {bound:g}  {'yes' if good else 'NO'}"
        print(said)


if __name__ == "__main__":
    main()
