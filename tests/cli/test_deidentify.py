"""`hrm deidentify`: only what is on a list comes through, and the log holds no value."""

import datetime as dt
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import hrm.io
from hrm.io import identity
from hrm.io.deidentify import deidentify
from hrm.schema import make_recording
from tests.cli.edf_files import edf
from tests.io.layouts import PLANT, ManoView, spreadsheet

PREAMBLE = {
    "Patient ID": "770012345",
    "Study date": "2024-03-05",
    "Catheter serial": "CE4-0062/SN 47110",
    PLANT: PLANT,
}


@pytest.fixture
def vendor(tmp_path):
    """A vendor's file with an identity in its header, its labels and its name."""
    file = spreadsheet(
        name=PLANT,
        preamble=PREAMBLE,
        extras={"procedure": {3: "Wet swallow1", 5: f"seen by {PLANT}"}},
    )
    path = tmp_path / "vendor.csv"
    path.write_bytes(file.bytes())
    return path


def fields(folder, name="out.nc"):
    log = json.loads((folder / f"{name}.log.json").read_text(encoding="utf-8"))
    return {(row["field"], row["action"]): row["count"] for row in log["fields"]}


def dump(path):
    """Everything in an HDF5 file that is text, and all names."""
    said = []
    with h5py.File(path) as file:

        def visit(name, item):
            said.extend([name, *item.attrs, *map(str, item.attrs.values())])
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "O":
                said.extend(str(value) for value in item.asstr()[()].ravel())

        visit("", file)
        file.visititems(visit)
    return " ".join(said)


def test_what_becomes_of_each_field(run, vendor, tmp_path):
    made = run("deidentify", vendor, "out.nc", "--catheter", "CE4-0062")
    assert made.exit_code == 0, made.stderr
    assert fields(tmp_path) == {
        ("name", "dropped"): 1,
        ("patient_id", "dropped"): 1,
        ("study_date", "dropped"): 1,
        ("catheter_serial", "reduced to the model"): 1,
        ("other header field", "dropped"): 1,
        ("free text of events", "dropped"): 1,
        ("protocol words of events", "kept"): 1,
    }
    for text in (
        dump(tmp_path / "out.nc"),
        (tmp_path / "out.nc.log.json").read_text(),
        made.output,
    ):
        for part in (*PLANT.split(), "770012345", "2024", "47110", "seen by"):
            assert part.casefold() not in text.casefold()


def test_the_recording_itself_is_untouched(run, vendor, tmp_path):
    run("deidentify", vendor, "out.nc", "--catheter", "CE4-0062")
    study = hrm.io.open_recording(vendor, catheter="CE4-0062")
    clean = hrm.io.open_recording(tmp_path / "out.nc")
    xr.testing.assert_identical(clean["pressure"].to_dataset(), study["pressure"].to_dataset())
    np.testing.assert_array_equal(clean["events/onset"].values, study["events/onset"].values)
    assert clean["events/note"].values.tolist() == study["events/note"].values.tolist()
    assert clean.attrs == study.attrs


def test_a_date_becomes_a_study_day(run, vendor, tmp_path):
    run("deidentify", vendor, "out.nc", "--catheter", "CE4-0062", "--reference-date", "2024-03-01")
    assert hrm.io.open_recording(tmp_path / "out.nc").attrs["study_day"] == 5
    assert fields(tmp_path)["study_date", "replaced by the study day"] == 1
    wrong = run("deidentify", vendor, "b.nc", "--reference-date", "1.3.2024")
    assert wrong.exit_code == 2
    assert "a date like 2024-03-01" in wrong.stderr


def test_free_text_is_kept_only_as_asked_and_then_said_so(run, vendor, tmp_path):
    made = run("deidentify", vendor, "out.nc", "--catheter", "CE4-0062", "--keep-free-text")
    assert "free text was kept; read it" in made.stderr
    assert fields(tmp_path)["free text of events", "kept as asked"] == 1
    assert f"seen by {PLANT}" not in dump_of(hrm.io.open_recording(tmp_path / "out.nc"))
    kept = hrm.io.open_recording(tmp_path / "out.nc", keep_phi=True)
    assert f"seen by {PLANT}" in kept["events/note"].values
    assert [name for name in kept.attrs if name.startswith("phi_")] == ["phi_notes"]


def dump_of(study):
    return str(study.to_dict())


@pytest.mark.parametrize("name", ["doe.nc", "JaneDoe-2.nc", "p770012345.nc", "x_jane.h5"])
def test_a_name_of_the_output_that_the_header_gives_away_is_refused(run, vendor, tmp_path, name):
    refused = run("deidentify", vendor, name, "--catheter", "CE4-0062")
    assert refused.exit_code == 2
    assert "choose another name" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vendor.csv"]
    assert run("deidentify", vendor, "a.nc", "--log", name, "--catheter", "CE4-0062").exit_code == 2


@pytest.mark.parametrize("name", ["doe", "P-JANE"])
def test_a_code_that_the_header_gives_away_is_refused(run, vendor, tmp_path, name):
    how = ("--catheter", "CE4-0062", "--participant")
    refused = run("deidentify", vendor, "a.nc", *how, name)
    assert refused.exit_code == 2
    assert "choose another code" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vendor.csv"]
    assert run("deidentify", vendor, "a.nc", *how, "P-07").exit_code == 0


def test_a_name_like_that_of_the_input_is_warned_about(run, vendor, tmp_path):
    made = run("deidentify", vendor, "Vendor.nc", "--catheter", "CE4-0062")
    assert made.exit_code == 0
    assert "named like the input" in made.stderr
    assert (
        "named like the input"
        not in run("deidentify", vendor, "b.nc", "--catheter", "CE4-0062").stderr
    )


def test_outputs_are_not_replaced_unasked(run, vendor, tmp_path):
    assert run("deidentify", vendor, "a.nc", "--catheter", "CE4-0062").exit_code == 0
    before = (tmp_path / "a.nc").read_bytes()
    assert run("deidentify", vendor, "a.nc", "--catheter", "CE4-0062").exit_code == 2
    assert (
        run("deidentify", vendor, "b.nc", "--log", "a.nc", "--catheter", "CE4-0062").exit_code == 2
    )
    assert run("deidentify", vendor, vendor, "--force", "--catheter", "CE4-0062").exit_code == 2
    assert (
        run("deidentify", vendor, "b.nc", "--log", "b.nc", "--catheter", "CE4-0062").exit_code == 2
    )
    assert (tmp_path / "a.nc").read_bytes() == before
    assert run("deidentify", vendor, "a.nc", "--force", "--catheter", "CE4-0062").exit_code == 0


def test_a_native_file_that_kept_its_identity(run, vendor, tmp_path):
    study = hrm.io.open_recording(vendor, catheter="CE4-0062", keep_phi=True, participant="DOE-J")
    hrm.io.write_native(study, tmp_path / "kept.nc")
    made = run("deidentify", "kept.nc", "out.nc")
    assert made.exit_code == 0, made.stderr
    assert "doe" not in dump(tmp_path / "out.nc").casefold()
    assert fields(tmp_path)["study_id", "replaced by a digest of the source"] == 1
    run("deidentify", "kept.nc", "coded.nc", "--participant", "P-07")
    assert hrm.io.open_recording(tmp_path / "coded.nc").attrs["study_id"] == "P-07"


def hostile():
    """A study with an identity wherever the contract leaves room for one."""
    study = make_recording(
        np.ones((50, 3)),
        sampling_rate=25.0,
        depth=[0, 1, 2],
        impedance=np.ones((50, 2)),
        impedance_depth=[1.0, np.nan],
        events=[{"onset": 1.0, "note": PLANT, "source": PLANT}, {"onset": 1.5, "note": "WS 2"}],
        attrs={
            "source_format": PLANT, "source_sha256": PLANT, "reader": PLANT, "reader_version": PLANT,
            "catheter": PLANT, "insertion_depth": PLANT, "pressure_reference": PLANT,
            "start_time": "2024-02-29T08:00", "study_id": PLANT, "patient": PLANT, "born": 19610412,
            "integrity_check": PLANT, "unread_channels": f"Resp1 {PLANT}", "phi_device": PLANT,
            PLANT: "x", "phi_date": "2024-02-29",
        },
    )  # fmt: skip
    study["results/x"] = xr.Dataset(attrs={"reader": PLANT})
    pressure = study["pressure"].to_dataset()
    pressure.attrs["who"] = PLANT
    pressure["pressure"].attrs["who"] = PLANT
    pressure["pressure"].attrs["long_name"] = PLANT
    pressure["depth"].attrs["units"] = PLANT
    pressure = pressure.assign_coords({"who": ("sensor", [PLANT] * 3)})
    study["pressure"] = pressure.assign({PLANT: ("sensor", [1.0, 2.0, 3.0])})
    return study


def test_nothing_comes_through_that_is_not_on_a_list():
    clean, changes = deidentify(hostile(), reference_date=dt.date(2024, 3, 1))
    said = repr(clean.to_dict()) + repr(changes)
    for part in (*PLANT.split(), "19610412", "2024"):
        assert part.casefold() not in said.casefold()
    assert clean.attrs["study_day"] == -1
    assert clean.attrs["start_time"] == "unknown"
    assert clean["events/source"].values.tolist() == ["unknown", "unknown"]
    assert clean["events/note"].values.tolist() == ["", "WS 2"]
    np.testing.assert_array_equal(clean["impedance/segment_depth"].values, [1.0, np.nan])
    assert len(clean.attrs["source_sha256"]) == 64
    counts = {change.slot: change.count for change in changes}
    assert counts["other attributes"] == 5
    assert counts["results and other nodes"] == 2
    assert counts["other variables"] == 2


def test_deidentifying_twice_changes_nothing_more():
    once, _ = deidentify(hostile())
    twice, changes = deidentify(once)
    xr.testing.assert_identical(twice, once)
    assert twice.attrs == once.attrs
    assert {change.action for change in changes} <= {"kept"}


def test_what_is_kept_only_looks_at_the_lists(monkeypatch):
    """The lists decide: with one entry less, that attribute is gone."""
    study = make_recording(
        np.ones((5, 2)), sampling_rate=1.0, depth=[0, 1], attrs={"integrity_check": "passed"}
    )
    assert deidentify(study)[0].attrs["integrity_check"] == "passed"
    monkeypatch.delitem(identity.ROOT_ATTRS, "integrity_check")
    assert "integrity_check" not in deidentify(study)[0].attrs


@pytest.mark.parametrize(
    ("device", "depths", "model"),
    [
        ("CE4-0062 no 12345", None, "CE4-0062"),
        ("CE4-0062 no 12345", tuple(range(22)), "unknown"),  # these are not its positions
        ("CE4-1083/12345", tuple(range(22)), "CE4-1083"),  # of which none are known
        ("manoscan-36", tuple(range(22)), "unknown"),
        ("no 12345", tuple(range(22)), "unknown"),
    ],
)
def test_a_device_gives_its_model_if_the_registry_knows_it(device, depths, model):
    from hrm.catheters import shipped_catheters

    depths = depths or shipped_catheters()["CE4-0062"].depths_cm
    study = make_recording(
        np.ones((5, 22)), sampling_rate=1.0, depth=depths, attrs={"phi_device_serial": device}
    )
    clean, _ = deidentify(study)
    assert clean.attrs["catheter"] == model
    assert "12345" not in repr(clean.to_dict())


@pytest.mark.parametrize(
    ("attrs", "day"),
    [
        ({"start_time": "2024-03-01T23:59"}, 1),
        ({"start_time": "2024-02-29"}, -1),
        ({"phi_study_date": "2024/03/02"}, 2),
        ({"phi_date": "20240310 10:00"}, 10),
        ({"phi_start_time": "2024-03-02", "phi_date": "2024-03-02"}, 2),
        ({"phi_start_time": "2024-03-02", "phi_date": "2024-03-03"}, None),
        ({"phi_date": "01/03/2024"}, None),
        ({"phi_date": "2024-13-01"}, None),
        ({"phi_birth_date": "2024-03-02"}, None),
        ({}, None),
    ],
)
def test_which_date_counts(attrs, day):
    study = make_recording(np.ones((5, 2)), sampling_rate=1.0, depth=[0, 1], attrs=attrs)
    clean, changes = deidentify(study, reference_date=dt.date(2024, 3, 1))
    assert clean.attrs.get("study_day") == day
    said = {change.action for change in changes}
    assert ("replaced by the study day" in said) == (day is not None)
    assert "study_day" not in deidentify(study)[0].attrs


@given(st.dates(), st.dates())
def test_study_days_count_as_days_without_a_day_0(day, reference):
    found = identity.study_day(day, reference)
    assert found != 0
    # A naive count: the place of the day in the row of days, 0 left out.
    naive = day.toordinal() - reference.toordinal() + (day >= reference)
    assert found == naive


@given(st.text(max_size=60))
def test_no_text_is_kept_as_an_attribute_that_is_not_wholly_of_its_form(text):
    for name, pattern in identity.ROOT_ATTRS.items():
        if identity.attr_to_keep(name, text):
            assert pattern
            assert all(part.isascii() for part in text)
            assert len(text.split()) <= 1 or name in ("unread_channels", "recording_part")


@pytest.mark.parametrize(
    ("name", "texts", "found"),
    [
        ("p07.nc", [PLANT], False),
        ("DOE.nc", [PLANT], True),
        ("doe-1.nc", [PLANT], True),
        ("shoes.nc", [PLANT], False),  # three letters count as a word of their own only
        ("janet.nc", [PLANT], True),
        ("1961.nc", [PLANT], False),
        ("sub-770012345.nc", ["770012345"], True),
        ("müller.nc", ["Müller, Éva"], True),
        ("x.nc", ["X, X"], False),
    ],
)
def test_names_within_a_file_name(name, texts, found):
    assert identity.names_within(name, texts) is found


def test_a_manoview_file_loses_its_annotations(run, tmp_path):
    path = Path(tmp_path / "a.txt")
    notes = (("260.70", f"Dr {PLANT}"), ("260.80", "WS 1"))
    path.write_bytes(ManoView(annotations=notes).bytes())
    assert run("deidentify", path, "out.nc").exit_code == 0
    clean = hrm.io.open_recording(tmp_path / "out.nc", keep_phi=True)
    assert clean["events/note"].values.tolist() == ["", "WS 1"]


@pytest.mark.parametrize(("date", "day"), [("05.03.24", 5), ("29.02.24", -1), ("xx.xx.yy", None)])
def test_the_date_of_an_edf_file_is_read_as_edf_defines_it(run, tmp_path, date, day):
    (tmp_path / "in.edf").write_bytes(edf(date=date, patient=PLANT))
    how = ("--channel-order", "proximal_first", "--depths", "0,1,2")
    made = run("deidentify", "in.edf", "out.nc", *how, "--reference-date", "2024-03-01")
    assert made.exit_code == 0, made.stderr
    assert hrm.io.open_recording(tmp_path / "out.nc").attrs.get("study_day") == day
    assert fields(tmp_path)["patient_id", "dropped"] == 1
    assert "doe" not in dump(tmp_path / "out.nc").casefold()


LAYOUT = """
[table]
header_lines = 3
separator = "comma"
[time]
sampling_rate_hz = 50
[pressure]
columns = "1-4"
unit = "mmHg"
order = "proximal_first"
depths_cm = [0, 1, 2, 3]
"""


@pytest.fixture
def plain(tmp_path):
    """A plain table with a patient above its numbers and in a note."""
    layout = tmp_path / "layout.toml"
    layout.write_text(LAYOUT)
    rows = "".join(f"{k % 7},{k % 5},{k % 3},{k % 2}\n" for k in range(200))
    table = tmp_path / "table.csv"
    table.write_text(f"Patient: Quibbleworth Ermintrude\nID: 8830417\na,b,c,d\n{rows}")
    return table, layout


def test_the_lines_above_a_plain_table_are_dropped_and_accounted_for(run, plain, tmp_path):
    table, layout = plain
    out = tmp_path / "P-07.nc"
    done = run("deidentify", table, out, "--layout", layout)
    assert done.exit_code == 0, done.stderr
    log = (tmp_path / "P-07.nc.log.json").read_text()
    assert any(row["field"] == "other header field" for row in json.loads(log)["fields"])
    for secret in ("uibble", "rmintrude", "8830417"):
        assert secret.encode() not in out.read_bytes()
        assert secret not in log + done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Ermintrude_h.nc", "8830417.nc"])
def test_a_name_that_stands_above_a_plain_table_is_refused(run, plain, tmp_path, name):
    table, layout = plain
    assert run("deidentify", table, tmp_path / name, "--layout", layout).exit_code == 2
    assert not (tmp_path / name).exists()
    for command in ("deidentify", "convert"):
        code = ("--participant", name.partition("_")[0].removesuffix(".nc"))
        done = run(command, table, tmp_path / "o.nc", "--layout", layout, *code)
        assert done.exit_code == 2
        assert "choose another code" in done.stderr


def test_a_column_name_of_a_plain_table_may_be_a_code(run, plain, tmp_path):
    table, layout = plain
    table.write_text(table.read_text().replace("a,b,c,d", "site,b,c,d"))
    code = ("--participant", "site-1")
    assert run("deidentify", table, tmp_path / "o.nc", "--layout", layout, *code).exit_code == 0


def test_the_lines_above_a_plain_table_are_kept_when_asked(plain):
    table, layout = plain
    kept = hrm.open_recording(table, layout=layout, keep_phi=True)
    assert kept.attrs["phi_header_line_1"] == "Patient: Quibbleworth Ermintrude"
    assert kept.attrs["phi_header_line_2"] == "ID: 8830417"
    assert not [name for name in hrm.open_recording(table, layout=layout).attrs if "phi" in name]


def test_a_name_in_a_note_is_refused_as_a_name_and_as_a_code(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(ManoView(annotations=(("260.70", "Quibbleworth coughed"),)).bytes())
    for given_names in (("Quibbleworth.nc",), ("o.nc", "--participant", "Quibbleworth")):
        refused = run("deidentify", path, *given_names)
        assert refused.exit_code == 2
        assert "choose another" in refused.stderr
