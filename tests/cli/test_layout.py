"""``hrm layout``, and the way from a plain table to a result on the command line."""

import numpy as np
import pytest
from click.testing import CliRunner

import hrm.io
from hrm.cli.main import main
from hrm.io.layout import TEMPLATE

PLANT = "DOE JANE 1961"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def runner(*arguments):
        return CliRunner().invoke(main, [str(each) for each in arguments])

    return runner


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(-5, 60, (100, 6))
    rows = [",".join(map(str, row)) for row in values]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    return values


LAYOUT = """
[time]
sampling_rate_hz = 50
[pressure]
columns = "1-6"
unit = "mmHg"
order = "distal_first"
depths_cm = [5, 4, 3, 2, 1, 0]
"""


def test_init_writes_the_template_to_a_file_or_the_terminal(run, tmp_path):
    assert run("layout", "--init").stdout == TEMPLATE
    assert run("layout", "--init", "-").stdout == TEMPLATE
    assert list(tmp_path.iterdir()) == []
    done = run("layout", "--init", "new.toml")
    assert done.exit_code == 0
    assert (tmp_path / "new.toml").read_text() == TEMPLATE
    again = run("layout", "--init", "new.toml")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run("layout", "--init", "new.toml", "--force").exit_code == 0


def test_a_layout_is_checked_and_what_is_lacking_is_listed(run, tmp_path):
    (tmp_path / "a.toml").write_text(TEMPLATE)
    done = run("layout", "a.toml")
    assert done.exit_code == 0
    assert "still to be said" in done.stdout
    assert "pressure.unit" in done.stdout
    (tmp_path / "a.toml").write_text(LAYOUT)
    done = run("layout", "a.toml")
    assert "still to be said" not in done.stdout
    assert "distal_first" in done.stdout


def test_a_layout_is_held_against_a_file(run, table, tmp_path):
    (tmp_path / "a.toml").write_text(LAYOUT)
    done = run("layout", "a.toml", "--for", "table.csv")
    assert done.exit_code == 0
    first = table[:, -1]
    row = next(line for line in done.stdout.splitlines() if line.split()[:1] == ["0"])
    assert row.split()[1:] == [
        f"{value:.1f}" for value in (first.min(), np.median(first), first.max())
    ]
    (tmp_path / "a.toml").write_text(LAYOUT.replace("1-6", "2-7"))
    done = run("layout", "a.toml", "--for", "table.csv")
    assert done.exit_code == 2
    assert "the rows have 6 cells" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name the layout"),
        (("none.toml",), "no such file"),
        (("--init", "--for", "table.csv"), "nothing else"),
        (("table.csv",), "not TOML"),
    ],
)
def test_faults_end_with_2_and_without_a_traceback(arguments, words, run, table):
    done = run("layout", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_is_converted_by_layout_and_by_options_alike(run, table, tmp_path):
    (tmp_path / "a.toml").write_text(LAYOUT)
    assert run("convert", "table.csv", "a.nc", "--layout", "a.toml").exit_code == 0
    options = ["--sampling-rate", 50, "--pressure-unit", "mmHg", "--channel-order", "distal_first"]
    done = run("convert", "table.csv", "b.nc", *options, "--depths", "0,1,2,3,4,5")
    assert done.exit_code == 0
    for name in ("a.nc", "b.nc"):
        study = hrm.io.open_recording(tmp_path / name)
        np.testing.assert_array_equal(study["pressure/pressure"], table[:, ::-1].T)
        np.testing.assert_array_equal(study["pressure/depth"], np.arange(6))


def test_a_table_that_nobody_describes_says_how(run, table):
    for command in (("analyze", "table.csv"), ("convert", "table.csv", "a.nc")):
        done = run(*command)
        assert done.exit_code == 2
        assert "hrm layout --init" in done.stderr
    assert "plain-table" in run("info", "table.csv").stdout


def test_swallows_in_samples_and_in_seconds_are_the_same(mms, table, run, tmp_path):
    for name, text in (
        ("seconds.csv", "onset_s\n30\n"),
        ("samples.csv", "start\n600\n"),
    ):
        (tmp_path / name).write_text(text)
    said = {}
    for unit in ("seconds", "samples"):
        done = run(
            *("analyze", mms, "--catheter", "CE4-0062", "--swallows", f"{unit}.csv"),
            *("--json", f"{unit}.json", "--force"),
        )
        assert done.exit_code == 0, done.stderr
        said[unit] = (tmp_path / f"{unit}.json").read_text()
        assert f"1 onsets in {unit}" in done.stderr
    assert said["seconds"] == said["samples"]
