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
UNITS = {"mmHg", "mmHg^2", "mmHg/cm", "mmHg s cm", "s", "cm", "cm/s", "s/cm", "Hz", "SD", "1"}


def test_ids_are_unique():
    for rows, name in (
        (LIMITS, "id"),
        (catalog._load("parameters.toml")["parameter"], "key"),
        (catalog._load("metrics.toml")["metric"], "name"),
        (catalog._load("catheters.toml")["catheter"], "model"),
        (catalog._load("limits.toml")["system"], "key"),
        (catalog._load("references.toml")["reference"], "key"),
    ):
        seen = [row[name] if isinstance(row, dict) else getattr(row, name) for row in rows]
        assert sorted(set(seen)) == sorted(seen)


def test_every_table_has_a_version():
    for name in ("parameters", "limits", "metrics", "catheters", "references"):
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
    flow = {"mmHg/s", "mmHg^2/s^2", "ohm", "mS"}
    assert row.units in {"mmHg", "mmHg s cm", "mmHg cm", "s", "cm", "cm/s", "%", "1", *flow}
    assert row.version == "1"
    assert row.citation.strip()
    assert row.long_name.strip()
    assert row.definition.endswith(".")
    assert len(row.definition) > 30
    assert row.formula.strip()
    assert row.confidence in catalog.CONFIDENCES
    assert row.confidence != "mem-low"
    assert set(row.parameters) <= set(PARAMETERS)
    assert len(set(row.parameters)) == len(row.parameters)


@pytest.mark.parametrize("row", catalog.unimplemented_metrics().values(), ids=lambda row: row.name)
def test_what_is_not_measured_says_why(row):
    assert row.name not in catalog.metrics()
    assert row.confidence in catalog.CONFIDENCES
    for text in (row.definition, row.reason):
        assert text.endswith(".")
        assert len(text) > 30
    assert row.units.strip()
    assert row.long_name.strip()


def test_what_has_no_rule_is_listed_as_not_measured():
    names = set(catalog.unimplemented_metrics())
    assert names >= {"dpe", "sri", "psir", "eii_ratio_abnormal", "bft_norm"}


CITED = {
    **{f"limit {row.id}": row.citation for row in LIMITS},
    **{f"parameter {row.key}": row.source for row in PARAMETERS.values()},
    **{f"metric {row.name}": row.citation for row in catalog.metrics().values()},
    **{f"metric {row.name}": row.citation for row in catalog.unimplemented_metrics().values()},
}
OWN = re.compile(r"SPEC \d+(\.\d+)?|hrm 0\.1|FORMATS")
PAGE = (Path(__file__).resolve().parents[1] / "docs" / "references.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("where", CITED)
def test_a_citation_resolves(where):
    keys = catalog.citation_keys(CITED[where])
    assert keys
    for key in keys:
        assert key in catalog.references() or OWN.fullmatch(key), key


def test_a_citation_that_does_not_resolve_is_seen():
    known = catalog.references()
    assert catalog.citation_keys("GHO07, SPEC 4.1: a remark, with KAH15") == ("GHO07", "SPEC 4.1")
    for wrong in ("GHO08", "SPEC", "SPEC 4.", "GHO07 SPEC 4", "", "hrm 0.2"):
        for key in catalog.citation_keys(wrong):
            assert key not in known
            assert not OWN.fullmatch(key)


def test_every_reference_is_cited():
    cited = {key for text in CITED.values() for key in catalog.citation_keys(text)}
    sources = {key for row in catalog.catheters().values() for key in [row.source.split(":")[0]]}
    assert set(catalog.references()) <= cited | sources


@pytest.mark.parametrize("row", catalog.references().values(), ids=lambda row: row.key)
def test_a_reference_is_complete_and_on_the_page(row):
    assert row.about.strip()
    assert row.confidence in catalog.CONFIDENCES
    assert row.year == 0 or 1990 < row.year < 2100
    assert re.fullmatch(r"(10\.\d{4}/\S+)?", row.doi)
    assert re.fullmatch(r"(PMC\d+)?", row.pmc)
    # What is missing is explained, so that nobody takes it for an oversight.
    assert row.note or (row.authors and row.journal and row.year)
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {row.key} |"))
    year = str(row.year) if row.year else ""
    parts = (row.about, row.authors, row.journal, year, row.pages, row.doi, row.pmc, row.note)
    for part in (*parts, row.confidence):
        assert part in line


def test_the_page_explains_every_word():
    for word in (*catalog.CONFIDENCES, "SPEC n", "hrm 0.1", "FORMATS"):
        assert re.search(rf"^\| `{re.escape(word)}` \| \w", PAGE, re.MULTILINE), word
    listed = set(re.findall(r"^\| ([A-Z][^`|]*) \| ", PAGE, re.MULTILINE)) - {"Key", "Word"}
    assert listed == set(catalog.references())


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
        ({"irp.windows_s": 8.0}, r"'irp.windows_s' \(did you mean irp.window_s.*parameters.toml"),
        ({"zzz": 8.0}, "unknown parameter 'zzz'; the known ones are listed in hrm/data"),
        ({"front.raises": 1.5}, "must be a whole number from 0 to 150, got 1.5; the default is 3"),
        ({"front.raises": math.nan}, "must be a whole number"),
        ({"front.raises": math.inf}, "must be a whole number"),
        ({"irp.window_s": "8"}, "expects a float, got str"),
        ({"irp.window_s": True}, "expects a float, got bool"),
        ({"irp.window_s": None}, "got NoneType"),
        ({"interpolation.kernel": 3}, "expects a str"),
    ],
)
def test_overrides_are_checked(overrides, message):
    with pytest.raises(ParameterError, match=message):
        catalog.default_parameters().replace(overrides)


NUMBERS = {row.key: row for row in PARAMETERS.values() if not isinstance(row.value, str)}


def refused(**overrides):
    with pytest.raises(ParameterError) as caught:
        catalog.default_parameters().replace(overrides)
    return str(caught.value)


@pytest.mark.parametrize("row", NUMBERS.values(), ids=lambda row: row.key)
def test_a_number_is_finite_and_within_its_range(row):
    low, high = row.bounds
    assert 0 <= low < high < math.inf
    assert low <= row.value <= high
    assert row.unit != "1" or isinstance(row.value, int) or high <= 1
    step = 1 if isinstance(row.value, int) else 1e-9
    for wrong in (math.nan, math.inf, -math.inf, -1.0, low - step, high + step, 10**400):
        said = refused(**{row.key: wrong})
        for part in (row.key, repr(wrong), row.allowed, str(row.value)):
            assert part in said


@pytest.mark.parametrize("value", [0, -1, 50, 1e-9, 0.0199, 1.001])
def test_a_depth_step_that_is_no_depth_step_is_refused(value):
    assert "must be a number from 0.02 to 1 cm" in refused(**{"interpolation.step_cm": value})


def test_the_general_range_and_its_exceptions():
    rows = {key: (row.bounds, row.allowed) for key, row in NUMBERS.items()}
    assert rows["dci.window_s"] == ((0.3, 750.0), "a number from 0.3 to 750 s")
    assert rows["cough.share"] == ((0.016, 1.0), "a number from 0.016 to 1")
    assert rows["tree.minimum_swallows"] == ((1, 350.0), "a whole number from 1 to 350")
    assert rows["irp.window_s"] == ((1.0, 60.0), "a number from 1 to 60 s")
    assert rows["dci.threshold_mmhg"][0] == (0.0, 1000.0)


@pytest.mark.parametrize("row", NUMBERS.values(), ids=lambda row: row.key)
def test_the_ends_of_a_range_are_allowed(row):
    for end in row.bounds:
        seen = catalog._checked(row, end)
        assert seen == end
        assert type(seen) is type(row.value)


def test_texts_are_one_of_their_choices():
    texts = {row.key: row.choices for row in PARAMETERS.values() if isinstance(row.value, str)}
    assert texts == {
        "interpolation.kernel": ("linear", "pchip", "cubic"),
        "interpolation.les_kernel": ("linear", "pchip", "cubic"),
        "gastric.reference": ("constant", "dynamic"),
        "cdp.clamp": ("always", "atypical", "never"),
        "drift.mode": ("auto", "none", "offset", "linear"),
        "ibp.reference": ("atmospheric", "gastric"),
    }
    for key, choices in texts.items():
        for word in choices:
            assert catalog.default_parameters().replace({key: word})[key] == word
        for word in ("", choices[0].upper(), " ".join(choices)):
            said = refused(**{key: word})
            assert f"{key!r} must be one of {', '.join(choices)}, got {word!r}" in said
            assert f"the default is {PARAMETERS[key].value}" in said


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: row.key)
def test_the_fields_of_a_range_make_sense(row):
    assert bool(row.choices) == isinstance(row.value, str)
    if row.choices:
        assert (row.minimum, row.maximum, row.below, row.at_most) == (None, None, "", "")
        assert row.value in row.choices
    if row.below:
        assert row.value < PARAMETERS[row.below].value
    if row.at_most:
        assert row.value <= PARAMETERS[row.at_most].value
    for name in filter(None, (row.below, row.at_most)):
        assert PARAMETERS[name].unit == row.unit


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"irp.window_s": 6.0}, "irp.minimum_window_s (8) must be at most irp.window_s (6)"),
        ({"irp.duration_s": 9.0}, "irp.duration_s (9) must be at most irp.minimum_window_s (8)"),
        (
            {"respiration.band_low_hz": 0.7},
            "respiration.band_low_hz (0.7) must be below respiration.band_high_hz (0.7)",
        ),
        ({"ibp.box_far_cm": 1.0}, "ibp.box_near_cm (1) must be below ibp.box_far_cm (1)"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(overrides, message):
    assert message in refused(**overrides)


def test_every_contradiction_is_told_and_can_be_solved():
    said = refused(**{"irp.window_s": 3.0, "ibp.box_far_cm": 0.5})
    assert "irp.minimum_window_s" in said
    assert "ibp.box_near_cm" in said
    short = {"irp.window_s": 6.0, "irp.minimum_window_s": 6.0, "irp.duration_s": 6.0}
    assert catalog.default_parameters().replace(short)["irp.window_s"] == 6.0


def test_parameters_cannot_be_changed_in_place():
    with pytest.raises(TypeError):
        catalog.default_parameters().values_by_key["irp.window_s"] = 1.0


@pytest.mark.parametrize("row", catalog.catheters().values(), ids=lambda row: row.model)
def test_a_catheter_is_complete(row):
    assert row.n_sensors >= 2
    assert row.confidence in catalog.CONFIDENCES
    assert row.source.strip()
    assert row.sensor_type in {"solid_state", "water_perfused"}
    assert catalog.systems()[row.system].technology == row.sensor_type
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
    replaced = user_table(tmp_path, USER.replace("mine", "CE4-1083") + "replaces = true")
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
