"""Workers for a batch: a cluster that the command starts, or one that is there already."""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hrm.batch.worker import Job, measure, quarantined
from hrm.errors import MissingDependencyError, ParameterError
from hrm.store.ledger import Attempted

if TYPE_CHECKING:
    from distributed import Client

_TOPIC = "hrm-batch"
_POLL_S = 0.2
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
    with _configured(dask):
        try:
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=memory_limit or "auto",
                dashboard_address=None,
                env=_ONE_THREAD,
                silence_logs=logging.CRITICAL,
            )
        except ValueError as err:
            raise ParameterError(
                f"the memory limit {memory_limit!r} is no amount like 2GB"
            ) from err
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


@contextmanager
def existing_cluster(address: str, *, timeout_s: float = 10.0) -> Iterator[Client]:
    """Use the workers of a scheduler that runs already.

    Raises
    ------
    ParameterError
        If there is no scheduler at the address, or it has no worker.
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


def _libraries() -> tuple[Any, Any]:
    try:
        import dask
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
        "distributed.admin.log-format": "%(name)s %(levelname)s",
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(wanted):
        yield


def _noted(job: Job) -> Attempted:
    """Measure a file in a worker, having said when it begins."""
    from distributed import get_worker

    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    worker = get_worker()
    worker.log_event(_TOPIC, {"input": job.input_id, "worker": worker.address})
    return measure(job)


@dataclass
class _Running:
    job: Job
    future: Any
    sent: float
    #: When a worker said that it begins, and which; None while the file waits.
    began: float | None = None
    worker: str | None = None


@dataclass
class Crew:
    """Files in flight, one a worker, and the watch over them.

    Parameters
    ----------
    client : Client
    timeout_s : float
        Time that one file may take before its worker is ended.
    """

    #: distributed ships no types for what is called here.
    client: Any
    timeout_s: float
    _running: dict[int, _Running] = field(default_factory=dict)
    _done: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _size: int = 0
    _size_at: float = 0.0

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Attempted]]:
        """Measure files; each comes back as soon as it is done, in no order.

        Raises
        ------
        ParameterError
            If no worker is left for as long as one file may take.
        """
        self.client.subscribe_topic(_TOPIC, self._heard)
        waiting = iter(jobs)
        pending = next(waiting, None)
        try:
            while pending is not None or self._running:
                while pending is not None and len(self._running) < self._workers():
                    self._send(pending)
                    pending = next(waiting, None)
                yield from self._ended()
                yield from self._hung()
        finally:
            self.stop()

    def stop(self) -> None:
        """Take back what is in flight."""
        for each in self._running.values():
            each.future.cancel(force=True)
        self._running.clear()

    def _workers(self) -> int:
        """Number of workers, asked for once a second: a cluster may grow and shrink."""
        now = time.monotonic()
        if now - self._size_at > 1.0 or not self._size:
            self._size = len(self.client.scheduler_info(n_workers=-1)["workers"])
            self._size_at = now
        return self._size

    def _send(self, job: Job) -> None:
        future = self.client.submit(
            _noted, job, pure=False, key=f"hrm-{job.input_id}-{time.time_ns()}"
        )
        self._running[job.input_id] = _Running(job, future, time.monotonic())
        future.add_done_callback(lambda done, of=job.input_id: self._done.put((of, done)))

    def _heard(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, said = event
        running = self._running.get(said["input"])
        if running is not None:
            running.began, running.worker = time.monotonic(), said["worker"]

    def _ended(self) -> Iterator[tuple[Job, Attempted]]:
        try:
            name, future = self._done.get(timeout=_POLL_S)
        except queue.Empty:
            return
        running = self._running.get(name)
        if running is None or running.future is not future:
            return
        del self._running[name]
        yield running.job, self._outcome(running)

    def _outcome(self, running: _Running) -> Attempted:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            attempted: Attempted = running.future.result()
        except KilledWorker:
            seconds = time.monotonic() - running.sent
            return quarantined(
                running.job,
                "the worker process ended twice while it measured this file",
                cause="killed",
                advice="look how large the file is, give the workers more memory "
                "(--memory-limit), then run with --only failed",
                seconds=seconds,
            )
        except FutureCancelledError:
            raise
        return attempted

    def _hung(self) -> Iterator[tuple[Job, Attempted]]:
        """End the worker of a file that takes too long; its nanny starts another."""
        now = time.monotonic()
        for name, running in list(self._running.items()):
            if running.began is None or now - running.began < self.timeout_s:
                continue
            del self._running[name]
            running.future.cancel(force=True)
            self.client.restart_workers([str(running.worker)], timeout=30, raise_for_error=False)
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
