"""The trial's pictures hold what they are given, and nothing else."""

import math

import numpy as np
import pytest

from hrm.errors import ParameterError
from hrm.plot.trial import (
    Curve,
    Interval,
    Pairs,
    figure_bytes,
    flow_diagram,
    interval_figure,
    paired_figure,
    survival_figure,
    tipping_figure,
)

NAN = float("nan")
CURVE = Curve("Arm A", [3.0, 8.0], [0.9, 0.7], [0.8, 0.5], [1.0, 0.9], [10, 8, 2])


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def test_the_flow_shows_every_box():
    figure = flow_diagram(
        "Assessed (n = 8)", "Excluded (n = 0)", "Randomized (n = 8)", [["a"], ["b"]]
    )
    shown = [text for text in texts(figure) if text]
    assert shown == ["Assessed (n = 8)", "Excluded (n = 0)", "Randomized (n = 8)", "a", "b"]
    (ax,) = figure.axes
    assert all(p.get_y() >= 0 and p.get_x() >= 0 for p in ax.patches)
    assert all(p.get_x() + p.get_width() <= ax.get_xlim()[1] for p in ax.patches)


def test_arms_with_unequal_boxes_are_refused():
    with pytest.raises(ParameterError, match="same number of boxes"):
        flow_diagram("a", "b", "c", [["x"], ["y", "z"]])


def test_an_interval_is_drawn_where_it_is():
    figure = interval_figure([Interval("ITT", -1.5, -8.0, 5.0, "9/10")], xlabel="points", margin=15)
    (ax,) = figure.axes[:1]
    drawn = [tuple(line.get_xdata()) for line in ax.lines]
    assert (-8.0, 5.0) in drawn
    assert [-15, -15] in [list(line.get_xdata()) for line in ax.lines]
    low, high = ax.get_xlim()
    assert low < -15
    assert high > 5
    assert "margin −15 " in texts(figure)


def test_what_could_not_be_estimated_says_so():
    figure = interval_figure([Interval("none", NAN, NAN, NAN)], xlabel="points")
    assert "not estimable" in texts(figure)


def test_limits_that_do_not_exist_are_not_drawn():
    figure = interval_figure([Interval("x", 2.0, -math.inf, NAN)], xlabel="points")
    ends = [value for line in figure.axes[0].lines for value in line.get_xdata()]
    assert all(map(math.isfinite, ends))


def test_the_grid_is_the_verdicts():
    grid = np.array([[True, False], [True, True]])
    (mesh,) = tipping_figure(grid, labels=("A", "B")).axes[0].collections
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(2, 2), grid)


def test_a_large_grid_still_fits():
    assert tipping_figure(np.ones((60, 80), bool), labels=("A", "B")).get_size_inches()[0] <= 7.2


def test_a_curve_starts_at_one_and_shows_who_is_at_risk():
    figure = survival_figure([CURVE], [0, 6, 12], xlabel="months", ylabel="success")
    (line,) = figure.axes[0].lines
    assert list(line.get_xdata()) == [0.0, 3.0, 8.0]
    assert list(line.get_ydata()) == [1.0, 0.9, 0.7]
    assert {"10", "8", "2", "at risk", "Arm A"} <= set(texts(figure))


@pytest.mark.parametrize("before", [[], [30.0], [30.0, 41.0]])
def test_pairs_of_any_number(before):
    after = [value / 2 for value in before]
    figure = paired_figure(
        [Pairs("A", before, after), Pairs("B", [], [])], names=("before", "after"), ylabel="mmHg"
    )
    assert figure.axes[0].get_title() == f"A, n = {len(before)}"
    drawn = [tuple(line.get_ydata()) for line in figure.axes[0].lines]
    assert drawn[: len(before)] == list(zip(before, after, strict=True))
    figure_bytes(figure, "png")


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_numbers_give_the_same_bytes(kind):
    def made():
        return figure_bytes(
            survival_figure([CURVE, CURVE], [0, 6, 12], xlabel="months", ylabel="success"), kind
        )

    assert made() == made()


def test_other_kinds_are_refused():
    with pytest.raises(ParameterError, match="png or svg"):
        figure_bytes(tipping_figure(np.ones((1, 1), bool), labels=("A", "B")), "gif")
