"""EDF and EDF+: samples exact to the count, gaps told, identity dropped, damage refused."""

import contextlib
import io
import tracemalloc
import warnings
from fractions import Fraction

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import (
    CorruptFileError,
    DataQualityWarning,
    HrmError,
    ParameterError,
    UnsupportedVersionError,
)
from hrm.io._edf_header import Signal as Parsed
from hrm.io._edf_header import physical_values
from hrm.io._units import PRESSURE_UNITS
from hrm.schema import validate
from tests.io.conformance import Case, check
from tests.io.edf_bytes import Edf, Signal, clock, mmhg, pressures, tal
from tests.io.test_privacy import assert_clean, everything_said, whole

SAID = {"depths": (0, 1, 2, 3, 4, 5), "channel_order": "proximal_first"}


def write(tmp_path, file, name="secret.bin"):
    path = tmp_path / name
    path.write_bytes(file if isinstance(file, bytes) else file.bytes())
    return path


def values(study):
    return study["pressure/pressure"].values


def layout_file(tmp_path, text):
    path = tmp_path / "layout.toml"
    path.write_text(text, encoding="utf-8")
    return path


FILES = {
    "edf": (Edf(pressures()), 50.0, 0.0),
    "records-of-half-a-second": (Edf(pressures(per_record=25), record_s="0.5"), 50.0, 0.0),
    "records-of-a-third": (Edf(pressures(per_record=7), record_s="0.35"), 20.0, 0.0),
    "edf+c": (Edf([*pressures(), clock(range(4))], reserved="EDF+C"), 50.0, 0.0),
    "clock-first": (Edf([clock(range(4)), *pressures()], reserved="EDF+C"), 50.0, 0.0),
    "starts-later": (
        Edf([*pressures(), clock([0.25, 1.25, 2.25, 3.25])], reserved="EDF+C"),
        50.0,
        0.25,
    ),
    "edf+d-without-a-gap": (Edf([*pressures(), clock(range(4))], reserved="EDF+D"), 50.0, 0.0),
}


@pytest.mark.parametrize("name", FILES)
def test_every_layout_conforms_and_agrees_with_the_library(name, tmp_path):
    file, rate, first = FILES[name]
    signals = [signal for signal in file.signals if signal.counts is not None]
    path = write(tmp_path, file)
    case = Case(
        reader="edf",
        source_format="edf",
        pressure=np.stack([mmhg(signal) for signal in signals]),
        rate_hz=rate,
        first_s=first,
        depth=np.arange(6.0),
        needs_catheter=True,
        options=SAID,
    )
    study = check(path, case, tmp_path)
    by_library = np.stack([signal.data for signal in edfio.read_edf(path).signals])
    np.testing.assert_allclose(values(study), by_library, rtol=1e-6, atol=1e-5)


RANGES = [
    ("-50", "450", -32768, 32767, "mmHg"),
    ("450", "-50", -32768, 32767, "mmHg"),
    ("-3276.8", "3276.7", -32768, 32767, "mmHg"),
    ("0", "1", 0, 32767, "mmHg"),
    ("-0.1", "0.3", -7, 11, "kPa"),
    ("-20", "60.5", -2048, 2047, "kPa"),
    ("-68.03", "407.888", -32768, 32767, "cmH2O"),
    ("1e-3", "2.5e5", -32768, 32767, "Pa"),
]


@pytest.mark.parametrize(("low", "high", "first", "last", "unit"), RANGES)
def test_every_count_is_rounded_once_from_the_exact_value(low, high, first, last, unit):
    signal = Parsed("P1", unit, (Fraction(low), Fraction(high)), (first, last), 1, 0)
    factor = PRESSURE_UNITS[unit]
    found = physical_values(signal, factor)
    assert found.shape == (65536,)
    inside = found[first + 32768 : last + 32769]
    step = (Fraction(high) - Fraction(low)) * factor / (last - first)
    bottom = step.denominator * (Fraction(low) * factor).denominator
    start, each = int(Fraction(low) * factor * bottom), int(step * bottom)
    assert all(
        is_nearest(value, start + k * each, bottom) for k, value in enumerate(halves(inside))
    )
    assert inside[0] == nearest(Fraction(low) * factor)
    assert inside[-1] == nearest(Fraction(high) * factor)
    assert np.isnan(found[: first + 32768]).all()
    assert np.isnan(found[last + 32769 :]).all()


def halves(values):
    """For each float32: the exact halves to its neighbors, and whether it takes a tie."""
    exact = values.astype(np.float64)
    below = (exact + np.nextafter(values, np.float32(-np.inf)).astype(np.float64)) / 2
    above = (exact + np.nextafter(values, np.float32(np.inf)).astype(np.float64)) / 2
    even = (values.view(np.uint32) & 1) == 0
    return zip(below.tolist(), above.tolist(), even.tolist(), strict=True)


def is_nearest(value, top, bottom):
    """Whether the exact number top / bottom rounds to the float32 between these halves."""
    below, above, takes_ties = value
    (a, b), (c, d) = below.as_integer_ratio(), above.as_integer_ratio()
    low, high = top * b - a * bottom, c * bottom - top * d
    return (low > 0 or (low == 0 and takes_ties)) and (high > 0 or (high == 0 and takes_ties))


def nearest(value):
    """Closest float32 of an exact number, the even one of two: by trying the neighbors."""
    start = np.float32(float(value))
    around = [
        np.nextafter(start, np.float32(-np.inf)),
        start,
        np.nextafter(start, np.float32(np.inf)),
    ]
    even = [int(each.view(np.uint32)) & 1 for each in around]
    distance = [abs(Fraction(float(each)) - value) for each in around]
    return around[min(range(3), key=lambda k: (distance[k], even[k]))]


def test_a_value_just_beside_a_half_is_not_rounded_twice():
    from hrm.io._edf_header import _nearest

    half = Fraction(1) + Fraction(1, 2**24)
    for tiny in (Fraction(1, 10**25), Fraction(-1, 10**25), Fraction(0)):
        value = half + tiny
        found = _nearest([value.numerator], value.denominator)[0]
        assert found == nearest(value)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    low=st.decimals(-9999, 9999, places=2),
    high=st.decimals(-9999, 9999, places=2),
    digital=st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)),
)
def test_the_ends_of_any_range_map_exactly(low, high, digital):
    first, last = sorted(digital)
    if low == high or first == last:
        return
    signal = Parsed("P1", "mmHg", (Fraction(low), Fraction(high)), (first, last), 1, 0)
    found = physical_values(signal, Fraction(1))
    assert found[first + 32768] == np.float32(str(low))
    assert found[last + 32768] == np.float32(str(high))


@pytest.mark.parametrize("unit", PRESSURE_UNITS)
def test_units_are_converted_by_their_exact_ratio(unit, tmp_path):
    pascal = {
        "mmHg": 133.322387415,
        "cmH2O": 98.0665,
        "kPa": 1000,
        "hPa": 100,
        "mbar": 100,
        "Pa": 1,
    }
    file = Edf(pressures(unit=unit, physical=("-5", "45")))
    study = hrm.io.open_recording(write(tmp_path, file), **SAID)
    wanted = np.stack([mmhg(s) for s in file.signals]) * (pascal[unit] / pascal["mmHg"])
    np.testing.assert_allclose(values(study), wanted, rtol=3e-7, atol=1e-6)


def test_distal_first_turns_the_channels_round(tmp_path):
    file = Edf(pressures())
    path = write(tmp_path, file)
    study = hrm.io.open_recording(path, depths=SAID["depths"], channel_order="distal_first")
    np.testing.assert_array_equal(values(study), [mmhg(s) for s in file.signals[::-1]])


def test_p10_comes_after_p9_and_the_order_in_the_file_does_not_count(tmp_path):
    signals = pressures(12)
    shuffled = [signals[k] for k in (11, 0, 5, 1, 2, 3, 4, 6, 10, 7, 8, 9)]
    path = write(tmp_path, Edf(shuffled))
    study = hrm.io.open_recording(path, depths=tuple(range(12)), channel_order="proximal_first")
    np.testing.assert_array_equal(values(study), [mmhg(s) for s in signals])


def test_the_order_is_never_guessed(tmp_path):
    path = write(tmp_path, Edf(pressures()))
    with pytest.raises(ParameterError, match="channel_order"):
        hrm.io.open_recording(path, depths=SAID["depths"])
    with pytest.raises(ParameterError, match="where the sensors sit"):
        hrm.io.open_recording(path, channel_order="proximal_first")


def relabelled(*labels):
    signals = pressures(len(labels))
    for signal, label in zip(signals, labels, strict=True):
        signal.label = label
    return Edf(signals)


@pytest.mark.parametrize(
    "file",
    [
        relabelled("P1", "P2", "P4"),
        relabelled("P1", "P2", "P2"),
        relabelled("P1", "P2", "Esoph"),
        relabelled("A1", "A2", "A3"),
        relabelled("P0", "P1", "P2"),
    ],
)
def test_labels_that_leave_a_doubt_need_a_layout(file, tmp_path):
    with pytest.raises(ParameterError, match="not P1 to Pn") as raised:
        hrm.io.open_recording(
            write(tmp_path, file), depths=(0, 1, 2), channel_order="proximal_first"
        )
    assert "Esoph" not in str(raised.value)


LAYOUT = """
[pressure]
columns = ["pes 5", "pes 10", "pes 15"]
order = "distal_first"
depths_cm = [30, 20, 10]
[impedance]
columns = ["z1", "z2"]
order = "proximal_first"
"""


def mixed():
    signals = pressures(3)
    for signal, label in zip(signals, ("Pes 5", "Pes 10", "Pes 15"), strict=True):
        signal.label = label
    rng = np.random.default_rng(5)
    ohms = [
        Signal(f"Z{k}", rng.integers(0, 4000, (4, 10)), "kOhm", ("0", "8"), (0, 4095))
        for k in (1, 2)
    ]
    flow = Signal("Flow", rng.integers(0, 99, (4, 3)), "l/s")
    return Edf([flow, *signals, *ohms])


def test_a_layout_names_labels_depths_and_impedances_of_another_rate(tmp_path):
    file = mixed()
    path = write(tmp_path, file)
    study = hrm.io.open_recording(path, layout=layout_file(tmp_path, LAYOUT))
    validate(study)
    np.testing.assert_array_equal(values(study), [mmhg(s) for s in file.signals[3:0:-1]])
    np.testing.assert_array_equal(study["pressure/depth"], [0, 10, 20])
    ohm = study["impedance/impedance"]
    wanted = np.stack([mmhg(s) for s in file.signals[4:]]) * 1000
    np.testing.assert_allclose(ohm, wanted, rtol=2e-7)
    np.testing.assert_allclose(np.diff(study["impedance/impedance_time"]), 0.1)
    assert study.attrs["unread_signals"] == 1
    by_number = LAYOUT.replace('["pes 5", "pes 10", "pes 15"]', '"2-4"')
    again = hrm.io.open_recording(path, layout=layout_file(tmp_path, by_number))
    np.testing.assert_array_equal(values(again), values(study))


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ('"pes 5"', '"pes 7"', ParameterError, "pressure.columns, entry 1, is there 0 times"),
        ('["z1", "z2"]', "[2, 3]", ParameterError, "as pressure and as impedance"),
        ('["z1", "z2"]', "[7, 5]", ParameterError, "impedance.columns, entry 1"),
        ('["z1", "z2"]', '["flow", "z1"]', UnsupportedVersionError, "unknown physical dimension"),
        ('["pes 5", "pes 10", "pes 15"]', "[2, 3, 5]", UnsupportedVersionError, "signal 5 has an"),
        ('order = "distal_first"', 'order = "distal_first"\nunit = "kPa"', ParameterError, "mmHg"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(old, new, error, words, tmp_path):
    path = layout_file(tmp_path, LAYOUT.replace(old, new))
    with pytest.raises(error, match=words):
        hrm.io.open_recording(write(tmp_path, mixed()), layout=path)


def test_a_missing_dimension_is_said_and_an_unknown_one_refused(tmp_path):
    layout = layout_file(tmp_path, '[pressure]\ncolumns = "1-6"\norder = "proximal_first"\n')
    path = write(tmp_path, Edf(pressures(unit="")))
    with pytest.raises(UnsupportedVersionError, match="pressure_unit="):
        hrm.io.open_recording(path, depths=SAID["depths"], layout=layout)
    study = hrm.io.open_recording(path, depths=SAID["depths"], layout=layout, pressure_unit="mmHg")
    np.testing.assert_array_equal(values(study)[0], mmhg(pressures()[0]))
    path = write(tmp_path, Edf(pressures(unit="uV")))
    with pytest.raises(UnsupportedVersionError, match="unknown physical dimension"):
        hrm.io.open_recording(path, depths=SAID["depths"], layout=layout)


def test_two_rates_or_units_among_the_pressures_are_refused(tmp_path):
    slow = pressures(1, per_record=10)[0]
    slow.label = "P7"
    path = write(tmp_path, Edf([*pressures(), slow]))
    with pytest.raises(UnsupportedVersionError, match="2 different sampling rates"):
        hrm.io.open_recording(path, depths=tuple(range(7)), channel_order="proximal_first")
    signals = pressures()
    signals[2].unit = "kPa"
    with pytest.raises(UnsupportedVersionError, match="2 different units"):
        hrm.io.open_recording(write(tmp_path, Edf(signals)), **SAID)


GAPPED = [0, 1, 5.5, 6.5]


def test_gaps_are_told_and_a_part_is_chosen(tmp_path):
    notes = {0: tal(0.5, "wet swallow 1"), 2: tal(5.75, "wet swallow 2", duration=0.5)}
    file = Edf([*pressures(), clock(GAPPED, notes)], reserved="EDF+D")
    path = write(tmp_path, file)
    with pytest.raises(CorruptFileError) as raised:
        hrm.io.open_recording(path, **SAID)
    message = str(raised.value)
    assert "part 1: 0 to 2 s, part 2: 5.5 to 7.5 s" in message
    assert "time.part" in message
    assert "record 3" in message
    whole_file = np.stack([mmhg(signal) for signal in file.signals[:-1]])
    for part, first, note in ((1, 0.0, 0.5), (2, 5.5, 0.25)):
        text = f'[time]\npart = {part}\n[pressure]\norder = "proximal_first"\n'
        study = hrm.io.open_recording(
            path, depths=SAID["depths"], layout=layout_file(tmp_path, text)
        )
        start = 100 * (part - 1)
        np.testing.assert_array_equal(values(study), whole_file[:, start : start + 100])
        assert study.attrs["time_offset_s"] == first
        assert study.attrs["recording_part"] == f"{part} of 2"
        assert study["events/onset"].values.tolist() == [note]
        assert study["events/note"].values.tolist() == [f"wet swallow {part}"]
        assert study["events/duration"].values.tolist() == [0.0 if part == 1 else 0.5]
    text = '[time]\npart = 3\n[pressure]\norder = "proximal_first"\n'
    with pytest.raises(ParameterError, match="the recording has 2"):
        hrm.io.open_recording(path, depths=SAID["depths"], layout=layout_file(tmp_path, text))


@pytest.mark.parametrize(
    "onsets", [[0, 1, 2, 3.5], [0, 0.5, 1.5, 2.5], [0, 2, 1, 3], [0, 1, 2, 3.011]]
)
def test_a_file_that_calls_itself_continuous_is_not_believed(onsets, tmp_path):
    file = Edf([*pressures(), clock(onsets)], reserved="EDF+C")
    with pytest.raises(CorruptFileError, match="gaps"):
        hrm.io.open_recording(write(tmp_path, file), **SAID)


def test_a_clock_counts_even_if_the_header_forgets_to_name_it(tmp_path):
    path = write(tmp_path, Edf([*pressures(), clock(GAPPED)]))
    with pytest.raises(CorruptFileError, match=r"part 2: 5\.5 to 7\.5 s"):
        hrm.io.open_recording(path, **SAID)
    path = write(tmp_path, Edf(pressures(), reserved="EDF+D"))
    with pytest.raises(CorruptFileError, match="nothing says when"):
        hrm.io.open_recording(path, **SAID)


def test_less_than_half_a_sample_is_no_gap(tmp_path):
    file = Edf([*pressures(), clock([0, 1, 2, 3.009])], reserved="EDF+C")
    assert values(hrm.io.open_recording(write(tmp_path, file), **SAID)).shape == (6, 200)


def annotated():
    notes = {
        0: tal(0.5, "Wet swallow 1", "seen by Dr Doe") + tal(0.75, "Resting", duration="1.5"),
        2: tal(2.125, "Jane Doe coughs"),
    }
    return Edf([*pressures(), clock(range(4), notes)], reserved="EDF+C")


def test_annotations_become_events_and_lose_free_text(tmp_path):
    path = write(tmp_path, annotated())
    study = hrm.io.open_recording(path, **SAID)
    events = study["events"].to_dataset()
    assert events["onset"].values.tolist() == [0.5, 0.5, 0.75, 2.125]
    assert events["label"].values.tolist() == ["protocol", "annotation", "resting", "annotation"]
    assert events["note"].values.tolist() == ["Wet swallow 1", "", "Resting", ""]
    assert events["duration"].values.tolist() == [0, 0, 1.5, 0]
    kept = hrm.io.open_recording(path, keep_phi=True, **SAID)
    assert "Jane Doe coughs" in kept["events/note"].values
    library = [(note.onset, note.text) for note in edfio.read_edf(path).annotations]
    found = zip(kept["events/onset"].values.tolist(), kept["events/note"].values, strict=True)
    assert sorted(found) == sorted(library)


def test_annotations_outside_of_the_recording_are_left_out_with_a_warning(tmp_path):
    notes = {0: tal(-1, "WS 1") + tal(9, "WS 2") + tal(1, "WS 3")}
    path = write(tmp_path, Edf([*pressures(), clock(range(4), notes)], reserved="EDF+C"))
    with pytest.warns(DataQualityWarning, match="2 annotations"):
        study = hrm.io.open_recording(path, **SAID)
    assert study["events/note"].values.tolist() == ["WS 3"]


def test_identity_stays_in_the_file_unless_asked_for(tmp_path):
    path = write(tmp_path, annotated())
    study = hrm.io.open_recording(path, **SAID)
    assert study.attrs["start_time"] == "unknown"
    assert_clean(repr(whole(study)).replace("1961", ""))
    assert "2024" not in repr(study.attrs["time_offset_s"])
    kept = hrm.io.open_recording(path, keep_phi=True, **SAID)
    assert "Doe_Jane" in kept.attrs["phi_patient_id"]
    assert kept.attrs["phi_start_date"] == "2024-03-02"


def spoiled():
    """An EDF file with the patient's name in every field that should hold something else."""
    data = annotated().bytes()
    n = 7
    places = {
        "version": 0, "length": 184, "count": 236, "duration": 244, "signals": 252,
        "label": 256, "unit": 256 + 96 * n, "low": 256 + 104 * n, "high": 256 + 112 * n,
        "first": 256 + 120 * n, "last": 256 + 128 * n, "samples": 256 + 216 * n,
        "note": len(data) - 64,
    }  # fmt: skip
    for name, at in places.items():
        yield (
            name,
            data[:at]
            + b"DOE JANE"[: 4 if name == "signals" else 8]
            + (data[at + (4 if name == "signals" else 8) :]),
        )


@pytest.mark.parametrize(("name", "data"), [pytest.param(*row, id=row[0]) for row in spoiled()])
def test_a_name_in_any_field_is_never_quoted(name, data, tmp_path):
    path = write(tmp_path, data)
    for call in (
        lambda: hrm.io.open_recording(path, **SAID),
        lambda: hrm.io.open_recording(path, reader="edf", **SAID),
        lambda: hrm.io.peek(path),
    ):
        said = everything_said(call)
        assert "doe" not in said.casefold().replace("does", "")
        assert "jane" not in said.casefold()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"n_stated": 5}, CorruptFileError, "holds 4 records, its header says 5"),
        ({"n_stated": 3}, CorruptFileError, "holds 4 records, its header says 3"),
        ({"n_stated": -1}, CorruptFileError, "never filled in"),
        ({"record_s": "0"}, CorruptFileError, "a number of the header"),
        ({"record_s": "-1"}, UnsupportedVersionError, "annotations only"),
        ({"record_s": "nan"}, CorruptFileError, "a number of the header"),
        ({"version": b"\xffBIOSEMI"}, UnsupportedVersionError, "BDF"),
    ],
)
def test_a_contradictory_header_is_refused(change, error, words, tmp_path):
    file = Edf(pressures(), **change)
    with pytest.raises(error, match=words):
        hrm.io.open_recording(write(tmp_path, file), **SAID)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"digital": (5, 5)}, "digital minimum"),
        ({"digital": (100, -100)}, "digital minimum"),
        ({"digital": (-40000, 40000)}, "digital minimum"),
        ({"physical": ("7", "7")}, "span nothing"),
        ({"physical": ("nan", "7")}, "span nothing"),
        ({"physical": ("x", "7")}, "a number of the header"),
    ],
)
def test_a_calibration_that_says_nothing_is_refused(options, words, tmp_path):
    path = write(tmp_path, Edf(pressures(**options)))
    with pytest.raises(CorruptFileError, match=words):
        hrm.io.open_recording(path, **SAID)


def test_a_file_that_was_not_closed_can_be_read_with_a_warning(tmp_path):
    path = write(tmp_path, Edf(pressures(), n_stated=-1).bytes() + b"\0" * 100)
    with pytest.warns(DataQualityWarning) as caught:
        study = hrm.io.open_recording(path, strictness="warn", **SAID)
    assert len(caught) == 2
    assert values(study).shape == (6, 200)


def test_counts_beyond_the_declared_range_are_missing_not_stretched(tmp_path):
    signals = pressures(digital=(-3000, 9000))
    signals[1].counts[2, 7] = 9001
    path = write(tmp_path, Edf(signals))
    with pytest.raises(CorruptFileError, match="1 samples lie beyond"):
        hrm.io.open_recording(path, **SAID)
    with pytest.warns(DataQualityWarning, match="1 samples"):
        study = hrm.io.open_recording(path, strictness="warn", **SAID)
    assert np.argwhere(np.isnan(values(study))).tolist() == [[1, 107]]


def attempt(path, data):
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(HrmError):
            hrm.io.peek(path)
        try:
            study = hrm.io.open_recording(path, **SAID)
        except HrmError:
            return None
    validate(study)
    return study


def test_every_truncation_is_an_error(tmp_path):
    data = annotated().bytes()
    for cut in [*range(0, len(data), 97), len(data) - 1]:
        assert attempt(tmp_path / "a", data[:cut]) is None, cut


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_flipped_bytes_raise_nothing_but_hrm_errors(data, tmp_path):
    content = bytearray(annotated().bytes())
    n_header = 256 * 8
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, n_header + 700))
        content[at] = data.draw(st.integers(0, 255))
    attempt(tmp_path / "a", bytes(content))


def test_packed_and_from_an_object_it_is_the_same_study(tmp_path):
    import gzip

    data = annotated().bytes()
    plain = hrm.io.open_recording(write(tmp_path, data), **SAID)
    packed = hrm.io.open_recording(write(tmp_path, gzip.compress(data), "a.gz"), **SAID)
    stream = hrm.io.open_recording(io.BytesIO(data), **SAID)
    for other in (packed, stream):
        assert other.attrs == plain.attrs
        np.testing.assert_array_equal(values(other), values(plain))


def test_blocks_of_any_size_give_the_same_and_convert_as_well(tmp_path, monkeypatch):
    path = write(tmp_path, annotated())
    whole_study = hrm.io.open_recording(path, **SAID)
    hrm.io.convert_recording(path, tmp_path / "a.nc", **SAID)
    converted = hrm.io.open_recording(tmp_path / "a.nc")
    np.testing.assert_array_equal(values(converted), values(whole_study))
    assert converted.attrs == whole_study.attrs
    monkeypatch.setattr("hrm.io.edf._BLOCK_BYTES", 1)
    again = hrm.io.open_recording(path, **SAID)
    np.testing.assert_array_equal(values(again), values(whole_study))
    assert again["events/onset"].values.tolist() == whole_study["events/onset"].values.tolist()


def test_memory_does_not_grow_with_the_recording(tmp_path, monkeypatch):
    from hrm.io._registry import ReadOptions
    from hrm.io._source import Source
    from hrm.io._stream import checked_blocks
    from hrm.io.edf import EdfReader

    monkeypatch.setattr("hrm.io.edf._BLOCK_BYTES", 1 << 18)
    path = write(tmp_path, Edf(pressures(n_records=3000, per_record=100)).bytes())
    options = ReadOptions(**SAID)
    hrm.io.open_recording(path, **SAID)
    with Source.of(path) as source:
        tracemalloc.start()
        n_rows = sum(len(b.pressure) for b in checked_blocks(EdfReader().stream(source, options)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert n_rows == 300_000
    assert peak < path.stat().st_size
