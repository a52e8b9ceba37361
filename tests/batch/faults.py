"""Whatever happens to a batch, nothing is lost: the slow tests, run by ``make test-faults``.

After each fault the ledger is sound, a rerun completes it, and every value equals that of
a run that nothing disturbed. HRM_FAULT_REPEATS says how many random moments are tried
(benchmarks/batch_faults.py tries 20).
"""

import os
import random
import resource
import shutil
import signal
import socket
import time
from contextlib import ExitStack

import pytest

from tests.batch import runs

REPEATS = int(os.environ.get("HRM_FAULT_REPEATS", "2"))


@pytest.fixture
def batch(recordings, settings_file, tmp_path):
    """Arguments of a batch over the recordings."""
    folder = tmp_path / "in"
    shutil.copytree(recordings, folder)
    return ["batch", folder, "--settings", settings_file, "--workers", 2, "--out", tmp_path / "out"]


def completed(arguments, undisturbed, *, site=None):
    """Check the ledger, run again, and compare everything with the undisturbed run."""
    out = arguments[arguments.index("--out") + 1]
    wanted = runs.values(undisturbed[0])
    before = {}
    if (out / "hrm.sqlite").exists() and runs.count(out, "input"):
        runs.check_ledger(out)
        before = dict(runs.query(out, "SELECT input_id, id FROM attempt WHERE status = 'ok'"))
    done = runs.run(*arguments, site=site)
    assert done.returncode == 0, done.stderr
    runs.check_ledger(out)
    found = runs.values(out)
    assert {name: found[name] for name in wanted} == wanted
    after = runs.query(out, "SELECT input_id, id FROM attempt WHERE status = 'ok'")
    assert len(after) == len(dict(after)), "a file that was finished is done again"
    assert before.items() <= dict(after).items()
    assert not runs.query(out, "SELECT 1 FROM run WHERE state = 'running'")
    return done


@pytest.mark.parametrize("moment", range(REPEATS))
def test_sigkill_of_the_coordinator(batch, undisturbed, moment):
    share = (moment + random.Random(moment).random()) / REPEATS
    process = runs.start(*batch)
    # Moments are spread over the time from the start to the end of an undisturbed run.
    time.sleep(0.3 + share * 12.0)
    workers = runs.descendants(process.pid)
    process.kill()
    process.communicate()
    runs.wait_until(lambda: not runs.alive(workers), timeout=30)
    completed(batch, undisturbed)


def test_sigkill_right_after_a_file_was_written(batch, undisturbed, tmp_path):
    process = runs.start(*batch)
    runs.wait_until(lambda: runs.count(tmp_path / "out", "study") >= 2, timeout=120)
    workers = runs.descendants(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.communicate()
    runs.wait_until(lambda: not runs.alive(workers), timeout=30)
    states = runs.query(tmp_path / "out", "SELECT state FROM run")
    assert states == [("running",)]
    completed(batch, undisturbed)
    states = runs.query(tmp_path / "out", "SELECT state FROM run ORDER BY id")
    assert states == [("lost",), ("finished",)]


def test_workers_die_under_it(batch, undisturbed, tmp_path):
    process = runs.start(*batch)
    runs.wait_until(lambda: runs.count(tmp_path / "out", "attempt") >= 1, timeout=120)
    for _ in range(2):
        for pid in sorted(runs.descendants(process.pid)):
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(1.5)
    done = runs.finish(process)
    assert done.returncode in (0, 3), done.stderr
    completed([*batch, "--only", "failed"] if done.returncode else batch, undisturbed)


def test_the_disk_is_full(batch, undisturbed, tmp_path):
    limit = 400_000
    full = runs.run(
        *batch, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "full" in full.stderr
    completed(batch, undisturbed)


def test_a_hang_a_crash_and_a_file_that_eats_the_memory(batch, undisturbed, faulty, site, tmp_path):
    for how in ("hang", "kill", "exit", "memory 4000"):
        faulty(f"{how[:4]}.fault", how, folder=tmp_path / "in")
    limits = ["--timeout", 45, "--memory-limit", "900MB"]
    done = runs.run(*batch, *limits, site=site)
    assert done.returncode == 3, done.stderr
    out = tmp_path / "out"
    runs.check_ledger(out)
    rows = runs.query(
        out,
        "SELECT path, status, cause FROM input JOIN attempt ON attempt.id = attempt_id "
        "WHERE status != 'ok'",
    )
    assert {os.path.basename(path): row for path, *row in rows} == {  # noqa: PTH119
        "hang.fault": ["quarantined", "timeout"],
        "kill.fault": ["quarantined", "killed"],
        "exit.fault": ["quarantined", "killed"],
        "memo.fault": ["quarantined", "killed"],
    }
    wanted = runs.values(undisturbed[0])
    assert runs.values(out) == wanted
    # Files that ended their worker are not tried again unless somebody asks, or mends them.
    again = runs.run(*batch, *limits, site=site)
    assert again.returncode == 3
    assert runs.count(out, "attempt") == 10
    for name in ("hang", "kill", "exit", "memo"):
        (tmp_path / "in" / f"{name}.fault").unlink()
        faulty(f"{name}.fault", "slow 0", folder=tmp_path / "in")
    completed([*batch, *limits], undisturbed, site=site)


def test_two_batches_on_one_output(batch, faulty, site, tmp_path):
    faulty("slow.fault", "slow 3600", folder=tmp_path / "in")
    first = runs.start(*batch, site=site)
    try:
        runs.wait_until(lambda: runs.count(tmp_path / "out", "attempt") >= 1, timeout=120)
        second = runs.run(*batch, site=site)
        assert second.returncode == 2
        assert f"process {first.pid} on {socket.gethostname()}" in second.stderr
        # Who only reads is not kept out.
        assert runs.run("results", tmp_path / "out").returncode == 0
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()


@pytest.fixture
def heard():
    """Ctrl-C is heard: a shell that runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("whom", ["coordinator", "everybody"])
@pytest.mark.usefixtures("heard")
def test_ctrl_c(batch, undisturbed, tmp_path, whom):
    process = runs.start(*batch)
    runs.wait_until(lambda: runs.count(tmp_path / "out", "attempt") >= 1, timeout=120)
    workers = runs.descendants(process.pid)
    # A terminal sends it to everybody, a supervisor to the one.
    if whom == "everybody":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    done = runs.finish(process, timeout=60)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert "run it again" in done.stderr
    runs.wait_until(lambda: not runs.alive(workers), timeout=30)
    assert runs.query(tmp_path / "out", "SELECT state FROM run") == [("interrupted",)]
    completed(batch, undisturbed)


# -- a cluster of somebody else ------------------------------------------------------------


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def scheduler(stack, port, site):
    started = stack.enter_context(
        runs.dask(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port,
            "--no-dashboard", "--no-show", site=site,
        )
    )  # fmt: skip
    runs.wait_until(lambda: answers(port), timeout=60)
    return started


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def workers(stack, port, site, *options, folder):
    for k in range(2):
        stack.enter_context(
            runs.dask(
                "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads", 1,
                "--no-dashboard", "--local-directory", folder / f"scratch{k}", *options, site=site,
            )
        )  # fmt: skip


@pytest.fixture
def cluster_batch(batch, faulty, tmp_path):
    """The batch, and an address to run it at."""
    port = free_port()
    return [*batch, "--scheduler", f"tcp://127.0.0.1:{port}"], port


def test_a_real_scheduler_and_two_workers(cluster_batch, undisturbed, site, tmp_path):
    arguments, port = cluster_batch
    none = runs.run(*arguments)
    assert none.returncode == 2
    assert "no scheduler answers" in none.stderr
    with ExitStack() as stack:
        scheduler(stack, port, site)
        workers(stack, port, site, folder=tmp_path)
        completed(arguments, undisturbed, site=site)


def test_workers_without_nanny_and_a_file_that_hangs(
    cluster_batch, undisturbed, faulty, site, tmp_path
):
    arguments, port = cluster_batch
    faulty("hang.fault", "hang", folder=tmp_path / "in")
    with ExitStack() as stack:
        scheduler(stack, port, site)
        workers(stack, port, site, "--no-nanny", folder=tmp_path)
        done = runs.run(*arguments, "--timeout", 15, site=site)
        assert done.returncode == 3, done.stderr
        causes = runs.query(tmp_path / "out", "SELECT cause FROM attempt WHERE status != 'ok'")
        assert causes == [("timeout",)]
    assert runs.values(tmp_path / "out") == runs.values(undisturbed[0])


def test_the_scheduler_is_lost_and_comes_back(cluster_batch, undisturbed, faulty, site, tmp_path):
    arguments, port = cluster_batch
    slow = faulty("slow.fault", "slow 3600", folder=tmp_path / "in")
    with ExitStack() as stack:
        lost = scheduler(stack, port, site)
        workers(stack, port, site, folder=tmp_path)
        process = runs.start(*arguments, site=site)
        runs.wait_until(lambda: runs.count(tmp_path / "out", "attempt") >= 2, timeout=120)
        lost.kill()
        done = runs.finish(process, timeout=120)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert "does not answer any more" in done.stderr
    slow.unlink()
    assert runs.query(tmp_path / "out", "SELECT state FROM run") == [("interrupted",)]
    with ExitStack() as stack:
        scheduler(stack, port, site)
        workers(stack, port, site, folder=tmp_path)
        completed(arguments, undisturbed, site=site)
