"""The ledger alone: what is written is whole, and a fault loses nothing."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.errors import StoreError
from hrm.store import Ledger, _schema
from hrm.store.ledger import FILE_NAME, LOCK_NAME, Attempted, Failed, Key, Measured

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def key(sha="a" * 64, settings="s1", engine="1", review=""):
    return Key(sha, settings, engine, review)


def measured(study_id="P01", n=2, **how):
    return Measured(
        study_id=study_id,
        participant=None,
        visit=how.get("visit"),
        settings="{}",
        result=json.dumps({"n": n}),
        thumbnail=how.get("thumbnail", b"png"),
        swallows=tuple(
            (k, 1.5 * k, "supine", "unknown", 1, None, "normal", None) for k in range(n)
        ),
        metrics=tuple(
            (k, "dci_mmhg_s_cm", 1000.0 + k, "mmHg s cm", "ok", "1", "x") for k in range(n)
        ),
    )


def attempt(outcome=None, warnings=("w",), **how):
    return Attempted(key(**how), outcome or measured(), warnings, 0.5)


def row(path="/in/a.txt", **how):
    said = {"path": path, "size": 1, "modified_ns": 2, "sha256": None, "manifest_row": None}
    return {**said, "holds": False, **how}


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "out", write=True) as made:
        yield made


@pytest.fixture
def begun(ledger):
    """A ledger with a run, and one input."""
    run = ledger.begin_run(engine="1", inputs=1)
    (name,) = ledger.register(run, [row()])
    return ledger, run, name


def rows(ledger, table):
    return ledger.connection.execute(f"SELECT * FROM {table}").fetchall()


def contents(ledger):
    tables = ("study", "swallow", "metric", "warning", "attempt", "input")
    return {table: rows(ledger, table) for table in tables}


def test_a_file_is_written_whole(begun):
    ledger, run, name = begun
    ledger.record(run, name, attempt(), size=1, modified_ns=2)
    assert [len(rows(ledger, t)) for t in ("study", "swallow", "metric", "warning")] == [1, 2, 2, 1]
    known = ledger.known("/in/a.txt")
    assert (known.status, known.sha256, known.key) == ("ok", "a" * 64, key())
    assert ledger.without_result(run) == 0
    ledger.check()


def test_a_file_is_written_whole_or_not_at_all(begun):
    """The last row of a result cannot be written; nothing of it is there then."""
    ledger, run, name = begun
    before = contents(ledger)
    good = measured()
    bad = Measured(
        **{**vars(good), "metrics": (*good.metrics, (1, None, 1.0, "u", "ok", "1", "x"))}
    )
    with pytest.raises(StoreError):
        ledger.record(run, name, attempt(bad))
    assert contents(ledger) == before
    ledger.record(run, name, attempt())
    assert ledger.without_result(run) == 0


def test_one_result_for_one_key(begun):
    ledger, run, name = begun
    (other,) = ledger.register(run, [row("/in/copy.txt")])
    ledger.record(run, name, attempt())
    ledger.record(run, other, attempt())
    assert len(rows(ledger, "study")) == 1
    for changed in ({"sha": "b" * 64}, {"settings": "s2"}, {"engine": "2"}, {"review": "r"}):
        ledger.record(run, name, attempt(**changed))
        assert ledger.result_of(key(**changed)) is not None
    assert len(rows(ledger, "study")) == 5
    with pytest.raises(sqlite3.IntegrityError):
        ledger.connection.execute(
            "INSERT INTO study (sha256, settings_id, engine, review_hash, study_id, settings, result)"
            " VALUES (?, ?, ?, ?, 'x', '', '')",
            key(),
        )


def test_a_failure_takes_the_result_away_and_keeps_it(begun):
    ledger, run, name = begun
    ledger.record(run, name, attempt(), size=1, modified_ns=2)
    ledger.record(run, name, attempt(Failed("damaged", "m", "a"), sha=""), size=1, modified_ns=2)
    assert ledger.without_result(run) == 1
    assert len(rows(ledger, "study")) == 1
    known = ledger.known("/in/a.txt")
    assert known.status == "failed"
    # The file is the same as when it was read: its content is still known.
    assert known.sha256 == "a" * 64
    ledger.record(run, name, attempt(Failed("damaged", "m", "a"), sha=""), size=7, modified_ns=2)
    assert ledger.known("/in/a.txt").sha256 is None


def test_registering_again_keeps_the_stamp_of_the_last_attempt(begun):
    ledger, run, name = begun
    ledger.record(run, name, attempt(), size=1, modified_ns=2)
    assert ledger.register(run, [row(size=9, modified_ns=9, sha256="b" * 64)]) == [name]
    known = ledger.known("/in/a.txt")
    assert (known.size, known.modified_ns, known.sha256) == (1, 2, "a" * 64)
    ledger.register(run, [row(size=9, modified_ns=9, sha256="a" * 64, holds=True)])
    known = ledger.known("/in/a.txt")
    assert (known.size, known.modified_ns, known.sha256) == (9, 9, "a" * 64)


def test_runs_that_never_ended_were_lost(ledger):
    first = ledger.begin_run(engine="1", inputs=0)
    second = ledger.begin_run(engine="1", inputs=0)
    ledger.end_run(second, interrupted=True)
    third = ledger.begin_run(engine="1", inputs=0)
    ledger.end_run(third)
    states = ledger.connection.execute("SELECT id, state, ended FROM run").fetchall()
    assert [state[:2] for state in states] == [
        *((first, "lost"), (second, "interrupted"), (third, "finished")),
    ]
    assert all(state[2] for state in states)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["x", "y", "fail", "quarantine"]),
        ),
        max_size=12,
    )
)
def test_any_order_of_attempts_leaves_what_the_last_one_says(tmp_path_factory, steps):
    naive = {}
    with Ledger(tmp_path_factory.mktemp("ledger"), write=True) as ledger:
        run = ledger.begin_run(engine="1", inputs=3)
        names = dict(zip("abc", ledger.register(run, [row(x) for x in "abc"]), strict=True))
        for path, what in steps:
            outcome = {
                "fail": Failed("damaged", "m", "a"),
                "quarantine": Failed("killed", "m", "a", quarantined=True),
            }.get(what, measured(study_id=what))
            ledger.record(run, names[path], attempt(outcome, sha=what * 64))
            naive[path] = what if what in "xy" else None
        found = dict(
            ledger.connection.execute(
                "SELECT path, study_id FROM input LEFT JOIN study ON study.id = study"
            )
        )
        ledger.check()
        assert len(rows(ledger, "study")) == len({w for _, w in steps if w in "xy"})
        assert ledger.without_result(run) == sum(not naive.get(path) for path in "abc")
    assert found == {path: naive.get(path) for path in "abc"}


# -- one writer ---------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_told_who_writes(ledger):
    with pytest.raises(StoreError, match=f"process {os.getpid()} on "):
        Ledger(ledger.folder, write=True)
    with Ledger(ledger.folder) as reader:
        assert rows(reader, "run") == []
    ledger.close()
    Ledger(ledger.folder, write=True).close()


def test_a_killed_process_loses_the_lock(tmp_path):
    code = (
        "import os, signal, sys; from hrm.store import Ledger; Ledger(sys.argv[1], write=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert b"pid" in (tmp_path / LOCK_NAME).read_bytes()
    Ledger(tmp_path, write=True).close()


# -- versions -------------------------------------------------------------------------------


def with_version(folder, version):
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("write", [True, False])
def test_a_newer_ledger_is_left_alone(ledger, write):
    ledger.close()
    with_version(ledger.folder, _schema.VERSION + 1)
    before = (ledger.folder / FILE_NAME).read_bytes()
    with pytest.raises(StoreError, match="newer"):
        Ledger(ledger.folder, write=write)
    assert (ledger.folder / FILE_NAME).read_bytes() == before


def test_an_older_ledger_is_migrated_by_the_next_run(begun, monkeypatch):
    ledger, run, name = begun
    ledger.record(run, name, attempt())
    kept = contents(ledger)
    ledger.close()
    more = (*_schema.MIGRATIONS, "CREATE TABLE later (id INTEGER)")
    monkeypatch.setattr("hrm.store.ledger.MIGRATIONS", more)
    monkeypatch.setattr("hrm.store.ledger.VERSION", len(more))
    with pytest.raises(StoreError, match="older hrm"):
        Ledger(ledger.folder)
    with Ledger(ledger.folder, write=True) as migrated:
        assert migrated.connection.execute("PRAGMA user_version").fetchone() == (len(more),)
        assert contents(migrated) == kept
        assert rows(migrated, "later") == []


def test_a_migration_that_fails_changes_nothing(ledger, monkeypatch):
    ledger.close()
    more = (*_schema.MIGRATIONS, "CREATE TABLE later (id INTEGER); CREATE TABLE run (id INTEGER)")
    monkeypatch.setattr("hrm.store.ledger.MIGRATIONS", more)
    monkeypatch.setattr("hrm.store.ledger.VERSION", len(more))
    with pytest.raises(StoreError):
        Ledger(ledger.folder, write=True)
    monkeypatch.undo()
    with Ledger(ledger.folder, write=True) as same:
        assert same.connection.execute("PRAGMA user_version").fetchone() == (_schema.VERSION,)
        names = same.connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert ("later",) not in names


def test_a_database_of_another_program_is_left_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    with pytest.raises(StoreError, match="another program"):
        Ledger(tmp_path, write=True)
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, whatever its name may say" * 50)
    for write in (True, False):
        with pytest.raises(StoreError, match="damaged or no ledger"):
            Ledger(tmp_path, write=write)


def test_there_is_no_batch_here(tmp_path):
    with pytest.raises(StoreError, match="no batch"):
        Ledger(tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- journals, rights and room ------------------------------------------------------------------


def test_it_keeps_a_write_ahead_log(ledger):
    assert ledger.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_where_that_is_refused_the_old_journal_does(monkeypatch, tmp_path):
    """A file system without shared memory, as SQLite's own one without it plays it."""
    real = sqlite3.connect

    def without_shared_memory(path, **how):
        return real(f"{Path(path).absolute().as_uri()}?vfs=unix-dotfile", uri=True, **how)

    monkeypatch.setattr("hrm.store.ledger.sqlite3.connect", without_shared_memory)
    with Ledger(tmp_path, write=True) as ledger:
        assert ledger.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        run = ledger.begin_run(engine="1", inputs=1)
        (name,) = ledger.register(run, [row()])
        ledger.record(run, name, attempt())
        assert ledger.without_result(run) == 0
        ledger.check()


@contextmanager
def without_rights(folder, mode=0o555):
    """Take the right to write away, also from root."""
    before = folder.stat().st_mode
    folder.chmod(mode)
    root = os.geteuid() == 0
    if root:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)
        folder.chmod(before)


@pytest.fixture
def folder():
    """A folder that others may enter: pytest's own ones are for one user only."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made) / "out"


def test_results_are_read_from_a_folder_without_the_right_to_write(folder):
    with Ledger(folder, write=True) as ledger:
        run = ledger.begin_run(engine="1", inputs=1)
        ledger.record(run, ledger.register(run, [row()])[0], attempt())
    with without_rights(folder):
        with Ledger(folder) as reader:
            assert len(rows(reader, "study")) == 1
        with pytest.raises(StoreError, match="cannot be written to"):
            Ledger(folder, write=True)
    assert sorted(path.name for path in folder.iterdir()) == [LOCK_NAME, FILE_NAME]


def test_a_log_that_was_left_behind_is_not_passed_over_in_silence(folder):
    code = (
        "import os, signal, sys; from hrm.store import Ledger\n"
        "Ledger(sys.argv[1], write=True).begin_run(engine='1', inputs=0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)
    (folder / f"{FILE_NAME}-shm").unlink()
    with without_rights(folder), pytest.raises(StoreError, match="rights of the folder"):
        Ledger(folder)
    with Ledger(folder) as reader:
        assert len(rows(reader, "run")) == 1


def test_an_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made: "):
        Ledger(tmp_path / "file" / "out", write=True)


def test_a_full_store_says_so_and_goes_on_when_there_is_room(begun):
    ledger, run, name = begun
    pages = ledger.connection.execute("PRAGMA page_count").fetchone()[0]
    ledger.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    before = contents(ledger)
    big = attempt(measured(thumbnail=bytes(100_000)))
    with pytest.raises(StoreError, match="full; make room"):
        ledger.record(run, name, big)
    assert contents(ledger) == before
    ledger.check()
    ledger.connection.execute("PRAGMA max_page_count = 100000")
    ledger.record(run, name, big)
    assert ledger.without_result(run) == 0


# -- the description ----------------------------------------------------------------------------


def test_the_schema_is_documented():
    """docs/batch.md names every table and column, and no other."""
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    described = {}
    for name, body in re.findall(r"^### `(\w+)`\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL):
        described[name] = re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
    real = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in _schema.MIGRATIONS:
            connection.executescript(script)
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (name,) in names.fetchall():
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            real[name] = [column[1] for column in columns]
    assert described == real
