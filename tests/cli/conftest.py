"""Small synthetic recordings as files, written once."""

import pytest

from hrm.phantom import draw, sample, swallow_table, write_manoview, write_mms_csv

PLANT = "DOE JANE 1961"


@pytest.fixture(scope="session")
def phantom():
    return draw("normal", seed=11, n_supine=2, n_upright=1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="session")
def mms(phantom, folder):
    """An MMS export with a name in its header and in its path."""
    path = folder / "DOE_JANE.csv"
    write_mms_csv(sample(phantom, catheter="CE4-0062", sampling_rate=20.0), path)
    path.write_bytes(path.read_bytes().replace(b"Name=, X, X", f"Name=, {PLANT}".encode()))
    return path


@pytest.fixture(scope="session")
def manoview(phantom, folder):
    path = folder / "DOE_JANE.txt"
    write_manoview(sample(phantom, sampling_rate=20.0), path)
    return path


@pytest.fixture(scope="session")
def table(phantom, folder):
    path = folder / "table.csv"
    rows = [f"{row['onset_s']:.3f},{row['posture']}" for row in swallow_table(phantom)]
    path.write_text("\n".join(["onset_s,posture", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder; stdout and stderr are kept apart."""
    from click.testing import CliRunner

    from hrm.cli.main import main

    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments])
