"""What is to be done: which files have a result that still holds, and which do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrm.batch.inputs import Input, is_remote
from hrm.batch.settings import Settings, SettingsFile, settings_id
from hrm.batch.worker import Job, review_edits, review_hash, settings_key
from hrm.errors import HrmError
from hrm.store.ledger import Key, Known, Ledger


@dataclass(frozen=True)
class Planned:
    """One input, and what is to be done about it."""

    input: Input
    settings: Settings
    size: int | None
    modified_ns: int | None
    #: Of the content as it is now, None if it has to be read first.
    sha256: str | None
    #: ``new``, ``changed``, ``failed``, ``quarantined``, ``done``
    state: str
    #: Result that holds already.
    study: int | None = None
    #: In the ledger; stands for the path where no path may be.
    number: int | None = None

    @property
    def name(self) -> str:
        """What names it in the ledger: its path, and the member of an archive."""
        return name_of(self.input.path, self.settings)

    def registered(self) -> dict[str, Any]:
        """What the ledger notes of it."""
        return {
            "path": self.name,
            "size": self.size,
            "modified_ns": self.modified_ns,
            "sha256": self.sha256,
            "manifest_row": self.input.row,
            "holds": self.study is not None,
        }

    def job(self, input_id: int, engine: str) -> Job:
        """Give the work for a worker."""
        return Job(input_id, self.input.path, self.settings, engine)


def name_of(path: str, settings: Settings) -> str:
    """Name an input in the ledger."""
    return f"{path}!{settings.member}" if settings.member else path


def plan(
    ledger: Ledger | None,
    inputs: Sequence[Input],
    *,
    engine: str,
    options: Settings,
    settings: SettingsFile,
) -> Iterator[Planned]:
    """Compare what is asked for with what the ledger holds.

    Parameters
    ----------
    ledger : Ledger, optional
        None before the first run.
    inputs : sequence of Input
    engine : str
        See `engine_id`.
    options : Settings
        From the command line, for all files.
    settings : SettingsFile
    """
    for each in inputs:
        said = settings.of(each.path, options=options, row=each.said)
        yield _planned(ledger, each, said, engine)


def _planned(ledger: Ledger | None, given: Input, said: Settings, engine: str) -> Planned:
    size, modified = _stamp(given.path)
    known = ledger.known(name_of(given.path, said)) if ledger else None
    if ledger is None or known is None:
        return Planned(given, said, size, modified, None, "new")
    content = _content(given, said, known, size, modified)
    key = _key(given, said, content, engine)
    study = ledger.result_of(key) if key else None
    if study is not None:
        state = "done"  # also one that changed back to what was measured before
    elif known.status is None:
        state = "new"
    elif known.status == "ok" or known.key is None:
        state = "changed"
    else:
        touched = (size, modified) != (known.size, known.modified_ns)
        state = "changed" if touched or _differs(key, said, known.key, engine) else known.status
    return Planned(given, said, size, modified, content, state, study)


def _differs(key: Key | None, said: Settings, before: Key, engine: str) -> bool:
    """Whether settings, engine or review changed since an attempt that brought no result.

    Such an attempt often ended before the review log was looked for.
    """
    if key is None:
        return settings_key(said) != before.settings_id or engine != before.engine
    review = before.review_hash and key.review_hash != before.review_hash
    return (key.settings_id, key.engine) != (before.settings_id, before.engine) or bool(review)


def _stamp(path: str) -> tuple[int | None, int | None]:
    if is_remote(path):
        return None, None
    try:
        stat = Path(path).stat()
    except OSError:
        return None, None
    return stat.st_size, stat.st_mtime_ns


def _content(
    given: Input, said: Settings, known: Known, size: int | None, modified: int | None
) -> str | None:
    """Digest of the content; it is read again only if size or time of the file differ."""
    if known.sha256 is None or size is None:
        return known.sha256 if is_remote(given.path) else None
    if (size, modified) == (known.size, known.modified_ns):
        return known.sha256
    from hrm.io import opened

    try:
        with opened(given.path, said.member) as content:
            return content.sha256
    except (HrmError, OSError):
        return None  # the run will say what is wrong with it


def _key(given: Input, said: Settings, sha256: str | None, engine: str) -> Key | None:
    try:
        review = review_hash(review_edits(sha256, given.path, said)) if sha256 else ""
        return Key(sha256 or "", settings_id(said.to_json()), engine, review)
    except (HrmError, OSError):
        return None
