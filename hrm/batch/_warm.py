"""Kernels compiled into the cache before workers start, and not a second time."""

from __future__ import annotations

import warnings
from contextlib import suppress

from hrm import __version__
from hrm.errors import HrmWarning


def warm_once() -> bool:
    """Compile what a worker calls, unless a run of this version has done so before.

    Workers that begin together would each compile the same. What says that it is done lies
    among the compiled kernels, whose folder is named by the digest of their sources.

    Returns
    -------
    bool
        Whether anything was to be done.
    """
    from hrm.kernels._jit import cache_folder

    folder = cache_folder()
    mark = None if folder is None else folder / f"batch-{__version__}.warm"
    if mark is not None and mark.exists():
        return False
    _warm()
    if mark is not None:
        with suppress(OSError):  # a full disk costs the next start a second, and nothing else
            mark.touch()
    return True


def _warm() -> None:
    """Measure what `hrm.batch.worker.measure` measures, of a made-up recording."""
    from hrm.pipeline.warm import made_up, warm_kernels, warm_text
    from hrm.plot.thumbnail import thumbnail
    from hrm.stability import diagnosis_stability

    warm_kernels()
    warm_text()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrmWarning)
        study = diagnosis_stability(made_up(0.0))
    thumbnail(study["pressure"].to_dataset()["pressure"])
