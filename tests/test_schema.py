"""The data contract: what make_recording accepts, turns round, drops and refuses."""

import numpy as np
import pytest
import xarray as xr

import hrm
from hrm.errors import HrmError, ParameterError, SchemaError, UnitsError
from hrm.schema import REQUIRED_ATTRS, make_recording, sampling_rate, validate


def values(n_time=40, n_sensors=3):
    return np.arange(n_time * n_sensors, dtype=float).reshape(n_time, n_sensors) / 4


def record(pressure=None, **options):
    given = {"sampling_rate": 20.0, "depth": [0.0, 1.0, 2.5]} | options
    return make_recording(values() if pressure is None else pressure, **given)


def test_layout():
    study = record()
    pressure = study["pressure/pressure"]
    assert pressure.dims == ("sensor", "time")
    assert pressure.dtype == np.float32
    assert pressure.values.flags.c_contiguous
    np.testing.assert_array_equal(pressure.values, values().T)
    np.testing.assert_allclose(study["pressure/time"].values, np.arange(40) / 20)
    np.testing.assert_array_equal(study["pressure/depth"].values, [0.0, 1.0, 2.5])
    assert study["pressure/depth"].attrs == {"units": "cm", "depth_reference": "first_sensor"}
    assert study["pressure/sensor_ok"].values.tolist() == [True] * 3
    assert sampling_rate(study) == 20.0
    assert study.attrs.keys() >= REQUIRED_ATTRS.keys()
    assert study.attrs["reader_version"] == hrm.__version__


@pytest.mark.parametrize(
    "make",
    [
        lambda v: v.astype(">f8"),
        np.asfortranarray,
        lambda v: v[::-1][::-1],
        lambda v: v.tolist(),
        lambda v: v.astype(np.float32),
        lambda v: (v * 4).astype(np.int16) / 4,
    ],
)
def test_any_layout_of_the_same_numbers_gives_the_same_study(make):
    xr.testing.assert_identical(record(make(values())), record())


def test_time_may_be_the_second_axis():
    xr.testing.assert_identical(record(values().T, dims=("sensor", "time")), record())


def test_a_distal_first_file_is_turned_round_with_its_sensors():
    turned = record(values()[:, ::-1], depth=[2.5, 1.0, 0.0], sensor_ok=[False, True, True])
    known = record(sensor_ok=[True, True, False])
    np.testing.assert_array_equal(turned["pressure/pressure"], known["pressure/pressure"])
    np.testing.assert_array_equal(turned["pressure/sensor_ok"], known["pressure/sensor_ok"])
    assert turned["pressure/depth"].values.tolist() == [0.0, 1.0, 2.5]


def test_the_callers_array_is_not_changed():
    given = values()
    given.setflags(write=False)
    record(given)["pressure/pressure"].values[:] = 7.0
    assert given.max() > 7


def test_nan_is_kept_and_an_empty_sensor_is_not_usable():
    holed = values()
    holed[3, 0] = np.nan
    holed[:, 1] = np.nan
    study = record(holed)
    assert study["pressure/sensor_ok"].values.tolist() == [True, False, True]
    assert np.isnan(study["pressure/pressure"].values).sum() == 41


@pytest.mark.parametrize(
    ("pressure", "options", "message"),
    [
        (np.zeros((4, 3, 2)), {}, "2-D"),
        (np.zeros(3), {}, "2-D"),
        (np.zeros((1, 3)), {}, "at least 2 sensors and 2 samples, got 3 and 1"),
        (np.zeros((4, 1)), {"depth": [0]}, "got 1 and 4"),
        (np.array([["a", "b", "c"]] * 3), {}, "numbers"),
        (np.zeros((4, 3), complex), {}, "complex"),
        (np.full((4, 3), np.inf), {}, "infinite"),
        (None, {"depth": [0, 1]}, "3 sensors but 2 depths"),
        (None, {"depth": [0, 1, 1]}, "strictly increasing"),
        (None, {"depth": [0, 2, 1]}, "strictly increasing"),
        (None, {"depth": [0, np.nan, 2]}, "NaN"),
        (None, {"depth": [0, 0, 2]}, "strictly increasing"),
        (None, {"depth": [0, 200, 400]}, "span 400 cm.*depths are in cm, not in mm"),
        (None, {"depth": [400, 200, 0]}, "span 400 cm"),
        (None, {"depth": [0, 100, 150.01]}, "span 150.01 cm, expected at most 150 cm"),
        (None, {"depth": [0, 0.01, 0.03]}, "0.01 cm apart, expected at least 0.1 cm.*not in m$"),
        (None, {"depth": [20, 0.05, 0]}, "0.05 cm apart"),
        (None, {"sensor_ok": [True]}, "1 entries"),
        (None, {"sampling_rate": 0.0}, "positive"),
        (None, {"sampling_rate": float("nan")}, "positive"),
        (None, {"sampling_rate": float("inf")}, "positive"),
        (None, {"depth_reference": "teeth"}, "nares, first_sensor"),
        (None, {"events": [{"onset": 1.0, "label": "cough"}]}, "event label"),
        (None, {"events": [{"onset": float("nan")}]}, "finite onset"),
        (None, {"impedance": np.zeros((4, 2))}, "impedance_depth"),
        (None, {"impedance": np.zeros((4, 2)), "impedance_depth": [1]}, "2 impedance segments"),
    ],
)
def test_faults_are_refused(pressure, options, message):
    with pytest.raises(SchemaError, match=message):
        record(pressure, **options)


@pytest.mark.parametrize("depth", [[0, 0.5, 1], [10, 20, 160], [0, 0.3, 0.3 + 0.1 * 10]])
def test_any_catheter_that_can_be_in_cm_is_accepted(depth):
    assert record(depth=depth)["pressure/depth"].values.tolist() == depth


def test_depths_a_millimeter_apart_are_accepted():
    depth = np.arange(0, 4, 0.1)
    assert record(np.ones((5, depth.size)), depth=depth)["pressure/depth"].size == 40


def test_a_shape_that_does_not_fit_says_how_the_axes_were_read():
    with pytest.raises(
        SchemaError, match=r"40 sensors but 3 depths.*3 samples of 40 sensors; dims="
    ):
        record(values().T)


def test_all_faults_are_told_at_once():
    with pytest.raises(SchemaError) as caught:
        record(depth=[0, 1], sampling_rate=-1.0, depth_reference="teeth")
    for part in ("2 depths", "sampling_rate", "depth_reference"):
        assert part in str(caught.value)


@pytest.mark.parametrize("units", ["kPa", "", "mmhg", "cmH2O"])
def test_only_mmhg(units):
    with pytest.raises(UnitsError, match="mmHg"):
        record(units=units)


@pytest.mark.parametrize("dims", [("time", "depth"), ("time",), ("time", "time")])
def test_dims_must_be_named(dims):
    with pytest.raises(ParameterError, match="dims"):
        record(dims=dims)


@pytest.mark.parametrize(
    "dims", [("time", "sensor"), ("time", "channel"), ("t", "sensor"), ("time", "depth")]
)
def test_the_dims_of_a_data_array_are_heeded(dims):
    named = xr.DataArray(values(), dims=dims, attrs={"units": "mmHg"})
    xr.testing.assert_identical(record(named), record())
    xr.testing.assert_identical(record(named.transpose()), record())
    xr.testing.assert_identical(record(named.transpose(), dims=("sensor", "time")), record())


def test_dims_that_say_nothing_are_taken_as_an_array_without_dims():
    plain = xr.DataArray(values(), dims=("x", "y"))
    xr.testing.assert_identical(record(plain), record())
    xr.testing.assert_identical(record(plain.transpose(), dims=("sensor", "time")), record())


def test_dims_that_contradict_the_data_array_are_refused():
    # Square, so that nothing but the names tells the axes apart.
    square = xr.DataArray(np.zeros((3, 3)), dims=("sensor", "time"))
    for given in (square, square.rename(time="t"), square.rename(sensor="channel")):
        with pytest.raises(ParameterError, match="contradicts the dims of the array"):
            record(given, dims=("time", "sensor"))
        with pytest.raises(ParameterError, match="contradicts the dims of the array"):
            record(given.transpose(), dims=("sensor", "time"))


@pytest.mark.parametrize("unit", ["kPa", "", "mm Hg", None])
def test_a_data_array_in_another_unit_is_refused(unit):
    with pytest.raises(UnitsError, match="expected 'mmHg'"):
        record(xr.DataArray(values(), dims=("time", "sensor"), attrs={"units": unit}))


def test_impedance_as_a_data_array():
    ohm = xr.DataArray(
        np.arange(80.0).reshape(2, 40), dims=("segment", "time"), attrs={"units": "ohm"}
    )
    study = record(impedance=ohm, impedance_depth=[1, 2])
    np.testing.assert_array_equal(study["impedance/impedance"], ohm)
    with pytest.raises(UnitsError, match="expected 'ohm'"):
        record(impedance=ohm.assign_attrs(units="kohm"), impedance_depth=[1, 2])


def test_attributes():
    study = record(attrs={"system": "starlet", "catheter": "x", "note": 3})
    assert study.attrs["system"] == "starlet"
    assert study.attrs["note"] == 3
    with pytest.raises(ParameterError, match="unknown system"):
        record(attrs={"system": "mine"})
    with pytest.raises(ParameterError, match="thermal_compensation"):
        record(attrs={"thermal_compensation": "maybe"})
    for wrong in (None, {"a": 1}, object()):
        with pytest.raises(SchemaError, match="'note'"):
            record(attrs={"note": wrong})


def test_the_digest_names_the_content():
    known = record().attrs["source_sha256"]
    assert len(known) == 64
    assert record().attrs["study_id"] == known[:12]
    changed = values()
    changed[5, 1] += 1
    others = [record(changed), record(sampling_rate=25.0), record(depth=[0, 1, 2])]
    assert len({known, *(study.attrs["source_sha256"] for study in others)}) == 4
    assert record(attrs={"source_sha256": "f" * 64}).attrs["source_sha256"] == "f" * 64


def test_impedance_has_its_own_clock_and_places():
    study = record(
        impedance=np.ones((80, 2)), impedance_depth=[1, np.nan], impedance_sampling_rate=40.0
    )
    node = study["impedance"].to_dataset()
    assert node["impedance"].dims == ("segment", "impedance_time")
    assert node["impedance"].attrs["units"] == "ohm"
    assert node["impedance_time"].values[-1] == pytest.approx(79 / 40)
    assert np.isnan(node["segment_depth"].values[1])


def test_events_are_sorted_and_filled():
    study = record(
        events=[
            {"onset": 3.0, "label": "marker", "source": "operator"},
            {"onset": 1.0, "duration": 0.5, "note": "Schluck"},
        ]
    )
    events = study["events"].to_dataset()
    assert events["onset"].values.tolist() == [1.0, 3.0]
    assert events["duration"].values.tolist() == [0.5, 0.0]
    assert events["label"].values.tolist() == ["annotation", "marker"]
    assert events["source"].values.tolist() == ["unknown", "operator"]
    assert events["note"].values.tolist() == ["Schluck", ""]
    assert record()["events"].to_dataset().sizes["event"] == 0


def broken(change):
    study = record()
    nodes = {node.path: node.to_dataset() for node in study.subtree}
    change(nodes)
    return xr.DataTree.from_dict({path: node for path, node in nodes.items() if node is not None})


def _edit_pressure(edit):
    def change(nodes):
        nodes["/pressure"] = edit(nodes["/pressure"])

    return change


def _transposed(node):
    return node.assign(pressure=node["pressure"].transpose("time", "sensor"))


def _depth(places, reference="nares"):
    return lambda node: node.assign_coords(
        depth=("sensor", places, {"units": "cm", "depth_reference": reference})
    )


def _units(node):
    out = node.copy(deep=True)
    out["pressure"].attrs["units"] = "kPa"
    return out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda nodes: nodes.pop("/pressure"), "/pressure"),
        (lambda nodes: nodes.pop("/events"), "/events"),
        (lambda nodes: nodes["/"].attrs.pop("catheter"), "'catheter' is missing"),
        (lambda nodes: nodes["/"].attrs.update(flag=None), "NoneType"),
        (_edit_pressure(_transposed), "dims"),
        (_edit_pressure(lambda node: node.astype(np.float64)), "float64"),
        (_edit_pressure(_units), "kPa"),
        (_edit_pressure(lambda node: node.drop_vars("sensor_ok")), "'sensor_ok'"),
        (_edit_pressure(lambda node: node.drop_vars("time")), "'time'"),
        (_edit_pressure(_depth([0.0, 2.0, 1.0])), "increasing downwards"),
        (_edit_pressure(_depth([0.0, 100.0, 200.0])), "span 200 cm"),
        (_edit_pressure(_depth([0.0, 1.0, 2.0], "teeth")), "depth_reference"),
        (_edit_pressure(lambda node: node.assign_coords(time=node["time"] * 0)), "time is not"),
    ],
)
def test_a_study_that_breaks_the_contract_is_refused(change, message):
    study = broken(change)
    with pytest.raises(SchemaError, match=message):
        validate(study)
    with pytest.raises(HrmError):
        hrm.analyze(study)


def test_a_sound_study_is_valid():
    validate(record())
    validate(broken(lambda nodes: None))


@pytest.mark.parametrize("thing", [np.zeros((4, 3)), "a.csv", None, xr.Dataset()])
def test_what_is_no_study_is_a_type_error_that_says_how_to_make_one(thing):
    for function in (validate, hrm.analyze):
        with pytest.raises(TypeError, match=r"DataTree.*open_recording\(path\) makes one"):
            function(thing)


def test_a_rate_that_gives_no_times_is_refused_without_a_warning():
    for rate in (1e-308, 5e-324):
        with pytest.raises(SchemaError, match="sampling_rate must give times that are numbers"):
            hrm.make_recording(np.zeros((200, 3)), sampling_rate=rate, depth=[0, 1, 2])
        with pytest.raises(SchemaError, match="impedance_sampling_rate must give times"):
            hrm.make_recording(
                np.zeros((200, 3)),
                sampling_rate=50.0,
                depth=[0, 1, 2],
                impedance=np.ones((200, 2)),
                impedance_depth=[1, 2],
                impedance_sampling_rate=rate,
            )
