"""Results that stand in an MMS export: read as `reported_...`, kept through the analysis, shown."""

import json
import math
import warnings

import jsonschema
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import hrm
import hrm.io
from hrm import catalog, phantom
from hrm.cli._summary import summary
from hrm.errors import (
    CorruptFileError,
    DataQualityWarning,
    ParameterError,
    ProvenanceWarning,
)
from hrm.io.deidentify import deidentify
from hrm.io.identity import attr_to_keep
from hrm.io.mms.columns import _slips
from tests.io.layouts import PLANT, Mms, spreadsheet
from tests.io.mms_results import PROCEDURE, append_columns, table

EVENTS = {3: "Wet swallow1", 20: "Wet Swallow2", 40: "Wet swallow3"}


@pytest.fixture
def read(tmp_path):
    def run(file, **options):
        path = tmp_path / "recording.csv"
        path.write_bytes(file if isinstance(file, bytes) else file.bytes())
        return hrm.io.open_recording(path, **{"catheter": "CE4-0062", **options})

    return run


def sheet(columns, **changes):
    return spreadsheet(extras={PROCEDURE: EVENTS, **columns}, marker={}, **changes)


def column(study, name):
    return study[f"swallows/reported_{name}"].values.tolist()


def statuses(study):
    return [json.loads(text) for text in column(study, "status")]


# -- the older variant: at the events ----------------------------------------------------


def test_results_on_the_rows_of_events(read):
    study = read(
        sheet(
            {
                "Contraction vigor": {3: "Normal", 20: "Weak ", 40: "Hyper contractile"},
                "Contraction pattern": {3: "Intact", 20: "Fragmented", 40: "Premature"},
            }
        )
    )
    assert column(study, "onset") == [0.15, 1.0, 2.0]
    assert column(study, "number") == [1, 2, 3]
    assert column(study, "label") == ["Wet swallow1", "Wet Swallow2", "Wet swallow3"]
    assert column(study, "vigor") == ["normal", "weak", "hypercontractile"]
    assert column(study, "pattern") == ["intact", "fragmented", "premature"]
    assert statuses(study) == [{}, {}, {}]
    assert "reported_dci_mmhg_s_cm" not in study["swallows"]
    assert "unread_columns" not in study.attrs


def test_a_result_where_the_operator_wrote_something_else(read):
    extras = {PROCEDURE: {3: "Wet swallow1", 9: "Wet swalow2"}, "Contraction vigor": {9: "Weak"}}
    study = read(spreadsheet(extras=extras, marker={}))
    assert (column(study, "onset"), column(study, "label")) == ([0.45], [""])


def test_a_slip_in_a_word_is_not_guessed_at(read):
    file = sheet({"Contraction pattern": {3: "Intacct", 20: "Intact", 40: "normal"}})
    with pytest.warns(DataQualityWarning, match=r"2 of pattern; they are kept as 'unrecognized'"):
        study = read(file)
    assert column(study, "pattern") == ["unrecognized", "intact", "unrecognized"]
    assert statuses(study) == [{"pattern": "unrecognized"}, {}, {"pattern": "unrecognized"}]


def test_more_than_ten_and_missing_swallows(read):
    events = {4 * k: f"Wet swallow{k}" for k in range(1, 14) if k != 5}
    vigor = dict.fromkeys(events, "Normal")
    study = read(spreadsheet(extras={PROCEDURE: events, "Contraction vigor": vigor}, marker={}))
    assert column(study, "number") == [k for k in range(1, 14) if k != 5]


def test_a_result_of_another_event_keeps_its_label(read):
    events = {3: "MRS1", 9: "Leg Wet swallow2"}
    study = read(
        spreadsheet(
            extras={PROCEDURE: events, "Contraction vigor": {3: "Failed", 9: "Weak"}}, marker={}
        )
    )
    assert column(study, "label") == ["MRS1", "Leg Wet swallow2"]
    assert column(study, "number") == [0, 2]


def test_a_label_that_is_no_vocabulary_is_no_label(read):
    extras = {PROCEDURE: {3: "Wet swallow1", 9: PLANT}, "Contraction vigor": {3: "Weak", 9: PLANT}}
    with pytest.warns(DataQualityWarning, match="1 of vigor"):
        study = read(spreadsheet(extras=extras, marker={}), keep_phi=True)
    assert column(study, "label") == ["Wet swallow1", ""]
    assert column(study, "vigor") == ["weak", "unrecognized"]


# -- the newer variant: from the first row downward ---------------------------------------

TABLE = table(
    [
        ("Normal", "Intact", "1234.5", "8", "6.2", "0"),
        ("無數據",) * 6,
        ("Weak", "Fragmented", "310", "-1.5", "7", "5.5"),
    ]
)


def test_results_from_the_first_row_downward(read):
    study = read(sheet(TABLE))
    assert column(study, "onset") == [0.15, 1.0, 2.0]
    assert column(study, "number") == [1, 2, 3]
    assert column(study, "vigor") == ["normal", "", "weak"]
    np.testing.assert_array_equal(column(study, "dci_mmhg_s_cm"), [1234.5, math.nan, 310])
    np.testing.assert_array_equal(column(study, "irp4s_mmhg"), [8, math.nan, -1.5])
    np.testing.assert_array_equal(column(study, "distal_latency_s"), [6.2, math.nan, 7])
    np.testing.assert_array_equal(column(study, "large_break_cm"), [0, math.nan, 5.5])
    names = ("vigor", "pattern", "dci_mmhg_s_cm", "irp4s_mmhg", "distal_latency_s")
    assert statuses(study)[1] == dict.fromkeys((*names, "large_break_cm"), "no_data")
    node = study["swallows"].to_dataset()
    units = {name: node[f"reported_{name}"].attrs["units"] for name in names[2:]}
    assert units == {"dci_mmhg_s_cm": "mmHg s cm", "irp4s_mmhg": "mmHg", "distal_latency_s": "s"}


def test_the_number_and_not_the_order_finds_the_event(read):
    events = {20: "Wet swallow3", 40: "Wet swallow1", 50: "Leg Wet swallow2"}
    study = read(spreadsheet(extras={PROCEDURE: events, **TABLE}, marker={}))
    assert column(study, "number") == [3, 1, 2]
    np.testing.assert_array_equal(column(study, "onset"), [1.0, 2.0, math.nan])
    assert statuses(study)[2]["onset"] == "no_event"


def test_events_without_numbers_count_in_order(read):
    events = {20: "Wet swallow", 40: "WS", 50: "Wet swallow"}
    study = read(spreadsheet(extras={PROCEDURE: events, **TABLE}, marker={}))
    assert column(study, "onset") == [1.0, 2.0, 2.5]


def test_an_event_that_is_there_twice_dates_nothing(read):
    events = {20: "Wet swallow1", 40: "Wet swallow1"}
    study = read(spreadsheet(extras={PROCEDURE: events, **TABLE}, marker={}))
    assert np.isnan(column(study, "onset")).all()
    assert [row["onset"] for row in statuses(study)] == ["several_events", "no_event", "no_event"]


def test_both_variants_at_once_make_one_row_each(read):
    study = read(sheet({"Contraction vigor": {3: "Normal"}, **TABLE}))
    assert column(study, "vigor") == ["normal", "", "weak"]
    with pytest.warns(DataQualityWarning, match="1 of vigor; they are kept as 'contradictory'"):
        study = read(sheet({"Contraction vigor": {3: "Failed"}, **TABLE}))
    assert column(study, "vigor") == ["contradictory", "", "weak"]


@pytest.mark.parametrize(
    "cell", ["12x", "-3", "inf", "1e999", "nan", '"1,250"', "N/A", PLANT], ids=repr
)
def test_a_number_that_is_none_is_not_guessed_at(cell, read):
    with pytest.warns(DataQualityWarning, match="1 of dci_mmhg_s_cm"):
        study = read(sheet({"ws_10_dci": {0: cell, 1: "900"}}))
    np.testing.assert_array_equal(column(study, "dci_mmhg_s_cm"), [math.nan, 900])
    assert statuses(study)[0] == {"dci_mmhg_s_cm": "unrecognized"}


# -- names of columns --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("Contraction  VIGOR", "vigor"),
        ("contraction_pattern", "pattern"),
        ("WS_12_Vigor", "vigor"),
        ("ws 8 irp40", "irp4s_mmhg"),
        ("ws10_dl", "distal_latency_s"),
    ],
)
def test_spellings_of_a_known_name(name, held, read):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataQualityWarning)
        study = read(sheet({name: {3: "Failed" if held in ("vigor", "pattern") else "4"}}))
    assert f"reported_{held}" in study["swallows"]


@pytest.mark.parametrize("make", [lambda s: s[:-3] + s[-2:], lambda s: s[:8] + "xx" + s[8:]])
@pytest.mark.parametrize(
    ("right", "held", "cell"),
    [
        ("Contraction vigor", "vigor", "Failed"),
        ("Contraction pattern", "pattern", "Failed"),
        ("ws_10_vigor", "vigor", "Weak"),
        ("ws_10_pattern", "pattern", "Intact"),
        ("ws_10_large_break", "large_break_cm", "4"),
    ],
)
def test_a_slip_in_a_name_is_accepted_with_a_warning(right, held, cell, make, read):
    name = make(right)
    with pytest.warns(DataQualityWarning, match=f"column 32 is read as '{right}'") as caught:
        study = read(sheet({name: {3: cell}}))
    assert name not in str(caught[0].message)
    assert f"reported_{held}" in study["swallows"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = read(sheet({name + "xx": {3: cell}}))
    assert study.attrs["unread_columns"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "ws_10_dx",
        "ws_10_dc",
        "ws_10_dcia",
        "ws_10_irp4",
        "ws_10_cfv",
        "mrs_5_dci",
        "Contraction vigor 2",
    ],
)
def test_a_name_near_to_several_is_not_read(name, read):
    study = read(sheet({name: {3: "4"}}))
    assert "swallows" not in study.children
    assert study.attrs["unread_columns"] == 1


@given(st.text("abn_", max_size=6), st.text("abn_", max_size=6))
def test_slips_are_counted_as_the_slow_way_counts(a, b):
    def slow(a, b):
        if not (a and b):
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    assert min(_slips(a, b), 3) == min(slow(a, b), 3)


def test_a_slip_beside_the_right_name_is_not_read(read):
    study = read(sheet({"Contraction vigor": {3: "Weak"}, "Contraction vigo": {3: "Failed"}}))
    assert column(study, "vigor") == ["weak"]
    assert study.attrs["unread_columns"] == 1


def test_a_known_column_twice_is_an_error(read):
    with pytest.raises(CorruptFileError, match="line 7: a column of reported results is there"):
        read(sheet({"Contraction vigor": {3: "Weak"}, "contraction_vigor": {3: "Failed"}}))


def test_a_file_without_results_has_no_swallows(read):
    assert "swallows" not in read(Mms()).children
    assert "swallows" not in read(sheet({"Contraction vigor": {}})).children


# -- catheter ----------------------------------------------------------------------------


def test_the_file_names_its_catheter(read, tmp_path):
    file = sheet({"catheter_type": {0: "CE4-0062"}})
    study = read(file, catheter=None)
    assert study.attrs["catheter"] == "CE4-0062"
    assert not hrm.io.peek(tmp_path / "recording.csv")["needs_catheter"]
    assert read(file).attrs["catheter"] == "CE4-0062"
    with pytest.raises(ParameterError, match="says CE4-1083, the file says CE4-0062"):
        read(file, catheter="CE4-1083")
    with pytest.raises(ParameterError, match="contradict the positions of catheter CE4-0062"):
        read(file, catheter=None, depths=range(22))


def test_a_catheter_that_cannot_be_of_the_file_is_left_unread(read):
    file = sheet({"catheter_type": {0: "CE4-0062"}}, n_sensors=20)
    with (
        pytest.warns(ProvenanceWarning, match="CE4-0062, which has 22 .* but the file has 20"),
        pytest.raises(ParameterError, match="does not say where the sensors sit"),
    ):
        read(file, catheter=None)
    with pytest.warns(ProvenanceWarning, match="left unread"):
        assert read(file, catheter=None, depths=range(20)).attrs["catheter"] == "unknown"


def test_a_catheter_without_known_positions_needs_depths(read, tmp_path):
    file = sheet({"catheter_type": {0: "CE4-1083"}})
    with pytest.raises(ParameterError, match="CE4-1083 is known by its channel count only"):
        read(file, catheter=None)
    assert hrm.io.peek(tmp_path / "recording.csv")["needs_catheter"]
    assert read(file, catheter=None, depths=range(22)).attrs["catheter"] == "CE4-1083"


def test_a_number_is_no_catheter(read, tmp_path):
    file = sheet({"catheter_type": {0: "4"}})
    with (
        pytest.warns(ProvenanceWarning, match="software takes for CE4-0062: name the catheter"),
        pytest.raises(ParameterError, match="does not say where the sensors sit"),
    ):
        read(file, catheter=None)
    assert hrm.io.peek(tmp_path / "recording.csv")["needs_catheter"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(file).attrs["catheter"] == "CE4-0062"
    with pytest.warns(ProvenanceWarning, match="CE4-0062"):
        read(file, catheter=None, depths=range(22))


def test_an_unknown_catheter_is_not_quoted(read):
    with pytest.warns(ProvenanceWarning, match="names no single model") as caught:
        read(sheet({"catheter_type": {0: PLANT}}))
    assert "DOE" not in str(caught[0].message)


# -- quotes ------------------------------------------------------------------------------


def test_quoted_cells_read_as_plain_ones(read):
    plain = sheet(TABLE)
    lines = [",".join(f'"{cell}"' for cell in line.split(",")) for line in plain.lines()]
    study = read(("\r\n".join(lines) + "\r\n").encode("cp950"))
    wanted = read(plain)
    del study.attrs["source_sha256"], wanted.attrs["source_sha256"]
    del study.attrs["study_id"], wanted.attrs["study_id"]
    xr.testing.assert_identical(study, wanted)


@pytest.mark.parametrize("cell", ['"Weak', '"Weak" again', '"We"ak'])
def test_a_broken_quote_is_an_error(cell, read):
    with pytest.raises(CorruptFileError, match="line 11: found a quote that does not end"):
        read(sheet({"Contraction vigor": {3: cell}}))


def test_a_separator_within_a_quoted_number_is_an_error(read):
    lines = Mms(separator=",").lines()
    cells = lines[9].split(",")
    cells[3] = '"1,5"'
    lines[9] = ",".join(cells)
    with pytest.raises(CorruptFileError, match=r"line 10: .* separator within a quoted number"):
        read("\n".join(lines).encode())


def test_decimal_commas_between_semicolons(read):
    file = sheet({"ws_10_dci": {0: "812,5"}})
    file.separator = ";"
    file.preamble["Min"] = None
    file.preamble["Max"] = None
    lines = file.lines()
    for k in range(6 - 2, len(lines)):
        cells = lines[k].split(";")
        if cells[0].isdigit():
            cells[1] = f"{cells[1]},5"
            lines[k] = ";".join(cells)
    with pytest.warns(DataQualityWarning, match="no row 'Min='"):
        study = read("\n".join(lines).encode("utf-16"), strictness="warn")
    sign = np.where(file.pressure[-1] < 0, -0.5, 0.5)
    np.testing.assert_array_equal(study["pressure/pressure"].values[-1], file.pressure[-1] + sign)
    assert column(study, "dci_mmhg_s_cm") == [812.5]


# -- colonic -----------------------------------------------------------------------------


def test_a_colonic_layout_is_read_and_said(read):
    file = Mms(n_sensors=40, rate="10", n_samples=400)
    with pytest.warns(DataQualityWarning, match="40 pressures at 10 Hz are the layout of a colon"):
        study = read(file, catheter=None, depths=np.arange(40) * 2.5)
    np.testing.assert_array_equal(study["pressure/pressure"].values, file.pressure)
    assert study.attrs["organ"] == "colon_suspected"
    assert deidentify(study)[0].attrs["organ"] == "colon_suspected"
    assert not attr_to_keep("organ", PLANT)
    with pytest.raises(ParameterError, match=r"span 97.5 cm, expected at most 60 cm"):
        hrm.analyze(study)
    with pytest.warns(DataQualityWarning, match="colonic"):
        study = read(file, catheter=None, depths=np.arange(40))
    warned = hrm.to_dict(hrm.analyze(study))["warnings"]
    assert any("layout of a colonic recording" in text for text in warned)


@pytest.mark.parametrize("changes", [{"n_sensors": 40}, {"n_sensors": 39, "rate": "10"}])
def test_another_layout_is_not_said_to_be_colonic(changes, read):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = read(Mms(**changes), catheter=None, depths=range(changes["n_sensors"]))
    assert "organ" not in study.attrs


# -- through the analysis ------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    return phantom.draw("normal", seed=4, n_supine=3, n_upright=1)


@pytest.fixture(scope="module")
def both(drawn, tmp_path_factory):
    """An export of a phantom with the newer table, and without.

    Row 2 of the table has no event, row 5 no swallow.
    """
    path = tmp_path_factory.mktemp("mms") / "a.csv"
    study = phantom.sample(drawn, sampling_rate=20.0, catheter="CE4-0062", integer=True)
    phantom.write_mms_csv(study, path)
    phantom.write_mms_csv(study, path.with_name("plain.csv"))
    onsets = [row["onset_s"] for row in phantom.swallow_table(drawn)]
    events = {
        round((onset - 0.6) * 20): f"Wet swallow{k}" for k, onset in enumerate(onsets, 1) if k != 2
    }
    events[round((onsets[0] - 15) * 20)] = "Wet swallow5"
    rows = [
        ("Normal", "Intact", "1200", "7", "6.5", "0"),
        ("Weak", "Intact", "400", "6", "6", "0"),
        ("Failed", "Failed", "50", "5", "無數據", "無數據"),
        ("Normal", "Intactt", "1400", "9", "7", "0"),
        ("Hypercontractile", "Intact", "9000", "9", "7", "0"),
    ]
    append_columns(path, {PROCEDURE: events, **table(rows), "catheter_type": {0: "CE4-0062"}})
    with pytest.warns(DataQualityWarning, match="1 of pattern"):
        recording = hrm.open_recording(path)
    plain = hrm.open_recording(path.with_name("plain.csv"), catheter="CE4-0062")
    return hrm.analyze(recording), hrm.analyze(plain)


@pytest.fixture(scope="module")
def analyzed(both):
    return both[0]


def test_results_stand_beside_the_swallows_that_they_belong_to(analyzed):
    rows = hrm.to_dict(analyzed)["swallows"]
    assert len(rows) == 4
    assert [row.get("reported", {}).get("number") for row in rows] == [1, None, 3, 4]
    assert [row.get("reported", {}).get("dci_mmhg_s_cm") for row in rows] == [1200, None, 50, 1400]
    assert "reported" not in rows[1]
    third = rows[2]["reported"]
    assert (third["vigor"], third["pattern"], third["distal_latency_s"]) == (
        "failed", "failed", None,
    )  # fmt: skip
    assert third["status"] == {"distal_latency_s": "no_data", "large_break_cm": "no_data"}
    assert rows[3]["reported"]["pattern"] == "unrecognized"
    assert all(
        abs(row["reported"]["onset_s"] - row["onset_s"]) < 4 for row in rows if "reported" in row
    )


def test_what_belongs_to_no_swallow_is_not_lost(analyzed):
    lost = hrm.to_dict(analyzed)["reported_unmatched"]
    assert [(row["number"], row["vigor"]) for row in lost] == [(5, "hypercontractile"), (2, "weak")]
    assert lost[1]["onset_s"] is None
    assert lost[1]["status"]["onset"] == "no_event"
    node = analyzed["reported"].to_dataset()
    assert sorted(node["swallow_id"].values.tolist()) == [0, 0, 1, 3, 4]


def test_the_results_take_no_part(both):
    result, plain = (hrm.to_dict(tree) for tree in both)
    assert result["classification"] == plain["classification"]
    for row, other in zip(result["swallows"], plain["swallows"], strict=True):
        assert {key: value for key, value in row.items() if key != "reported"} == other


def test_the_contract_holds(analyzed, tmp_path):
    result = hrm.to_dict(analyzed)
    jsonschema.Draft202012Validator(catalog.result_schema()).validate(result)
    json.dumps(result, allow_nan=False)
    hrm.write_native(analyzed, tmp_path / "a.nc")
    back = hrm.open_recording(tmp_path / "a.nc")
    assert hrm.to_dict(back) == result
    assert hrm.to_dict(hrm.analyze(back)) == result


def test_the_long_table_names_the_vendor(analyzed):
    table = hrm.to_long(analyzed)
    told = table[table["metric"].str.startswith("reported_")]
    assert len(told) == 5 * 4
    assert {source.rsplit("#", 1)[1] for source in told["source"]} == {"vendor"}
    assert set(told["metric_version"]) == {"vendor"}
    dci = told[told["metric"] == "reported_dci_mmhg_s_cm"]
    assert dci["swallow"].fillna(0).tolist() == [1, 3, 4, 0, 0]
    assert dci["value"].tolist() == [1200, 50, 1400, 9000, 400]
    assert dci["status"].tolist() == ["ok", "ok", "ok", "unmatched", "unmatched"]
    assert set(dci["unit"]) == {"mmHg s cm"}
    latency = told.query("metric == 'reported_distal_latency_s' and swallow == 3").iloc[0]
    assert math.isnan(latency["value"])
    assert latency["status"] == "no_data"
    own = table[~table["metric"].str.startswith("reported_")]
    assert not own["source"].str.endswith("vendor").any()


def test_the_summary_shows_them(analyzed):
    text = summary(hrm.to_dict(analyzed))
    part = text[text.index("As reported in the file") :].split("\n\n")[0].splitlines()
    assert len(part) == 3 + 5
    assert part[3].split()[0] == "1"
    assert part[3].split()[2:6] == ["normal", "intact", "7.0", "1200"]
    assert "no data" in part[4]
    assert [line.endswith("not among the swallows found") for line in part[3:]] == [
        *(False, False, False, True, True)
    ]
    assert part[1].index("pattern") == part[3].index("intact")
    assert part[2].index("mmHg") + 4 == part[3].index("7.0") + 3


def test_a_study_without_them_has_nothing_of_them(drawn):
    study = phantom.sample(drawn, sampling_rate=20.0)
    result = hrm.to_dict(hrm.analyze(study))
    assert "reported_unmatched" not in result
    assert not any("reported" in row for row in result["swallows"])
    assert "As reported" not in summary(result)


def test_a_converted_file_is_the_one_read_whole(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(sheet({**TABLE, "catheter_type": {0: "CE4-0062"}}).bytes())
    hrm.io.convert_recording(path, tmp_path / "a.nc")
    whole = hrm.io.open_recording(path)
    xr.testing.assert_identical(hrm.io.open_recording(tmp_path / "a.nc"), whole)
    assert "swallows" in whole.children
