"""What readers who knew only the documentation stumbled over."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import hrm
from hrm import catalog, phantom
from hrm.cli.main import main
from hrm.errors import ParameterError
from hrm.evidence import Polyline
from hrm.explain import Workings, find_metric
from hrm.explain.text import lines
from hrm.explain.words import WORDS


def analyzed(**options):
    made = phantom.draw("normal", seed=2, n_supine=3, n_upright=0)
    recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=2)
    told = phantom.swallow_table(made)
    return hrm.analyze(recording, **{"system": "manoscan", "swallows": told} | options)


@pytest.fixture(scope="module")
def usual():
    return analyzed()


def test_a_number_by_another_definition_says_so_and_is_not_judged(usual):
    before = hrm.explain_metric(usual, "irp4s_median_supine")
    assert before.limits
    assert all(held.beyond is not None for held in before.limits)
    other = hrm.explain_metric(analyzed(parameters={"irp.duration_s": 3.0}), "irp4s_median_supine")
    assert other.limits
    assert all(held.beyond is None for held in other.limits)
    text = " ".join(" ".join(lines(other)).split())
    assert "measured with irp.duration_s = 3.0" in text
    assert "not judged: the limits are for the default of irp.duration_s" in text


def test_limits_do_not_vanish_in_silence():
    told = [{"onset_s": 52.0}]
    unknown = hrm.explain_metric(analyzed(swallows=told), "irp4s", 1)
    assert unknown.limits == ()
    assert "the posture is unknown" in unknown.limit_note
    assert unknown.limit_note in " ".join(" ".join(lines(unknown)).split())
    # What is held against nothing has nothing to say.
    assert hrm.explain_metric(analyzed(), "les_nadir", 1).limit_note == ""


def test_the_zero_of_a_swallow_is_said_to_be_local_where_it_is():
    made = phantom.draw("normal", seed=2, n_supine=16, n_upright=0)
    recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=2)
    study = hrm.analyze(recording, system="manoscan", swallows=phantom.swallow_table(made))
    near, late = (
        " ".join(" ".join(lines(hrm.explain_metric(study, "irp4s", k))).split()) for k in (1, 16)
    )
    # A swallow more than 300 s after the baseline has a gastric reference of its own.
    assert "gastric reference" in near
    assert "before this swallow" not in near
    assert "before this swallow" in late


def test_the_end_of_the_contraction_window_is_explained(usual):
    for k in (1, 2, 3):
        found = hrm.explain_metric(usual, "dci", k)
        window = next(mark for mark in found.marks if mark.label == "contraction window")
        onset = found.evidence.onset_s
        said = next(note for note in found.evidence.notes if note.startswith("the window runs"))
        assert f"from {window.start_s - onset:.1f} to {window.stop_s - onset:.1f} s" in said
        assert said.endswith("belongs to the contraction")


def test_what_is_not_found_is_not_drawn_under_its_name():
    made = phantom.draw("achalasia_type_2", seed=53, n_supine=3, n_upright=0)
    recording = phantom.sample(made, sampling_rate=20.0)
    result = hrm.analyze(recording, system="manoscan", swallows=phantom.swallow_table(made))
    assert hrm.to_dict(result)["landmarks"]["transition_zone_cm"] is None
    own = Workings(result)
    for k in (1, 2, 3):
        labels = {
            mark.label
            for name in ("dci", "distal_latency", "ibp")
            for mark in hrm.explain_metric(result, name, k, workings=own).marks
        }
        assert "transition zone" not in labels
        assert "window top (no zone found)" in labels
        assert not any(label.startswith("contractile front") for label in labels)


def test_a_line_without_a_point_is_not_in_the_legend():
    made = phantom.draw("achalasia_type_2", seed=3, n_upright=2)
    recording = phantom.sample(made, sampling_rate=20.0, noise_mmhg=1.0, seed=3)
    result = hrm.analyze(recording, system="manoscan", swallows=phantom.swallow_table(made))
    own = Workings(result)
    lines_drawn = [
        mark
        for k in (1, 2, 3)
        for name in ("distal_latency", "ibp", "cfv")
        for mark in hrm.explain_metric(result, name, k, workings=own).marks
        if isinstance(mark, Polyline)
    ]
    assert all(np.isfinite(mark.time).any() for mark in lines_drawn)


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("les_resting", "basal_mean_mmhg"),
        ("les_resting_pressure", "basal_mean_mmhg"),
        ("resting_pressure", "basal_mean_mmhg or ues_resting_mmhg"),
        ("irp", "irp4s"),
        ("dl", "distal_latency_s"),
        ("LES resting", "basal_mean_mmhg"),
        ("mnbi", "distal_baseline_ohm"),
        ("intrabolus-pressure", "ibp_mmhg"),
    ],
)
def test_usual_names_lead_to_those_of_the_catalogue(asked, offered):
    with pytest.raises(ParameterError, match=f"did you mean {offered}"):
        find_metric(asked)
    assert set(offered.split(" or ")) <= {*catalog.metrics(), "irp4s"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("EGJ-CI", "egj_ci_mmhg_cm"),
        ("IRP-4s", "irp4s_mmhg"),
        ("distal latency", "distal_latency_s"),
    ],
)
def test_names_may_be_written_as_in_print(written, name):
    assert find_metric(written) == name


def test_no_two_metrics_are_written_alike():
    names = [*catalog.metrics(), *catalog.unimplemented_metrics()]
    for spelled in (names, [catalog.without_unit(name) for name in names]):
        assert len({name.replace("_", "") for name in spelled}) == len(names)


@pytest.mark.parametrize("label", ["diagnosis", "type", "morphology"])
def test_a_label_is_said_to_be_no_number(label):
    assert label not in catalog.metrics()
    with pytest.raises(ParameterError, match="is a label and no number: 'hrm analyze' prints"):
        find_metric(label)


def test_a_metric_is_offered_once():
    with pytest.raises(ParameterError, match="did you mean") as refused:
        find_metric("resting")
    offered = str(refused.value).split("did you mean ")[1].split("?")[0].split(" or ")
    assert len({find_metric(name) for name in offered}) == len(offered) > 1


@pytest.mark.parametrize("given", [("les_resting",), ("les_resting", "--json")])
def test_the_catalogue_offers_near_names_too(given):
    out = CliRunner().invoke(main, ["metrics", *given])
    assert out.exit_code == 2
    assert "did you mean basal_mean_mmhg" in out.stderr


def test_the_catalogue_takes_a_name_as_explain_does():
    out = CliRunner().invoke(main, ["metrics", "IRP-4s"])
    assert out.exit_code == 0
    assert out.stdout.startswith("name          irp4s_mmhg")


def test_nothing_that_is_printed_is_a_code(usual):
    made = phantom.draw("absent_contractility", seed=2, n_supine=3, n_upright=1)
    recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=2)
    told = phantom.swallow_table(made)
    none = hrm.analyze(recording, system="manoscan", swallows=told)
    own = {id(study): Workings(study) for study in (usual, none)}
    codes = {"mem-high", "mem-med", "mem-low", "seen-2nd", "[choice", "(choice"}
    for study in (usual, none):
        for name in ("dci", "distal_latency", "break", "percent_failed", "cdp", "mrs_ratio", "dpe"):
            swallow = 1 if name in ("dci", "distal_latency", "break", "cdp") else None
            found = hrm.explain_metric(study, name, swallow, workings=own[id(study)])
            text = "\n".join(lines(found))
            assert not [code for code in codes if code in text]
            if "_" in found.status:
                assert found.status not in text
    lost = "\n".join(lines(hrm.explain_metric(none, "cdp", 1)))
    assert "value         not measured\nstatus        nothing contracts" in lost


def test_every_status_of_the_contract_has_words():
    page = Path(__file__).parents[2] / "docs" / "results.md"
    table = page.read_text().split("## Status words")[1].split("\n## ")[0]
    codes = re.findall(r"`([a-z_0-9]+)`", "".join(row.split("|")[1] for row in rows_of(table)))
    assert len(codes) > 40
    assert [code for code in codes if code not in WORDS] == []


def rows_of(table):
    return [line for line in table.splitlines() if line.startswith("| `")]


def test_it_is_said_what_times_count_from(usual):
    found = hrm.explain_metric(usual, "irp4s", 1)
    said = " ".join(" ".join(lines(found)).split())
    assert f"first sample of the file; the onset is at {found.evidence.onset_s:.2f} s" in said
