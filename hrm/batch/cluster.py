"""Workers for a batch: a cluster that the command starts, or one that is there already."""

from __future__ import annotations

import logging
import math
import os
import queue
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hrm.batch.worker import Job, measure, not_run, quarantined
from hrm.errors import HrmError, MissingDependencyError, ParameterError
from hrm.store.ledger import Attempted

if TYPE_CHECKING:
    from distributed import Client

_TOPIC = "hrm-batch"
_POLL_S = 0.2
#: hrm and its libraries, loaded [bytes].
_LEAST_MEMORY = 300_000_000
_SILENT = logging.CRITICAL + 1
#: How often to ask how many workers there are [s].
_ASK_S = 1.0
#: Workers that a file may end before it is set aside; how often one is sent that ended none.
_DEATHS, _MOST_SENT = 2, 3
#: Time for a worker to end and come back [s].
_RESTART_S = 30.0
#: Loops of other libraries that would start threads of their own in each worker.
_ONE_THREAD = dict.fromkeys(
    (
        *("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
    ),
    "1",
)


@contextmanager
def local_cluster(*, workers: int, memory_limit: str | None) -> Iterator[Client]:
    """Start workers on this machine, one process and one thread each.

    Parameters
    ----------
    workers : int
    memory_limit : str, optional
        Of each worker, like ``2GB``; otherwise an equal share of the machine's.
    """
    dask, distributed = _libraries()
    if memory_limit is not None:
        _check_amount(memory_limit, dask)
    with _configured(dask):
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=memory_limit or "auto",
            dashboard_address=None,
            # Without a page to show, a server for it is started all the same: on any
            # free port then, so that two batches do not want the same one.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            env=_ONE_THREAD,
            preload=["hrm.batch._interrupts"],
            silence_logs=logging.CRITICAL,
        )
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


@contextmanager
def existing_cluster(address: str, *, timeout_s: float = 10.0) -> Iterator[Client]:
    """Use the workers of a scheduler that runs already.

    Raises
    ------
    ParameterError
        If there is no scheduler at the address.
    """
    dask, distributed = _libraries()
    with _configured(dask):
        try:
            client = distributed.Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as err:
            raise ParameterError(
                f"no scheduler answers at {address}; start one with 'dask scheduler', and workers "
                "with 'dask worker ADDRESS'"
            ) from err
        with client:
            yield client


def _check_amount(text: str, dask: Any) -> None:
    try:
        amount = dask.utils.parse_bytes(text)
    except ValueError as err:
        raise ParameterError(f"the memory limit {text!r} is no amount like 2GB") from err
    if amount < _LEAST_MEMORY:
        raise ParameterError(
            f"the memory limit {text!r} is less than a worker needs to start; give at least 300MB"
        )


def _libraries() -> tuple[Any, Any]:
    try:
        import dask
        import dask.utils
        import distributed
    except ImportError as err:
        raise MissingDependencyError("a batch needs dask: pip install 'hrm[batch]'") from err
    return dask, distributed


@contextmanager
def _configured(dask: Any) -> Iterator[None]:
    """Blame exactly: a task that ends its worker is tried once more, then it is to blame."""
    wanted = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.http.routes": [],
        # A local cluster gives up for good a worker that is not back after 15 s, which on a
        # busy machine is sooner than its nanny has started it again.
        "distributed.deploy.lost-worker-timeout": "1 day",
        "distributed.admin.log-format": "%(name)s %(levelname)s",
    }
    with dask.config.set(wanted), _quiet():
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tracebacks of others off the terminal: what went wrong is said by the run."""
    loud = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    # These are the batch's alone; it ends before some of them have had their say.
    for name in ("distributed", *loud):
        logging.getLogger(name).setLevel(_SILENT)
    loop = logging.getLogger("asyncio")
    before = loop.level
    loop.setLevel(_SILENT)
    try:
        yield
    finally:
        loop.setLevel(before)


def _noted(job: Job) -> Attempted:
    """Measure a file in a worker, having said when it begins."""
    from distributed import get_worker

    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    worker = get_worker()
    worker.log_event(_TOPIC, {"input": job.input_id, "worker": worker.address})
    return measure(job)


class ClusterLostError(HrmError):
    """The scheduler has forgotten what it was asked for: it ended, or the network did."""


@dataclass
class _Running:
    job: Job
    future: Any
    sent: float
    #: When a worker said that it begins, and which; None while the file waits.
    began: float | None = None
    worker: str | None = None
    #: How often a worker said so, and how often the file was sent.
    n_begun: int = 0
    n_sent: int = 1

    @property
    def is_to_blame(self) -> bool:
        """Whether the file ended its workers, or only waited for one that another file ended.

        A worker that ends at once may not have said that it began.
        """
        return self.n_begun >= _DEATHS or self.n_sent >= _MOST_SENT


@dataclass
class Crew:
    """Files in flight, one a worker, and the watch over them.

    Parameters
    ----------
    client : Client
    timeout_s : float
        Time that one file may take before its worker is ended.
    patience_s : float
        Time to wait for a worker when there is none.
    """

    #: distributed ships no types for what is called here.
    client: Any
    timeout_s: float
    patience_s: float = 60.0
    _running: dict[int, _Running] = field(default_factory=dict)
    _done: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    #: Workers, and the nanny that would start each again.
    _nannies: dict[str, str | None] = field(default_factory=dict)
    _size_at: float = -math.inf
    _some_at: float = 0.0

    def run(self, jobs: Iterable[Job]) -> Generator[tuple[Job, Attempted], None, None]:
        """Measure files; each comes back as soon as it is done, in no order.

        Raises
        ------
        ParameterError
            If there is no worker for some time, or the scheduler does not answer any more.
        """
        try:
            yield from self._run(jobs)
        except (OSError, TimeoutError, CancelledError, ClusterLostError) as err:
            raise ParameterError(
                "the scheduler does not answer any more; what was measured is kept: start it "
                "again, and run the same command"
            ) from err

    def _run(self, jobs: Iterable[Job]) -> Generator[tuple[Job, Attempted], None, None]:
        self.client.subscribe_topic(_TOPIC, self._heard)
        waiting = iter(jobs)
        pending = next(waiting, None)
        self._some_at = time.monotonic()
        try:
            while pending is not None or self._running:
                self._check_workers()
                while pending is not None and len(self._running) < self._workers():
                    self._send(pending)
                    pending = next(waiting, None)
                yield from self._ended()
                yield from self._hung()
        finally:
            self.stop()

    def stop(self) -> None:
        """Take back what is in flight."""
        with suppress(OSError, TimeoutError, CancelledError):  # a scheduler that is gone
            for each in self._running.values():
                each.future.cancel(force=True)
        self._running.clear()

    def _workers(self) -> int:
        """Number of workers, asked for once a second: a cluster may grow and shrink."""
        now = time.monotonic()
        if now - self._size_at > _ASK_S:
            self._nannies = {
                address: about.get("nanny")
                for address, about in self.client.scheduler_info(n_workers=-1)["workers"].items()
            }
            self._size_at = now
            if self._nannies:
                self._some_at = now
            self._forget_lost()
        return len(self._nannies)

    def _forget_lost(self) -> None:
        """A file whose worker is gone waits for another: its time does not run."""
        for running in self._running.values():
            if running.worker is not None and running.worker not in self._nannies:
                running.began = running.worker = None

    def _check_workers(self) -> None:
        if not self._workers() and time.monotonic() - self._some_at > self.patience_s:
            raise ParameterError(
                f"there has been no worker for {self.patience_s:g} s; what was measured is kept: "
                "start workers with 'dask worker ADDRESS', and run the same command again"
            )

    def _send(self, job: Job, before: _Running | None = None) -> None:
        future = self.client.submit(
            _noted, job, pure=False, key=f"hrm-{job.input_id}-{time.time_ns()}"
        )
        running = _Running(job, future, time.monotonic())
        if before is not None:
            running.n_begun, running.n_sent = before.n_begun, before.n_sent + 1
        self._running[job.input_id] = running
        future.add_done_callback(lambda done, of=job.input_id: self._done.put((of, done)))

    def _heard(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, said = event
        running = self._running.get(said["input"])
        if running is not None:
            running.began, running.worker = time.monotonic(), said["worker"]
            running.n_begun += 1

    def _ended(self) -> Iterator[tuple[Job, Attempted]]:
        try:
            name, future = self._done.get(timeout=_POLL_S)
        except queue.Empty:
            return
        running = self._running.get(name)
        if running is None or running.future is not future:
            return
        del self._running[name]
        attempted = self._outcome(running)
        if attempted is None:
            self._send(running.job, running)
        else:
            yield running.job, attempted

    def _outcome(self, running: _Running) -> Attempted | None:
        """What came of a file; None if it only waited for workers that others ended."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            attempted: Attempted = running.future.result()
        except KilledWorker:
            self._size_at = -math.inf
            if not running.is_to_blame:
                return None
            seconds = time.monotonic() - running.sent
            return quarantined(
                running.job,
                "the worker process ended each time it measured this file",
                cause="killed",
                advice="look how large the file is, give the workers more memory "
                "(--memory-limit), then run with --only failed",
                seconds=seconds,
            )
        except FutureCancelledError as err:
            raise ClusterLostError from err
        except Exception as err:  # noqa: BLE001 - whatever it is, it is not of this file's content
            return not_run(running.job, type(err).__name__)
        return attempted

    def _hung(self) -> Iterator[tuple[Job, Attempted]]:
        """End the worker of a file that takes too long; its nanny starts another."""
        now = time.monotonic()
        for name, running in list(self._running.items()):
            if running.began is None or now - running.began < self.timeout_s:
                continue
            del self._running[name]
            running.future.cancel(force=True)
            self._end(str(running.worker))
            yield (
                running.job,
                quarantined(
                    running.job,
                    f"measuring took longer than {self.timeout_s:g} s and was ended",
                    cause="timeout",
                    advice="give it more time (--timeout), then run with --only failed",
                    seconds=now - running.began,
                ),
            )

    def _end(self, worker: str) -> None:
        """End a worker; one without a nanny is only told to go, and does not come back."""
        with suppress(TimeoutError):
            if self._nannies.get(worker):
                self.client.restart_workers([worker], timeout=_RESTART_S, raise_for_error=False)
            else:
                self.client.retire_workers([worker], close_workers=True)
        self._size_at = -math.inf
