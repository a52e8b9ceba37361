"""One file in a worker: every fault comes back as a cause with what to do, and quotes nothing."""

import importlib
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

import hrm
from hrm.annotate import append
from hrm.batch import Settings
from hrm.batch.worker import Job, engine_id, measure, settings_key
from hrm.edits import Change
from hrm.io import _registry
from hrm.readings import reading_path, remember_file
from hrm.stability import diagnosis_stability
from hrm.store.ledger import Failed, Measured
from hrm.store.tidy import to_long
from tests.batch.conftest import PLANT


def attempt(path, engine=None, **said):
    settings = Settings(**{"system": "manoscan", **said})
    return measure(Job(1, str(path), settings, engine or engine_id()))


@pytest.fixture
def installed(site, monkeypatch):
    """The reader that misbehaves, in this process."""
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    _registry.all_readers.cache_clear()
    yield
    sys.modules.pop("hrm_fault_reader", None)
    _registry.all_readers.cache_clear()


@pytest.fixture
def good(recordings):
    return recordings / "s0.txt"


def test_it_gives_what_the_library_gives(good):
    attempted = attempt(good, participant="P01", visit="V1", posture="supine")
    study = diagnosis_stability(
        hrm.open_recording(good, system="manoscan", participant="P01"),
        system="manoscan", posture="supine",
    )  # fmt: skip
    found = attempted.outcome
    assert isinstance(found, Measured)
    assert json.loads(found.result) == json.loads(json.dumps(hrm.to_dict(study)))
    assert "agreement" in json.loads(found.result)["classification"]["ccv4"]["stability"]
    table = to_long(study)
    assert [row[1] for row in found.metrics] == list(table["metric"])
    values = [None if value != value else value for value in table["value"]]  # noqa: PLR0124
    assert [row[2] for row in found.metrics] == values
    assert [row[0] for row in found.swallows] == [1, 2]
    assert (found.study_id, found.participant, found.visit) == ("P01", "P01", "V1")
    assert found.thumbnail.startswith(b"\x89PNG")
    assert attempted.key.sha256 == study.attrs["source_sha256"]
    assert attempted.key.settings_id == settings_key(
        Settings(system="manoscan", participant="P01", visit="V1", posture="supine")
    )


def test_a_review_of_what_the_file_held_before_is_told_of(good, tmp_path):
    file = tmp_path / "DOE_JANE.txt"
    file.write_bytes(good.read_bytes())
    recording = hrm.open_recording(file)
    sha256 = str(recording.attrs["source_sha256"])
    edit = Change("landmarks", "les_upper_cm", 26.0)
    append(reading_path(sha256, tmp_path), edit, sha256=sha256, reader="AB", reason="seen")
    remember_file(file, sha256, tmp_path)
    first = attempt(file)
    assert json.loads(first.outcome.result)["review"]["n_edits"] == 1
    assert not any("reviewed" in text for text in first.warnings)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))  # a sample less
    later = attempt(file)
    assert json.loads(later.outcome.result)["review"] is None
    (told,) = [text for text in later.warnings if "changed since it was reviewed" in text]
    assert "JANE" not in told


def files(folder, good):
    """Names of files that cannot be measured, and the cause that is given."""
    text = good.read_bytes()
    made = {
        "empty.txt": (b"", "unknown_format"),
        "wrong.txt": (b"PATIENT " + PLANT.encode() * 50, "unknown_format"),
        "cut.txt": (text[: len(text) // 2] + PLANT.encode(), "damaged"),
        "planted.txt": (text.replace(b"\n", b"\n" + PLANT.encode(), 40), None),
        "zip.zip": (b"PK\x03\x04" + PLANT.encode(), "damaged"),
    }
    for name, (content, cause) in made.items():
        (folder / name).write_bytes(content)
        yield folder / name, cause
    (folder / "folder.txt").mkdir()
    yield folder / "folder.txt", "unreadable"
    yield folder / "gone.txt", "missing"


def test_a_fault_of_the_file_has_a_cause_and_quotes_nothing(good, tmp_path):
    folder = tmp_path / PLANT
    folder.mkdir()
    for path, cause in files(folder, good):
        attempted = attempt(path)
        failed = attempted.outcome
        assert isinstance(failed, Failed), path
        assert cause in (None, failed.cause), (path, failed)
        assert failed.message, path
        assert failed.advice, path
        said = repr(attempted)
        assert PLANT not in said, path
        assert path.name not in said, path


def test_an_address_is_read_through_fsspec(good):
    """Of a store that this process alone has: no path can lead there."""
    import fsspec

    with fsspec.open(f"memory://{PLANT}/s0.txt", "wb") as file:
        file.write(good.read_bytes())
    found = attempt(f"memory://{PLANT}/s0.txt").outcome
    assert isinstance(found, Measured)
    assert found.result == attempt(good).outcome.result
    missing = attempt(f"memory://{PLANT}/none.txt").outcome
    assert isinstance(missing, Failed)
    assert missing.cause == "missing"
    assert PLANT not in missing.message + missing.advice


def test_two_members_of_an_archive(good, recordings, tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(good, "DOE JANE.txt")
        archive.write(recordings / "s2.txt", "DOE JOHN.txt")
    found = [attempt(path, member=name) for name in ("DOE JANE.txt", "DOE JOHN.txt")]
    assert found[0].key == attempt(good).key  # the content is what counts
    assert found[0].key != found[1].key
    assert "DOE" not in repr(found)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"swallows": "/gone/DOE_JANE.csv"}, "settings"),
        ({"drift": "/gone/DOE_JANE.csv"}, "settings"),
        ({"reader": "mms"}, None),
        ({"irp_limit": "irp4s.mms_wp.upright.v9"}, "settings"),
    ],
)
def test_a_fault_of_the_settings(good, said, cause):
    failed = attempt(good, **said).outcome
    assert isinstance(failed, Failed)
    assert cause in (None, failed.cause), failed
    assert "DOE" not in failed.message


def test_a_file_without_the_right_to_read_it(good, tmp_path):
    attempt(good)  # everything is imported before rights are given up
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "DOE.txt"
        path.write_bytes(good.read_bytes())
        path.chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            failed = attempt(path).outcome
        finally:
            if root:
                os.seteuid(0)
    assert (failed.cause, failed.message) == ("unreadable", "permission denied")


def test_a_file_that_is_replaced_while_it_is_read(installed, faulty, tmp_path):
    path = tmp_path / "replaced.fault"
    faulty("replaced.fault", f"touch {path}")
    failed = attempt(path).outcome
    assert failed.cause == "changed"
    assert "complete" in failed.advice
    faulty("quiet.fault", "slow 0")
    assert isinstance(attempt(tmp_path / "quiet.fault").outcome, Measured)


def test_a_fault_of_a_plug_in_is_no_fault_of_the_batch_and_is_not_quoted(installed, faulty):
    failed = attempt(faulty("raise.fault", f"raise {PLANT}")).outcome
    assert failed.cause == "fault"
    assert "ValueError" in failed.message
    assert PLANT not in repr(failed)


def test_a_file_that_eats_the_memory(installed, faulty):
    failed = attempt(faulty("memory.fault", "memory 20")).outcome
    assert (failed.cause, failed.quarantined) == ("memory", False)


def test_a_worker_with_another_hrm_measures_nothing(good):
    failed = attempt(good, engine="0.0.1+000000000000").outcome
    assert failed.cause == "installation"
    assert "every worker" in failed.advice
