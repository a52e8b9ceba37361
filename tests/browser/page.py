"""The viewer's page in a real browser: the slow tests, run by ``make test-browser``."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.interpolate import PchipInterpolator

import hrm
from hrm.plot import colors
from tests.browser.conftest import EXAMPLES, MANOVIEW, MMS, ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
MODULE = "(...given) => import('/static/{}.js').then((module) => ({})(module, ...given))"


def analyzed(review=None):
    """What the Python interface gives for the bundled study with a review log."""
    study = hrm.open_recording(EXAMPLES / MANOVIEW[0])
    with (EXAMPLES / "manoview_36ch_normal.swallows.csv").open() as table:
        rows = [{**row, "onset_s": float(row["onset_s"])} for row in csv.DictReader(table)]
    rows = [{key: value for key, value in row.items() if value} for row in rows]
    options = {"system": "manoscan", "posture": "supine", "swallows": rows}
    return hrm.to_dict(hrm.analyze(study, **options, review=review))


def shown(one):
    """What the page holds as its result."""
    return one.page.evaluate("() => window.hrmViewer.state.result")


def view(one):
    return one.page.evaluate("() => window.hrmViewer.state.view")


def marks(one):
    return one.page.evaluate("() => window.hrmViewer.state.marks")


def same_numbers(page, engine):
    """Everything measured and concluded is equal, to the last digit."""
    for block in ("swallows", "study", "landmarks", "egj", "ues", "classification"):
        assert page[block] == json.loads(json.dumps(engine[block])), block


def slider(one, name):
    return one.page.get_by_role("slider", name=name, exact=True)


def drag(one, name, by, *, x=600, beside=0, release=True):
    """Take a horizontal line at x, or beside it, and pull it down by some pixels."""
    line = one.page.locator(f"g[aria-label='{name}'] line.stroke")
    y = line.bounding_box()["y"] + beside
    mouse = one.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 6):
        mouse.move(x, y + by * step / 5)
        one.page.wait_for_timeout(30)
    if release:
        mouse.up()


def cell(one, swallow, metric):
    row = one.page.locator("#swallow-rows tr").nth(swallow - 1)
    return row.locator(f"[data-metric='{metric}']")


def test_bundled_study_is_drawn_and_says_what_the_engine_says(study):
    same_numbers(shown(study), analyzed())
    expect(study.page.locator("#diagnosis .label").first).to_have_text("Normal esophageal motility")
    colors_seen = study.page.evaluate(
        """() => {
          const field = document.getElementById('field');
          const pixels = field.getContext('2d').getImageData(0, 0, field.width, field.height).data;
          const seen = new Set();
          for (let i = 0; i < pixels.length; i += 404) seen.add(pixels.slice(i, i + 3).join());
          return seen.size;
        }"""
    )
    assert colors_seen > 200
    assert study.page.title() == "hrm"


def test_mms_study(opening):
    with opening(MMS) as one:
        one.settle()
        expect(one.page.locator("#diagnosis .label").first).to_have_text("Achalasia type II")
        expect(one.page.locator("#swallow-rows tr")).to_have_count(8)
        expect(cell(one, 1, "irp4s_mmhg")).to_contain_text("27.2 ▲")


def test_pan_and_zoom_by_mouse_keys_and_buttons(study):
    box = study.page.locator("#picture").bounding_box()
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.25 * box["height"]
    before = view(study)
    study.page.mouse.move(x, y)
    study.page.mouse.down()
    study.page.mouse.move(x - 100, y, steps=4)
    study.page.mouse.up()
    after = view(study)
    assert after["start"] > before["start"] + 2
    assert after["end"] - after["start"] == pytest.approx(before["end"] - before["start"])
    study.page.mouse.wheel(0, -300)
    study.page.wait_for_timeout(100)
    assert view(study)["end"] - view(study)["start"] < 0.8 * (after["end"] - after["start"])
    study.page.get_by_role("button", name="2 min").click()
    assert view(study)["end"] - view(study)["start"] == pytest.approx(120)
    study.settle()
    study.page.keyboard.press("Home")
    assert view(study)["start"] == 0
    study.page.keyboard.press("0")
    assert view(study)["end"] == pytest.approx(140.13)
    study.page.keyboard.press("1")
    assert view(study)["end"] - view(study)["start"] == pytest.approx(30)


def test_rescaling_asks_the_server_for_nothing(study):
    count = len(study.requests)
    before = study.page.locator("#field").screenshot()
    study.page.get_by_label("Colors").select_option("cividis")
    study.page.get_by_label("Highest color, mmHg").fill("90")
    study.page.keyboard.press("Tab")
    study.page.keyboard.press("Escape")
    study.page.get_by_role("button", name="20", exact=True).click()
    study.page.wait_for_timeout(200)
    assert study.page.locator("#field").screenshot() != before
    assert len(study.requests) == count


def test_dragged_les_border_gives_what_python_gives(study):
    before = shown(study)["swallows"][0]["irp4s_mmhg"]
    words = cell(study, 1, "irp4s_mmhg").inner_text()
    drag(study, "LES upper border", -30, release=False)
    study.page.wait_for_function("() => window.hrmViewer.state.draft")
    assert not list(study.folder.glob("*.jsonl"))
    # While the hand still holds it, the table has followed.
    expect(cell(study, 1, "irp4s_mmhg")).not_to_have_text(words)
    study.page.mouse.up()
    study.confirmed()
    engine = analyzed(study.log)
    assert engine["swallows"][0]["irp4s_mmhg"] != before
    border = engine["landmarks"]["les_upper_cm"]
    assert border == pytest.approx(marks(study)["study"]["les_upper_cm"]["value"])
    same_numbers(shown(study), engine)
    expect(cell(study, 1, "irp4s_mmhg")).to_contain_text(
        f"{engine['swallows'][0]['irp4s_mmhg']:.1f}"
    )
    expect(slider(study, "LES upper border")).to_have_attribute("aria-valuenow", f"{border:.2f}")
    # One line in the log, however many positions were passed.
    assert len(study.log.read_text().splitlines()) == 1


@pytest.mark.parametrize("x", [100, 333, 601, 604, 607, 610, 613, 616])
def test_dashed_line_is_grabbed_everywhere(study, x):
    before = marks(study)["study"]["transition_zone_cm"]["value"]
    # Beyond the line itself: only what lies under it, unseen, can be hit there.
    drag(study, "Transition zone", 24, x=x, beside=5)
    study.confirmed()
    assert marks(study)["study"]["transition_zone_cm"]["value"] > before + 1


def test_escape_gives_a_drag_up(study):
    before = shown(study)
    drag(study, "LES lower border", 20, release=False)
    study.page.wait_for_function("() => window.hrmViewer.state.draft")
    study.page.keyboard.press("Escape")
    study.page.mouse.up()
    study.page.wait_for_timeout(700)
    assert shown(study) == before
    assert not list(study.folder.glob("*.jsonl"))


def test_answer_to_a_drag_that_was_given_up_is_not_lost_on_the_page(study):
    # The server takes it for known, and does not send the same rows again.
    study.page.evaluate(
        """async () => {
          const live = await import('/static/live.js');
          const edits = [{ object: 'landmarks', field: 'les_upper_cm', new: 26.5 }];
          live.draft(edits);
          await new Promise(requestAnimationFrame);
          await new Promise(requestAnimationFrame);
          live.abandon();
          await new Promise((done) => setTimeout(done, 1500));
          live.commit(edits);
        }"""
    )
    study.confirmed()
    same_numbers(shown(study), analyzed(study.log))


def test_exclude_with_a_reason_then_undo_and_redo(study):
    study.page.get_by_role("button", name="Exclude swallow 2").click()
    study.page.get_by_label("Reason").fill("double swallow")
    study.page.get_by_role("button", name="Exclude", exact=True).click()
    row = study.page.locator("#swallow-rows tr").nth(1)
    expect(row).to_contain_text("excluded by reader (double swallow)")
    expect(study.page.locator("tr[data-name='Evaluable swallows']")).to_contain_text("2 of 3")
    same_numbers(shown(study), analyzed(study.log))
    assert "double swallow" in study.log.read_text()
    study.page.keyboard.press("Control+z")
    expect(row).not_to_contain_text("excluded by reader")
    assert shown(study)["study"] == analyzed()["study"]
    study.page.keyboard.press("Control+y")
    expect(row).to_contain_text("excluded by reader")


def test_nothing_is_excluded_without_a_reason(study):
    study.page.get_by_role("button", name="Exclude swallow 2").click()
    study.page.get_by_label("Reason").fill("  ")
    study.page.get_by_role("button", name="Exclude", exact=True).click()
    expect(study.page.get_by_role("dialog")).to_be_visible()
    study.page.keyboard.press("Escape")
    expect(study.page.locator("#swallow-rows tr.excluded")).to_have_count(0)


def test_what_a_reader_set_is_marked_with_what_it_was(study):
    onset = study.page.locator("#swallow-rows tr").nth(1).locator("td").first
    before = onset.inner_text()
    study.page.get_by_role("button", name="Edit swallow 2").click()
    field = study.page.get_by_label("Onset, s from the start")
    field.fill(f"{float(field.input_value()) + 0.4:.2f}")
    study.page.get_by_label("Reason").fill("later")
    study.page.get_by_role("button", name="Keep", exact=True).click()
    expect(onset).to_contain_text("✎")
    expect(onset).to_have_attribute("title", f"set by the reader (later); before: {before}")


def test_an_open_explanation_follows_the_study(study):
    study.page.locator("[data-metric=irp4s_mmhg] button").first.click()
    value = study.page.locator("#explain dd").first
    before = value.inner_text()
    les = slider(study, "LES upper border")
    les.focus()
    les.press("Shift+ArrowUp")
    study.page.keyboard.press("Enter")
    expect(value).not_to_have_text(before)
    assert float(value.inner_text().split()[0]) == pytest.approx(
        shown(study)["swallows"][0]["irp4s_mmhg"], abs=0.001
    )
    # Wherever the keyboard is.
    expect(les).to_be_focused()
    study.page.keyboard.press("Escape")
    expect(study.page.locator("#explain")).to_be_hidden()
    expect(les).to_be_focused()


def test_an_explanation_stays_with_its_swallow_and_goes_with_it(study):
    def explained():
        return study.page.locator("#explain strong").inner_text()

    study.page.get_by_role("button", name="Add swallow").click()
    study.page.get_by_label("Onset, s from the start").fill("100")
    study.page.get_by_role("button", name="Add", exact=True).click()
    expect(study.page.locator("#swallow-rows tr")).to_have_count(4)
    rows = marks(study)["swallows"]
    added = next(row["number"] for row in rows if row["key"] == "swallow@100.00")
    cell(study, added, "dci_mmhg_s_cm").locator("button").click()
    study.page.wait_for_selector("#explain strong")
    assert f"swallow {added}" in explained().lower()
    study.page.get_by_role("button", name="Undo").click()
    expect(study.page.locator("#explain")).to_be_hidden()


def test_short_names_of_columns_are_said_in_full(study):
    for name in ("Integrated relaxation pressure, 4 s [mmHg]", "Pressurization of the esophagus"):
        head = study.page.get_by_role("columnheader", name=name, exact=True)
        expect(head).to_have_attribute("title", name)


def test_numbers_beyond_a_limit_are_marked_in_every_posture(opening):
    with opening([*MANOVIEW, "--system", "mms_wp"]) as one:
        one.settle()
        rows = one.page.evaluate("() => window.hrmViewer.state.marks.swallows")
        for k, row in enumerate(rows):
            cell = one.page.locator("#swallow-rows tr").nth(k).locator("[data-metric=ibp_mmhg]")
            expect(cell).to_contain_text("▲" if "ibp_mmhg" in row["beyond"] else "")


def test_a_message_that_is_up_is_not_repeated(study):
    say = "() => import('/static/dom.js').then((module) => module.toast('not there', 'fault'))"
    for _ in range(3):
        study.page.evaluate(say)
    expect(study.page.locator(".toast")).to_have_count(1)


def test_a_connection_that_is_lost_is_said_until_it_is_back(study):
    lines, away = [], []

    def through(line):
        if away:
            line.close()
        else:
            line.connect_to_server()
        lines.append(line)

    study.page.route_web_socket("**/api/live", through)
    study.page.reload()
    study.page.wait_for_selector("html[data-connected]")
    expect(study.page.locator("#problems")).to_be_hidden()
    study.page.get_by_role("button", name="Edit swallow 2").click()
    study.page.get_by_label("Comment (kept").fill("a long remark")
    away.append(True)
    lines[0].close()
    expect(study.page.locator("#problems")).to_contain_text("hrm does not answer")
    study.page.get_by_role("button", name="Keep", exact=True).click()
    expect(study.page.get_by_role("dialog")).to_contain_text("cannot be kept")
    expect(study.page.get_by_label("Comment (kept")).to_have_value("a long remark")
    away.clear()
    expect(study.page.locator("#problems")).to_be_hidden()
    study.page.get_by_role("button", name="Keep", exact=True).click()
    expect(study.page.locator("#swallow-rows tr").nth(1)).to_contain_text("a long remark")


def test_add_a_swallow_and_undo(study):
    study.page.get_by_role("button", name="Add swallow").click()
    study.page.get_by_label("Onset, s from the start").fill("100")
    study.page.get_by_role("button", name="Add", exact=True).click()
    expect(study.page.locator("#swallow-rows tr")).to_have_count(4)
    same_numbers(shown(study), analyzed(study.log))
    study.page.get_by_role("button", name="Undo").click()
    expect(study.page.locator("#swallow-rows tr")).to_have_count(3)


def test_posture_of_one_swallow(study):
    study.page.get_by_role("button", name="Edit swallow 3").click()
    study.page.get_by_role("dialog").get_by_label("Posture").select_option("upright")
    study.page.get_by_role("button", name="Keep").click()
    expect(study.page.locator("#swallow-rows tr").nth(2)).to_contain_text("upright")
    same_numbers(shown(study), analyzed(study.log))


def test_everything_by_keyboard(study):
    keyboard = study.page.keyboard
    slider(study, "LES upper border").focus()
    # Reached by Tab too: the one before it in the page leads to it.
    keyboard.press("Shift+Tab")
    keyboard.press("Tab")
    expect(slider(study, "LES upper border")).to_be_focused()
    value = marks(study)["study"]["les_upper_cm"]["value"]
    for _ in range(5):
        keyboard.press("ArrowUp")
    keyboard.press("Shift+ArrowUp")
    keyboard.press("Enter")
    study.confirmed()
    moved = marks(study)["study"]["les_upper_cm"]["value"]
    assert moved == pytest.approx(value - 1.5, abs=0.051)
    assert moved * 10 == pytest.approx(round(moved * 10), abs=1e-9)  # on the grid
    same_numbers(shown(study), analyzed(study.log))
    expect(slider(study, "LES upper border")).to_be_focused()
    keyboard.press("Delete")
    study.page.wait_for_function("() => !window.hrmViewer.state.marks.study.les_upper_cm.reviewed")
    study.page.get_by_role("button", name="Show swallow 1").focus()
    keyboard.press("n")
    expect(study.page.get_by_role("button", name="Show swallow 2")).to_have_attribute(
        "aria-pressed", "true"
    )
    study.page.locator("#swallow-rows tr").nth(1).locator("button.explain").first.focus()
    keyboard.press("Enter")
    expect(study.page.locator("#explain dl")).to_contain_text("integrated relaxation pressure")
    expect(study.page.get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Enter")
    expect(study.page.locator("#explain")).to_be_hidden()
    keyboard.press("?")
    expect(study.page.get_by_role("dialog", name="Keys")).to_be_visible()
    keyboard.press("Escape")
    expect(study.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_focus_stays_in_the_table_when_it_is_written_again(study):
    button = study.page.get_by_role("button", name="Exclude swallow 1")
    button.focus()
    study.page.evaluate(
        """() => import('/static/state.js').then((module) => module.changed('result'))"""
    )
    study.page.wait_for_timeout(100)
    expect(study.page.get_by_role("button", name="Exclude swallow 1")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opening, scheme):
    with opening(color_scheme=scheme, reduced_motion="reduce") as one:
        one.settle()

        def violations():
            # Not as a script of the page, which its policy refuses.
            one.page.evaluate(AXE.read_text(encoding="utf-8"))
            found = one.page.evaluate("() => axe.run()")["violations"]
            return [(v["id"], [n["target"] for n in v["nodes"]][:4]) for v in found]

        assert violations() == []
        one.page.locator("button.explain").first.click()
        expect(one.page.locator("#explain dl")).to_contain_text("definition")
        assert violations() == []
        one.page.get_by_role("button", name="Edit swallow 1").click()
        assert violations() == []
        one.page.keyboard.press("Escape")
        one.page.keyboard.press("?")
        assert violations() == []


def test_other_system_moves_limit_and_diagnosis(opening):
    with opening(MMS) as one:
        one.settle()
        one.page.get_by_role("textbox", name="IRP limit").fill("40")
        one.page.keyboard.press("Tab")
        expect(one.page.locator("#diagnosis li").first).to_contain_text("(rule: ≥ 40)")
        expect(one.page.locator("#diagnosis .label").first).not_to_have_text("Achalasia type II")


def test_sign_off_locks_and_reopen_unlocks(study):
    drag(study, "LES upper border", 10)
    study.confirmed()
    study.page.get_by_role("button", name="Sign off").click()
    study.page.get_by_role("dialog").get_by_role("button", name="Sign off").click()
    expect(study.page.get_by_role("button", name="Exclude swallow 1")).to_be_disabled()
    before = marks(study)
    drag(study, "LES upper border", 30)
    assert marks(study) == before
    study.page.get_by_role("button", name="Reopen").click()
    study.page.get_by_label("Reason").fill("read once more")
    study.page.get_by_role("dialog").get_by_role("button", name="Reopen").click()
    expect(study.page.get_by_role("button", name="Exclude swallow 1")).to_be_enabled()


def test_without_a_reader_the_page_says_that_nothing_is_kept(opening):
    with opening(reader=None) as one:
        one.settle()
        expect(one.page.locator("#who")).to_contain_text("not kept")
        drag(one, "LES upper border", -30)
        one.confirmed()
        assert marks(one)["study"]["les_upper_cm"]["reviewed"]
        assert not list(one.folder.glob("*.jsonl"))


def test_recording_without_a_swallow_says_what_is_missing(opening, tmp_path):
    rng = np.random.default_rng(3)
    quiet = rng.normal(5.0, 0.5, (3000, 36))
    path = tmp_path / "quiet.h5"
    hrm.write_native(hrm.make_recording(quiet, sampling_rate=50.0, depth=range(36)), path)
    with opening([str(path)]) as one:
        one.settle()
        text = one.page.locator("body").inner_text()
        assert "No swallow was found" in text or one.page.locator("#problems").is_visible()


def test_columns_are_interpolated_as_scipy_does(study):
    rng = np.random.default_rng(11)
    depths = np.cumsum(rng.uniform(0.4, 2.5, 20))
    values = rng.normal(20.0, 40.0, (30, 20)).astype(np.float32)
    values[::3, 5:9] = 7.0
    script = MODULE.format(
        "interpolate",
        """(module, [columns, depths]) => {
          const count = columns.length;
          const rows = module.rowsOf(depths, 400, depths[0], depths[depths.length - 1]);
          const out = new Float32Array(400 * count);
          module.interpolate(new Float32Array(columns.flat()), count, rows, out);
          return Array.from(out);
        }""",
    )
    found = study.page.evaluate(script, [values.tolist(), depths.tolist()])
    rows = depths[0] + (np.arange(400) + 0.5) * (depths[-1] - depths[0]) / 400
    expected = PchipInterpolator(depths, values.T.astype(float), axis=0)(rows)
    np.testing.assert_allclose(np.reshape(found, (400, 30)), expected, rtol=2e-4, atol=2e-3)


def test_rainbow_is_the_one_of_the_figures(study):
    script = MODULE.format(
        "colors",
        "(module) => Array.from({length: 161}, (_, i) => module.css('rainbow', i / 160))",
    )
    found = [[int(n) for n in text[4:-1].split()] for text in study.page.evaluate(script)]
    expected = np.asarray(colors.choose("hrm").ramp(np.linspace(0.0, 1.0, 161)))[:, :3] * 255
    np.testing.assert_allclose(found, expected, atol=3.5)


def test_contour_of_a_cone_is_a_circle(study):
    script = MODULE.format(
        "contours",
        """(module) => {
          const grid = Float32Array.from({length: 3600},
            (_, i) => 100 - Math.hypot((i % 60) - 30, Math.floor(i / 60) - 30));
          return module.segments(grid, 60, 60, 80, 1);
        }""",
    )
    points = np.reshape(study.page.evaluate(script), (-1, 2)) - 30
    np.testing.assert_allclose(np.hypot(*points.T), 20.0, atol=0.02)
    pieces = points.reshape(-1, 2, 2)
    length = np.hypot(*(pieces[:, 1] - pieces[:, 0]).T).sum()
    assert length == pytest.approx(2 * np.pi * 20, rel=0.01)


def test_read_out_is_what_was_recorded(study):
    pressure = hrm.open_recording(EXAMPLES / MANOVIEW[0])["pressure"]["pressure"]
    study.page.evaluate("() => import('/static/frame.js').then((frame) => frame.show(60, 62))")
    study.settle()
    script = MODULE.format("hover", "(module, [time, cm]) => module.pressureAt(time, cm)")
    for sensor, sample in ((7, 6053), (20, 6100), (30, 6155)):
        found = study.page.evaluate(script, [(sample + 0.5) / 100, float(pressure.depth[sensor])])
        assert not found["highest"]
        assert found["value"] == pytest.approx(float(pressure[sensor, sample]), abs=0.01)


@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(1280, 720, 1), (1920, 1080, 1.25), (3840, 2160, 2)]
)
def test_nothing_is_cut_off(opening, width, height, ratio):
    with opening(viewport={"width": width, "height": height}, device_scale_factor=ratio) as one:
        one.settle()
        sizes = one.page.evaluate(
            """() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight,
                      document.getElementById('field').width,
                      document.getElementById('field').getBoundingClientRect().width,
                      document.getElementById('table-panel').scrollWidth
                        - document.getElementById('table-panel').clientWidth]"""
        )
        assert sizes[0] <= width
        assert sizes[1] <= height
        assert sizes[2] == pytest.approx(sizes[3] * ratio, abs=1)
        assert sizes[4] <= 0


def test_page_asks_nobody_else_and_runs_nothing_inline(study):
    hosts = {Path(url).parts[1] for url in study.requests}
    assert len(hosts) == 1
    study.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.inline = true';
          document.body.append(script);
        }"""
    )
    assert study.page.evaluate("() => window.inline") is None
    study.faults.clear()  # the refusal was logged, as it should be
    assert study.page.evaluate("() => document.cookie") == ""
    assert "token" not in study.page.url


def test_first_load_is_small(study):
    size = study.page.evaluate(
        """() => performance.getEntriesByType('resource').reduce((sum, e) => sum + e.transferSize, 0)
               + performance.getEntriesByType('navigation')[0].transferSize"""
    )
    assert 0 < size < 1_000_000
