"""Other definitions on the same recording: each difference is that of two analyses."""

import json

import pytest
from click.testing import CliRunner

import hrm
from hrm import catalog
from hrm.cli.main import main
from hrm.errors import ParameterError
from hrm.pipeline.warm import _DEPTH_CM, _RATE_HZ, _recording
from hrm.sensitivity import as_dict, compare_parameters


@pytest.fixture(scope="module")
def recording():
    return hrm.make_recording(_recording(0.0), sampling_rate=_RATE_HZ, depth=_DEPTH_CM)


@pytest.fixture(scope="module")
def comparisons(recording):
    return {each.id: each for each in compare_parameters(recording, system="manoscan")}


def test_every_alternative_names_parameters_that_exist_and_differs_from_the_default():
    defaults = catalog.default_parameters()
    rows = catalog.alternative_table()
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        changed = defaults.replace(row["set"])
        assert changed.id != defaults.id, row["id"]
        assert all(catalog.parameter_table()[key].confidence == "choice" for key in row["set"])


def test_the_disputed_choices_of_the_specification_are_all_there():
    about = {row["about"] for row in catalog.alternative_table()}
    assert about >= {
        "interpolation between sensors, of the body",
        "interpolation between sensors, of the LES",
        "gastric reference",
        "place of the e-sleeve",
        "contractile deceleration point",
        "onset of the swallow",
    }


@pytest.mark.parametrize("row", catalog.alternative_table(), ids=lambda row: row["id"])
def test_differences_are_those_of_two_analyses(recording, comparisons, row):
    chosen = hrm.to_dict(hrm.analyze(recording, system="manoscan"))
    other = hrm.to_dict(hrm.analyze(recording, system="manoscan", parameters=row["set"]))
    said = comparisons[row["id"]]
    for number in said.study:
        block = next(b for b in ("study", "egj", "landmarks") if number.metric in chosen[b])
        assert number.chosen == chosen[block][number.metric]
        assert number.other == other[block][number.metric]
    for moved in said.swallows:
        pairs = zip(chosen["swallows"], other["swallows"], strict=True)
        differences = [
            b[moved.metric] - a[moved.metric]
            for a, b in pairs
            if a[moved.metric] is not None and b[moved.metric] is not None
        ]
        assert moved.n == len(differences)
        if differences:
            assert moved.greatest in differences
            assert abs(moved.greatest) == max(abs(each) for each in differences)
    assert said.diagnosis["ccv4"] == (
        chosen["classification"]["ccv4"]["diagnosis"],
        other["classification"]["ccv4"]["diagnosis"],
    )


def test_a_rule_moves_what_it_is_about_and_nothing_else(comparisons):
    moved = {row.metric for row in comparisons["sleeve_centered"].swallows if row.greatest}
    assert moved == {"irp4s_mmhg"}
    assert {row.metric for row in comparisons["ibp_gastric"].swallows if row.greatest} == {
        "ibp_mmhg"
    }


def test_what_is_in_use_is_not_compared(recording):
    rows = compare_parameters(recording, parameters={"gastric.reference": "dynamic"})
    assert [each.id for each in rows if each.in_use] == ["gastric_dynamic"]


def test_wrong_options_are_refused_as_by_an_analysis(recording):
    with pytest.raises(ParameterError):
        compare_parameters(recording, posture="standing")


def test_the_command_prints_and_writes_it(recording, tmp_path, comparisons):
    file, out = tmp_path / "study.nc", tmp_path / "comparison.json"
    hrm.write_native(recording, file)
    done = CliRunner().invoke(
        main,
        ["analyze", str(file), "--system", "manoscan", "--comparison", str(out)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert "place of the e-sleeve: 3 cm to both sides" in done.output
    assert json.loads(out.read_text()) == json.loads(
        json.dumps([as_dict(each) for each in comparisons.values()])
    )
