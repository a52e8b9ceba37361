"""What a worker of a local cluster does first: leave Ctrl-C to the coordinator.

A terminal sends it to every process. The coordinator stops the run in order, and ends
the workers; they would only die earlier, with a traceback each.
"""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Ignore interrupts; distributed calls this by its name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
