"""A reader's edits through faults of machine and disk: the slow tests, ``make test-faults``."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

import hrm
from hrm.annotate import log_path, read_log, replay
from tests.viewer.test_command import EXAMPLE, ROOT, entered, line_of, move

REPEATS = int(os.environ.get("HRM_FAULT_REPEATS", "20"))
ASKED = ("--system", "manoscan", "--reviewer", "AB")


@contextmanager
def viewing(folder, *, before=None):
    """``hrm view`` as a process; `before` is called in it first."""
    command = [sys.executable, "-m", "hrm", "view", str(EXAMPLE), *ASKED, "--no-browser"]
    with subprocess.Popen(
        [*command, "--review-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509 - this process has one thread when it forks
    ) as process:
        link = process.stderr.readline().split()[-1]
        process.stderr.readline()
        try:
            yield process, link
        finally:
            process.kill()


def edits_of(folder):
    sha256 = hrm.open_recording(EXAMPLE).attrs["source_sha256"]
    path = log_path(sha256, folder)
    return path, (read_log(path) if path.exists() else [])


def test_killed_at_any_moment_at_most_the_edit_in_flight_is_missing(tmp_path):
    """One process for each moment; edits go on from where the last one was killed."""
    answered = 0
    for moment in range(REPEATS):
        with viewing(tmp_path) as (process, link), entered(link) as client:
            at = client.get("/api/study").json()["result"]["landmarks"]["les_upper_cm"]
            kill = threading.Timer(
                random.Random(moment).uniform(0.0, 1.2), process.send_signal, [signal.SIGKILL]
            )
            sent, confirmed = [], []
            with line_of(client) as line:
                kill.start()
                try:
                    for k in range(200):
                        sent.append(round(at + (0.1 if k % 2 else -0.1) * (1 + k % 3), 3))
                        line.send(json.dumps(move(k + 1, sent[-1], commit=True)))
                        answer = json.loads(line.recv(timeout=60))
                        assert answer["type"] == "result"
                        confirmed.append(sent[-1])
                except ConnectionClosed:
                    pass
            process.wait()
        _, edits = edits_of(tmp_path)
        new = [edit.new for edit in edits[answered:]]
        # What was answered is there; of what was not, at most the one in flight.
        assert new in (confirmed, sent), moment
        answered = len(edits)
        replay(edits)
    assert answered > 1
    assert not list(tmp_path.glob(".hrm-*"))


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path):
    """A limit on the size of a file stands for a full disk: the log cannot grow any more."""

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    with viewing(tmp_path, before=limited) as (_, link), entered(link) as client:
        at = client.get("/api/study").json()["result"]["landmarks"]["les_upper_cm"]
        kept, refused = [], 0
        with line_of(client) as line:
            for k in range(8):
                new = round(at - 0.1 * (k + 1), 3)
                line.send(json.dumps(move(k + 1, new, commit=True)))
                answer = json.loads(line.recv(timeout=60))
                if answer["type"] == "result":
                    assert not refused
                    kept.append(new)
                    shown = answer["result"]["landmarks"]["les_upper_cm"]
                else:
                    refused += 1
                    assert "cannot be written" in answer["message"]
        assert kept
        assert refused
        study = client.get("/api/study").json()
        assert study["result"]["landmarks"]["les_upper_cm"] == shown
    _, edits = edits_of(tmp_path)
    assert [edit.new for edit in edits] == kept


def test_after_the_disk_has_room_again_the_log_goes_on(tmp_path):
    test_a_full_disk_is_said_and_nothing_is_lost(tmp_path)
    before = len(edits_of(tmp_path)[1])
    with viewing(tmp_path) as (_, link), entered(link) as client:
        study = client.get("/api/study").json()
        assert study["problems"] == []
        new = round(study["result"]["landmarks"]["les_upper_cm"] + 0.2, 3)
        with line_of(client) as line:
            line.send(json.dumps(move(1, new, commit=True)))
            assert json.loads(line.recv(timeout=60))["type"] == "result"
    edits = edits_of(tmp_path)[1]
    assert len(edits) == before + 1
    assert edits[-1].new == new


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_clock_that_was_set_leaves_the_order_of_the_lines(tmp_path, hours, monkeypatch):
    from datetime import UTC, datetime, timedelta

    from hrm import annotate
    from hrm.edits import Change

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz or UTC) + timedelta(hours=hours)

    sha256 = hrm.open_recording(EXAMPLE).attrs["source_sha256"]
    path = log_path(sha256, tmp_path)
    said = {"sha256": sha256, "reader": "AB"}
    annotate.append(path, Change("landmarks", "les_upper_cm", 27.0), **said)
    monkeypatch.setattr(annotate, "datetime", Moved)
    annotate.append(path, Change("landmarks", "les_upper_cm", 27.5), **said)
    monkeypatch.undo()
    annotate.append(path, Change("landmarks", "les_upper_cm", 28.0), **said)
    edits = read_log(path)
    assert [edit.seq for edit in edits] == [1, 2, 3]
    times = [edit.utc for edit in edits]
    assert times != sorted(times)
    # The last line counts, whatever its time says.
    found = hrm.analyze(hrm.open_recording(EXAMPLE), system="manoscan", review=path)
    assert hrm.to_dict(found)["landmarks"]["les_upper_cm"] == 28.0


def test_a_server_that_ends_does_not_hang_its_page(tmp_path):
    with viewing(tmp_path) as (process, link), entered(link) as client:
        client.get("/api/study")
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        process.wait(timeout=30)
        assert time.monotonic() - started < 10
        with pytest.raises(httpx.TransportError):
            client.get("/api/study")
