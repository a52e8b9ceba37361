"""What is said of a file: four places, from weak to strong."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.batch import Settings, SettingsFile, read_settings
from hrm.batch.settings import settings_from, settings_id
from hrm.errors import FormatError, ParameterError

PATH = "/site a/s1.txt"
PLACES = ("defaults", "options", "first", "second", "row")


@given(
    said=st.dictionaries(st.sampled_from(PLACES), st.sampled_from(["P1", "P2", "P3"])),
    parameters=st.dictionaries(st.sampled_from(PLACES), st.sampled_from([5.0, 10.0])),
)
def test_what_is_said_of_one_file_beats_what_is_said_of_all(said, parameters):
    def settings(place):
        changed = {"irp.window_s": parameters[place]} if place in parameters else {}
        return Settings(participant=said.get(place), parameters=changed)

    file = SettingsFile(
        settings("defaults"),
        (
            ("*.txt", settings("first")),
            ("other*", Settings(visit="V9")),
            ("s1.*", settings("second")),
        ),
    )
    found = file.of(PATH, options=settings("options"), row=settings("row"))
    strongest = [place for place in PLACES if place in said]
    assert found.participant == (said[strongest[-1]] if strongest else None)
    assert found.visit is None
    strongest = [place for place in PLACES if place in parameters]
    wanted = {"irp.window_s": parameters[strongest[-1]]} if strongest else {}
    assert found.parameters == wanted


@pytest.mark.parametrize("strong", range(1, len(PLACES)))
@pytest.mark.parametrize("weak", range(len(PLACES) - 1))
def test_of_any_two_places_the_later_one_holds(weak, strong):
    said = dict.fromkeys(PLACES, Settings())
    said[PLACES[weak]] = Settings(visit="V1")
    said[PLACES[strong]] = Settings(visit="V2")
    files = (("*.txt", said["first"]), ("s1.*", said["second"]))
    found = SettingsFile(said["defaults"], files).of(PATH, options=said["options"], row=said["row"])
    assert found.visit == ("V2" if strong >= weak else "V1")


def test_parameters_are_laid_over_one_by_one():
    weak = Settings(parameters={"irp.window_s": 5.0, "dci.threshold_mmhg": 20.0})
    strong = Settings(parameters={"irp.window_s": 10.0})
    assert strong.over(weak).parameters == {"irp.window_s": 10.0, "dci.threshold_mmhg": 20.0}


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        *(("s1.txt", True), ("site a/*", True), ("*.TXT", False), ("1.txt", False)),
        *(("/site a/s1.txt", True), ("site/s1.txt", False), ("*", True)),
    ],
)
def test_a_pattern_fits_the_path_or_its_end(pattern, fits):
    file = SettingsFile(files=((pattern, Settings(visit="V1")),))
    assert (file.of(PATH, options=Settings(), row=Settings()).visit == "V1") is fits


def test_a_template_names_a_file_beside_each_recording(tmp_path):
    (tmp_path / "a.swallows.csv").write_text("onset_s\n1\n")
    said = Settings(swallows="{stem}.swallows.csv")
    file = SettingsFile(said)
    beside = [
        file.of(str(tmp_path / n), options=Settings(), row=Settings()) for n in ("a.txt", "b.txt")
    ]
    assert [each.swallows for each in beside] == [str(tmp_path / "a.swallows.csv"), None]


def test_a_settings_file(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        '[defaults]\nsystem = "manoscan"\nswallows = "{stem}.csv"\nlayout = "l.toml"\n'
        'parameters = {"irp.window_s" = 10.0}\n'
        '[[files]]\nmatch = "a*"\nposture = "upright"\nsymptoms = ["dysphagia"]\n'
    )
    found = read_settings(path)
    assert found.defaults == Settings(
        system="manoscan", swallows="{stem}.csv", layout=str(tmp_path / "l.toml"),
        parameters={"irp.window_s": 10.0},
    )  # fmt: skip
    assert found.files == (("a*", Settings(posture="upright", symptoms=("dysphagia",))),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[other]\n", "nothing else"),
        ("[defaults]\ncolour = 'x'\n", "unknown name 'colour'"),
        ("[defaults]\nposture = 'prone'\n", "supine or upright"),
        ("defaults = 3\n", "expected a table"),
        ("[[files]]\nsystem = 'manoscan'\n", "number 1: expected match"),
        ("[[files]]\nmatch = 'a'\n[[files]]\nmatch = 'b'\nsampling_rate = 'x'\n", "number 2"),
        ("[defaults.parameters]\n'irp.nonsense' = 1\n", "irp.nonsense"),
        ("files = {}\n", "nothing else"),
    ],
)
def test_a_fault_of_the_settings_file_is_named(text, message, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=message):
        read_settings(path)


def test_what_is_no_toml(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[defaults\n")
    with pytest.raises(FormatError):
        read_settings(path)


def test_every_fault_is_named_at_once():
    said = {
        "posture": "prone",
        "opioids": "maybe",
        "colour": "red",
        "symptoms": "itch",
        "system": "",
    }
    with pytest.raises(ParameterError) as caught:
        settings_from(said, where="manifest, row 3")
    for word in ("manifest, row 3", "posture", "opioids", "'colour'", "symptoms"):
        assert word in str(caught.value)
    assert "system:" not in str(caught.value)


def test_texts_become_values():
    said = settings_from(
        {"opioids": "yes", "symptoms": "none", "depths": "1, 2 3", "irp_limit": "15", "visit": ""},
        where="here",
    )
    assert (said.opioids, said.symptoms, said.depths, said.irp_limit) == (True, (), (1, 2, 3), 15)
    assert said.clinical() == {"opioids": True, "symptoms": ()}


def test_the_digest_is_of_the_content_not_of_the_name(tmp_path):
    first, second = tmp_path / "DOE_JANE.csv", tmp_path / "b.csv"
    first.write_text("onset_s\n1\n")
    second.write_text("onset_s\n1\n")
    texts = [Settings(swallows=str(path)).to_json() for path in (first, second)]
    assert texts[0] == texts[1]
    assert "DOE" not in texts[0]
    second.write_text("onset_s\n2\n")
    assert Settings(swallows=str(second)).to_json() != texts[0]
    second.unlink()
    with pytest.raises(ParameterError, match="given as swallows cannot be read: no such file"):
        Settings(swallows=str(second)).to_json()


def test_what_the_key_holds_already_is_not_in_the_settings_again():
    said = Settings(system="manoscan", member="DOE JANE.txt", review_dir="/data/doe")
    assert "doe" not in said.to_json().lower()
    assert said.to_json() == Settings(system="manoscan").to_json()


def test_each_setting_changes_the_digest():
    said = (Settings(), Settings(posture="supine"), Settings(parameters={"irp.window_s": 11.0}))
    assert len({settings_id(each.to_json()) for each in said}) == len(said)


def test_settings_need_no_cluster():
    code = (
        "import sys, hrm.batch.settings, hrm.batch.inputs; sys.exit('distributed' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
