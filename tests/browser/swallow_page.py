"""What holds for one swallow alone, the edges of a test, drift and stability, in the browser."""

import pytest
from playwright.sync_api import expect

import hrm
from hrm import phantom
from tests.browser.page import analyzed, cell, drag, marks, same_numbers, shown, slider


def own(one, number):
    """What a reader set for one swallow alone."""
    return marks(one)["swallows"][number - 1]["own"]


def test_a_border_dragged_for_one_swallow_is_that_of_this_swallow_alone(study):
    before = shown(study)["swallows"]
    study.page.get_by_role("button", name="One swallow").click()
    name = "LES upper border of swallow 1"
    line = study.page.locator(f"g[aria-label='{name}'] line.stroke").bounding_box()
    # The line is as long as the window of its swallow, not as the picture.
    assert line["width"] < 500
    drag(study, name, -24, x=line["x"] + 20)
    study.confirmed()
    assert own(study, 1) == ["les_upper_cm"]
    engine = analyzed(study.log)
    same_numbers(shown(study), engine)
    after = engine["swallows"]
    assert after[0]["irp4s_mmhg"] != before[0]["irp4s_mmhg"]
    assert [row["irp4s_mmhg"] for row in after[1:]] == [row["irp4s_mmhg"] for row in before[1:]]
    study.page.keyboard.press("n")
    expect(slider(study, "LES upper border of swallow 2")).to_be_visible()
    study.page.keyboard.press("s")
    expect(slider(study, "LES upper border")).to_be_visible()
    study.page.keyboard.press("p")
    expect(study.page.locator("#boxes .own-border")).to_have_count(1)
    study.page.keyboard.press("Control+z")
    study.confirmed()
    assert own(study, 1) == []
    assert shown(study)["swallows"] == before


def test_the_contour_of_the_front_is_moved_on_the_color_scale(study):
    level = slider(study, "Contour of the wavefront, of the selected swallow")
    expect(level).to_have_attribute("aria-valuenow", "30.00")
    before = shown(study)["swallows"]
    box = level.locator("rect").bounding_box()
    x, y = box["x"] + 12, box["y"] + 8
    study.page.mouse.move(x, y)
    study.page.mouse.down()
    study.page.mouse.move(x, y - 40, steps=5)
    study.page.mouse.up()
    study.confirmed()
    assert own(study, 1) == ["contour_mmhg"]
    same_numbers(shown(study), analyzed(study.log))
    after = shown(study)["swallows"]
    assert after[0]["distal_latency_s"] != before[0]["distal_latency_s"]
    assert after[1:] == before[1:]
    expect(study.page.locator("#level-values")).to_contain_text("✎")
    level.focus()
    study.page.keyboard.press("Delete")
    study.page.wait_for_function("() => window.hrmViewer.state.marks.swallows[0].own.length === 0")
    assert shown(study)["swallows"] == before


def test_stability_is_told_when_it_is_asked_for(study):
    study.page.get_by_role("button", name="How firm is it?").click()
    sentence = study.page.locator("#diagnosis .sure").first
    expect(sentence).to_contain_text("of 500 perturbed readings")
    drag(study, "LES upper border", 12)
    study.confirmed()
    expect(sentence).not_to_contain_text("perturbed")


@pytest.fixture
def tested(tmp_path):
    """A native file with three single swallows, rapid swallows and a known linear drift."""
    rapid = phantom.Provocation(mrs_runs=1)
    made = phantom.draw("normal", seed=6, n_supine=3, n_upright=0, provocation=rapid)
    file = tmp_path / "study.h5"
    sampled = phantom.sample(made, sampling_rate=25.0, drift_mmhg=12.0, drift_course="linear")
    hrm.write_native(sampled, file)
    return file


def blocks(one):
    return [
        (run["swallows"][0], run["swallows"][-1])
        for run in (shown(one)["provocation"]["mrs"] or {"runs": []})["runs"]
    ]


def test_the_edge_of_a_test_says_which_swallows_belong_to_it(opening, tested):
    with opening([str(tested), "--system", "manoscan", "--posture", "supine"]) as one:
        one.settle()
        ((first, last),) = blocks(one)
        assert last - first >= 3
        rows = shown(one)["swallows"]
        one.page.get_by_role("button", name=f"Show swallow {first}").click()
        end = slider(one, "End of the test: mrs")
        end.focus()
        one.page.keyboard.press("ArrowLeft")
        one.page.keyboard.press("Enter")
        one.confirmed()
        assert blocks(one) == [(first, last - 1)]
        assert shown(one)["swallows"][last - 1]["protocol"] == "single"
        # Drawn anew with the next frame, not with the answer.
        now = f"{rows[last - 2]['onset_s']:.2f}"
        expect(end).to_have_attribute("aria-valuenow", now)
        # By the mouse over it again.
        line = slider(one, "End of the test: mrs").locator("line.stroke").bounding_box()
        view = one.page.evaluate("() => window.hrmViewer.state.view")
        width = one.page.locator("#picture").bounding_box()["width"]
        gap = rows[last - 1]["onset_s"] - rows[last - 2]["onset_s"]
        by = (gap + 0.5) * width / (view["end"] - view["start"])
        one.page.mouse.move(line["x"], line["y"] + 8)
        one.page.mouse.down()
        one.page.mouse.move(line["x"] + by, line["y"] + 8)
        # Let go of after the draft was answered: its rows must not count as kept.
        one.page.wait_for_function("() => window.hrmViewer.state.draft")
        one.page.mouse.up()
        one.confirmed()
        assert blocks(one) == [(first, last)]
        one.page.keyboard.press("Control+z")
        one.confirmed()
        assert blocks(one) == [(first, last - 1)]


def test_a_drift_correction_is_taken_back_and_made_again(opening, tested):
    with opening([str(tested), "--system", "manoscan", "--posture", "supine"]) as one:
        one.settle()
        before = shown(one)
        assert before["quality"]["drift"]["mode"] == "linear"
        one.page.locator("#drift-switch").click()
        one.page.wait_for_function(
            "() => window.hrmViewer.state.result.quality.drift.mode === 'none'"
        )
        raw = hrm.analyze(
            hrm.open_recording(tested),
            system="manoscan",
            posture="supine",
            parameters={"drift.mode": "none"},
        )
        same_numbers(shown(one), hrm.to_dict(raw))
        one.page.get_by_role("button", name="Correct the drift").click()
        one.page.wait_for_function(
            "() => window.hrmViewer.state.result.quality.drift.mode === 'linear'"
        )
        assert shown(one)["swallows"] == before["swallows"]
        assert cell(one, 1, "irp4s_mmhg").count() == 1
