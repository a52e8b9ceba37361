"""The tidy long table: number for number what the contract says, each with its origin."""

import math

import numpy as np
import pandas as pd
import pytest

import hrm
from hrm import catalog, phantom
from hrm.annotate import follow_up
from hrm.edits import Change
from hrm.errors import SchemaError
from hrm.store import COLUMNS, tidy, to_long, write_long
from tests.detect.signals import Act, study

READERS = {"reason": "", "engine": "0.1.0", "utc": "2026-01-31T09:30:00Z"}


def phantom_study(**how):
    made = phantom.draw("normal", seed=3, n_supine=2, n_upright=1)
    return phantom.sample(made, sampling_rate=20.0, **how)


def bare():
    made = study(*(Act(at) for at in (40.0, 45.0)), duration=60.0, depth=np.arange(28.0))
    return hrm.make_recording(
        made.values, sampling_rate=50.0, depth=made["depth"].values, dims=("sensor", "time")
    )


def with_tests():
    tests = phantom.Provocation(mrs_runs=2, rdc="pressurized")
    made = phantom.draw("normal", seed=5, n_supine=1, n_upright=1, provocation=tests)
    rows = phantom.swallow_table(made)
    rows[-1] |= {"protocol": "solid"}
    return hrm.analyze(phantom.sample(made, sampling_rate=20.0), swallows=rows)


CASES = {
    "provocation": with_tests,
    "plain": lambda: hrm.analyze(phantom_study(), posture="supine"),
    "noisy": lambda: hrm.analyze(phantom_study(noise_mmhg=5.0)),
    "impedance": lambda: hrm.analyze(phantom_study(impedance=True)),
    "much is missing": lambda: hrm.analyze(bare()),
    "no swallow": lambda: hrm.analyze(
        hrm.make_recording(
            study(duration=30.0).values,
            sampling_rate=50.0,
            depth=np.arange(36.0),
            dims=("sensor", "time"),
        )
    ),
    "half a second": lambda: hrm.analyze(
        hrm.make_recording(
            study(duration=0.5).values,
            sampling_rate=50.0,
            depth=np.arange(36.0),
            dims=("sensor", "time"),
        )
    ),
}


@pytest.fixture(scope="module", params=CASES)
def tree(request):
    return CASES[request.param]()


def expected(result):
    """Every number of the contract, by swallow and name."""
    texts = {"id", "window_s", "evaluable", "type"}
    for row in result["swallows"]:
        for name, value in row.items():
            number = value is None and (name in row["status"] or name.endswith("_unfiltered"))
            if name not in texts and (number or isinstance(value, float)):
                yield (row["id"], name), value
        yield (row["id"], "window_start_s"), row["window_s"][0]
        yield (row["id"], "window_stop_s"), row["window_s"][1]
    labels = ("morphology", "morphology_alternative", "hernia_ccv3", "hernia_alternative")
    for block in ("landmarks", "egj", "ues"):
        for name, value in result[block].items():
            if name not in ("status", *labels):
                yield (None, name), value
    for test, block in result["provocation"].items():
        yield from expected_of_test(test, block or {})
    for name, value in result["study"].items():
        if name == "percent":
            yield from (((None, f"percent_{key}"), share) for key, share in value.items())
        elif name == "baseline":
            yield from (((None, f"baseline_{e}"), value.get(e)) for e in ("start_s", "stop_s"))
        elif name == "hypercontractile_subtypes":
            counts = {key: count for key, count in value.items() if key != "predominant"}
            yield from (((None, f"{name}_{key}"), count) for key, count in counts.items())
        elif name not in ("status", "primary_posture", "filtered", "irp4s_readings_mmhg"):
            yield (None, name), value


def expected_of_test(test, block):
    """Numbers of a provocation test, those of a run at its last swallow."""
    no_numbers = {"runs", "swallows", "status", "rule", "remarks", "reserve", "normal"}
    no_numbers |= {"inhibited", "inhibited_by", "contraction_after"}
    for at, part in [(None, block), *((run["swallows"][-1], run) for run in block.get("runs", ()))]:
        for name in set(part) - no_numbers:
            yield (at, f"{test}_{name}"), part[name]


def expected_of_bolus(result):
    """Numbers of impedance and pharynx; a swallow without any has no row."""
    others = ("id", "transit", "levels", "segments", "status", "swallows")
    for name in ("impedance", "pharynx"):
        whole = result[name] or {"swallows": []}
        for row in (whole, *whole["swallows"]):
            numbers = {key: value for key, value in row.items() if key not in others}
            if "id" not in row or any(value is not None for value in numbers.values()):
                yield from (((row.get("id"), key), value) for key, value in numbers.items())


def test_it_is_the_contract_number_for_number(tree):
    result = hrm.to_dict(tree)
    table, wanted = to_long(tree), dict((*expected(result), *expected_of_bolus(result)))
    seen = {
        (None if pd.isna(row.swallow) else int(row.swallow), row.metric): row.value
        for row in table.itertuples()
    }
    assert len(seen) == len(table)
    assert seen.keys() == wanted.keys()
    for key, value in wanted.items():
        assert (None if math.isnan(seen[key]) else seen[key]) == value, key


def test_columns_and_types(tree):
    table = to_long(tree, visit="V2")
    assert tuple(table.columns) == COLUMNS
    assert list(COLUMNS) == [
        *("subject", "visit", "swallow", "metric", "value", "unit", "status"),
        *("metric_version", "source"),
    ]
    assert table["value"].dtype == np.float64
    assert str(table["swallow"].dtype) == "Int64"
    texts = table.drop(columns=["value", "swallow"])
    assert all(isinstance(cell, str) for cell in texts.to_numpy().ravel())
    assert set(table["visit"]) == {"V2"}
    assert set(table["subject"]) == {tree.attrs["study_id"]}


def test_every_missing_number_says_why(tree):
    table = to_long(tree)
    missing = table[table["value"].isna()]
    assert not set(missing["status"]) & {"ok", "", "not_measured"}


def test_units_and_versions_are_the_catalogues(tree):
    for row in to_long(tree).itertuples():
        name = row.metric.removesuffix("_unfiltered")
        metric = catalog.metrics()["window_s" if name.startswith("window_") else name]
        assert (row.unit, row.metric_version) == (metric.units, metric.version), name


def test_a_swallow_that_does_not_count_is_marked():
    table = to_long(CASES["plain"]())
    assert set(table["status"][table["swallow"].notna()]) == {"ok"}
    recording = bare()
    row = hrm.to_dict(hrm.analyze(recording))["swallows"][0]
    assert not row["evaluable"]
    table = to_long(hrm.analyze(recording)).query("swallow == 1")
    assert set(table["status"][table["value"].notna()]) == {"excluded"}


# -- origin ------------------------------------------------------------------------------


def edits_of(recording, *named):
    edits = []
    for reader, change in named:
        sha256 = recording.attrs["source_sha256"]
        edits += follow_up(edits, [change], sha256=sha256, reader=reader, **READERS)
    return edits


def who(table):
    return {
        (None if pd.isna(row.swallow) else int(row.swallow), row.metric): row.source.split("#")[3]
        for row in table.itertuples()
    }


def test_every_number_leads_to_file_and_version(tree):
    attrs = tree.attrs
    (source,) = set(to_long(tree)["source"])
    file, version, rules, found = source.split("#")
    assert (file, version, found) == (attrs["source_sha256"], f"hrm-{hrm.__version__}", "automatic")
    assert rules.split("+")[0] == attrs["parameters_id"]


def source_of(recording, **options):
    (source,) = set(to_long(hrm.analyze(recording, **options))["source"])
    return source


def test_one_source_is_one_way_to_measure_one_file(tmp_path):
    recording = phantom_study()
    node = recording["pressure"].to_dataset()
    usual = source_of(recording, system="manoscan", posture="supine")
    assert source_of(recording, system="manoscan", posture="supine") == usual
    said = [
        source_of(recording, system="manoscan", posture="upright"),
        source_of(recording, system="mms_wp", posture="supine"),
        source_of(recording, system="manoscan", posture="supine", irp_limit=12.0),
    ]
    moved = hrm.make_recording(
        node["pressure"].values.T,
        sampling_rate=float(recording.attrs["sampling_rate"]),
        depth=node["depth"].values * 1.1,
    )
    # As if the file had been read with other sensors, or in another unit.
    moved.attrs["source_sha256"] = recording.attrs["source_sha256"]
    said.append(source_of(moved, system="manoscan", posture="supine"))
    other = hrm.make_recording(
        node["pressure"].values.T * np.float32(0.7355),
        sampling_rate=float(recording.attrs["sampling_rate"]),
        depth=node["depth"].values,
    )
    other.attrs["source_sha256"] = recording.attrs["source_sha256"]
    said.append(source_of(other, system="manoscan", posture="supine"))
    assert len({usual, *said}) == 1 + len(said)
    # What is saved and read again is the same measurement.
    study = hrm.analyze(recording, system="manoscan", posture="supine")
    hrm.write_native(study, tmp_path / "study.h5")
    again = to_long(hrm.open_recording(tmp_path / "study.h5"))
    assert set(again["source"]) == {usual}


def test_every_number_leads_to_its_reader():
    recording = phantom_study()
    plain = hrm.analyze(recording)
    names = list(plain["swallows"]["object"].values)
    edits = edits_of(
        recording,
        ("AB", Change("landmarks", "les_upper_cm", 27.0)),
        ("CD", Change(names[0], "cdp_cm", 25.0)),
        ("CD", Change(names[1], "onset_s", float(plain["swallows"]["onset"][1]) + 0.3)),
        ("EF", Change("swallow@20.00", "added", new=True)),
        ("GH", Change("study", "signed_off", new=True)),
    )
    seen = who(to_long(hrm.analyze(recording, review=edits)))
    measured = f"review:AB+CD+EF:{edits[-1].hash[:12]}"
    # The added swallow is the first one.
    wanted = {
        (None, "les_upper_cm"): "reader:AB",
        (None, "les_lower_cm"): "automatic",
        (None, "les_length_cm"): measured,
        (None, "transition_zone_cm"): measured,
        (None, "irp4s_median_unknown_mmhg"): measured,
        (None, "noise_mmhg"): "automatic",
        (1, "onset_s"): "reader:EF",
        (1, "irp4s_mmhg"): measured,
        (2, "onset_s"): "automatic",
        (2, "cdp_cm"): "reader:CD",
        (2, "distal_latency_s"): measured,
        (3, "onset_s"): "reader:CD",
        (3, "cdp_cm"): measured,
    }
    assert {key: seen[key] for key in wanted} == wanted


def test_a_signature_alone_changes_no_origin():
    recording = phantom_study()
    edits = edits_of(recording, ("AB", Change("study", "signed_off", new=True)))
    assert set(who(to_long(hrm.analyze(recording, review=edits))).values()) == {"automatic"}


def test_an_onset_of_the_swallow_table_is_stated():
    tree = hrm.analyze(phantom_study(), swallows=[{"onset_s": 20.0}])
    seen = who(to_long(tree))
    assert (seen[1, "onset_s"], seen[2, "onset_s"]) == ("stated", "automatic")
    assert seen[1, "irp4s_mmhg"] == "automatic"


# -- the file, and what is refused --------------------------------------------------------


def test_the_file_holds_every_bit_and_no_blank(tree, tmp_path):
    write_long(tree, tmp_path / "long.csv")
    text = (tmp_path / "long.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == ",".join(COLUMNS)
    kinds = to_long(tree).dtypes.to_dict() | {"visit": "str"}
    back = pd.read_csv(
        tmp_path / "long.csv", dtype=kinds, na_values={"value": "NA", "swallow": "NA"},
        keep_default_na=False,
    )  # fmt: skip
    pd.testing.assert_frame_equal(back, to_long(tree))


def test_a_native_file_gives_the_same_table(tree, tmp_path):
    hrm.write_native(tree, tmp_path / "study.h5")
    pd.testing.assert_frame_equal(
        to_long(hrm.open_recording(tmp_path / "study.h5")), hrm.to_long(tree)
    )


def test_there_is_no_table_before_the_analysis():
    with pytest.raises(SchemaError, match="analyze"):
        to_long(phantom_study())


def test_a_number_outside_the_catalogue_is_refused(monkeypatch):
    tree = CASES["plain"]()
    rest = {name: row for name, row in catalog.metrics().items() if name != "ibp_mmhg"}
    monkeypatch.setattr(tidy.catalog, "metrics", lambda: rest)
    with pytest.raises(SchemaError, match="ibp_mmhg is not in the metric catalogue"):
        to_long(tree)
