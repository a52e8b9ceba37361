"""The result contract: real outputs against its JSON Schema, the catalogue, the native file."""

import copy
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import xarray as xr

import hrm
from hrm import catalog, phantom
from hrm.errors import SchemaError
from hrm.metrics.chicago import facts
from hrm.metrics.peaks import SUBTYPES
from hrm.metrics.pressurization import PATTERNS
from hrm.metrics.study import PERCENTAGES
from hrm.metrics.swallow_types import TYPES
from hrm.results import EGJ_METRICS, LANDMARKS, SWALLOW_METRICS, UES_METRICS, to_dict
from hrm.schema import DEPTH_REFERENCES, POSTURES, PROTOCOLS
from tests.detect.signals import Act, study

SCHEMA = catalog.result_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def recording(pressure, **attrs):
    rate = 1 / float(pressure["time"].values[1])
    return hrm.make_recording(
        pressure.values,
        sampling_rate=rate,
        depth=pressure["depth"].values,
        dims=("sensor", "time"),
        attrs=attrs,
    )


def drawn(phenotype, *, n_supine=3, n_upright=1, seed=4, **how):
    made = phantom.draw(phenotype, seed=seed, n_supine=n_supine, n_upright=n_upright)
    return hrm.analyze(
        phantom.sample(made, sampling_rate=20.0, **how), swallows=phantom.swallow_table(made)
    )


def _no_les_sensors():
    made = phantom.draw("normal", seed=4, n_supine=2, n_upright=0)
    at = round(31 - phantom.default_offset(made) + 10)
    return hrm.analyze(phantom.sample(made, sampling_rate=20.0, dead_sensors=(at, at + 1)))


def with_tests(**how):
    """A study with multiple rapid swallows, rapid drinking and a hernia."""
    tests = phantom.Provocation(mrs_runs=2, mrs_ratio=1.5, rdc="pressurized")
    made = phantom.draw("normal", seed=5, n_supine=2, n_upright=1, hernia_cm=3.0, provocation=tests)
    return hrm.analyze(
        phantom.sample(made, sampling_rate=20.0, **how), swallows=phantom.swallow_table(made)
    )


def solid_swallows():
    made = phantom.draw("normal", seed=5, n_supine=3, n_upright=2)
    rows = phantom.swallow_table(made)
    stated = [{**row, "protocol": "solid"} for row in rows[3:]]
    return hrm.analyze(phantom.sample(made, sampling_rate=20.0), swallows=[*rows[:3], *stated])


def labeled(phenotype, n_upright=0, posture=True, **options):
    made = phantom.draw(phenotype, seed=6, n_supine=7, n_upright=n_upright)
    rows = phantom.swallow_table(made) if posture else None
    return hrm.analyze(phantom.sample(made, sampling_rate=20.0), swallows=rows, **options)


CASES = {
    "a conclusive EGJOO": lambda: labeled(
        "egjoo", 3, clinical={"symptoms": ["dysphagia"], "tbe": "abnormal", "opioids": True}
    ),
    "posture unknown": lambda: labeled("achalasia_type_3", posture=False),
    "system unknown": lambda: labeled("achalasia_type_3", posture=False, system="starlet"),
    "a limit of the user's": lambda: labeled("hypercontractile", irp_limit=7.5),
    "a row that the user named": lambda: labeled(
        "hypercontractile", system="mms_wp", irp_limit="irp4s.mms_wp.supine.v4.bra"
    ),
    "after an operation": lambda: labeled("iem", clinical={"prior_surgery": "dilation"}),
    "normal": lambda: drawn("normal"),
    "failed": lambda: drawn("absent_contractility"),
    "pressurized": lambda: drawn("achalasia_type_2"),
    "impedance": lambda: drawn("iem", impedance=True),
    "hypercontractile": lambda: drawn("hypercontractile"),
    "provocation and hernia": with_tests,
    "provocation without LES": lambda: with_tests(dead_sensors=(26, 27, 28, 29, 30, 31, 32)),
    "solid swallows": solid_swallows,
    "noisy": lambda: drawn("iem", noise_mmhg=5.0),
    "noisy and failed": lambda: drawn("achalasia_type_1", noise_mmhg=5.0),
    "22 sensors": lambda: drawn("des", catheter="CE4-0062", integer=True),
    "dead sensors": _no_les_sensors,
    "swallows but no rest": lambda: hrm.analyze(
        recording(study(*(Act(at) for at in np.arange(2.0, 28.0, 5.0)), duration=30.0))
    ),
    "not across the EGJ": lambda: hrm.analyze(
        recording(study(Act(40.0), duration=60.0, depth=np.arange(28.0)), system="diversatek")
    ),
    "no swallow": lambda: hrm.analyze(recording(study())),
    "no breathing": lambda: hrm.analyze(recording(study(Act(40.0), breath=0.0))),
    "half a second": lambda: hrm.analyze(recording(study(duration=0.5))),
}


@pytest.fixture(scope="module", params=CASES)
def analyzed(request):
    return CASES[request.param]()


def faults(result):
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(result)]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_outputs_are_valid(analyzed):
    assert faults(to_dict(analyzed)) == []


def test_outputs_are_strict_json(analyzed):
    result = to_dict(analyzed)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def unexplained(block):
    """Names of the null numbers of a block that its status does not explain."""
    texts = {
        *("morphology", "reason", "cdp_method", "type", "hypercontractile_subtype"),
        *("rapid_front", "les_after_contraction", "contraction_after", "reserve", "normal"),
        *("morphology_alternative", "hernia_ccv3", "hernia_alternative"),
    }
    return [
        name
        for name, value in block.items()
        if value is None
        and name not in texts
        and not {name, name.removesuffix("_unfiltered")} & block["status"].keys()
    ]


def test_every_null_number_has_its_reason(analyzed):
    result = to_dict(analyzed)
    blocks = [result["landmarks"], result["egj"], result["ues"], result["study"]]
    tests = [block for block in result["provocation"].values() if block is not None]
    runs = [run for block in tests for run in block.get("runs", ())]
    bolus = [block for name in ("impedance", "pharynx") if (block := result[name])]
    blocks += [*bolus, *(row for block in bolus for row in block["swallows"])]
    blocks += [*result["swallows"], *(block for block in tests if "status" in block), *runs]
    assert [unexplained(block) for block in blocks] == [[]] * len(blocks)
    if None in result["study"]["percent"].values():
        assert "percent" in result["study"]["status"]


def test_every_status_is_explained(analyzed):
    page = (Path(__file__).resolve().parents[1] / "docs" / "results.md").read_text("utf-8")
    result = to_dict(analyzed)
    blocks = [result["landmarks"], result["egj"], result["ues"], result["study"]]
    tests = [block for block in (result["provocation"] or {}).values() if block]
    blocks += [*result["swallows"], *(run for block in tests for run in block.get("runs", ()))]
    blocks += [block for block in tests if "status" in block]
    words = {word for block in blocks for word in block["status"].values()}
    assert {word for word in words if f"`{word}`" not in page} == set()


def test_a_native_file_gives_the_same_result(analyzed, tmp_path):
    hrm.write_native(analyzed, tmp_path / "study.h5")
    assert to_dict(hrm.open_recording(tmp_path / "study.h5")) == to_dict(analyzed)


@pytest.fixture(scope="module")
def good():
    return to_dict(drawn("normal", noise_mmhg=5.0))


def test_there_is_no_result_before_the_analysis():
    with pytest.raises(SchemaError, match="analyze"):
        to_dict(recording(study()))


def edit(path, *, value):
    def change(result):
        *above, last = path
        block = result
        for key in above:
            block = block[key]
        if value is DROP:
            del block[last]
        else:
            block[last] = value

    return change


DROP = object()
BROKEN = {
    "a key is missing": edit(["swallows", 0, "break_cm"], value=DROP),
    "a block is missing": edit(["egj"], value=DROP),
    "a key is new": edit(["study", "irp4s_mean_mmhg"], value=4.0),
    "a landmark is new": edit(["landmarks", "hiatus_cm"], value=4.0),
    "a metric is misspelt": edit(["swallows", 0, "dci_mmhg_cm_s"], value=4.0),
    "another version": edit(["schema_version"], value="2"),
    "a number is text": edit(["swallows", 0, "irp4s_mmhg"], value="8.1"),
    "a number is a truth value": edit(["swallows", 0, "irp4s_mmhg"], value=True),
    "an unknown posture": edit(["swallows", 0, "posture"], value="left"),
    "an unknown protocol": edit(["swallows", 0, "protocol"], value="double"),
    "an unknown pattern": edit(["swallows", 0, "pressurization"], value="partial"),
    "an unknown type": edit(["swallows", 0, "type"], value="ineffective"),
    "an unknown method": edit(["swallows", 0, "cdp_method"], value="by eye"),
    "an unknown morphology": edit(["egj", "morphology"], value="III"),
    "an unknown depth reference": edit(["recording", "depth_reference"], value="teeth"),
    "a null that is not allowed": edit(["swallows", 0, "onset_s"], value=None),
    "a null without reason": edit(["swallows", 0, "irp4s_mmhg"], value=None),
    "an unfiltered null without reason": edit(["swallows", 0, "irp4s_mmhg_unfiltered"], value=None),
    "a landmark without reason": edit(["landmarks", "les_upper_cm"], value=None),
    "an EGJ number without reason": edit(["egj", "basal_mean_mmhg"], value=None),
    "a UES number without reason": edit(["ues", "ues_resting_mmhg"], value=None),
    "a UES without status": edit(["ues", "status"], value=DROP),
    "an integral of a UES": edit(["ues", "dci_mmhg_s_cm"], value=1.0),
    "an unknown subtype": edit(["swallows", 0, "hypercontractile_subtype"], value="jackhammer"),
    "a front that may be rapid": edit(["swallows", 0, "rapid_front"], value="maybe"),
    "a negative number of peaks": edit(["swallows", 0, "peaks"], value=-1.0),
    "a hernia that is true": edit(["egj", "hernia_ccv3"], value=True),
    "a fourth type by 1 and 3 cm": edit(["egj", "morphology_alternative"], value="IIIa"),
    "a test is missing": edit(["provocation", "rdc"], value=DROP),
    "a test is new": edit(["provocation", "barium"], value=None),
    "a test without runs": edit(["provocation", "rdc"], value={"runs": []}),
    "half of the subtypes": edit(["study", "hypercontractile_subtypes", "unknown"], value=DROP),
    "a median without reason": edit(["study", "irp4s_median_supine_mmhg"], value=None),
    "percentages without reason": edit(["study", "percent"], value=dict.fromkeys(PERCENTAGES)),
    "some unfiltered values": edit(["swallows", 0, "ibp_mmhg_unfiltered"], value=DROP),
    "evaluable without type": edit(["swallows", 0, "type"], value=None),
    "evaluable with a reason": edit(["swallows", 0, "reason"], value="cough"),
    "not evaluable with a type": edit(["swallows", 0, "evaluable"], value=False),
    "a reason in prose": edit(["swallows", 0, "reason"], value="The patient coughed."),
    "a percentage above 100": edit(["study", "percent", "weak"], value=101.0),
    "a negative DCI": edit(["swallows", 0, "dci_mmhg_s_cm"], value=-1.0),
    "a window of three": edit(["swallows", 0, "window_s"], value=[1.0, 2.0, 3.0]),
    "a digest that is none": edit(["recording", "sha256"], value="abc"),
    "a version is missing": edit(["classification", "ccv3"], value=DROP),
    "an unknown diagnosis": edit(["classification", "ccv4", "diagnosis"], value="jackhammer"),
    "a diagnosis without rules": edit(["classification", "ccv4", "rationale"], value=[]),
    "a rule without its outcome": edit(
        ["classification", "ccv4", "rationale", 0, "met"], value=DROP
    ),
    "a limit without its row": edit(["classification", "ccv4", "rationale", 0, "row"], value=""),
    "a comparison with nothing": edit(
        ["classification", "ccv4", "rationale", 0, "limit"], value=None
    ),
    "an unknown comparator": edit(
        ["classification", "ccv4", "rationale", 0, "comparator"], value="="
    ),
    "a consideration in prose": edit(
        ["classification", "ccv4", "considerations"], value=["Ask the patient."]
    ),
    "a label with a provisional one": edit(
        ["classification", "ccv3", "provisional"],
        value=[
            {
                "system": "manoscan",
                "posture": "supine",
                "row": "irp4s.manoscan.supine.v3",
                "limit_mmhg": 15.0,
                "diagnosis": "normal",
                "conclusive": True,
            }
        ],
    ),
    "no label, and yet conclusive": edit(
        ["classification", "ccv4", "diagnosis"], value="not_classified"
    ),
    "an unknown operation": edit(
        ["classification", "post_treatment"], value={"prior_surgery": "poem"}
    ),
    "a named limit without its row": edit(["engine", "irp_limit"], value={"value_mmhg": 16.0}),
    "half a baseline": edit(["study", "baseline", "stop_s"], value=DROP),
}


@pytest.mark.parametrize("how", BROKEN)
def test_broken_results_are_refused(good, how):
    assert faults(good) == []
    assert good["swallows"][0]["evaluable"]
    assert good["swallows"][0]["status"] == {}
    result = copy.deepcopy(good)
    BROKEN[how](result)
    assert len(faults(result)) >= 1


def test_an_excluded_swallow_is_valid(good):
    result = copy.deepcopy(good)
    result["swallows"][0] |= {"evaluable": False, "type": None, "reason": "cough"}
    result["swallows"][0]["status"] = {"type": "excluded"}
    assert faults(result) == []


def test_the_limit_that_the_user_named_is_recorded():
    number = to_dict(labeled("hypercontractile", irp_limit=7.5))
    assert number["engine"]["irp_limit"] == {
        "value_mmhg": 7.5,
        "row": "user",
        "citation": "named by the user",
        "position": "any",
    }
    (first, *_) = number["classification"]["ccv4"]["rationale"]
    assert (first["limit"], first["row"]) == (7.5, "user")
    row = to_dict(labeled("iem", irp_limit="irp4s.mms_wp.supine.v4.bra", system="mms_wp"))
    assert row["engine"]["irp_limit"]["value_mmhg"] == 16.0
    assert row["engine"]["irp_limit"]["position"] == "supine"
    assert to_dict(labeled("iem"))["engine"]["irp_limit"] is None


def properties(name):
    return SCHEMA["$defs"][name]["properties"]


def test_the_closed_lists_are_those_of_the_engine():
    swallow = properties("swallow")
    assert swallow["posture"]["enum"] == list(POSTURES)
    assert swallow["protocol"]["enum"] == list(PROTOCOLS)
    assert swallow["pressurization"]["enum"] == list(PATTERNS)
    assert set(swallow["type"]["enum"]) == {*TYPES, None}
    assert set(properties("recording")["depth_reference"]["enum"]) == set(DEPTH_REFERENCES)
    assert set(properties("study")["percent"]["properties"]) == set(PERCENTAGES)
    assert set(properties("landmarks")) == {*LANDMARKS, "status"}
    labels = {"morphology", "morphology_alternative", "hernia_ccv3", "hernia_alternative"}
    assert set(properties("egj")) == {*EGJ_METRICS, *labels, "status"}
    assert set(properties("ues")) == {*UES_METRICS, "status"}
    assert {*swallow["hypercontractile_subtype"]["enum"]} == {*SUBTYPES, None}
    subtypes = properties("study")["hypercontractile_subtypes"]["properties"]
    assert set(subtypes) == {*SUBTYPES, "unknown", "predominant"}
    assert set(properties("provocation")) < {*PROTOCOLS, "upright"}
    assert set(SCHEMA["$defs"]["diagnosis"]["enum"]) == set(facts.DIAGNOSES)
    assert set(properties("rule")["confidence"]["enum"]) == {*catalog.CONFIDENCES, "user", ""}
    operations = set(facts.SURGERIES) - {"none", "unknown"}
    assert set(properties("post_treatment")["prior_surgery"]["enum"]) == operations


def numbers():
    """Every number of the contract but the facts about the file, by its catalogue name."""
    for test in ("mrs", "mrs_run", "rdc_run", "solid", "upright"):
        own = properties(test).items()
        yield from (f"{test.partition('_')[0]}_{name}" for name, kind in own if alone(kind))
    bolus = ("impedance", "impedance_swallow", "pharynx", "pharynx_swallow")
    for block in ("swallow", "landmarks", "egj", "ues", "study", *bolus):
        for name, kind in properties(block).items():
            inner = kind.get("properties")
            if inner is not None:
                yield from (f"{name}_{key}" for key, k in inner.items() if is_number(k))
            elif is_number(kind) and name != "id":
                yield name


def alone(kind):
    """Whether it is one number, no list."""
    return "items" not in kind and is_number(kind)


def is_number(kind):
    kind = kind.get("items", kind)
    allowed = kind.get("type", ())
    allowed = [allowed] if isinstance(allowed, str) else allowed
    return bool({"number", "integer"} & set(allowed))


def test_contract_and_catalogue_agree():
    wanted = {name.removesuffix("_unfiltered") for name in numbers()}
    assert wanted == set(catalog.metrics())


def test_units_in_name_node_and_catalogue_agree():
    for name, metric in catalog.metrics().items():
        for ending, unit in (
            ("_cm_s", "cm/s"),
            ("_mmhg_cm", "mmHg cm"),
            ("_mmhg_s_cm", "mmHg s cm"),
            ("_mmhg", "mmHg"),
            ("_mmhg_s", "mmHg/s"),
            ("_ohm", "ohm"),
            ("_millisiemens", "mS"),
            ("_cm", "cm"),
            ("_s", "s"),
        ):
            if name.endswith(ending):
                assert metric.units == unit, name
                break
        else:
            assert metric.units in ("1", "%", "mmHg^2/s^2"), name
    for name, unit in {**SWALLOW_METRICS, **EGJ_METRICS, **UES_METRICS}.items():
        assert catalog.metrics()[name].units == unit


@pytest.mark.parametrize("name", SWALLOW_METRICS)
def test_the_schema_asks_of_each_number_of_a_swallow_what_it_asks_of_all(name):
    # Seven places, each of which is easily forgotten.
    row = catalog.result_schema()["$defs"]["swallow"]
    raw = f"{name}_unfiltered"
    assert {name, raw} <= row["properties"].keys()
    assert name in row["required"]
    (beside,) = [each["dependentRequired"] for each in row["allOf"] if "dependentRequired" in each]
    assert raw in beside
    chained = {key for key, wanted in beside.items() if raw in wanted}
    assert chained or raw == "irp4s_mmhg_unfiltered"
    asked = [list(each["if"]["properties"]) for each in row["allOf"] if "if" in each]
    assert [name] in asked
    assert [raw] in asked


def test_values_of_the_tree_and_the_contract_agree():
    tree = CASES["noisy"]()
    result, node = to_dict(tree), tree["swallows"].to_dataset()
    for name, unit in SWALLOW_METRICS.items():
        for key in (name, f"{name}_unfiltered"):
            seen = [row[key] for row in result["swallows"]]
            known = [None if math.isnan(v) else v for v in node[key].values.tolist()]
            assert seen == known
            assert node[key].attrs["units"] == unit
    assert [row["id"] for row in result["swallows"]] == list(range(1, len(seen) + 1))
    assert result["recording"]["depths_cm"] == tree["pressure/depth"].values.tolist()
    assert result["study"]["filtered"] is True


def test_analyzing_again_replaces_the_result():
    once = CASES["normal"]()
    twice = hrm.analyze(once, posture="upright")
    assert to_dict(hrm.analyze(once)) != to_dict(twice)
    assert {row["posture"] for row in to_dict(twice)["swallows"]} == {"upright"}
    assert faults(to_dict(twice)) == []


def test_a_study_that_an_earlier_version_saved_says_so():
    tree = CASES["noisy"]()
    nodes = {node.path: node.to_dataset() for node in tree.subtree if node.path != "/ues"}
    new = {name for name, text in SWALLOW_METRICS.items() if name not in FIRST_VERSION}
    new |= {f"{name}_unfiltered" for name in new}
    new |= {"rapid_front", "les_after_contraction", "hypercontractile_subtype"}
    nodes["/swallows"] = nodes["/swallows"].drop_vars(new)
    nodes["/egj"] = nodes["/egj"].drop_vars([name for name in EGJ_METRICS if "ci_" in name])
    for name in ("provocation", "hypercontractile_subtypes"):
        del nodes["/study"].attrs[name]
    old = xr.DataTree.from_dict(nodes)
    old.attrs.update(tree.attrs)
    result, now = to_dict(old), to_dict(tree)
    told = {"saved_by_earlier_version"}
    assert set(result["ues"]["status"].values()) == told
    assert result["egj"]["status"]["egj_ci_mmhg_cm"] in told
    assert result["swallows"][0]["peaks"] is None
    assert result["swallows"][0]["status"]["peaks"] in told
    assert result["swallows"][0]["rapid_front"] is None
    assert result["provocation"] is result["study"]["hypercontractile_subtypes"] is None
    for name in FIRST_VERSION:
        assert result["swallows"][0][name] == now["swallows"][0][name]
    # The unfiltered values of the new numbers are missing whole.
    assert faults(to_dict(old)) == []
    assert set(hrm.to_long(old)["metric"]) < set(hrm.to_long(tree)["metric"])


FIRST_VERSION = (
    *("irp4s_mmhg", "dci_mmhg_s_cm", "dci_box_mmhg_s_cm", "distal_latency_s", "cdp_cm"),
    *("break_cm", "ibp_mmhg"),
)
