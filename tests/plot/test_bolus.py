"""The bolus over the pressure, and the swallows of a test in one panel."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.text import Text

import hrm
from hrm.errors import ParameterError
from hrm.phantom import Provocation, draw, sample, swallow_table
from hrm.plot import figure, save_figure
from hrm.plot._labels import groups


@pytest.fixture(scope="module")
def study():
    drawn = draw("normal", seed=3, n_supine=2, n_upright=0, provocation=Provocation(mrs_runs=1))
    recording = sample(drawn, sampling_rate=20.0, system="manoscan", impedance=True)
    return hrm.analyze(recording, swallows=swallow_table(drawn))


@pytest.fixture(scope="module")
def result(study):
    return hrm.to_dict(study)


def without(study, *names):
    nodes = {node.path: node.to_dataset() for node in study.subtree}
    return xr.DataTree.from_dict({path: node for path, node in nodes.items() if path not in names})


def panels(fig):
    return fig.axes[2:]


def shades(ax):
    return [
        each
        for each in ax.collections
        if isinstance(each, PolyCollection)
        and tuple(each.get_facecolor()[0]) == to_rgba("white", 0.3)
    ]


def marks(ax, marker):
    return sorted(tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == marker)


def test_entry_and_exit_at_each_level_are_marked(study, result):
    drawn = figure(study, impedance=True)
    block, onset = result["impedance"]["swallows"][0], result["swallows"][0]["onset_s"]
    assert len(block["levels"]) == 3
    for name, marker in (("entry_s", ">"), ("exit_s", "<")):
        wanted = sorted(
            (level[name] - onset, level["depth_cm"])
            for level in block["levels"]
            if level[name] is not None
        )
        assert marks(panels(drawn)[0], marker) == [pytest.approx(each) for each in wanted]
        assert wanted


def test_the_shade_is_where_the_impedance_is_low(study, result):
    drawn = figure(study, impedance=True)
    impedance = study["impedance"].to_dataset()["impedance"]
    block, onset = result["impedance"]["swallows"][0], result["swallows"][0]["onset_s"]
    seen = [shade.get_paths()[0].get_extents() for shade in shades(panels(drawn)[0])]
    for one in block["segments"]:
        assert one["status"] == "ok"
        own = [box for box in seen if box.y0 < one["depth_cm"] < box.y1]
        values = impedance.sel(
            segment=np.argmin(abs(impedance.segment_depth.values - one["depth_cm"]))
        )
        inside = (values.impedance_time >= onset) & (values.impedance_time < onset + 15.0)
        low = (values < 0.5 * (one["base_ohm"] + one["nadir_ohm"])).values[inside.values]
        shaded = sum(box.x1 - box.x0 for box in own)
        assert shaded == pytest.approx(low.sum() / 20.0, abs=0.06 * len(own))
        assert min(box.x0 for box in own) == pytest.approx(one["entry_s"] - onset, abs=0.06)


def test_it_is_drawn_only_when_asked(study):
    plain = figure(study)
    assert not any(shades(ax) for ax in panels(plain))
    words = {text.get_text() for text in plain.findobj(Text)}
    assert not any("bolus" in text for text in words)
    asked = {text.get_text() for text in figure(study, impedance=True).findobj(Text)}
    assert "bolus (impedance, 15 s)" in asked
    assert any("normal · bolus complete" in text for text in asked)


def test_what_has_no_impedance_is_refused(study, result, tmp_path):
    with pytest.raises(ParameterError, match="has no impedance"):
        save_figure(without(study, "/impedance"), tmp_path / "a.png", impedance=True)
    nowhere = study["impedance"].to_dataset()
    nowhere = nowhere.assign_coords(segment_depth=nowhere["segment_depth"] * np.nan)
    nodes = {node.path: node.to_dataset() for node in study.subtree} | {"/impedance": nowhere}
    with pytest.raises(ParameterError, match="positions of its segments are unknown"):
        save_figure(xr.DataTree.from_dict(nodes), tmp_path / "a.png", impedance=True)
    with pytest.raises(ParameterError, match="analyze the study again"):
        save_figure(without(study, "/bolus"), tmp_path / "a.png", impedance=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_one_panel_that_shows_all_of_it(study, result):
    shown = groups(result)
    drawn = figure(study, impedance=True)
    assert [group.test for group in shown] == ["", "", "mrs"]
    assert len(panels(drawn)) == 3
    run, ax = result["provocation"]["mrs"]["runs"][0], panels(drawn)[-1]
    title = ax.get_title(loc="left")
    assert title.startswith(f"#{run['swallows'][0]}–{run['swallows'][-1]} ")
    assert "multiple rapid swallows" in title
    assert f"inhibited · DCI after {run['dci_after_mmhg_s_cm']:.0f}" in title
    onsets = [result["swallows"][k - 1]["onset_s"] for k in run["swallows"]]
    lines = [
        line.get_xdata()[0]
        for line in ax.lines
        if line.get_linestyle() == "-"
        and list(line.get_ydata()) == [0, 1]
        and line.get_color() == "white"
    ]
    assert sorted(lines) == pytest.approx([at - onsets[0] for at in onsets])
    assert ax.get_xlim()[1] > onsets[-1] - onsets[0] + 10.0
    assert not ax.patches
    assert not shades(ax)


def test_a_swallow_that_a_reader_counts_stands_alone(result):
    ids = result["provocation"]["mrs"]["runs"][0]["swallows"]
    rows = [
        {**row, "evaluable": row["evaluable"] or row["id"] == ids[2]} for row in result["swallows"]
    ]
    shown = groups({**result, "swallows": rows})
    assert [group.first for group in shown] == list(range(len(rows)))
    assert not any(group.test for group in shown)
