"""The picture of an explanation: what is on it, and what is not."""

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
    for part in ("dci_mmhg_s_cm", "Definition: Integral over", "GYA21", "research use only"):
        assert part in seen
    assert found.study_id in seen


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
