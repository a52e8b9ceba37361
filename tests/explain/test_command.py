"""``hrm explain``."""

import json

import pytest
from click.testing import CliRunner

import hrm
from hrm import phantom
from hrm.cli.main import main


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("DOE_JANE")
    made = phantom.draw("normal", seed=57, n_supine=2, n_upright=1)
    phantom.write_mms_csv(
        phantom.sample(made, catheter="CE4-0062", sampling_rate=20.0), folder / "DOE_JANE.csv"
    )
    path = folder / "DOE_JANE.csv"
    path.write_bytes(path.read_bytes().replace(b"Name=, X, X", b"Name=, DOE JANE"))
    rows = [f"{row['onset_s']:.3f},{row['posture']}" for row in phantom.swallow_table(made)]
    (folder / "table.csv").write_text("\n".join(["onset_s,posture", *rows]) + "\n")
    return path


@pytest.fixture
def run(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--catheter", "CE4-0062", "--swallows", str(file.with_name("table.csv")))
    return lambda *more: CliRunner().invoke(main, ["explain", str(file), *options, *map(str, more)])


def test_it_prints_draws_and_writes(run, file, tmp_path):
    out = run(
        *("--system", "mms_wp", "--swallow", 2, "--metric", "irp4s"),
        *("--figure", "a.png", "--json", "a.json"),
    )
    assert out.exit_code == 0, out.output
    said = json.loads((tmp_path / "a.json").read_text())
    assert said["name"] == "irp4s_mmhg"
    assert f"{said['value']:.3f}".rstrip("0").rstrip(".") + " mmHg" in out.stdout
    assert "GHO07" in out.stdout
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "DOE" not in (tmp_path / "a.json").read_text() + out.stdout


def test_json_alone_is_on_standard_output(run):
    out = run("--metric", "gastric_reference", "--json", "-")
    assert out.exit_code == 0, out.output
    assert json.loads(out.stdout)["row"]["name"] == "gastric_reference_mmhg"
    assert "definition" in out.stderr


def test_the_options_of_the_analysis_hold(run, file):
    rows = ("--posture", "upright", "--set", "irp.duration_s=2", "--irp-limit", "12")
    out = run("--metric", "irp4s", "--swallow", 1, "--json", "-", *rows)
    said = json.loads(out.stdout)
    recording = hrm.open_recording(file, catheter="CE4-0062")
    found = hrm.analyze(recording, parameters={"irp.duration_s": 2.0})
    assert said["value"] == pytest.approx(hrm.to_dict(found)["swallows"][0]["irp4s_mmhg"])
    assert said["limits"][0]["limit"]["value"] == 12.0
    assert {"key": "irp.duration_s", "value": 2.0}.items() <= said["parameters"][0].items()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--metric", "irp9"), "unknown metric 'irp9'"),
        (("--metric", "irp4s"), "none was named"),
        (("--metric", "irp4s", "--swallow", "99"), "got 99"),
        (("--metric", "irp4s", "--swallow", "0"), "0 is not in the range"),
        (("--metric", "irp4s", "--swallow", "1", "--figure", "a.jpg"), "ends in .png"),
        (
            ("--metric", "irp4s", "--swallow", "1", "--figure", "no/a.png"),
            "folder of the output file does not exist",
        ),
        ((), "Missing option '--metric'"),
    ],
)
def test_what_cannot_be_used_is_said(run, tmp_path, given, message):
    out = run(*given)
    assert out.exit_code == 2
    assert message.lower() in out.stderr.lower()
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_is_not_measured_gives_its_reason(run):
    out = run("--metric", "dpe")
    assert out.exit_code == 0
    assert "not_implemented" not in out.stdout
    assert "value         not measured" in out.stdout


def test_an_output_that_exists_is_kept_without_force(run, tmp_path):
    (tmp_path / "a.json").write_text("mine")
    assert run("--metric", "n_swallows", "--json", "a.json").exit_code == 2
    assert (tmp_path / "a.json").read_text() == "mine"
    assert run("--metric", "n_swallows", "--json", "a.json", "--force").exit_code == 0
    assert json.loads((tmp_path / "a.json").read_text())["value"] == 3
