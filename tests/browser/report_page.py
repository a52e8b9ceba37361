"""A report opened from disk in a real browser that has no network: run by ``make test-browser``."""

import csv
import re
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.interpolate import PchipInterpolator

import hrm
from hrm import phantom
from hrm.report import samples, write_html, write_visits_html
from tests.browser.conftest import EXAMPLES, PATIENCE_MS, ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SIZE = {"width": 1280, "height": 900}
READY = "() => document.documentElement.dataset.ready"
COMPLETE = "() => window.hrmReport.shown.every((each) => each.drawn.complete)"
#: When the first picture was complete [ms since the page was asked for].
FIRST = """() => {
  const look = () => {
    if (window.hrmReport?.shown.every((each) => each.drawn.complete)) window.first = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""


@dataclass
class Report:
    """A page, and what it did that it must not."""

    page: object
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def settle(self):
        self.page.wait_for_timeout(60)
        self.page.wait_for_function(COMPLETE)

    def view(self, k=0):
        return self.page.evaluate(f"() => window.hrmReport.shown[{k}].state.view")

    def span(self, k=0):
        return self.view(k)["end"] - self.view(k)["start"]

    def button(self, name, k=0):
        return self.page.get_by_role("button", name=name, exact=True).nth(k)

    def picture(self, k=0):
        return self.page.locator("#picture").nth(k)

    def box(self):
        """Where the picture is, once it is in view."""
        self.picture().scroll_into_view_if_needed()
        return self.picture().bounding_box()

    def pixels(self, k=0):
        """Colors of the picture, as packed numbers."""
        return self.page.evaluate(
            """(k) => {
              const field = document.querySelectorAll('[data-tracing]')[k].shadowRoot.getElementById('field');
              const box = field.getBoundingClientRect();
              const [left, top, width, height] = [52, 22, box.width - 52 - 146, box.height - 46];
              const ratio = field.width / box.width;
              const data = field.getContext('2d').getImageData(
                left * ratio + 2, top * ratio + 2, width * ratio - 4, height * ratio - 4).data;
              return Array.from(new Uint32Array(data.buffer)).filter((_, index) => index % 37 === 0);
            }""",
            k,
        )


@pytest.fixture(scope="session")
def example():
    with (EXAMPLES / "manoview_36ch_normal.swallows.csv").open() as table:
        rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(table)]
    rows = [{**row, "onset_s": float(row["onset_s"])} for row in rows]
    recording = hrm.open_recording(EXAMPLES / "manoview_36ch_normal.txt")
    return hrm.analyze(recording, system="manoscan", swallows=rows)


@pytest.fixture(scope="session")
def file(example, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_html(example, path, reason_for_referral="Dysphagia")
    return path


@pytest.fixture(scope="session")
def visits_file(tmp_path_factory):
    def analyzed(kind, seed, catheter, **said):
        drawn = phantom.draw(kind, seed=seed, n_supine=3)
        recording = phantom.sample(drawn, sampling_rate=50.0, catheter=catheter)
        rows = phantom.swallow_table(drawn)
        return hrm.analyze(recording, system="manoscan", swallows=rows, **said)

    before = analyzed("achalasia_type_2", 3, "manoscan-36")
    clinical = {"prior_surgery": "myotomy"}
    after = analyzed("absent_contractility", 4, "manoscan-36", clinical=clinical)
    path = tmp_path_factory.mktemp("visits") / "visits.html"
    write_visits_html(before, after, path, names=("before", "after POEM"))
    return path


def told(message):
    """Whether the page has something to complain of; not of the pixels that tests read."""
    return message.type != "log" and "willReadFrequently" not in message.text


@pytest.fixture
def opening(chromium):
    """A function that opens a file as a double click does, with the network off."""
    open_ones = []

    @contextmanager
    def opened(path, **context):
        place = chromium.new_context(**{"viewport": SIZE, "offline": True, **context})
        page = place.new_page()
        page.set_default_timeout(PATIENCE_MS)
        one = Report(page)
        open_ones.append((one, path.as_uri()))
        page.on("pageerror", lambda fault: one.faults.append(str(fault)))
        page.on("console", lambda m: one.faults.append(m.text) if told(m) else None)
        page.on("request", lambda request: one.requests.append(request.url))
        page.add_init_script(f"({FIRST})()")
        page.goto(path.as_uri())
        if context.get("java_script_enabled", True):
            page.wait_for_function(READY)
            one.settle()
        try:
            yield one
        finally:
            place.close()

    yield opened
    for one, address in open_ones:
        assert one.faults == []
        # Pictures within the page are no requests to anybody.
        assert [url for url in one.requests if not url.startswith("data:image/webp")] == [address]


@pytest.fixture
def report(opening, file):
    with opening(file) as one:
        yield one


def test_the_first_picture_is_there_within_a_second(opening, file):
    times = []
    for _ in range(5):
        with opening(file) as one:
            times.append(one.page.evaluate("() => window.first"))
            assert len(set(one.pixels())) > 200
    # The least: other work on the machine is not the page's.
    assert min(times) <= 1000


def test_pan_and_zoom_by_mouse_keys_and_buttons(report):
    box = report.box()
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"]
    before = report.view()
    mouse, keyboard = report.page.mouse, report.page.keyboard
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 100, y, steps=4)
    mouse.up()
    after = report.view()
    assert after["start"] > before["start"] + 2
    assert report.span() == pytest.approx(before["end"] - before["start"])
    mouse.wheel(0, -300)  # the picture has the focus now
    report.page.wait_for_timeout(100)
    assert report.span() < 25
    report.button("2 min").click()
    assert report.span() == pytest.approx(120)
    report.button("Enlarge").click()
    assert report.span() == pytest.approx(80, abs=0.1)
    report.picture().focus()
    keyboard.press("0")
    assert report.span() == pytest.approx(140.13)
    keyboard.press("1")
    keyboard.press("Home")
    assert report.view()["start"] == 0
    keyboard.press("ArrowRight")
    assert report.view()["start"] == pytest.approx(3)
    keyboard.press("+")
    assert report.span() == pytest.approx(20)
    report.settle()
    assert len(set(report.pixels())) > 100


def test_the_wheel_scrolls_the_page_unless_the_picture_has_the_focus(report):
    span = report.span()
    report.picture().hover()
    scrolled = report.page.evaluate("() => window.scrollY")
    report.page.mouse.wheel(0, 200)
    report.page.wait_for_timeout(200)
    assert report.page.evaluate("() => window.scrollY") > scrolled
    assert report.span() == span


def test_numbers_of_swallows_lead_to_the_picture(report):
    report.page.get_by_role("row").get_by_role("button", name="3", exact=True).click()
    report.settle()
    shown = report.page.evaluate("() => window.hrmReport.shown[0].state.selected")
    assert shown == "swallow 3"
    tracing = report.page.locator("[data-tracing]")
    expect(tracing.get_by_text("DCI", exact=True)).to_be_visible()
    expect(tracing.get_by_text("e-sleeve", exact=True)).to_be_visible()
    expect(tracing.get_by_text("CDP", exact=True)).to_be_visible()
    expect(
        tracing.get_by_role("img", name=re.compile("LES upper border: .*automatic"))
    ).to_be_visible()
    assert report.page.get_by_role("slider").count() == 1  # nothing but the strip is moved
    report.button("‹ Swallow").click()
    assert report.page.evaluate("() => window.hrmReport.shown[0].state.selected") == "swallow 2"


def test_read_out_is_what_was_recorded(report, example):
    pressure = example["pressure"].to_dataset()["pressure"]
    report.picture().focus()
    for _ in range(12):
        report.page.keyboard.press("+")
    report.settle()
    box = report.box()
    for x, y in ((0.3, 0.2), (0.5, 0.5), (0.6, 0.8)):
        report.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        report.page.wait_for_timeout(80)
        text = report.page.locator("#readout").inner_text()
        assert "up to" not in text
        hover = report.page.evaluate("() => window.hrmReport.shown[0].state.hover")
        near = pressure.values[:, int(hover["time"] * 100 + 1e-9)].astype(float)
        expected = PchipInterpolator(pressure["depth"].values, near)(hover["cm"])
        found = float(re.search(r"([−\d.]+) mmHg", text)[1].replace("−", "-"))
        assert found == pytest.approx(float(expected), abs=0.12)


def test_a_coarser_recording_is_drawn_without_gaps(opening, example, tmp_path, monkeypatch):
    monkeypatch.setattr("hrm.report.html._room", lambda _: 250_000)
    monkeypatch.setattr(samples, "_BEFORE_S", 2.0)
    monkeypatch.setattr(samples, "_AFTER_S", 9.0)
    write_html(example, tmp_path / "coarse.html")
    with opening(tmp_path / "coarse.html") as one:
        expect(one.page.get_by_text("from 2 s before each onset to 9 s after it")).to_be_visible()
        missing, seen = 0xFFB8B8B8, []
        one.picture().focus()
        # At every level, over swallows and between them: what is known is drawn.
        for key in ("0", *("+" * 10), *("ArrowRight",) * 6, *("-" * 10)):
            one.page.keyboard.press(key)
            one.settle()
            assert missing not in one.pixels(), one.view()
            seen.append(one.page.evaluate("() => window.hrmReport.shown[0].drawn.level"))
        assert {0, 1, 2, 3} <= set(seen)


def test_a_sensor_that_measured_nothing_is_a_gap_and_no_pressure(opening, example, tmp_path):
    gap = example.copy(deep=True)
    gap["pressure"]["pressure"].values[20] = np.nan
    write_html(gap, tmp_path / "gap.html")
    with opening(tmp_path / "gap.html") as one:
        assert 0xFFB8B8B8 in one.pixels()


def test_two_visits_move_one_by_one_on_one_scale(opening, visits_file):
    with opening(visits_file) as one:
        assert one.page.evaluate("() => window.hrmReport.shown.length") == 2
        other = one.view(1)
        one.button("All", 0).click()
        assert one.span(0) > 60
        assert one.view(1) == other
        ends = one.page.evaluate("() => window.hrmReport.shown.map((s) => s.state.study.shown_cm)")
        assert ends[0] == ends[1]
        one.settle()
        assert all(len(set(one.pixels(k))) > 100 for k in (0, 1))


def test_paper_has_pictures_and_no_controls(report):
    report.page.emulate_media(media="print")
    still = report.page.locator(".still img")
    expect(still).to_be_visible()
    assert still.evaluate("(image) => image.naturalWidth") > 1000
    expect(report.page.locator(".tracing")).to_be_hidden()
    expect(report.page.locator(".watermark")).to_be_visible()
    expect(report.page.get_by_text("PRELIMINARY not signed off by a reader")).to_be_visible()
    for heading in ("Manometric diagnosis", "Swallows", "At rest", "Limits used [row]"):
        expect(report.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    ink = report.page.evaluate("() => getComputedStyle(document.body).color")
    assert ink == "rgb(0, 0, 0)"
    wide = report.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= SIZE["width"]


def test_without_a_script_the_report_is_whole(opening, file):
    with opening(file, java_script_enabled=False) as one:
        expect(one.page.locator(".still img")).to_be_visible()
        expect(one.page.locator(".tracing")).to_be_hidden()
        expect(one.page.get_by_role("button")).to_have_count(0)
        expect(one.page.get_by_text("Normal esophageal motility").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["file", "visits_file"])
def test_no_barrier_that_axe_knows(opening, request, which, scheme):
    with opening(request.getfixturevalue(which), color_scheme=scheme) as one:
        one.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = one.page.evaluate("() => axe.run()")["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]][:4]) for v in found] == []


def test_everything_fits_a_phone(opening, file):
    size = {"width": 390, "height": 800}
    with opening(file, viewport=size, device_scale_factor=2) as one:
        assert one.page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]


def test_the_page_runs_nothing_but_its_own_script(report):
    report.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.inline = true';
          document.body.append(script);
          const image = document.createElement('img');
          image.src = 'https://example.org/a.png';
          document.body.append(image);
        }"""
    )
    report.page.wait_for_timeout(200)
    assert report.page.evaluate("() => window.inline") is None
    assert len(report.faults) == 2  # both refusals were logged, as they should be
    assert all("Content Security Policy" in fault for fault in report.faults)
    report.faults.clear()
    # A browser tells of a request that the policy then stopped.
    assert report.requests.pop() == "https://example.org/a.png"
