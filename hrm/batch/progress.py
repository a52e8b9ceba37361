"""How a run is going: a bar on a terminal, plain lines elsewhere, JSON lines in a log."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from hrm.errors import MissingDependencyError
from hrm.store.ledger import Failed

if TYPE_CHECKING:
    from hrm.batch.plan import Planned
    from hrm.batch.run import Progress
    from hrm.store.ledger import Attempted

_LINE_EVERY_S = 10.0


class Several:
    """Tell several at once."""

    def __init__(self, parts: Sequence[Progress]) -> None:
        self._parts = parts

    def planned(self, states: Mapping[str, int], to_do: int) -> None:
        """Pass it on."""
        for part in self._parts:
            part.planned(states, to_do)

    def measured(self, planned: Planned, attempted: Attempted) -> None:
        """Pass it on."""
        for part in self._parts:
            part.measured(planned, attempted)


def in_words(states: Mapping[str, int]) -> str:
    """Say what the ledger knows of the inputs."""
    words = {
        "done": "done before",
        "new": "new",
        "changed": "changed",
        "failed": "failed before",
        "quarantined": "set aside (they ended their worker)",
    }
    return ", ".join(f"{states[name]} {word}" for name, word in words.items() if states.get(name))


class Lines:
    """Plain lines: one for each failure, and now and then how far the run is.

    A file is named by its row in the manifest or its number in the ledger, since such
    lines end in log files; ``hrm results DIR --failed`` gives the paths.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._to_do = self._done = self._failed = 0
        self._began = self._last = time.monotonic()

    def planned(self, states: Mapping[str, int], to_do: int) -> None:
        """Say what is to be done."""
        self._to_do = to_do
        self._say(f"{sum(states.values())} inputs: {in_words(states)}; {to_do} to measure")

    def measured(self, planned: Planned, attempted: Attempted) -> None:
        """Say what failed at once, and how far the run is every 10 s."""
        self._done += 1
        if isinstance(attempted.outcome, Failed):
            self._failed += 1
            self._say(
                f"{place_of(planned)}: {attempted.outcome.cause}: {attempted.outcome.message}"
            )
        now = time.monotonic()
        if now - self._last > _LINE_EVERY_S or self._done == self._to_do:
            self._last = now
            rate = self._done / max(now - self._began, 1e-9)
            left = (self._to_do - self._done) / rate
            self._say(
                f"{self._done} of {self._to_do}, {self._failed} failed, {rate * 60:.1f} a minute, "
                f"{left:.0f} s left"
            )

    def _say(self, text: str) -> None:
        self._stream.write(f"hrm: {text}\n")
        self._stream.flush()


def place_of(planned: Planned) -> str:
    """Name an input without its path."""
    row = planned.input.row
    return f"manifest row {row}" if row is not None else f"input {planned.number}"


class Bar:
    """A bar with rate, time left and failures, on a terminal."""

    def __init__(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )
        except ImportError as err:
            raise MissingDependencyError("a batch needs rich: pip install 'hrm[batch]'") from err
        self._bar = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}"),
            console=Console(stderr=True),
        )
        self._failed = 0
        self._began = time.monotonic()
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def planned(self, states: Mapping[str, int], to_do: int) -> None:
        """Begin the bar."""
        self._bar.console.print(f"{sum(states.values())} inputs: {in_words(states)}", markup=False)
        self._task = self._bar.add_task("", total=to_do, rate="", failed="")

    def measured(self, planned: Planned, attempted: Attempted) -> None:
        """Move the bar on; a failure is said with the user's path, on the terminal only."""
        if isinstance(attempted.outcome, Failed):
            self._failed += 1
            said = attempted.outcome
            self._bar.console.print(
                f"{planned.name}: {said.cause}: {said.message}", markup=False, highlight=False
            )
        done = self._bar.tasks[0].completed + 1
        rate = done / max(time.monotonic() - self._began, 1e-9)
        self._bar.update(
            self._task,
            advance=1,
            rate=f"{rate * 60:.1f}/min",
            failed=f"{self._failed} failed" if self._failed else "",
        )


class JsonLog:
    """One JSON line an event, for another program; without paths."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def planned(self, states: Mapping[str, int], to_do: int) -> None:
        """Write what is to be done."""
        self._write(event="planned", states=dict(states), to_do=to_do)

    def measured(self, planned: Planned, attempted: Attempted) -> None:
        """Write what came of one file."""
        outcome = attempted.outcome
        said: dict[str, Any] = {"status": "ok"}
        if isinstance(outcome, Failed):
            status = "quarantined" if outcome.quarantined else "failed"
            said = {"status": status, "cause": outcome.cause, "message": outcome.message}
        else:
            said["study_id"] = outcome.study_id
        self._write(
            event="measured",
            input=planned.number,
            manifest_row=planned.input.row,
            seconds=round(attempted.seconds, 3),
            **said,
        )

    def _write(self, **event: Any) -> None:
        event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
