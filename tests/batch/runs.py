"""Run a batch as a user does, in a process of its own, and read what it has left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

from hrm.store.ledger import FILE_NAME

ROOT = Path(__file__).resolve().parents[2]
HRM = (sys.executable, "-m", "hrm")
#: What a batch on a machine with other work may take.
PATIENCE_S = 240.0


def install_fault_reader(site: Path) -> Path:
    """Put the reader where Python finds it, with the metadata that makes it a plug-in."""
    package = site / "hrm_reader_fault-1.dist-info"
    package.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("fault_reader.py"), site / "hrm_fault_reader.py")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: hrm-reader-fault\nVersion: 1\n")
    (package / "entry_points.txt").write_text(
        "[hrm.readers]\nfault = hrm_fault_reader:FaultReader\n"
    )
    return site


def environment(site: Path | None = None) -> dict[str, str]:
    """Environment of a process that finds hrm as the tests do, and the plug-in."""
    paths = [*([str(site)] if site else []), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "MPLBACKEND": "Agg",
        "PYTHONWARNINGS": "ignore",
    }


def start(*arguments, site=None, **how):
    """Start ``hrm`` in a session of its own, so that a signal to it reaches all its children."""
    return subprocess.Popen(
        [*HRM, *map(str, arguments)],
        cwd=ROOT,
        env=environment(site),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **how,
    )


def finish(process, *, timeout=PATIENCE_S):
    """Wait for the end of a process; what it leaves running is ended with it."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"the batch did not end:\n{out}\n{err}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(*arguments, site=None, **how):
    """Run ``hrm`` to its end."""
    return finish(start(*arguments, site=site, **how))


def descendants(pid: int) -> set[int]:
    """Processes that a process has started, and those that these have."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(status.parent.name)] = int(fields[1])
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def alive(pids) -> set[int]:
    """Which of the processes still run."""
    states = {}
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        states[pid] = text.rpartition(")")[2].split()[0]
    return {pid for pid, state in states.items() if state not in "ZX"}


def wait_until(condition, *, timeout=60.0, every=0.02):
    """Wait for something to become true."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(every)
    return found


def query(out: Path, text: str, *arguments):
    """Ask the ledger of a folder."""
    with closing(sqlite3.connect(out / FILE_NAME, timeout=30.0)) as connection:
        return connection.execute(text, arguments).fetchall()


def count(out: Path, table: str) -> int:
    """Rows of a table; 0 as long as there is no ledger."""
    try:
        return query(out, f"SELECT count(*) FROM {table}")[0][0]
    except sqlite3.OperationalError:
        return 0


def check_ledger(out: Path) -> None:
    """What must be true of a ledger at any moment."""
    assert query(out, "PRAGMA integrity_check") == [("ok",)]
    assert query(out, "PRAGMA foreign_key_check") == []
    # A result whole or not at all: as many swallows and numbers as the contract says.
    for study, text in query(out, "SELECT id, result FROM study"):
        result = json.loads(text)
        swallows = query(out, "SELECT count(*) FROM swallow WHERE study = ?", study)[0][0]
        metrics = query(out, "SELECT count(*) FROM metric WHERE study = ?", study)[0][0]
        assert swallows == len(result["swallows"])
        assert metrics > swallows
    assert not query(
        out,
        "SELECT 1 FROM input JOIN attempt ON attempt.id = input.attempt_id "
        "WHERE (status = 'ok') != (study IS NOT NULL) AND input.study IS NOT NULL",
    )
    assert not query(
        out,
        "SELECT 1 FROM study GROUP BY sha256, settings_id, engine, review_hash HAVING count(*) > 1",
    )


def values(out: Path) -> dict[str, tuple]:
    """Everything that was measured, by the name of the file: equal runs give equal values."""
    found = {}
    rows = query(
        out,
        "SELECT path, study.id, study.sha256, settings_id, engine, review_hash, study_id, "
        "participant, visit, settings, result, thumbnail FROM input "
        "JOIN study ON study.id = input.study",
    )
    for path, study, *rest in rows:
        swallows = query(out, "SELECT * FROM swallow WHERE study = ? ORDER BY swallow", study)
        metrics = query(
            out,
            "SELECT swallow, metric, value, unit, status, metric_version, source FROM metric "
            "WHERE study = ? ORDER BY id",
            study,
        )
        warnings = query(out, "SELECT message FROM warning WHERE study = ? ORDER BY message", study)
        found[Path(path).name] = (
            *rest,
            tuple(row[1:] for row in swallows),
            tuple(metrics),
            tuple(warnings),
        )
    return found


@contextmanager
def dask(*arguments, site=None):
    """Run a part of dask, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        env=environment(site) | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
