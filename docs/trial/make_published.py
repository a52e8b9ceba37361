"""The trial's published counts recomputed, as a page.

    python docs/trial/make_published.py

writes `published.md` beside this file. Counts and printed p-values come from the abstracts
named on the page; everything else is computed with `hrm.trial.statistics` and scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from scipy import stats

from hrm.trial.statistics import noninferiority_test, risk_difference, tipping_point_binary

HERE = Path(__file__).parent
METHOD = "miettinen-nurminen"
MARGINS = (0.10, 0.125, 0.15, 0.20)
#: One-sided, as of a two-sided interval of 95 %.
ALPHA = 0.025
RANDOMIZED = {"posterior": 77, "anterior": 73}


@dataclass(frozen=True)
class Published:
    """Counts and the p-value that stands beside them in print."""

    outcome: str
    posterior: tuple[int, int]
    anterior: tuple[int, int]
    p_value: str

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Posterior, then anterior, as the functions take them."""
        return (*self.posterior, *self.anterior)


PUBLISHED = (
    Published("technical success", (77, 77), (71, 73), ".23"),
    Published("adverse events", (7, 77), (8, 73), ".703"),
    Published("abnormal acid exposure", (25, 60), (29, 59), ".67"),
    Published("clinical success at 2 years", (45, 57), (46, 54), ".43"),
)
TWO_YEARS = PUBLISHED[-1].counts


def p_values(case: Published) -> dict[str, float]:
    """The usual two-sided tests of a two-by-two table."""
    x1, n1, x2, n2 = case.counts
    cells = [[x1, n1 - x1], [x2, n2 - x2]]
    return {
        "Pearson": float(stats.chi2_contingency(cells, correction=False).pvalue),
        "Yates": float(stats.chi2_contingency(cells, correction=True).pvalue),
        "Fisher": float(stats.fisher_exact(cells).pvalue),
    }


def reproduced_by(case: Published) -> str:
    """Tests that give the printed p-value, to its last digit."""
    printed, scale = float(case.p_value), 10 ** len(case.p_value.lstrip("."))
    found = []
    for name, p_value in p_values(case).items():
        if int(p_value * scale + 0.5) == round(printed * scale):
            found.append(name)
        elif int(p_value * scale) == round(printed * scale):
            found.append(f"{name}, cut off")
    return "; ".join(found) if found else "**none**"


def one_year_splits() -> list[tuple[int, int, int, int]]:
    """Every split of the 138 that rounds to 89 %, 90 % and 89 % overall."""
    found = []
    for n1 in range(138 - RANDOMIZED["anterior"], RANDOMIZED["posterior"] + 1):
        n2 = 138 - n1
        for x1, x2 in product(range(n1 + 1), range(n2 + 1)):
            rounded = [int(100 * x / n + 0.5) for x, n in ((x1, n1), (x2, n2), (x1 + x2, 138))]
            # At most 71 of the anterior arm received the procedure.
            if rounded == [89, 90, 89] and n2 <= 71:
                found.append((x1, n1, x2, n2))
    return sorted(found, reverse=True)


def difference(counts: tuple[int, int, int, int], method: str = METHOD) -> str:
    """Limits as text."""
    found = risk_difference(*counts, method=method)
    return f"{found.low:+.4f}, {found.high:+.4f}"


def verdict(counts: tuple[int, int, int, int], margin: float) -> str:
    """The one-sided p-value, in bold if noninferiority holds."""
    p_value = noninferiority_test(*counts, margin=margin, method=METHOD).p_value
    text = f"{p_value:.4f}"
    return f"**{text}**" if p_value < ALPHA else text


def row(*cells: object) -> str:
    """One line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def head(*cells: str) -> list[str]:
    """The first two lines of a table."""
    return [row(*cells), row(*("---" for _ in cells))]


def fraction(counts: tuple[int, int, int, int]) -> tuple[str, str]:
    """Both arms as text."""
    x1, n1, x2, n2 = counts
    return f"{x1}/{n1}", f"{x2}/{n2}"


def outcomes_table() -> list[str]:
    """What was printed, what reproduces it."""
    lines = head(
        "outcome", "posterior", "anterior", "printed p", "reproduced by",
        "Pearson", "Yates", "Fisher", "difference", "95 % interval",
    )  # fmt: skip
    for case in PUBLISHED:
        x1, n1, x2, n2 = case.counts
        tests = [f"{p:.4f}" for p in p_values(case).values()]
        limits, gap = difference(case.counts), f"{x1 / n1 - x2 / n2:+.4f}"
        arms = fraction(case.counts)
        lines.append(
            row(case.outcome, *arms, case.p_value, reproduced_by(case), *tests, gap, limits)
        )
    return lines


def splits_table() -> list[str]:
    """The possible counts at 1 year, and 2 years for comparison."""
    margins = [f"margin {margin:.3g}" for margin in MARGINS]
    lines = head("counts", "posterior", "anterior", "difference", "95 % interval", *margins)
    named = [(f"1 year, split {k}", c) for k, c in enumerate(one_year_splits(), start=1)]
    for name, counts in [*named, ("2 years", TWO_YEARS)]:
        x1, n1, x2, n2 = counts
        gap = f"{x1 / n1 - x2 / n2:+.4f}"
        verdicts = [verdict(counts, margin) for margin in MARGINS]
        lines.append(row(name, *fraction(counts), gap, difference(counts), *verdicts))
    return lines


def missing(counts: tuple[int, int, int, int]) -> tuple[int, int]:
    """Randomized participants without an outcome, posterior and anterior."""
    return RANDOMIZED["posterior"] - counts[1], RANDOMIZED["anterior"] - counts[3]


def sensitivity_table() -> list[str]:
    """All randomized, the missing filled in at the ends."""
    lines = head("split", "missing are", "posterior", "anterior", "95 % interval", "p, margin 0.15")
    for k, counts in enumerate(one_year_splits(), start=1):
        x1, n1, x2, n2 = counts
        m1, m2 = missing(counts)
        for name, more1, more2 in (
            ("failures", 0, 0),
            ("successes", m1, m2),
            ("worst for posterior", 0, m2),
            ("best for posterior", m1, 0),
        ):
            filled = (x1 + more1, n1 + m1, x2 + more2, n2 + m2)
            verdicts = difference(filled), verdict(filled, 0.15)
            lines.append(row(k, name, *fraction(filled), *verdicts))
    return lines


def tipping(counts: tuple[int, int, int, int]) -> list[str]:
    """Grid of verdicts; a row for each number of successes among the missing posterior."""
    x1, n1, x2, n2 = counts
    m1, m2 = missing(counts)
    grid = tipping_point_binary(
        x1, n1, m1, x2, n2, m2, margin=0.15, method=METHOD, level=1 - 2 * ALPHA
    )
    marks = ["".join("Y" if holds else "." for holds in line) for line in grid]
    return ["```", *(f"{k}  {line}" for k, line in enumerate(marks)), "```"]


PAGE = """# The trial's published counts, recomputed

Anterior against posterior myotomy (NCT02454335): Khashab and others, Gastrointest Endosc
2020;91:288-297, doi:10.1016/j.gie.2019.07.034, and the follow-up of Ichkhanian and others,
Endoscopy 2021;53:462-468, doi:10.1055/a-1204-4242. Only what the abstracts print is used here: no
data of participants. A difference is posterior (test) minus anterior (reference). Intervals
are Miettinen and Nurminen's, 95 %, two-sided.

## What reproduces and what does not

{outcomes}

Technical success is the p-value of Fisher's exact test if its 0.2352 was cut off after two
digits; rounded it would be .24. Adverse events are Pearson's test without continuity
correction, and only with all randomized (73 and 77) below the line: with the 71 who received
the procedure it would be {treated:.3f}. The other two printed p-values do not follow from the
printed counts by any of these tests, rounded or cut off. That says nothing about who is right;
the test that was used may be another one, or have adjusted for something. It is why a table
needs its method and its denominators beside the number.

## The primary outcome at 1 year

The abstract gives 89 % posterior, 90 % anterior and 138 participants, but not the two
denominators. With at most 77 and 71 who received the procedure and an overall rate of 89 %
(from the follow-up's abstract), {count} splits are possible. The margin is not in any abstract, so the
verdict is shown for several: the one-sided p-value of Miettinen and Nurminen's test that the
posterior arm is worse by the margin or more, in bold where it is below {alpha}.

{splits}

With these margins the verdict does not depend on which split is true. At 1 year posterior
myotomy is noninferior with a margin of 12.5 % or more and not with 10 %; at 2 years it is with
none of them. Newcombe's intervals of the two splits are {newcombe}.

## If the missing were known

All randomized, with the missing of both arms filled in, and a margin of 0.15:

{sensitivity}

With the first split noninferiority survives if all missing are failures; with the second it
does not. So the unpublished denominators decide this analysis.

Every way to fill in the missing. Down: successes among the missing posterior, from 0. Across:
successes among the missing anterior, from 0. Y: noninferior with a margin of 0.15, one-sided {alpha}.

{grids}

Made by `python docs/trial/make_published.py`.
"""


def page() -> str:
    """The page as text."""
    splits = one_year_splits()
    treated = Published("", (7, 77), (8, 71), "")
    grids = []
    for k, counts in enumerate(splits, start=1):
        grids += [f"Split {k}, {' against '.join(fraction(counts))}:", "", *tipping(counts), ""]
    return PAGE.format(
        outcomes="\n".join(outcomes_table()),
        treated=p_values(treated)["Pearson"],
        count={1: "one", 2: "two", 3: "three"}.get(len(splits), str(len(splits))),
        alpha=ALPHA,
        splits="\n".join(splits_table()),
        newcombe=" and ".join(f"({difference(counts, 'newcombe')})" for counts in splits),
        sensitivity="\n".join(sensitivity_table()),
        grids="\n".join(grids).rstrip(),
    )


if __name__ == "__main__":
    (HERE / "published.md").write_text(page(), encoding="utf-8")
