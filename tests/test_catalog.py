"""The definitions that are data: well formed, sourced, used, and looked up right."""

import math
import re
from pathlib import Path

import pytest

import hrm.catalog
from hrm import catalog
from hrm.errors import ParameterError

ROOT = Path(hrm.catalog.__file__).resolve().parent
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py")))
LIMITS, PARAMETERS = catalog.limit_table(), catalog.parameter_table()
COMPARATORS = {">", ">=", "<", "<="}
UNITS = {"mmHg", "mmHg^2", "s", "cm", "cm/s", "s/cm", "Hz", "SD", "1"}


def test_ids_are_unique():
    for rows, name in (
        (LIMITS, "id"),
        (catalog._load("parameters.toml")["parameter"], "key"),
        (catalog._load("metrics.toml")["metric"], "name"),
        (catalog._load("catheters.toml")["catheter"], "model"),
        (catalog._load("limits.toml")["system"], "key"),
    ):
        seen = [row[name] if isinstance(row, dict) else getattr(row, name) for row in rows]
        assert sorted(set(seen)) == sorted(seen)


def test_every_table_has_a_version():
    for name in ("parameters", "limits", "metrics", "catheters"):
        assert catalog._load(f"{name}.toml")["version"]


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row.id)
def test_a_limit_is_complete(row):
    assert row.confidence in catalog.CONFIDENCES
    assert row.comparator in COMPARATORS
    assert row.system in {*catalog.systems(), catalog.ANY}
    assert row.position in {"supine", "upright", catalog.ANY}
    assert row.cc_version in {"2.0", "3.0", "4.0"}
    assert math.isfinite(row.value)
    assert row.citation.strip()
    assert row.unit.strip()
    # What is recalled with little certainty is never used unless a user names it.
    assert not (row.default and row.confidence == "mem-low")
    assert row.id.startswith(f"{row.quantity}.{row.system}.{row.position}.v{row.cc_version[0]}")


def test_no_two_defaults_for_one_case():
    cases = [
        (row.quantity, row.system, row.position, row.cc_version) for row in LIMITS if row.default
    ]
    assert sorted(set(cases)) == sorted(cases)


def test_a_quantity_has_one_unit():
    units = {row.quantity: set() for row in LIMITS}
    for row in LIMITS:
        units[row.quantity].add(row.unit)
    assert {name: len(seen) for name, seen in units.items() if len(seen) != 1} == {}


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: row.key)
def test_a_parameter_is_complete(row):
    assert row.confidence in catalog.CONFIDENCES
    assert row.confidence != "mem-low"
    assert row.unit in UNITS
    assert row.source.strip()
    assert row.text.strip()
    assert re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", row.key)
    assert isinstance(row.value, int | float | str)
    if isinstance(row.value, str):
        assert row.unit == "1"


@pytest.mark.parametrize("key", PARAMETERS)
def test_a_parameter_is_used(key):
    assert f'"{key}"' in SOURCES


def test_every_parameter_that_is_used_is_in_the_table():
    used = set(re.findall(r'parameters\[\s*"([^"]+)"\s*\]', SOURCES))
    assert len(used) > 50
    assert used <= set(PARAMETERS)


@pytest.mark.parametrize("row", catalog.metrics().values(), ids=lambda row: row.name)
def test_a_metric_is_complete(row):
    assert row.units in {"mmHg", "mmHg s cm", "s", "cm", "%", "1"}
    assert row.version == "1"
    assert row.citation.strip()
    assert row.long_name.strip()
    assert row.definition.endswith(".")
    assert len(row.definition) > 30


def test_citations_of_metrics_are_keys_or_sections():
    for row in catalog.metrics().values():
        for part in row.citation.split(", "):
            assert re.fullmatch(r"[A-Z]{3}\d\d[ab]?|SPEC \d+(\.\d+)?", part), row.name


@pytest.mark.parametrize(
    ("quantity", "system", "position", "version", "known"),
    [
        ("irp4s", "manoscan", "supine", "4.0", 15.0),
        ("irp4s", "manoscan", "upright", "4.0", 12.0),
        ("irp4s", "laborie_ss", "supine", "4.0", 22.0),
        ("irp4s", "mms_wp", "supine", "4.0", None),
        ("irp4s", "starlet", "supine", "4.0", None),
        ("irp4s", "unknown", "supine", "4.0", None),
        ("dci_weak", "manoscan", "any", "4.0", 450.0),
        ("dci_weak", "starlet", "any", "4.0", 1000.0),
        ("dci_weak", "starlet", "supine", "4.0", 1000.0),
        ("dci_weak", "unknown", "supine", "4.0", 450.0),
        ("dl_premature", "starlet", "any", "4.0", 4.5),
        ("no_such_quantity", "manoscan", "any", "4.0", None),
        ("dci_weak", "manoscan", "any", "9.0", None),
    ],
)
def test_the_most_specific_default_is_found(quantity, system, position, version, known):
    row = catalog.find_limit(quantity, system=system, position=position, cc_version=version)
    assert (row.value if row else None) == known


def test_a_row_for_the_system_wins_over_one_for_the_position(monkeypatch):
    def row(name, system, position, value, *, default=True):
        return catalog.Limit(
            name, "q", system, position, "4.0", ">", value, "1", "X", "seen", default
        )

    rows = (
        row("a", "any", "any", 1.0),
        row("b", "any", "supine", 2.0),
        row("c", "manoscan", "any", 3.0),
        row("d", "manoscan", "supine", 4.0, default=False),
    )

    def found(system, position):
        return catalog.find_limit("q", system=system, position=position, cc_version="4.0").id

    for table in (rows, rows[::-1]):
        monkeypatch.setattr(catalog, "limit_table", lambda table=table: table)
        assert found("manoscan", "supine") == "c"
        assert found("manoscan", "upright") == "c"
        assert found("starlet", "supine") == "b"
        assert found("starlet", "upright") == "a"


@pytest.mark.parametrize(
    ("comparator", "crossed"),
    [(">", (False, False, True)), (">=", (False, True, True)), ("<", (True, False, False))],
)
def test_limits_are_crossed_as_they_are_written(comparator, crossed):
    row = catalog.Limit("i", "q", "any", "any", "4.0", comparator, 5.0, "s", "X", "seen")
    assert tuple(row.crossed_by(number) for number in (4.9, 5.0, 5.1)) == crossed
    assert not row.crossed_by(math.nan)


def test_the_version_3_limit_is_strict_and_version_4_is_not():
    found = [
        catalog.find_limit("irp4s", system="manoscan", position="supine", cc_version=version)
        for version in ("3.0", "4.0")
    ]
    assert [row.crossed_by(15.0) for row in found] == [False, True]


def test_unknown_systems_are_refused():
    assert catalog.check_system("starlet") == "starlet"
    with pytest.raises(ParameterError, match="manoscan, laborie_ss"):
        catalog.check_system("Manoscan")


def test_overrides_change_the_name_of_the_set():
    default = catalog.default_parameters()
    changed = default.replace({"irp.window_s": 8})
    assert changed["irp.window_s"] == 8.0
    assert isinstance(changed["irp.window_s"], float)
    assert changed.overrides == {"irp.window_s": 8.0}
    assert changed.id != default.id
    assert default.replace({}).id == default.id
    assert default.replace({"irp.window_s": 10.0}).id == default.id
    assert changed.replace({"irp.duration_s": 2.0}).overrides.keys() == {
        "irp.window_s",
        "irp.duration_s",
    }
    assert default["irp.window_s"] == 10.0
    assert len(default) == len(list(default)) == len(PARAMETERS)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"irp.windows_s": 8.0}, "unknown parameter 'irp.windows_s'"),
        ({"irp.window_s": "8"}, "expects a float, got str"),
        ({"irp.window_s": True}, "expects a float, got bool"),
        ({"irp.window_s": None}, "got NoneType"),
        ({"interpolation.kernel": 3}, "expects a str"),
    ],
)
def test_overrides_are_checked(overrides, message):
    with pytest.raises(ParameterError, match=message):
        catalog.default_parameters().replace(overrides)


def test_parameters_cannot_be_changed_in_place():
    with pytest.raises(TypeError):
        catalog.default_parameters().values_by_key["irp.window_s"] = 1.0


@pytest.mark.parametrize("row", catalog.catheters().values(), ids=lambda row: row.model)
def test_a_catheter_is_complete(row):
    assert row.n_sensors >= 2
    assert row.confidence in catalog.CONFIDENCES
    assert row.source.strip()
    assert row.sensor_type in {"solid_state", "water_perfused"}
    assert len(row.depths_cm) in (0, row.n_sensors)
    assert row.depths_cm[:1] in ((), (0.0,))


USER = """
[[catheter]]
model = "mine"
n_sensors = 3
depths_cm = [0, 1.5, 3]
sensor_type = "solid_state"
vendor = "me"
"""


def user_table(tmp_path, text):
    path = tmp_path / "catheters.toml"
    path.write_text(text, encoding="utf-8")
    return catalog.catheters(path)


def test_a_users_catheter_is_added_and_may_replace_a_known_one(tmp_path):
    table = user_table(tmp_path, USER)
    assert table["mine"].depths_cm == (0.0, 1.5, 3.0)
    assert (table["mine"].source, table["mine"].confidence) == ("user", "seen")
    assert "manoscan-36" in table
    assert "mine" not in catalog.catheters()
    replaced = user_table(tmp_path, USER.replace("mine", "CE4-1083"))
    assert replaced["CE4-1083"].n_sensors == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml [",
        "catheter = 3",
        "[[catheter]]\nmodel = 'x'",
        USER.replace("n_sensors = 3", "n_sensors = 4"),
        USER.replace("1.5", "0"),
        USER.replace("1.5", "'a'"),
        USER + "colour = 'red'",
    ],
)
def test_a_wrong_table_is_refused_with_what_it_must_hold(tmp_path, text):
    with pytest.raises(ParameterError, match=r"\[\[catheter\]\] tables with model"):
        user_table(tmp_path, text)


def test_a_missing_table_is_refused_without_naming_its_path(tmp_path):
    with pytest.raises(ParameterError) as caught:
        catalog.catheters(tmp_path / "smith.toml")
    assert "smith" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "catheters.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError):
        catalog.catheters(path)
