"""A batch from its inputs to the ledger: plan, measure what is missing, write as it comes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hrm.batch.inputs import Input
from hrm.batch.plan import Planned, plan
from hrm.batch.settings import Settings, SettingsFile
from hrm.batch.worker import Job, engine_id
from hrm.errors import ParameterError, StoreError
from hrm.store.ledger import FILE_NAME, Attempted, Failed, Ledger

if TYPE_CHECKING:
    from distributed import Client

#: Time that one file may take unless the user says otherwise [s].
TIMEOUT_S = 600.0
_ONLY = ("failed", "changed")


@dataclass(frozen=True)
class Options:
    """How a batch is run; what is measured does not depend on it.

    Parameters
    ----------
    scheduler : str, optional
        Address of a cluster that runs already; otherwise one is started here.
    workers : int, optional
        Processes of the cluster that is started; otherwise what the machine has cores.
    memory_limit : str, optional
        Of each worker, like ``2GB``.
    timeout_s : float
        Time that one file may take.
    only : {"failed", "changed"}, optional
        Take only files whose last attempt failed (also those that ended their worker), or
        only those that the ledger knows with other content, settings or review.
    limit : int, optional
        Take at most so many files.
    fail_fast : bool
        End the run with the first file that fails.
    """

    scheduler: str | None = None
    workers: int | None = None
    memory_limit: str | None = None
    timeout_s: float = TIMEOUT_S
    only: str | None = None
    limit: int | None = None
    fail_fast: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if self.only not in (None, *_ONLY):
            raise ParameterError(f"only must be {' or '.join(_ONLY)}, got {self.only!r}")
        if not self.timeout_s > 0.0:
            raise ParameterError("the time that a file may take must be above 0 s")
        if (self.workers is not None and self.workers < 1) or (
            self.limit is not None and self.limit < 1
        ):
            raise ParameterError("workers and limit must be at least 1")


class Progress(Protocol):
    """Who is told how a run goes."""

    def planned(self, states: Mapping[str, int], to_do: int) -> None:
        """Say what is to be done; called once."""

    def measured(self, planned: Planned, attempted: Attempted) -> None:
        """Say what came of one file."""


@dataclass
class Summary:
    """What a run amounts to."""

    #: Inputs by what the ledger knew of them: new, changed, failed, quarantined, done.
    states: Mapping[str, int] = field(default_factory=dict)
    ok: int = 0
    failed: int = 0
    #: Of all inputs, those that have no result now.
    without_result: int = 0


def planned_states(planned: Sequence[Planned]) -> dict[str, int]:
    """Count the inputs by what the ledger knows of them."""
    return dict(Counter(each.state for each in planned))


def dry_run(
    out: Path, inputs: Sequence[Input], *, options: Settings, settings: SettingsFile, how: Options
) -> tuple[list[Planned], list[Planned]]:
    """Say what a run would do; nothing is written.

    Returns
    -------
    all, to_do : list of Planned
    """
    ledger = Ledger(out) if (out / FILE_NAME).is_file() else None
    try:
        planned = list(plan(ledger, inputs, engine=engine_id(), options=options, settings=settings))
    finally:
        if ledger is not None:
            ledger.close()
    return planned, chosen(planned, how)


def chosen(planned: Sequence[Planned], how: Options) -> list[Planned]:
    """Choose what is to be measured, in the order of the inputs."""
    wanted = {
        None: ("new", "changed", "failed"),
        "failed": ("failed", "quarantined"),
        "changed": ("changed",),
    }[how.only]
    return [each for each in planned if each.state in wanted][: how.limit]


def run_batch(
    out: Path,
    inputs: Sequence[Input],
    *,
    options: Settings | None = None,
    settings: SettingsFile | None = None,
    how: Options | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Measure every recording that has no result yet, and write the results to a folder.

    Parameters
    ----------
    out : Path
        Folder of the ledger; made if it is not there.
    inputs : sequence of Input
        From `find_inputs` or `read_manifest`.
    options : Settings, optional
        What is said of all files.
    settings : SettingsFile, optional
        What is said of files by pattern.
    how : Options, optional
    progress : Progress, optional

    Returns
    -------
    Summary

    Raises
    ------
    StoreError
        If another batch writes to the folder, or the ledger cannot be written to.
    ParameterError
        If a setting is wrong, or no cluster answers.

    Notes
    -----
    Whatever ends the process, files that were measured are in the ledger, and the next
    run does the rest. Results do not depend on the number of workers nor on the order.
    """
    how = how or Options()
    engine = engine_id()
    with Ledger(out, write=True) as ledger:
        planned = list(
            plan(
                ledger,
                inputs,
                engine=engine,
                options=options or Settings(),
                settings=settings or SettingsFile(),
            )
        )
        to_do = chosen(planned, how)
        summary = Summary(planned_states(planned))
        if progress:
            progress.planned(summary.states, len(to_do))
        run = ledger.begin_run(engine=engine, inputs=len(planned))
        ids = _registered(ledger, run, planned)
        to_do = [replace(each, number=ids[each.name]) for each in to_do]
        try:
            # Workers end before the ledger does, whatever ends the run.
            with closing(_measured(to_do, engine, how)) as found:
                _recorded(ledger, run, found, summary, progress, fail_fast=how.fail_fast)
        except BaseException:
            with suppress(StoreError):  # what ended the run is what is to be said
                ledger.end_run(run, interrupted=True)
            raise
        ledger.end_run(run)
        summary.without_result = ledger.without_result(run)
    return summary


def _recorded(
    ledger: Ledger,
    run: int,
    found: Iterable[tuple[Planned, Attempted]],
    summary: Summary,
    progress: Progress | None,
    *,
    fail_fast: bool,
) -> None:
    """Write what came of each file as it comes."""
    for planned, attempted in found:
        ledger.record(
            run,
            planned.number or 0,
            attempted,
            size=planned.size,
            modified_ns=planned.modified_ns,
        )
        failed = isinstance(attempted.outcome, Failed)
        summary.failed += failed
        summary.ok += not failed
        if progress:
            progress.measured(planned, attempted)
        if failed and fail_fast:
            return


def _registered(ledger: Ledger, run: int, planned: Sequence[Planned]) -> dict[str, int]:
    ids = ledger.register(run, [each.registered() for each in planned])
    for each, name in zip(planned, ids, strict=True):
        if each.state in ("done", "changed"):
            # A result that was measured under other settings does not hold any more.
            ledger.adopt(name, each.study)
    return dict(zip((each.name for each in planned), ids, strict=True))


def _measured(
    to_do: Sequence[Planned], engine: str, how: Options
) -> Generator[tuple[Planned, Attempted], None, None]:
    if not to_do:
        return
    from hrm.batch.cluster import Crew

    asked = {each.number: each for each in to_do}
    jobs: Iterator[Job] = (each.job(each.number or 0, engine) for each in to_do)
    with (
        _cluster(how, len(to_do)) as client,
        closing(Crew(client, how.timeout_s).run(jobs)) as found,
    ):
        for job, attempted in found:
            yield asked[job.input_id], attempted


def _cluster(how: Options, files: int) -> AbstractContextManager[Client]:
    from hrm.batch._warm import warm_once
    from hrm.batch.cluster import existing_cluster, local_cluster

    # Compiled here once, into the cache: workers that begin together would each compile.
    warm_once()
    if how.scheduler:
        return existing_cluster(how.scheduler)
    workers = min(how.workers or os.cpu_count() or 1, files)
    return local_cluster(workers=workers, memory_limit=how.memory_limit)
