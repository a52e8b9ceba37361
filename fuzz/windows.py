"""Files of windows joined to one study: two of them, with a line of `=` between."""

import random
from typing import Any

from fuzz import manoview_headless
from fuzz._harness import Target, open_recording

BETWEEN = b"=====\n"


def _open(data: bytes) -> Any:
    from hrm.io.join import join_windows
    from hrm.schema import validate

    windows = [
        open_recording("manoview-headless", {}, part) for part in data[1:].split(BETWEEN)[:4]
    ]
    study = join_windows(windows)
    validate(study)
    return study["pressure/pressure"].shape


def _mutate(data: bytes, rng: random.Random) -> bytes:
    """Spoil a window, or put one in the place of another."""
    parts = data[1:].split(BETWEEN)
    k = rng.randrange(len(parts))
    if rng.random() < 0.2:
        parts[k : k + 1] = rng.choice(([], [parts[k]] * 2, parts[::-1]))
    else:
        parts[k] = manoview_headless.TARGET.mutate(data[:1] + parts[k], rng)[1:]
    return data[:1] + BETWEEN.join(parts)


TARGET = Target("windows", _open, _open, _mutate, max_len=8192)
