"""The quality figure: what is drawn is what the block says."""

import numpy as np
import pytest

import hrm
from hrm import phantom
from hrm.errors import ParameterError, SchemaError
from hrm.plot.quality import quality_figure, save_quality_figure


@pytest.fixture(scope="module")
def study():
    made = phantom.draw("normal", seed=11, n_supine=3, n_upright=0)
    recording = phantom.sample(
        made,
        sampling_rate=20.0,
        noise_mmhg=0.3,
        drift_mmhg=15.0,
        drift_course="linear",
        dead_sensors=(15,),
        cough_at_s=(100.0,),
    )
    return hrm.analyze(recording)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_flags_swallows_and_artefacts_are_drawn(study):
    flags, rest = quality_figure(study).axes
    block = hrm.to_dict(study)["quality"]
    drawn = flags.collections[0].get_array().reshape(study["quality/flag"].shape)
    assert (np.asarray(drawn) == study["quality/flag"].values).all()
    assert (drawn[15] > 0).all()
    top, bottom = flags.get_ylim()[::-1]
    assert top < bottom  # the pharynx is up
    said = texts(flags)
    for row in block["excluded"]:
        assert f"{row['swallow']}: {row['reason'].replace('_', ' ')}" in said
    assert said.count("cough") == len(block["artefacts"]) == 1
    lines = {line.get_label(): line for line in rest.lines}
    measured = lines["rest, as measured"].get_xdata()
    wanted = [np.nan if r["rest_mmhg"] is None else r["rest_mmhg"] for r in block["sensors"]]
    np.testing.assert_allclose(np.asarray(measured, float), wanted)
    assert lines["sensor not used"].get_ydata().tolist() == [15.0]
    assert "offset at the end" in lines


def test_the_heading_says_the_drift(study):
    title = quality_figure(study).get_suptitle()
    assert "1 of 36 sensors with a fault" in title
    assert "drift correction: linear" in title
    assert "DRIFT" in title


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_it_is_written(study, tmp_path, kind):
    save_quality_figure(study, tmp_path / f"q.{kind}")
    assert (tmp_path / f"q.{kind}").stat().st_size > 5000
    with pytest.raises(ParameterError):
        save_quality_figure(study, tmp_path / "q.txt")


def test_without_a_block_there_is_no_figure(study):
    earlier = study.copy()
    del earlier["quality"]
    with pytest.raises(SchemaError, match="no quality"):
        quality_figure(earlier)
