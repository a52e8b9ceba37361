"""The figure: what is in it, where, and that it can be read."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import hrm
from hrm.errors import ParameterError, SchemaError
from hrm.plot import figure, save_figure
from hrm.plot._labels import LANDMARKS
from hrm.plot.colors import choose

LINES = dict(LANDMARKS)
PANELS = 2  # axes before the panels: overview and color bar


@pytest.fixture(scope="module")
def drawn(study):
    return figure(study)


def with_swallows(study, count):
    """The study with as many swallows as wanted: the ones it has, over and over."""
    nodes = {node.path: node.to_dataset() for node in study.subtree}
    had = nodes["/swallows"].sizes["swallow"]
    nodes["/swallows"] = nodes["/swallows"].isel(swallow=[k % had for k in range(count)])
    nodes["/study"] = nodes["/study"].assign(n_swallows=((), float(count)))
    return xr.DataTree.from_dict(nodes)


def texts(fig):
    return [text.get_text() for text in fig.findobj(Text) if text.get_text()]


def panels(fig):
    return fig.axes[PANELS:]


def test_one_panel_per_swallow_in_order(drawn, result):
    assert len(panels(drawn)) == len(result["swallows"]) == 5
    for ax, row in zip(panels(drawn), result["swallows"], strict=True):
        title = ax.get_title(loc="left")
        assert title.startswith(f"#{row['id']} {row['onset_s']:.1f} s · {row['posture']}")
        assert ("not evaluable: next swallow within 10 s" in title) == (not row["evaluable"])
        assert (ax._left_title.get_color() == "black") == row["evaluable"]
        if row["irp4s_mmhg"] is not None:
            assert f"IRP {row['irp4s_mmhg']:.1f} mmHg" in title
        if row["evaluable"]:
            assert row["type"] in title


def test_depth_is_to_scale_and_increases_downwards(drawn):
    for ax in [drawn.axes[0], *panels(drawn)]:
        assert ax.get_ylim() == (40.0, 0.0)
        assert ax.yaxis.get_scale() == "linear"
    assert drawn.axes[0].get_ylabel() == "depth (cm from first sensor)"
    assert "s from onset" in panels(drawn)[-1].get_xlabel()


def test_every_panel_marks_onset_sleeve_and_deceleration_point(drawn, result):
    upper = result["landmarks"]["les_upper_cm"]
    for ax, row in zip(panels(drawn), result["swallows"], strict=True):
        assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)
        (box,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
        assert box.get_y() == pytest.approx(upper - 2.0)
        assert box.get_height() == pytest.approx(6.0)
        assert box.get_x() == pytest.approx(row["window_s"][0] - row["onset_s"])
        assert box.get_width() == pytest.approx(row["window_s"][1] - row["window_s"][0])
        points = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "D"]
        place = (row["distal_latency_s"], row["cdp_cm"])
        assert points == ([] if None in place else [pytest.approx(place)])


def test_landmarks_are_lines_with_names(drawn, result):
    wanted = {key: value for key, value in result["landmarks"].items() if key.endswith("_cm")}
    for ax in [drawn.axes[0], *panels(drawn)]:
        levels = [
            float(line.get_ydata()[0]) for line in ax.lines if list(line.get_xdata()) == [0, 1]
        ]
        assert sorted(levels) == pytest.approx(sorted(v for v in wanted.values() if v is not None))
        named = [text for text in ax.texts if text.get_text() in LINES]
        assert sorted(text.xy[1] for text in named) == pytest.approx(sorted(levels))
        for text in named:
            keys = LINES[text.get_text()]
            assert any(text.xy[1] == pytest.approx(wanted[key]) for key in keys)
        # A name beside a line that it does not belong to would be read as that line's.
        down = sorted(named, key=lambda text: text.xyann[1])
        assert [text.xy[1] for text in down] == sorted(text.xy[1] for text in down)


def test_contours_are_at_20_and_30(drawn):
    for ax in panels(drawn):
        (contours,) = [c for c in ax.collections if not isinstance(c, QuadMesh)]
        assert list(contours.levels) == [20.0, 30.0]


def test_contour_follows_the_pressure(study, drawn, result):
    """On the contour, the pressure interpolated from the sensors is the level."""
    row, ax = result["swallows"][1], panels(drawn)[1]
    pressure = study["pressure/pressure"]
    level_20 = ax.collections[0].get_paths()[0].vertices
    body = level_20[(level_20[:, 1] > 17.0) & (level_20[:, 1] < 22.0)]
    near = pressure.values[
        :, np.searchsorted(pressure["time"].values, body[:, 0] + row["onset_s"]) - 1
    ]
    found = [np.interp(z, pressure["depth"].values, near[:, k]) for k, z in enumerate(body[:, 1])]
    assert len(found) > 10
    assert np.median(found) == pytest.approx(20.0, abs=4.0)


def test_operator_markers_are_shown(study, drawn):
    events = study["events"].to_dataset()
    onsets = events["onset"].values[events["label"].values == "marker"]
    shown = [line.get_xdata()[0] for line in drawn.axes[0].lines if line.get_marker() == "v"]
    assert sorted(shown) == pytest.approx(sorted(onsets))


def test_pixels_have_the_color_of_the_pressure(study, drawn, result):
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)
    pressure, chosen = study["pressure/pressure"], choose("hrm")
    row, ax = result["swallows"][1], panels(drawn)[1]
    box = ax.get_window_extent()
    inside = pixels[
        round(pixels.shape[0] - box.y1) + 2 : round(pixels.shape[0] - box.y0) - 2,
        round(box.x0) + 2 : round(box.x1) - 2,
    ]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) > 200
    sensor = int(np.flatnonzero(pressure["depth"].values == 24.0)[0])
    agree = 0
    times = np.arange(2.0, 14.0, 0.5)
    for at in times:
        x, y = ax.transData.transform((at, 24.0))
        seen = pixels[round(pixels.shape[0] - y), round(x)]
        sample = round((at + row["onset_s"]) * 20.0)
        nearby = pressure.values[sensor, sample - 1 : sample + 2]
        colors = [255.0 * np.array(chosen.ramp((value + 10.0) / 160.0)[:3]) for value in nearby]
        agree += min(np.abs(color - seen).max() for color in colors) < 40.0
    assert agree >= 0.8 * times.size  # the rest lies under a line


@pytest.mark.parametrize("count", [1, 2, 5, 7, 30])
def test_no_text_lies_on_another_panel(study, count):
    fig = figure(with_swallows(study, count))
    FigureCanvasAgg(fig)
    assert len(panels(fig)) == count
    renderer = fig.canvas.get_renderer()
    size = fig.bbox
    legend = fig.legends[0].get_window_extent(renderer)
    # With ticks, labels and titles.
    blocks = [ax.get_tightbbox(renderer) for ax in fig.axes]
    blocks += [legend, *(text.get_window_extent(renderer) for text in fig.texts)]
    for k, box in enumerate(blocks):
        assert size.x0 <= box.x0
        assert box.x1 <= size.x1
        assert size.y0 <= box.y0
        assert box.y1 <= size.y1
        assert not any(box.overlaps(other) for other in blocks[:k])
    landmark_labels = [
        sorted((t.get_window_extent(renderer) for t in ax.texts), key=lambda box: box.y0)
        for ax in panels(fig)
    ]
    for column in landmark_labels:
        assert all(above.y0 >= below.y1 - 2.0 for below, above in pairwise(column))


def test_a_study_without_swallows(study):
    fig = figure(with_swallows(study, 0))
    assert len(fig.axes) == PANELS
    assert any("No swallow was found" in text for text in texts(fig))


def test_a_study_without_landmarks(study):
    nodes = {node.path: node.to_dataset() for node in study.subtree}
    nodes["/landmarks"] = nodes["/landmarks"].assign(depth=nodes["/landmarks"]["depth"] * np.nan)
    fig = figure(xr.DataTree.from_dict(nodes))
    assert not any(ax.patches for ax in panels(fig))


def test_texts_name_the_study_by_its_code_and_its_use(study, drawn, result):
    words = " | ".join(texts(drawn))
    assert f"Study {result['recording']['study_id']}" in words
    assert "research use only" in words
    assert "20 mmHg contour" in words
    assert "4 of 5 swallows evaluable" in words
    assert f"parameters {result['engine']['parameters_id']}" in words


def test_notes_and_attributes_are_not_drawn(study):
    nodes = {node.path: node.to_dataset() for node in study.subtree}
    count = nodes["/events"].sizes["event"]
    planted = np.array(["DOE JANE"] * count, dtype=object)
    nodes["/events"] = nodes["/events"].assign(note=("event", planted))
    nodes["/"] = nodes["/"].assign_attrs(phi_name="DOE JANE")
    planted_study = xr.DataTree.from_dict(nodes)
    assert not any("DOE" in text for text in texts(figure(planted_study)))


HEADS = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "svg": b"<?xml"}


@pytest.mark.parametrize("kind", HEADS)
def test_files_are_of_the_kind_that_the_name_says_and_repeat(study, tmp_path, kind):
    small = with_swallows(study, 1)
    for name in ("a", "b"):
        save_figure(small, tmp_path / f"{name}.{kind}", colors="accessible")
    first, second = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b"))
    assert first.startswith(HEADS[kind])
    assert first == second
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{kind}", f"b.{kind}"]


def test_an_existing_file_is_kept(study, tmp_path):
    target = tmp_path / "a.png"
    target.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        save_figure(study, target)
    assert target.read_bytes() == b"precious"
    save_figure(with_swallows(study, 1), target, overwrite=True)
    assert target.read_bytes().startswith(HEADS["png"])


def test_what_cannot_be_drawn_leaves_nothing_behind(study, tmp_path):
    recording = hrm.make_recording(np.ones((30, 4)), sampling_rate=10.0, depth=range(4))
    with pytest.raises(SchemaError, match="analyze"):
        save_figure(recording, tmp_path / "a.png")
    with pytest.raises(ParameterError, match="png"):
        save_figure(study, tmp_path / "a.gif")
    with pytest.raises(ParameterError, match="accessible"):
        save_figure(study, tmp_path / "a.png", colors="jet")
    with pytest.raises(FileNotFoundError):
        save_figure(study, tmp_path / "no" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError):
        save_figure(study, tmp_path / "folder.png")
    (tmp_path / "folder.png").rmdir()
    assert list(tmp_path.iterdir()) == []
