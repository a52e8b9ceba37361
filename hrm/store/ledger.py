"""The ledger of a batch: what was asked for, what was tried, and what came of it.

One SQLite file, written by one process (`RunLock`), one transaction a file of the
batch: whatever kills the process, a file is wholly in the ledger or not at all.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from hrm.errors import StoreError
from hrm.store._lock import RunLock
from hrm.store._schema import MIGRATIONS, VERSION

FILE_NAME = "hrm.sqlite"
LOCK_NAME = "hrm.lock"


class Key(NamedTuple):
    """What a result depends on: same key, same result."""

    sha256: str
    settings_id: str
    engine: str
    review_hash: str


@dataclass(frozen=True)
class Known:
    """What the ledger knows of an input."""

    id: int
    size: int | None
    modified_ns: int | None
    sha256: str | None
    #: Of the last attempt: ``ok``, ``failed``, ``quarantined``, or None for none yet.
    status: str | None
    #: Key of the last attempt.
    key: Key | None


@dataclass(frozen=True)
class Measured:
    """Result of one file as the ledger keeps it; plain values, so that a worker can send it."""

    study_id: str
    participant: str | None
    visit: str | None
    settings: str
    result: str
    thumbnail: bytes | None
    #: swallow, onset_s, posture, protocol, evaluable, reason, type, pressurization
    swallows: tuple[tuple[Any, ...], ...]
    #: swallow, metric, value, unit, status, metric_version, source
    metrics: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Failed:
    """Why a file has no result."""

    cause: str
    message: str
    advice: str
    quarantined: bool = False


@dataclass(frozen=True)
class Attempted:
    """One attempt at one file, and what came of it."""

    key: Key
    outcome: Measured | Failed
    warnings: tuple[str, ...]
    seconds: float


class Ledger:
    """The ledger in a folder.

    Parameters
    ----------
    folder : path-like
        Made if `write` is set and it does not exist.
    write : bool
        Open for a run: takes the lock, makes or migrates the tables.

    Raises
    ------
    StoreError
        If another batch writes to it, a newer hrm has written it, or there is none.
    """

    def __init__(self, folder: str | os.PathLike[str], *, write: bool = False) -> None:
        self.folder = Path(folder)
        self._lock = None
        path = self.folder / FILE_NAME
        if write:
            _make_folder(self.folder)
            self._lock = _locked(self.folder / LOCK_NAME)
        elif not path.is_file():
            raise StoreError(f"there is no batch in this folder: expected {FILE_NAME} in it")
        try:
            self.connection = _connected(path, write=write)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give the lock back."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            self._lock.release()

    # ---- a run

    def begin_run(self, *, engine: str, inputs: int) -> int:
        """Note that a run begins; runs that never ended were lost."""
        with self._transaction() as write:
            write("UPDATE run SET state = 'lost', ended = ? WHERE state = 'running'", (_now(),))
            return _id(
                write(
                    "INSERT INTO run (started, host, pid, engine, state, inputs) "
                    "VALUES (?, ?, ?, ?, 'running', ?)",
                    (_now(), socket.gethostname(), os.getpid(), engine, inputs),
                )
            )

    def end_run(self, run: int, *, interrupted: bool = False) -> None:
        """Note that a run has ended."""
        state = "interrupted" if interrupted else "finished"
        with self._transaction() as write:
            write("UPDATE run SET state = ?, ended = ? WHERE id = ?", (state, _now(), run))

    def known(self, path: str) -> Known | None:
        """What is known of an input, by its path."""
        row = self.connection.execute(
            "SELECT input.id, size, modified_ns, input.sha256, status, attempt.sha256, "
            "settings_id, engine, review_hash "
            "FROM input LEFT JOIN attempt ON attempt.id = input.attempt_id WHERE path = ?",
            (path,),
        ).fetchone()
        if row is None:
            return None
        key = Key(row[5] or "", *row[6:9]) if row[4] is not None else None
        return Known(row[0], row[1], row[2], row[3], row[4], key)

    def register(self, run: int, inputs: Sequence[Mapping[str, Any]]) -> list[int]:
        """Note which inputs a run is asked for.

        Size, time and digest of an input that is known already stay those of its last
        attempt: if the run ends before its turn, the next one still sees that it changed.

        Parameters
        ----------
        run : int
        inputs : sequence of mapping
            ``path``, ``size``, ``modified_ns``, ``sha256`` (None: not read yet),
            ``manifest_row``, and ``holds``: the result that is there holds for it as it is.

        Returns
        -------
        list of int
            Their ids, in the same order.
        """
        ids = []
        with self._transaction() as write:
            for each in inputs:
                row = write(
                    "INSERT INTO input (path, size, modified_ns, sha256, manifest_row, run_id) "
                    "VALUES (:path, :size, :modified_ns, :sha256, :manifest_row, :run) "
                    "ON CONFLICT (path) DO UPDATE SET "
                    "size = CASE WHEN :holds THEN excluded.size ELSE size END, "
                    "modified_ns = CASE WHEN :holds THEN excluded.modified_ns ELSE modified_ns END, "
                    "sha256 = CASE WHEN :holds THEN excluded.sha256 ELSE sha256 END, "
                    "manifest_row = excluded.manifest_row, run_id = excluded.run_id "
                    "RETURNING id",
                    {**each, "run": run},
                ).fetchone()
                ids.append(int(row[0]))
        return ids

    def result_of(self, key: Key) -> int | None:
        """Id of the study with this key, None if there is none yet."""
        row = self.connection.execute(
            "SELECT id FROM study WHERE sha256 = ? AND settings_id = ? AND engine = ? "
            "AND review_hash = ?",
            key,
        ).fetchone()
        return None if row is None else int(row[0])

    def adopt(self, input_id: int, study: int | None) -> None:
        """Let a result that is there already hold for an input; None: it has none now."""
        with self._transaction() as write:
            write("UPDATE input SET study = ? WHERE id = ?", (study, input_id))

    def record(
        self,
        run: int,
        input_id: int,
        attempted: Attempted,
        *,
        size: int | None = None,
        modified_ns: int | None = None,
    ) -> None:
        """Write what came of one file, all of it in one transaction.

        Parameters
        ----------
        run, input_id : int
        attempted : Attempted
        size, modified_ns : int, optional
            Of the file when the attempt was planned; None: not there, or not known.
        """
        outcome = attempted.outcome
        failed = outcome if isinstance(outcome, Failed) else None
        with self._transaction() as write:
            study = None
            if isinstance(outcome, Measured):
                study = _insert_study(write, attempted.key, outcome)
            attempt = _insert_attempt(write, run, input_id, attempted, failed)
            # A file that failed has no result that holds; an older one stays in `study`.
            write(
                "UPDATE input SET attempt_id = :attempt, study = :study, "
                "sha256 = coalesce(:sha256, CASE WHEN size IS :size AND "
                "modified_ns IS :modified_ns THEN sha256 END), size = :size, modified_ns = :modified_ns WHERE id = :input",
                {
                    "attempt": attempt,
                    "study": study,
                    "input": input_id,
                    "size": size,
                    "modified_ns": modified_ns,
                    "sha256": attempted.key.sha256 or None,
                },
            )
            for message in attempted.warnings:
                write(
                    "INSERT INTO warning (attempt_id, study, message) VALUES (?, ?, ?)",
                    (attempt, study, message),
                )

    def without_result(self, run: int) -> int:
        """How many inputs of a run have no result that holds."""
        row = self.connection.execute(
            "SELECT count(*) FROM input WHERE run_id = ? AND study IS NULL", (run,)
        ).fetchone()
        return int(row[0])

    # ---- the file

    def check(self) -> None:
        """Check the whole file.

        Raises
        ------
        StoreError
            If SQLite finds a fault in it.
        """
        row = self.connection.execute("PRAGMA integrity_check").fetchone()
        if row[0] != "ok":
            raise StoreError("the ledger is damaged; restore it from a copy")

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection.execute
            self.connection.execute("COMMIT")
        except BaseException as err:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            if isinstance(err, sqlite3.Error):
                raise StoreError(_said(err)) from err
            raise


def _insert_study(write: Any, key: Key, found: Measured) -> int:
    old = write(
        "SELECT id FROM study WHERE sha256 = ? AND settings_id = ? AND engine = ? "
        "AND review_hash = ?",
        key,
    ).fetchone()
    if old is not None:
        return int(old[0])  # the same file under another name
    study = _id(
        write(
            "INSERT INTO study (sha256, settings_id, engine, review_hash, study_id, participant, "
            "visit, settings, result, thumbnail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                *(found.study_id, found.participant, found.visit),
                *(found.settings, found.result, found.thumbnail),
            ),
        )
    )
    for row in found.swallows:
        write("INSERT INTO swallow VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (study, *row))
    for row in found.metrics:
        write(
            "INSERT INTO metric (study, swallow, metric, value, unit, status, metric_version, "
            "source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (study, *row),
        )
    return study


def _insert_attempt(
    write: Any, run: int, input_id: int, attempted: Attempted, failed: Failed | None
) -> int:
    status = "ok"
    if failed is not None:
        status = "quarantined" if failed.quarantined else "failed"
    said = (failed.cause, failed.message, failed.advice) if failed else (None, None, None)
    key = attempted.key
    return _id(
        write(
            "INSERT INTO attempt (run_id, input_id, sha256, settings_id, engine, review_hash, "
            "status, cause, message, advice, ended, seconds) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(run, input_id, key.sha256 or None, *key[1:], status, *said),
                *(_now(), attempted.seconds),
            ),
        )
    )


def _id(cursor: sqlite3.Cursor) -> int:
    return int(cursor.lastrowid or 0)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise StoreError(f"the output folder cannot be made: {_reason(err)}") from err


def _locked(path: Path) -> RunLock:
    try:
        return RunLock(path)
    except OSError as err:
        raise StoreError(f"the output folder cannot be written to: {_reason(err)}") from err


def _reason(err: OSError) -> str:
    return (err.strerror or type(err).__name__).lower()


def _connected(path: Path, *, write: bool) -> sqlite3.Connection:
    try:
        connection = _opened(path, write=write)
        try:
            _checked(connection, write=write)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as err:
        raise StoreError(_said(err)) from err
    return connection


def _opened(path: Path, *, write: bool) -> sqlite3.Connection:
    if write:
        return sqlite3.connect(path, isolation_level=None, timeout=30.0)
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as err:
        connection.close()
        # A ledger with WAL wants files beside it even to be read, which a folder without
        # the right to write refuses. Nobody can be writing there, so it is read as it is.
        if not _name(err).startswith(_NO_RIGHTS) or _unfinished(path):
            raise
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)
    return connection


def _unfinished(path: Path) -> bool:
    """Whether a run that was killed has left results that are not in the file itself yet."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _checked(connection: sqlite3.Connection, *, write: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise StoreError(
            f"the ledger has version {version}, and this hrm knows {VERSION}; use the hrm "
            "that wrote it, or a newer one"
        )
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and tables:
        raise StoreError("the file in the ledger's place is a database of another program")
    if write:
        _prepare(connection, version)
    elif version < VERSION:
        raise StoreError("an older hrm has written the ledger; run the batch again once")


def _prepare(connection: sqlite3.Connection, version: int) -> None:
    # Where the file system has no shared memory, WAL is refused and the old journal stays.
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    for step, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {step}; COMMIT")


_NO_RIGHTS = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")


def _name(err: sqlite3.Error) -> str:
    return getattr(err, "sqlite_errorname", "") or ""


def _said(err: sqlite3.Error) -> str:
    """What a fault of SQLite means for who runs the batch."""
    name = _name(err)
    if name.startswith("SQLITE_FULL"):
        return "the disk, or the ledger's size limit, is full; make room and run the batch again"
    if name.startswith("SQLITE_IOERR"):
        return (
            "the disk refused to read or write the ledger, which happens when it is full or "
            "failing; make room or use another disk, and run the batch again"
        )
    if name.startswith(_NO_RIGHTS):
        return "the ledger cannot be written to; check the rights of the folder and its files"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds the ledger open for writing; close it and run again"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return "the ledger is damaged or no ledger; restore it from a copy, or use a new folder"
    return f"the ledger cannot be used ({name or type(err).__name__})"
