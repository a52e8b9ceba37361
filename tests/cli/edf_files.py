"""Writes small EDF+ files, by the published specification, with a text in every free field."""

from __future__ import annotations

import numpy as np


def edf(
    pressure: np.ndarray | None = None,
    *,
    rate: int = 20,
    date: str = "05.03.24",
    patient: str = "X X X X",
    free: str = "",
    notes: tuple[tuple[float, str], ...] = (),
) -> bytes:
    """An EDF+C file: pressures (sensor, time) [mmHg] in whole tenths, one signal besides, notes.

    `free` goes into every field of the header that may hold any text.
    """
    values = np.zeros((3, 5 * rate)) if pressure is None else pressure
    n_records = values.shape[1] // rate
    n_sensors, n_note_bytes = len(values), 512
    names = [f"P{k + 1}" for k in range(n_sensors)] + [free[:16] or "aux", "EDF Annotations"]
    signals = n_sensors + 2
    fixed = [
        ("0", 8),
        (patient, 80),
        (f"Startdate {free or 'X'}", 80),
        (date, 8),
        ("08.15.00", 8),
        (str(256 * (signals + 1)), 8),
        ("EDF+C", 44),
        (str(n_records), 8),
        ("1", 8),
        (str(signals), 4),
    ]
    each = [
        (names, 16),
        ([free[:80]] * (signals - 1) + [""], 80),
        (["mmHg"] * n_sensors + ["V", ""], 8),
        (["-3276.8"] * n_sensors + ["-1", "-1"], 8),
        (["3276.7"] * n_sensors + ["1", "1"], 8),
        (["-32768"] * signals, 8),
        (["32767"] * signals, 8),
        ([free[:80]] * (signals - 1) + [""], 80),
        ([str(rate)] * (signals - 1) + [str(n_note_bytes // 2)], 8),
        ([free[:32]] * (signals - 1) + [""], 32),
    ]
    header = "".join(text.ljust(width) for text, width in fixed)
    header += "".join(text.ljust(width) for texts, width in each for text in texts)
    counts = np.round(values * 10).astype("<i2")
    records = []
    for k in range(n_records):
        lists = [f"+{k}\x14\x14\0"] + [
            f"+{onset:g}\x14{text}\x14\0" for onset, text in notes if k <= onset < k + 1
        ]
        block = counts[:, k * rate : (k + 1) * rate].tobytes() + bytes(2 * rate)
        records.append(block + "".join(lists).encode().ljust(n_note_bytes, b"\0"))
    return header.encode("ascii") + b"".join(records)
