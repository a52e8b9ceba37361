"""The picture of an explanation: what is on it, and what is not."""

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from hrm.errors import ParameterError
from hrm.explain.text import words_of
from hrm.plot.explain import explanation_figure, save_explanation

CASES = [
    *[("tests", "irp4s", 1), ("tests", "dci", 1), ("tests", "cdp", 1), ("type II", "dci", 1)],
    *[("tests", "break", 1), ("tests", "ibp", 1), ("tests", "cfv", 1), ("noisy", "peaks", 1)],
    *[("tests", "ues_relaxation", 1), ("tests", "onset_s", 1), ("tests", "window_s", 1)],
    *[("hernia", "egj_ci_sum", None), ("hernia", "crural_diaphragm", None)],
    *[("hernia", "gastric_reference", None), ("tests", "basal_mean", None)],
    *[("tests", "rdc_pressurized_low_percent", None), ("tests", "mrs_ratio", None)],
    *[("tests", "irp4s_median_supine", None), ("bolus", "bolus_flow_time", 1)],
    *[("tests", "transit_time", 1), ("tests", "noise", None), ("tests", "dpe", None)],
    *[("type II", "distal_latency", 1), ("tests", "baseline_start", None)],
]


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize(("study_name", "metric", "swallow"), CASES)
def test_every_kind_of_evidence_can_be_drawn(explain, tmp_path, study_name, metric, swallow):
    found = explain(study_name, metric, swallow)
    save_explanation(found, words_of(found), tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_the_field_is_drawn_in_seconds_from_the_onset(explain):
    found = explain("tests", "irp4s", 1)
    figure = explanation_figure(found, words_of(found))
    field, trace = figure.axes[0], figure.axes[2]
    assert field.get_xlim() == trace.get_xlim()
    start, stop = field.get_xlim()
    assert -3.1 < start < -2.9
    assert stop > 15.0
    shown = trace.lines[0]
    np.testing.assert_allclose(
        shown.get_xdata(), found.evidence.traces[0].time - found.evidence.onset_s
    )
    made = next(line for line in trace.lines if line.get_label().startswith("made the number"))
    assert made.get_xdata().size == found.evidence.traces[0].used.sum()


def test_the_words_stand_around_the_picture(explain):
    found = explain("tests", "dci", 1)
    seen = " ".join(texts(explanation_figure(found, words_of(found))))
    for part in (
        "Distal contractile integral (swallow 1)",
        "Definition: Integral over",
        "GYA21",
        "research use only",
    ):
        assert part in seen
    assert found.study_id in seen


def left_out(axes):
    """Stretches of time that are covered as not counted."""
    covers = [patch for patch in axes.patches if patch.get_label() == "left out"]
    return sorted((box.get_x(), box.get_x() + box.get_width()) for box in covers)


def test_pale_covers_what_of_the_sleeve_does_not_count(explain):
    found = explain("tests", "irp4s", 1)
    axes = explanation_figure(found, words_of(found)).axes[0]
    trace = found.evidence.traces[0]
    half_step = 0.5 * float(trace.time[1] - trace.time[0])
    since = trace.time - found.evidence.onset_s + half_step
    covered = np.any([(a <= since) & (since < b) for a, b in left_out(axes)], axis=0)
    np.testing.assert_array_equal(covered, ~trace.used)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(names) == ["counted", "left out"]


def placed(what):
    """Where something of a figure that was drawn lies [pixels]."""
    return what.get_window_extent()


@pytest.mark.parametrize("metric", ["dci", "cdp", "cfv", "ibp", "irp4s"])
def test_the_legend_hides_no_pressure_and_no_name(explain, metric):
    found = explain("tests", metric, 1)
    figure = explanation_figure(found, words_of(found))
    figure.draw_without_rendering()
    field = figure.axes[0]
    legend = placed(field.get_legend())
    assert legend.x0 >= placed(field.patch).x1
    assert legend.x1 <= figure.bbox.x1
    names = [text for text in field.texts if text.get_text()]
    assert names
    assert not any(legend.overlaps(placed(name)) for name in names)


def test_the_box_below_the_front_does_not_look_like_the_front(explain):
    found = explain("tests", "ibp", 1)
    field = explanation_figure(found, words_of(found)).axes[0]
    front, reach = (
        next(line for line in field.lines if line.get_label().startswith(name))
        for name in ("contractile front", "reach of the box")
    )
    assert front.get_color() != reach.get_color()


def test_the_legend_of_an_integral_says_the_same(explain):
    found = explain("tests", "dci", 1)
    legend = explanation_figure(found, words_of(found)).axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["20 mmHg contour", "counted", "left out"]


@pytest.mark.parametrize(
    ("study_name", "metric", "swallow", "pattern"),
    [
        ("tests", "irp4s", 1, r"-?\d+\.\d mmHg = mean"),
        ("tests", "dci", 1, r"\d+ mmHg s cm = integral"),
        ("tests", "distal_latency", 1, r"\d\.\d\d s = time"),
        ("tests", "window_s", 1, r"\d+\.\d\d to \d+\.\d\d s = start"),
        ("type II", "distal_latency", 1, "Not measured$"),
    ],
)
def test_a_picture_gives_no_more_digits_than_a_number_deserves(
    explain, study_name, metric, swallow, pattern
):
    assert re.match(pattern, words_of(explain(study_name, metric, swallow)).lines[0])


def test_no_label_of_an_entry_leaves_the_picture(explain):
    for metric, swallow in (("pressure_flow_index", 1), ("mrs_ratio", None)):
        found = explain("tests", metric, swallow)
        figure = explanation_figure(found, words_of(found))
        figure.canvas.draw()
        panel = figure.axes[-1]
        assert all(label.get_window_extent().x0 >= 0 for label in panel.get_yticklabels())


def test_no_note_of_an_entry_leaves_the_picture(explain):
    found = explain("tests", "percent_failed")
    long = [replace(entry, note="a note of more words " * 9) for entry in found.evidence.entries]
    found = replace(found, evidence=replace(found.evidence, entries=tuple(long)))
    figure = explanation_figure(found, words_of(found))
    figure.draw_without_rendering()
    notes = [text for text in figure.axes[-1].texts if "more words" in text.get_text()]
    assert len(notes) == len(long)
    assert max(placed(note).x1 for note in notes) <= figure.bbox.x1


def test_a_reason_stands_in_place_of_a_picture(explain):
    found = explain("tests", "dpe")
    figure = explanation_figure(found, words_of(found))
    assert figure.axes == []
    assert any("no rule by which times and depths are chosen" in text for text in texts(figure))


def test_the_same_number_gives_the_same_bytes(explain, tmp_path):
    found = explain("tests", "irp4s_median_supine")
    for kind in ("png", "svg", "pdf"):
        paths = [tmp_path / f"{k}.{kind}" for k in (1, 2)]
        for path in paths:
            save_explanation(found, words_of(found), path, colors="accessible")
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_existing_file_is_kept(explain, tmp_path):
    found = explain("tests", "dpe")
    (tmp_path / "out.png").write_text("mine")
    with pytest.raises(FileExistsError):
        save_explanation(found, words_of(found), tmp_path / "out.png")
    assert (tmp_path / "out.png").read_text() == "mine"
    with pytest.raises(ParameterError, match="ends in"):
        save_explanation(found, words_of(found), tmp_path / "out.jpg")
