"""Small recordings for batches, and one batch that nothing disturbs."""

import pytest

from hrm.phantom import draw, sample, write_manoview, write_mms_csv
from tests.batch import runs

PLANT = "DOE_JANE_1961"
SYSTEM = ("--system", "manoscan")


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """Folder of six short recordings in two formats, none like another."""
    folder = tmp_path_factory.mktemp("recordings") / PLANT
    folder.mkdir()
    for seed in range(6):
        made = draw("normal", seed=seed, n_supine=1, n_upright=1)
        if seed % 2:
            study = sample(made, catheter="CE4-0062", sampling_rate=20.0)
            write_mms_csv(study, folder / f"s{seed}.csv")
        else:
            write_manoview(sample(made, sampling_rate=20.0), folder / f"s{seed}.txt")
    return folder


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory):
    """What has to be said of the recordings."""
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    path.write_text(
        '[defaults]\nsystem = "manoscan"\n\n[[files]]\nmatch = "*.csv"\ncatheter = "CE4-0062"\n'
    )
    return path


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder with the reader that misbehaves."""
    return runs.install_fault_reader(tmp_path_factory.mktemp("site"))


@pytest.fixture
def faulty(recordings, tmp_path):
    """Write a file that harms its reader, as a function of how."""

    def write(name, how, *, folder=tmp_path, seed=0):
        body = (recordings / f"s{seed}.txt").read_bytes()
        path = folder / name
        path.write_bytes(f"#FAULT {how}\n".encode() + body)
        return path

    return write


@pytest.fixture(scope="session")
def undisturbed(recordings, settings_file, tmp_path_factory):
    """What the recordings give when nothing happens: the folder, and the values."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    log = out.parent / "log.jsonl"
    done = runs.run(
        "batch", recordings, "--out", out, "--settings", settings_file, "--workers", 2,
        "--json-log", log,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs.check_ledger(out)
    return out, done, log
