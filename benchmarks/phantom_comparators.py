"""What others have published of automated systems and of human agreement.

Every figure was measured on other data, most of it on patients, and none of it by this
script: it says what is known of the task, and is no comparison. `confidence` is how
the figure is known: ``seen`` in the publication, ``seen-2nd`` in a later review.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One published figure; `ours` names the figure of the table that stands beside it, of `conditions`."""

    quantity: str
    ours: str
    figure: str
    source: str
    data: str
    confidence: str = "seen"
    conditions: tuple[str, ...] = ("noise 0", "noise 5", "noise 8")


PUBLISHED: tuple[Published, ...] = (
    Published(
        "swallow type, share right",
        *("type", "0.83", "Kou 2021, recurrent network"),
        "1741 studies, 26 115 swallows; test set",
    ),
    Published(
        "swallow type, share right",
        *("type", "0.88", "Kou 2022, convolutional chain, arXiv 2106.13869"),
        "the same 1741 studies",
    ),
    Published(
        "swallow type, share right",
        *("type", "0.913", "Wang 2021, neural network"),
        "tracings; figure from a review",
        "seen-2nd",
    ),
    Published(
        "pressurization, share right",
        *("pressurization", "0.93", "Kou 2022, arXiv 2106.13869"),
        "1741 studies",
    ),
    Published("IRP, error", "irp", "4.49 mmHg", "Kou 2022, arXiv 2106.13869", "1741 studies"),
    Published(
        "study, first diagnosis right",
        "diagnosis",
        "0.81",
        "Kou 2022, arXiv 2106.13869",
        "1741 studies",
    ),
    Published(
        "study, diagnosis right",
        *("diagnosis", "0.86", "Surdea-Blaga 2022, Sensors 22:5227"),
        "images; figure from a 2025 review",
        "seen-2nd",
    ),
    Published(
        "EGJ outflow / peristalsis, share right",
        *("diagnosis", "0.942 / 0.809", "multicenter gradient boosting"),
        "618 studies, 3 centers, 2 systems",
    ),
    Published("swallows found", "recall", "0.94", "Geiger 2024", "25 long recordings (about 94 %)"),
    Published(
        "study, diagnosis right",
        *("diagnosis", "0.84", "Peristalytics, open, synthetic"),
        "9 phenotypes x 10, own generator; noise 5 mmHg, variability 35 %",
        conditions=("noise 5, variability 0.35",),
    ),
    Published(
        "study, diagnosis right",
        *("diagnosis", "0.61", "Peristalytics, open, synthetic"),
        "the same; noise 8 mmHg, variability 45 %",
        conditions=("noise 8, variability 0.45",),
    ),
    Published(
        "DL / IRP, error at most",
        *("dl", "0.6 s / 3.5 mmHg", "Peristalytics, open, synthetic"),
        "own generator",
        conditions=("noise 0",),
    ),
    Published(
        "readers, whole diagnosis",
        *("diagnosis", "kappa 0.51", "Fox 2015, doi 10.1111/dote.12278"),
        "36 raters, 40 studies",
    ),
    Published(
        "readers, whole diagnosis",
        *("diagnosis", "exact 58.8 %", "Kim 2018, JNM 24:58"),
        "14 raters, 40 patients",
    ),
)


def comparator_lines(numbers: dict[str, dict[str, float]]) -> list[str]:
    """Published figures beside those of some conditions of this table.

    Parameters
    ----------
    numbers : dict of dict
        For each condition what `phantom_report.summary` says of it.
    """
    lines = ["published figures, measured on other data (no comparison), and what this table has:"]
    for row in PUBLISHED:
        own = "; ".join(
            f"{numbers[name][row.ours]:.3f} ({name})" for name in row.conditions if name in numbers
        )
        lines.append(
            f"  {row.quantity}: {row.figure} ({row.source}; {row.data}; {row.confidence}) "
            f"| here, {row.ours}: {own or 'not run'}"
        )
    return lines


def comparator_table() -> list[str]:
    """The published figures as a page wants them."""
    lines = ["| quantity | published | source | its data | known |", "|---|---|---|---|---|"]
    return lines + [
        f"| {row.quantity} | {row.figure} | {row.source} | {row.data} | {row.confidence} |"
        for row in PUBLISHED
    ]
