"""Identity planted in every place of a file must not come out anywhere."""

import re
import traceback
import warnings

import pytest

import hrm.io
from hrm.errors import HrmError, ParameterError
from hrm.io._registry import builtin_readers
from hrm.io.identity import is_protocol_text, note_to_keep, phi_attr_name
from tests.io.layouts import PLANT, Headless, ManoView, Mms, spreadsheet

NAMES = PLANT.split()
PREAMBLE = {"Patient ID": PLANT, "Born": "1961", "Physician": PLANT}

FILES = {
    "mms": Mms(name=", ".join(NAMES), preamble=PREAMBLE),
    "spreadsheet": spreadsheet(
        name=PLANT,
        preamble=PREAMBLE,
        extras={"procedure": {3: "Wet swallow1", 5: PLANT}, PLANT: {4: PLANT}},
    ),
    "results": spreadsheet(
        name=PLANT,
        extras={
            "procedure": {3: "Wet swallow1", 9: PLANT},
            "Contraction vigor": {3: PLANT, 9: "Weak"},
            "Contraction patterns": {3: f"Intact {PLANT}"},
            "ws_10_dci": {0: PLANT, 1: "1961"},
            f"ws_10_{PLANT}": {0: PLANT},
            "catheter_type": {0: PLANT},
        },
    ),
    "manoview": ManoView(annotations=(("260.70", PLANT), ("260.71", "WS 1"), ("900.0", PLANT))),
    "headless": Headless(),
}


def damage(data):
    """The same file with identity where numbers belong, and in other wrong ways."""
    lines = data.split(b"\n")
    plant = PLANT.encode()
    yield b"\n".join([*lines[:20], plant, *lines[20:]])
    yield b"\n".join([plant, *lines])
    yield b"\n".join([*lines, plant])
    yield data[: len(data) * 2 // 3] + b", " + plant
    yield b"\n".join([*lines[:20], lines[20].replace(b"1", plant), *lines[21:]])
    yield b"\n".join(line.replace(b"=", b"=" + plant) for line in lines)
    yield b"\n".join([lines[0] + b"\t" + plant, *lines[1:]])
    yield data.replace(b"Sf=", plant)
    yield plant


def everything_said(call):
    """All text that a call lets out: values, attributes, warnings, the whole error chain."""
    said = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except HrmError as err:
            while err is not None:
                said += [str(err), repr(err), *traceback.format_exception_only(err)]
                err = err.__cause__ or err.__context__
        else:
            said.append(repr(result.to_dict() if hasattr(result, "to_dict") else result))
    return " ".join(said + [str(item.message) for item in caught])


def whole(study):
    """All texts of a study, so that nothing is abbreviated; numbers may hold any digits."""
    said = []
    for node in study.subtree:
        dataset = node.to_dataset(inherit=False)
        said += [node.path, node.name, dict(node.attrs)]
        for name, variable in dataset.variables.items():
            texts = variable.values.tolist() if variable.dtype.kind in "OUT" else []
            said += [name, dict(variable.attrs), texts]
    return said


def assert_clean(text):
    for name in NAMES:
        # Not within an English word: "does" is no Doe.
        assert not re.search(rf"(?<![a-z]){name}(?![a-z])", text, re.IGNORECASE), name


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / PLANT
    folder.mkdir()
    return folder / f"{PLANT}.csv"


@pytest.mark.parametrize("name", FILES)
def test_identity_does_not_come_out(name, path, tmp_path):
    path.write_bytes(FILES[name].bytes())
    options = {"catheter": "CE4-0062"} if isinstance(FILES[name], Mms) else {}
    assert_clean(everything_said(lambda: whole(hrm.io.open_recording(path, **options))))
    assert_clean(everything_said(lambda: hrm.io.peek(path)))
    assert_clean(everything_said(lambda: hrm.io.open_recording(path, depths=(1, 2))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hrm.io.write_native(hrm.io.open_recording(path, **options), tmp_path / "a.nc")
    stored = (tmp_path / "a.nc").read_bytes().lower()
    assert not any(part.lower().encode() in stored for part in NAMES[:2])


@pytest.mark.parametrize("name", FILES)
def test_errors_do_not_quote_the_file(name, path):
    options = {"catheter": "CE4-0062"} if isinstance(FILES[name], Mms) else {}
    for data in damage(FILES[name].bytes()):
        path.write_bytes(data)
        for call in (hrm.io.open_recording, hrm.io.peek):
            extra = options if call is hrm.io.open_recording else {}
            for reader in (None, *(each.name for each in builtin_readers())):
                text = everything_said(lambda: call(path, reader=reader, **extra))  # noqa: B023
                assert_clean(text)


def test_native_errors_do_not_quote_the_path(path, tmp_path):
    path.write_bytes(FILES["manoview"].bytes())
    with pytest.warns(UserWarning, match="annotations lie outside"):
        study = hrm.io.open_recording(path)
    native = path.with_suffix(".nc")
    hrm.io.write_native(study, native)
    data = native.read_bytes()
    for stop in (8, 100, len(data) // 2, len(data) - 60):
        native.write_bytes(data[:stop])
        assert_clean(everything_said(lambda: hrm.io.open_recording(native)))
        assert_clean(everything_said(lambda: hrm.io.peek(native)))


def test_identity_is_kept_on_request_and_dropped_again(path, tmp_path):
    path.write_bytes(FILES["spreadsheet"].bytes())
    study = hrm.io.open_recording(path, catheter="CE4-0062", keep_phi=True)
    assert study.attrs["phi_name"] == PLANT
    assert study.attrs["phi_patient_id"] == PLANT
    assert study.attrs["phi_born"] == "1961"
    assert PLANT in study["events/note"].values
    native = tmp_path / "a.nc"
    hrm.io.write_native(study, native)
    kept = hrm.io.open_recording(native, keep_phi=True)
    assert kept.attrs == study.attrs
    assert PLANT in kept["events/note"].values
    assert_clean(everything_said(lambda: whole(hrm.io.open_recording(native))))
    dropped = hrm.io.open_recording(native)
    assert "Wet swallow1" in dropped["events/note"].values
    assert not any(name.startswith("phi_") for name in dropped.attrs)


def test_study_id_is_the_participant_or_a_digest_never_the_file_name(path):
    path.write_bytes(FILES["mms"].bytes())
    study = hrm.io.open_recording(path, catheter="CE4-0062", participant="P07")
    assert study.attrs["study_id"] == "P07"
    study = hrm.io.open_recording(path, catheter="CE4-0062")
    assert study.attrs["study_id"] == study.attrs["source_sha256"][:12]


@pytest.mark.parametrize("code", ["P07", "7", "site-2_P.07", "x" * 32])
def test_a_participant_code_is_carried(code, path):
    path.write_bytes(FILES["manoview"].bytes())
    with pytest.warns(UserWarning, match="annotations lie outside"):
        study = hrm.io.open_recording(path, participant=code)
    assert study.attrs["study_id"] == code


@pytest.mark.parametrize(
    "text",
    [PLANT, f"{NAMES[0]} 1950", NAMES[0] + "\n", f" {NAMES[0]}", f"{NAMES[0]},{NAMES[1]}",
     f"{NAMES[0]}é", NAMES[0] * 33, f"../{NAMES[0]}", f".{NAMES[0]}", f"{NAMES[0]}\u0661", ""],
)  # fmt: skip
def test_a_participant_that_is_no_code_is_refused_and_not_quoted(text, path, tmp_path):
    path.write_bytes(FILES["mms"].bytes())
    native = tmp_path / "a.nc"
    hrm.io.write_native(hrm.io.open_recording(path, catheter="CE4-0062"), native)
    for file in (path, native):
        with pytest.raises(ParameterError, match="participant code is 1 to 32"):
            hrm.io.open_recording(file, participant=text)
        said = everything_said(lambda: hrm.io.open_recording(file, participant=text))  # noqa: B023
        assert_clean(said)


@pytest.mark.parametrize(
    "text",
    ["WS 1", "ws10", "wet swallow 3", "Wet Swallow1", "5 ml wet swallow 2", "MRS", "MRS2",
     "multiple rapid swallows", "upright", "Supine", "RDC", "200 ml rapid drink challenge",
     "Landmark", "Resting1", "Leg Wet swallow1", "Leg1", "Air before MRS1", "left lateral",
     "viscous 4", "solid swallow 2", "dry swallow", "cough"],
)  # fmt: skip
def test_protocol_vocabulary(text):
    assert is_protocol_text(text)
    assert note_to_keep(f"  {text} ", keep_phi=False) == text


@pytest.mark.parametrize(
    "text",
    ["", PLANT, "WS 1961", "ws 1 Smith", "Smith upright", "upright, Smith", "WS 1\nSmith",
     "wet swallow 123", "19610412", "MRS Doe", "Air before Smith", "WS ①", "WS \u0661"],
)  # fmt: skip
def test_everything_else_is_free_text(text):
    assert not is_protocol_text(text)
    assert note_to_keep(text, keep_phi=False) == ""


def test_names_of_kept_rows_are_plain():
    assert phi_attr_name("Patient  ID") == "phi_patient_id"
    assert phi_attr_name("姓名") == "phi_text"
