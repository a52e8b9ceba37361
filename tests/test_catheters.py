"""The registry of catheters: hrm's table, the user's, and a name that stays a name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm import catheters as registry
from hrm.errors import ParameterError

ROW = '[[catheter]]\nmodel = "{}"\nn_sensors = 3\ndepths_cm = [0, 1, {}]\n'


@pytest.fixture
def personal(tmp_path, monkeypatch):
    """The user's own file, in force."""

    def write(text):
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("HRM_CATHETERS", str(path))
        return path

    return write


def test_the_users_own_table_is_always_there_and_one_of_a_run_comes_after_it(personal, tmp_path):
    personal(ROW.format("mine", 2))
    named = tmp_path / "named.toml"
    named.write_text(ROW.format("other", 5), encoding="utf-8")
    found = registry.catheters(named)
    assert {name: row.origin for name, row in found.items() if row.origin != "hrm"} == {
        "mine": "user",
        "other": "file",
    }
    assert "mine" in registry.catheters()
    named.write_text(ROW.format("MINE", 5), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"model MINE, which is known already \(table 'user'"):
        registry.catheters(named)
    named.write_text(ROW.format("MINE", 5) + "replaces = true\n", encoding="utf-8")
    assert registry.catheters(named)["MINE"].depths_cm == (0.0, 1.0, 5.0)
    assert "mine" not in registry.catheters(named)


def test_the_usual_place_is_looked_at_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "usual_place", lambda: tmp_path / "catheters.toml")
    monkeypatch.delenv("HRM_CATHETERS")
    assert registry.user_file() is None
    (tmp_path / "catheters.toml").write_text(ROW.format("mine", 2), encoding="utf-8")
    assert registry.catheters()["mine"].origin == "user"
    for off in ("off", "OFF", ""):
        monkeypatch.setenv("HRM_CATHETERS", off)
        assert "mine" not in registry.catheters()


def test_a_file_that_is_named_and_missing_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HRM_CATHETERS", str(tmp_path / "smith.toml"))
    with pytest.raises(ParameterError, match="HRM_CATHETERS names a file") as caught:
        registry.catheters()
    assert "smith" not in str(caught.value)


def test_a_fault_in_the_users_own_file_says_which_file(personal):
    personal("nothing = 1")
    with pytest.raises(ParameterError, match=r"your own catheter file \(HRM_CATHETERS"):
        registry.catheters()


FAULTS = [
    ('model = "x"\nn_sensors = 1', "n_sensors is not a whole number from 2"),
    ('model = "x"\nn_sensors = true', "n_sensors is not a whole number"),
    ('model = "x"\nn_sensors = 2.0', "n_sensors is not a whole number"),
    ('model = "x"\nn_sensors = 3\ndepths_cm = [0, 1]', "3 sensors but 2 depths"),
    ('model = "x"\ndepths_cm = [0, 2, 1]', "do not increase"),
    ('model = "x"\ndepths_cm = [0, 1, 1]', "do not increase"),
    ('model = "x"\ndepths_cm = [1, 2]', "do not begin with 0"),
    ('model = "x"\ndepths_cm = [0, nan]', "not a list of numbers"),
    ('model = "x"\ndepths_cm = [0, inf]', "not a list of numbers"),
    ('model = "x"\ndepths_cm = [0, true]', "not a list of numbers"),
    ('model = "x"\ndepths_cm = [0, "PLANT"]', "not a list of numbers"),
    ('model = "PLANT, Jane"\nn_sensors = 2', "model is not 1 to 48"),
    ('model = "x\\nPLANT"\nn_sensors = 2', "model is not 1 to 48"),
    ("model = 7\nn_sensors = 2", "model is not a text"),
    ("n_sensors = 2", "model is not 1 to 48"),
    ('model = "x"\nn_sensors = 2\nvendor = 3', "vendor is not a text"),
    ('model = "x"\nn_sensors = 2\nsensor_type = "PLANT"', "sensor_type is none of solid_state"),
    ('model = "x"\nn_sensors = 2\nconfidence = "PLANT"', "confidence is none of seen"),
    ('model = "x"\nn_sensors = 2\nPLANT = 3', "a key that is none of"),
    ('model = "x"\nn_sensors = 2\norigin = "hrm"', "a key that is none of"),
    ('model = "x"\nn_sensors = 2\nreplaces = "yes"', "replaces is not true or false"),
    ('model = "x"\nn_sensors = 2\naliases = "PLANT"', "aliases is not a list"),
    ('model = "x"\nn_sensors = 2\naliases = [""]', "aliases is not a list"),
]


@pytest.mark.parametrize(("row", "message"), FAULTS)
def test_each_fault_of_a_row_is_told_without_quoting_it(row, message, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(f"[[catheter]]\n{row}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=message) as caught:
        registry.catheters(path)
    assert "catheter 1: " in str(caught.value)
    assert "PLANT" not in str(caught.value)


HARMFUL = {
    "a dotted key": b"[[catheter]]\n" + b".".join([b"PLANT"] * 12_000) + b" = 1",
    "a dotted header": b"[[catheter." + b".".join([b"PLANT"] * 12_000) + b"]]",
    "very long": b"#" * (2 << 20),
    "brackets": b"catheter = " + b"[" * 60_000,
}


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
def test_a_file_made_to_take_long_is_refused_at_once(text, tmp_path):
    """60 kB of one dotted key took 21 s."""
    path = tmp_path / "a.toml"
    path.write_bytes(text)
    begun = time.process_time()
    with pytest.raises(ParameterError, match=r"catheter file must hold .* is not TOML") as caught:
        registry.catheters(path)
    assert time.process_time() - begun < 1
    assert "PLANT" not in str(caught.value)


def test_what_is_no_toml_says_where(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('[[catheter]]\nmodel = "x"\nPLANT PLANT\n', encoding="utf-8")
    with pytest.raises(ParameterError, match="at line 3") as caught:
        registry.catheters(path)
    assert "PLANT" not in str(caught.value)


def test_all_faults_are_told_at_once_and_a_doubled_model_is_one(tmp_path):
    path = tmp_path / "a.toml"
    rows = [FAULTS[0][0], FAULTS[4][0], 'model = "y"\nn_sensors = 2', 'model = "Y"\nn_sensors = 2']
    path.write_text("".join(f"[[catheter]]\n{row}\n" for row in rows), encoding="utf-8")
    with pytest.raises(ParameterError, match=r"catheter 1: .*catheter 2: .*model Y is there twice"):
        registry.catheters(path)


def test_the_template_is_a_sound_table(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(registry.TEMPLATE, encoding="utf-8")
    row = registry.catheters(path)["my-catheter"]
    assert (row.n_sensors, row.depths_cm) == (4, (0.0, 1.0, 2.5, 5.0))
    text = registry.TEMPLATE.replace("# aliases", "aliases").replace("# replaces", "replaces")
    path.write_text(text, encoding="utf-8")
    assert registry.catheters(path)["my-catheter"].aliases == ("MC-4",)
    for name in registry._FIELDS - {"note"}:
        assert name in registry.TEMPLATE


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("CE4-0062", "CE4-0062"),
        ("type ce4-0062/00123, DOE", "CE4-0062"),
        ("K103659-E-1545-D #77", "K103659-E-1545-D"),
        ("CE4-00621", None),
        ("XCE4-0062", None),
        ("CE4-0062-9", None),
        ("CE4-0062 or CE4-1083", None),
        ("SN 00123 DOE", None),
        ("", None),
    ],
)
def test_a_device_text_gives_a_model_or_nothing(text, model):
    assert registry.model_of_device(text, registry.shipped_catheters()) == model


def test_an_alias_names_its_model(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(ROW.format("mine", 2) + 'aliases = ["M.1"]\n', encoding="utf-8")
    rows = registry.catheters(path)
    assert registry.model_of_device("probe M.1 no 5", rows) == "mine"
    assert registry.model_of_device("probe MX1 no 5", rows) is None


@given(st.text())
def test_whatever_the_text_only_a_model_of_the_registry_comes_out(text):
    rows = registry.shipped_catheters()
    assert registry.model_of_device(text, rows) in {None, *rows}
