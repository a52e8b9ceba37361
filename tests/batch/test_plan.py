"""What is to be done: which results still hold, and which do not."""

import os
from dataclasses import replace
from hashlib import sha256

import pytest

from hrm.annotate import append, log_path
from hrm.batch import Input, Options, Settings, SettingsFile
from hrm.batch.plan import plan
from hrm.batch.run import chosen
from hrm.batch.worker import measure, quarantined, review_edits, review_hash, settings_key
from hrm.edits import Change
from hrm.errors import ParameterError
from hrm.store import Ledger
from hrm.store.ledger import Attempted, Failed, Key
from tests.store.test_ledger import measured

ENGINE = "1"


class Batch:
    """A ledger, and one file that attempts are made at without a cluster."""

    def __init__(self, folder):
        self.ledger = Ledger(folder / "out", write=True)
        self.path = folder / "a.txt"
        self.path.write_bytes(b"first")
        self.options = Settings()
        self.run = self.ledger.begin_run(engine=ENGINE, inputs=1)
        self.engine = ENGINE

    def planned(self):
        (found,) = plan(
            self.ledger, [Input(str(self.path))], engine=self.engine, options=self.options,
            settings=SettingsFile(),
        )  # fmt: skip
        return found

    def state(self):
        return self.planned().state

    def register(self):
        """As a run does before it measures."""
        planned = self.planned()
        (number,) = self.ledger.register(self.run, [planned.registered()])
        if planned.state in ("done", "changed"):
            self.ledger.adopt(number, planned.study)
        return planned, number

    def attempt(self, outcome=None):
        """Register and record, with the key that a worker would find."""
        planned, number = self.register()
        job = planned.job(number, self.engine)
        attempted = outcome(job) if outcome else self.good(job)
        self.ledger.record(
            self.run, number, attempted, size=planned.size, modified_ns=planned.modified_ns
        )

    def good(self, job):
        digest = sha256(self.path.read_bytes()).hexdigest()
        review = review_hash(review_edits(digest, job.path, job.settings))
        key = Key(digest, settings_key(job.settings), self.engine, review)
        return Attempted(key, measured(), (), 0.1)


def failing(job):
    failed = Failed("damaged", "m", "a")
    return replace(killed(job), outcome=failed)


def killed(job):
    return quarantined(job, "m", cause="killed", advice="a", seconds=1.0)


@pytest.fixture
def batch(tmp_path):
    made = Batch(tmp_path)
    yield made
    made.ledger.close()


def rewrite(batch, content):
    batch.path.write_bytes(content)
    later = batch.path.stat().st_mtime_ns + 5_000_000_000
    os.utime(batch.path, ns=(later, later))


def test_before_the_first_run_everything_is_new(batch):
    (found,) = plan(
        None, [Input(str(batch.path))], engine=ENGINE, options=Settings(), settings=SettingsFile()
    )
    assert found.state == "new"
    batch.register()
    assert batch.state() == "new"  # a run that ended before its turn


def test_a_result_holds(batch):
    batch.attempt()
    assert batch.state() == "done"


def test_a_file_that_was_only_touched_is_read_again_and_holds(batch):
    batch.attempt()
    rewrite(batch, b"first")
    assert batch.state() == "done"


@pytest.mark.parametrize("what", ["content", "settings", "engine", "gone"])
def test_a_result_does_not_hold_any_more(batch, what):
    batch.attempt()
    if what == "content":
        rewrite(batch, b"second")
    elif what == "settings":
        batch.options = Settings(posture="supine")
    elif what == "engine":
        batch.engine = "2"
    else:
        batch.path.unlink()
    assert batch.state() == "changed"
    # A run that ends before its turn changes nothing of that.
    batch.register()
    assert batch.state() == "changed"
    batch.attempt(failing if what == "gone" else None)
    assert batch.state() == ("failed" if what == "gone" else "done")


def test_what_changes_back_holds_again(batch):
    batch.attempt()
    first = batch.planned().study
    batch.options = Settings(posture="supine")
    batch.attempt()
    batch.options = Settings()
    found = batch.planned()
    assert (found.state, found.study) == ("done", first)
    # Also after a failure in between, without being measured again.
    batch.options = Settings(posture="upright")
    batch.attempt(failing)
    batch.options = Settings()
    found = batch.planned()
    assert (found.state, found.study) == ("done", first)


def test_a_failure_stays_one_until_something_changes(batch):
    batch.attempt(failing)
    assert batch.state() == "failed"
    batch.options = Settings(posture="supine")
    assert batch.state() == "changed"
    batch.options = Settings()
    rewrite(batch, b"mended")
    assert batch.state() == "changed"
    batch.register()  # a run that ended before its turn
    assert batch.state() == "changed"
    batch.attempt()
    assert batch.state() == "done"


@pytest.mark.parametrize("before", [False, True])
def test_a_file_that_is_set_aside_is_tried_again_once_it_is_mended(batch, before):
    if before:
        batch.attempt()
        batch.options = Settings(posture="supine")
    batch.attempt(killed)
    assert batch.state() == "quarantined"
    rewrite(batch, b"mended")
    batch.register()
    assert batch.state() == "changed"
    batch.attempt()
    assert batch.state() == "done"


def test_a_review_is_picked_up(batch):
    batch.attempt()
    digest = sha256(batch.path.read_bytes()).hexdigest()
    change = Change("study", "signed_off", new=True)
    append(log_path(digest, batch.path.parent), change, sha256=digest, reader="AB")
    assert batch.state() == "changed"
    batch.attempt()
    assert batch.state() == "done"


def test_an_archive_that_cannot_be_read_is_left_to_the_run(batch):
    batch.attempt()
    rewrite(batch, b"PK\x03\x04 no archive")
    assert batch.state() == "changed"


STATES = ("new", "changed", "failed", "quarantined", "done")


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (Options(), ["new", "changed", "failed"]),
        (Options(limit=2), ["new", "changed"]),
        (Options(only="failed"), ["failed", "quarantined"]),
        (Options(only="changed"), ["changed"]),
        (Options(only="failed", limit=1), ["failed"]),
    ],
)
def test_what_is_chosen(batch, how, wanted):
    found = [replace(batch.planned(), state=state) for state in STATES]
    assert [each.state for each in chosen(found, how)] == wanted


@pytest.mark.parametrize("wrong", [{"only": "new"}, {"limit": 0}, {"workers": 0}, {"timeout_s": 0}])
def test_options_are_checked(wrong):
    with pytest.raises(ParameterError):
        Options(**wrong)


def test_the_state_of_a_missing_swallow_table(batch, tmp_path):
    """It cannot be part of the key, and the worker says so."""
    table = tmp_path / "t.csv"
    table.write_text("onset_s\n1\n")
    batch.options = Settings(swallows=str(table))
    batch.attempt()
    assert batch.state() == "done"
    table.unlink()
    planned = batch.planned()
    assert planned.state == "changed"
    failed = measure(planned.job(1, ENGINE)).outcome
    assert failed.cause in ("settings", "installation")
