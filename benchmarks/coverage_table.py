"""Exact coverage of the intervals for a difference of two proportions, as a page with a picture.

Nothing is simulated: for each pair of true proportions the binomial probabilities of all
tables whose interval holds the true difference are added up. The last row is the score
interval of statsmodels, to see why hrm has its own.

    python benchmarks/coverage_table.py --write docs/trial

Without `--write` the table goes to the terminal only. It takes a minute or two, nearly all
of it in statsmodels.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import statsmodels
from numpy.typing import NDArray
from statsmodels.stats.proportion import confint_proportions_2indep

from hrm.trial.statistics import risk_difference
from hrm.trial.statistics.coverage import difference_coverage
from hrm.trial.statistics.proportions import SCORE_DIFFERENCE, two_sided_z
from hrm.trial.statistics.score import difference_limits

Array = NDArray[np.float64]

N = 70
LEVEL = 0.95
#: A true proportion of exactly 0 or 1 has no sampling error left to be covered.
GRID = np.arange(1, 100) / 100.0
NEAR = 0.3
METHODS = ("miettinen-nurminen", "mee", "newcombe", "agresti-caffo", "wald")
RIVAL = "statsmodels score"
RIVAL_AT_BEST = "statsmodels score, at best"
DIFFERENCE = GRID[:, None] - GRID


@dataclass(frozen=True)
class Row:
    name: str
    coverage: Array
    lacking: int  # tables without an interval

    def cells(self) -> list[str]:
        near = self.coverage[np.abs(DIFFERENCE) <= NEAR + 1e-9]
        below = float(np.mean(self.coverage < 0.94))
        worst = np.unravel_index(np.argmin(self.coverage), self.coverage.shape)
        return [
            self.name,
            f"{near.min():.4f}",
            f"{self.coverage.min():.4f}",
            f"{GRID[worst[0]]:.2f}, {GRID[worst[1]]:.2f}",
            f"{self.coverage.mean():.4f}",
            f"{100.0 * below:.1f} %",
            str(self.lacking),
        ]


def limits(of_table: Callable[[int, int], tuple[float, float]]) -> tuple[Array, Array]:
    low, high = (np.full((N + 1, N + 1), math.nan) for _ in range(2))
    for x1 in range(N + 1):
        for x2 in range(N + 1):
            low[x1, x2], high[x1, x2] = of_table(x1, x2)
    return low, high


def ours(method: str) -> tuple[Array, Array]:
    if method in SCORE_DIFFERENCE:
        x = np.arange(N + 1)
        correct = SCORE_DIFFERENCE[method]
        return difference_limits(x[:, None], N, x, N, two_sided_z(LEVEL), correct=correct)

    def of_table(x1: int, x2: int) -> tuple[float, float]:
        found = risk_difference(x1, N, x2, N, method=method, level=LEVEL)
        return found.low, found.high

    return limits(of_table)


def theirs(x1: int, x2: int) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            low, high = confint_proportions_2indep(
                x1, N, x2, N, method="score", compare="diff", alpha=1.0 - LEVEL
            )
        except ValueError:
            return math.nan, math.nan
    return float(low), float(high)


def row(name: str, low: Array, high: Array) -> Row:
    lacking = int(np.sum(np.isnan(low) | np.isnan(high)))
    return Row(name, difference_coverage(low, high, GRID, GRID), lacking)


def all_rows() -> list[Row]:
    low, high = limits(theirs)
    best = np.where(np.isnan(low), -1.0, low), np.where(np.isnan(high), 1.0, high)
    return [
        *(row(name, *ours(name)) for name in METHODS),
        row(RIVAL, low, high),
        row(RIVAL_AT_BEST, *best),
    ]


def table(rows: list[Row]) -> str:
    head = [
        "interval",
        f"minimum, \\|RD\\| ≤ {NEAR}",
        "minimum",
        "at p1, p2",
        "mean",
        "grid below 0.94",
        "tables without interval",
    ]
    lines = [head, ["---"] * len(head), *(each.cells() for each in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


PAGE = """# Coverage of the intervals for a difference of proportions

A 95 % interval should hold the true difference 95 times in 100. How often it does can be
computed: with {n} participants per arm there are {tables} possible tables, each with its
interval and its binomial probability. For each pair of true proportions on the grid 0.01,
0.02, ..., 0.99 the probabilities of the tables whose interval holds the difference are added
up. There is no simulation and no rounding beyond that of the machine.

{table}

The last two rows are `confint_proportions_2indep(method="score")` of statsmodels {version}, which
stands for the same interval as the first row. Its null proportions do not maximize the
likelihood ([statsmodels issue 10269](https://github.com/statsmodels/statsmodels/issues/10269)),
and for {lacking} of the {tables} tables it raises. Those count as misses in the one row and as hits
in the other (`at best`), so what is left there comes from wrong limits alone. `hrm` takes
Newcombe's, Wald's and the Agresti–Caffo interval from statsmodels, where they are right, and has
its own score intervals. A test in `tests/trial/statistics` fails on the day statsmodels is mended.

![Coverage over the true proportions]({picture})

Left and middle: coverage over both true proportions; white is 95 %, blue is more, red is less.
Middle and right show statsmodels at its best, with a hit for each table where it raises; in the
dark corner at the upper left nearly every table does. An interval that is right looks the same
if the arms change places, mirrored at the diagonal; the middle picture does not.
Right: coverage if the test arm is truly worse by 0.15, as at the edge of a margin of 0.15,
over the proportion of the reference arm.

What to read from it. Miettinen and Nurminen's interval holds its level on average, and falls
short by about one in a hundred at worst where the difference is at most 0.3. Larger shortfalls
lie where one proportion is near 0 or 1 and the other far from it. Any interval for counts
waves like this; none has 95 % everywhere unless it is wider on average. If a true proportion
is exactly 0 or 1, outside this grid, the minimum of the first two rows is 0.9318.

Made by `python benchmarks/coverage_table.py --write docs/trial`.
"""


def picture(rows: list[Row], path: Path) -> None:
    mpl.use("Agg")
    by_name = {each.name: each for each in rows}
    figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.2), layout="constrained")
    for axis, name, title in (
        (axes[0], METHODS[0], "hrm: Miettinen–Nurminen"),
        (axes[1], RIVAL_AT_BEST, f"statsmodels {statsmodels.__version__}: score"),
    ):
        image = axis.imshow(
            by_name[name].coverage.T,
            origin="lower",
            extent=(0.005, 0.995, 0.005, 0.995),
            cmap="RdBu",
            vmin=0.92,
            vmax=0.98,
        )
        axis.set(
            title=title,
            xlabel="true success, group 1 (posterior)",
            ylabel="true success, group 2 (anterior)",
        )
    figure.colorbar(image, ax=axes[:2], label="coverage of the 95 % interval", extend="both")
    loss = 15
    for name, color, style in (
        (METHODS[0], "#0050a0", "-"),
        ("newcombe", "#000000", ":"),
        (RIVAL_AT_BEST, "#c04000", "--"),
    ):
        line = np.diagonal(by_name[name].coverage, offset=loss)
        axes[2].plot(GRID[loss:], line, style, color=color, label=name, linewidth=1.4)
    axes[2].axhline(LEVEL, color="#808080", linewidth=0.8)
    axes[2].set(
        title="test arm truly worse by 0.15",
        xlabel="true success, group 2 (anterior)",
        ylabel="coverage",
        xlim=(loss / 100, 1.0),
        ylim=(0.92, 0.98),
    )
    axes[2].legend(loc="lower left", frameon=False)
    figure.suptitle(f"{N} participants per arm, exact")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="folder for coverage.md and coverage.png")
    options = parser.parse_args(argv)
    rows = all_rows()
    print(table(rows))
    if options.write:
        picture(rows, options.write / "coverage.png")
        page = PAGE.format(
            n=N,
            tables=(N + 1) ** 2,
            table=table(rows),
            lacking=rows[-2].lacking,
            version=statsmodels.__version__,
            picture="coverage.png",
        )
        (options.write / "coverage.md").write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
