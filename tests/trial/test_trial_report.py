"""A trial of eight participants whose cells are worked out by hand, and what is refused."""

import zipfile
from fractions import Fraction

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from hrm.cli.main import main
from hrm.errors import FormatError, ParameterError
from hrm.trial.eckardt import SuccessRule, total
from hrm.trial.inputs.clinical import read_clinical
from hrm.trial.inputs.plan import read_plan
from hrm.trial.outcome import arms_of, drawn
from hrm.trial.outputs.report import report_files
from hrm.trial.tables.assembled import all_tables
from hrm.trial.tables.rounding import count_percent, half_up, p_value
from tests.trial.small import plan

PLAN = plan(seed=7, excluded=("declined", "not eligible"), outside_window="use", synthetic=False)
PARTICIPANTS = """participant,excluded,treated,per_protocol
P1,,yes,yes
P2,,yes,yes
P3,,yes,yes
P4,,no,no
P5,,yes,yes
P6,,yes,yes
P7,,yes,yes
P8,,yes,no
P9,declined,no,no
"""
# P3 is at the cut-off; P4 never came back; P6 was retreated; P7 and P8 left out an item.
VISITS = """participant,visit,study_day,dysphagia,regurgitation,chest_pain,weight_loss,retreated
P1,before,-5,3,2,1,1,no
P2,before,-5,3,3,2,0,no
P3,before,-5,2,2,1,1,no
P4,before,-5,3,2,1,1,no
P5,before,-5,3,2,1,1,no
P6,before,-5,3,3,3,0,no
P7,before,-5,2,2,1,1,no
P8,before,-5,,2,1,1,no
P1,1 year,365,1,1,0,0,no
P2,1 year,365,1,0,0,0,no
P3,1 year,365,1,1,1,0,no
P5,1 year,440,0,0,0,0,no
P6,1 year,365,1,0,0,0,yes
P7,1 year,365,-99,0,0,0,no
P8,1 year,365,1,1,0,0,no
"""
ALLOCATION = "participant,arm\n" + "".join(
    f"P{number},{'posterior' if number < 5 else 'anterior'}\n" for number in range(1, 9)
)


@pytest.fixture
def folder(tmp_path):
    for name, text in (
        ("trial.toml", PLAN),
        ("participants.csv", PARTICIPANTS),
        ("visits.csv", VISITS),
        ("allocation.csv", ALLOCATION),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def edit(folder, name, *changes):
    text = (folder / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")


def unblinded(folder):
    plan = read_plan(folder / "trial.toml")
    clinical = read_clinical(folder, plan, folder / "allocation.csv")
    made = all_tables(clinical, arms_of(clinical, plan), plan).tables
    return {table.name: [list(row) for row in table.rows] for table in made}


def test_flow_by_hand(folder):
    assert unblinded(folder)["flow"] == [
        ["Assessed", "", "", "9"],
        ["Excluded", "", "", "1"],
        ["Excluded: declined", "", "", "1"],
        ["Excluded: not eligible", "", "", "0"],
        ["Randomized", "4", "4", "8"],
        ["Treated", "3", "4", "7"],
        ["Not treated", "1", "0", "1"],
        ["Primary outcome known", "3", "3", "6"],
        ["Primary outcome missing", "1", "1", "2"],
        ["Primary outcome missing: no visit", "1", "0", "1"],
        ["Primary outcome missing: item missing", "0", "1", "1"],
        ["Analyzed: intention to treat", "4", "4", "8"],
        ["Analyzed: per protocol", "3", "2", "5"],
        ["Not analyzed: per protocol", "1", "2", "3"],
        ["Not analyzed: per protocol: not in the set", "1", "1", "2"],
        ["Not analyzed: per protocol: outcome missing", "0", "1", "1"],
    ]


def test_scores_by_hand(folder):
    # Posterior 7 8 6 7, then 2 1 3: changes -5 -7 -3. Anterior 7 9 6, then 0 1 2, and as
    # neither P7 nor P8 has both, changes -7 -8. SD of 7 9 6: sqrt((1 + 25 + 16) / 9 / 2).
    # Intervals of the change: t(2) 2 / sqrt(3) = 4.97; t(1) 0.5 = 6.35.
    # Adjusted: within arms sum xx = 2 + 2, xy = -2 + 1, yy = 2 + 0.5, slope -1/4; difference
    # 2 - 0.5 - (7 - 8)(-1/4) = 1.25; s2 = (2.5 - 1/4) / 2, SE2 = s2 (1/3 + 1/2 + 1/4); half width
    # sqrt(18.5128 x 1.21875) = 4.75; p of t(2) = 1 - t / sqrt(t2 + 2) = 1 - 0.625.
    assert unblinded(folder)["continuous"] == [
        [
            *("Eckardt score, points: posterior", "7.00 (0.82), n = 4", "2.00 (1.00), n = 3"),
            *("-5.00 (2.00), n = 3", "-9.97 to -0.03", "1.25", "-3.50 to 6.00", "0.3750"),
        ],
        [
            *("Eckardt score, points: anterior", "7.33 (1.53), n = 3", "1.00 (1.00), n = 3"),
            *("-7.50 (0.71), n = 2", "-13.85 to -1.15", "reference", "", ""),
        ],
    ]


def test_primary_by_hand(folder):
    # 2/4 against 2/4: at a difference d both proportions lie d/2 from a half, the variance is
    # (1 - d^2) / 7 with the factor 8/7, and the limits are z / sqrt(7 + z^2) = 0.5953. At the
    # margin z = 0.2 / sqrt(0.96 / 7) = 0.5401, one-sided p = 0.2946.
    itt, pp = unblinded(folder)["primary"]
    same = ["2/4 (50.0%)", "2/4 (50.0%)", "0.0", "-59.5 to 59.5", "0.54", "0.2946", "not shown"]
    assert itt == ["Intention to treat", *same]
    assert pp[:4] == ["Per protocol", "2/3 (66.7%)", "1/2 (50.0%)", "16.7"]


def test_sensitivity_and_tipping_by_hand(folder):
    made = unblinded(folder)
    assert [row[:4] for row in made["sensitivity"]] == [
        ["Missing as failure", "2/4 (50.0%)", "2/4 (50.0%)", "0.0"],
        ["Missing as success", "3/4 (75.0%)", "3/4 (75.0%)", "0.0"],
        ["Complete cases", "2/3 (66.7%)", "2/3 (66.7%)", "0.0"],
        ["Worst for posterior", "2/4 (50.0%)", "3/4 (75.0%)", "-25.0"],
        ["Best for posterior", "3/4 (75.0%)", "2/4 (50.0%)", "25.0"],
    ]
    assert made["tipping"] == [["0", "no", "no"], ["1", "no", "no"]]


def test_missing_by_hand(folder):
    assert unblinded(folder)["missing"] == [
        ["Randomized", "4", "4", "8"],
        ["before: no visit", "0", "0", "0"],
        ["before: outside window", "0", "0", "0"],
        ["1 year: no visit", "1", "0", "1"],
        ["1 year: outside window", "0", "1", "1"],
        ["before: no total score", "0", "1", "1"],
        ["1 year: no total score", "1", "1", "2"],
        ["Primary outcome missing", "1", "1", "2"],
    ]


def test_window_comparator_and_retreatment_follow_the_plan(folder):
    edit(
        folder,
        "trial.toml",
        ('outside_window = "use"', 'outside_window = "missing"'),
        ('comparator = "<"', 'comparator = "<="'),
        ("retreatment_is_failure = true", "retreatment_is_failure = false"),
    )
    # P3 and P6 succeed now; P5 came too late and is missing.
    assert unblinded(folder)["sensitivity"][2][1:3] == ["3/3 (100.0%)", "2/2 (100.0%)"]


def readable(path):
    """Everything in a file that can be read."""
    if path.suffix == ".png":
        return ""
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as archive:
            return "".join(
                archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
            ).casefold()
    return path.read_text(encoding="utf-8").casefold()


def test_blinded_output_holds_no_arm(folder):
    done = CliRunner().invoke(main, ["trial", "report", str(folder)])
    assert done.exit_code == 0, done.output
    written = sorted((folder / "report").iterdir())
    assert [path.name for path in written] == sorted(report_files(folder))
    for path in written:
        text = readable(path)
        assert "posterior" not in text
        assert "anterior" not in text
    assert "Dummy 1" in (folder / "report" / "primary.csv").read_text(encoding="utf-8")


def test_blinded_arms_do_not_follow_the_allocation_file(folder):
    before = report_files(folder)
    edit(folder, "allocation.csv", ("P1,posterior", "P1,anterior"))
    assert report_files(folder) == before


def test_no_arm_in_names_of_the_plan_nor_in_words_of_the_report(folder):
    edit(folder, "trial.toml", ('"1 year"', '"Anterior 1 year"'))
    with pytest.raises(ParameterError, match="hold no arm"):
        report_files(folder)
    edit(folder, "trial.toml", ('"Anterior 1 year"', '"1 year"'), ('"anterior"', '"Excluded"'))
    with pytest.raises(ParameterError, match="a blinded report would hold"):
        report_files(folder)


def test_same_inputs_same_bytes(folder):
    given_arms = folder / "allocation.csv"
    assert report_files(folder, allocation=given_arms) == report_files(
        folder, allocation=given_arms
    )
    made = report_files(folder, allocation=given_arms)
    # The data files hold a row a participant; no table does.
    assert b"P1" not in made["tables.json"]
    assert b"P1" not in made["primary.csv"]


def test_every_fault_of_the_plan_at_once(folder):
    edit(
        folder,
        "trial.toml",
        ("margin = 0.2", "margn = 0.2"),
        ("cutoff = 3", "cutoff = true"),
        ('comparator = "<"\n', ""),
        ("[-90, 0]", "[0, -90]"),
    )
    with pytest.raises(ParameterError) as caught:
        report_files(folder)
    said = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].split(" is")[0].strip() for line in said] == [
        "baseline.window_days",
        "success.cutoff",
        "success.comparator",
        "[analysis]",
        "analysis.margin",
    ]


def test_every_fault_of_the_data_at_once(folder):
    edit(
        folder,
        "participants.csv",
        ("P2,,yes", "P1,,Yes"),
        ("declined", "Secret"),
        ("P3,,", "\nP3,,"),
    )
    edit(
        folder,
        "visits.csv",
        ("P1,before,-5,3", "P1,before,-5.0,4"),
        ("P3,1 year", "P3,2 years"),
        ("P5,1 year", "P5,before"),
        ("P8,before", "P77,before"),
    )
    edit(folder, "allocation.csv", ("P8,anterior\n", ""), ("P7,anterior", "P7,lateral"))
    with pytest.raises(FormatError) as caught:
        unblinded(folder)
    text = str(caught.value)
    for place in (
        *("participants.csv row 3, participant", "participants.csv row 3, treated"),
        *("participants.csv row 11, excluded", "visits.csv row 2, study_day"),
        *("visits.csv row 2, dysphagia", "visits.csv row 12, visit", "visits.csv row 13, visit"),
        *("visits.csv row 9, participant", "allocation row 8, arm", "1 randomized participants"),
    ):
        assert place in text
    for value in ("Secret", "P77", "lateral", "2 years"):
        assert value not in text


def test_one_arm_is_refused(folder):
    (folder / "allocation.csv").write_text(ALLOCATION.replace("anterior", "posterior"), "utf-8")
    with pytest.raises(ParameterError, match="found 8 and 0"):
        unblinded(folder)


def test_no_success_anywhere_and_nobody_followed(folder):
    edit(folder, "trial.toml", ("cutoff = 3", "cutoff = 0"))
    assert unblinded(folder)["primary"][0][1:4] == ["0/4 (0.0%)", "0/4 (0.0%)", "0.0"]
    (folder / "visits.csv").write_text(VISITS.splitlines(keepends=True)[0], encoding="utf-8")
    made = unblinded(folder)
    assert made["primary"][1][-1] == "not estimable"
    assert made["tipping"] == []
    assert made["continuous"][0][1] == "NA, n = 0"


def test_init_writes_what_report_asks_to_fill_in(tmp_path):
    done = CliRunner().invoke(main, ["trial", "init", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["trial", "report", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert "analysis.margin is missing" in done.output
    assert CliRunner().invoke(main, ["trial", "init", str(tmp_path / "new")]).exit_code == 2


ITEM = st.none() | st.integers(0, 3)


@given(st.lists(ITEM, min_size=4, max_size=4), st.integers(0, 13), st.sampled_from(["<", "<="]))
def test_decided_is_what_every_filling_says(items, cutoff, comparator):
    rule = SuccessRule(cutoff, comparator, "decided", retreatment_is_failure=True)
    totals = [0]
    for item in items:
        totals = [t + v for t in totals for v in (range(4) if item is None else [item])]
    verdicts = {t < cutoff or (comparator == "<=" and t == cutoff) for t in totals}
    wanted = verdicts.pop() if len(verdicts) == 1 else None
    assert rule.outcome(items, retreated=False) is wanted
    assert rule.outcome(items, retreated=True) is False
    assert total(items) == (None if None in items else sum(items))


@pytest.mark.parametrize("items", [[0, 0, 0, 4], [0, 0, -1, 0], [0, 0, 0], [True, 0, 0, 0]])
def test_items_out_of_range_are_refused(items):
    with pytest.raises(ParameterError):
        total(items)


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000), st.integers(0, 4))
def test_half_up_is_nearest_and_halves_go_outward(top, bottom, digits):
    exact = Fraction(top, bottom)
    shown = Fraction(half_up(exact, digits))
    gap = abs(shown) - abs(exact)
    half = Fraction(1, 2 * 10**digits)
    assert -half < gap <= half


def test_numbers_as_shown():
    assert [half_up(2.675, 2), half_up(0.5, 0), half_up(-0.04, 1)] == ["2.68", "1", "0.0"]
    assert [half_up(float("nan"), 1), count_percent(0, 0)] == ["NA", "0/0 (NA)"]
    assert [p_value(0.00004), p_value(0.0001), p_value(0.05)] == ["<0.0001", "0.0001", "0.0500"]


@given(st.sets(st.text(min_size=1, max_size=5), max_size=20), st.integers())
def test_dummy_arms_are_even_and_do_not_follow_the_order(codes, seed):
    one, two = (drawn(order, seed) for order in (sorted(codes), sorted(codes, reverse=True)))
    assert one == two
    sizes = [list(one.values()).count(f"Dummy {n}") for n in (1, 2)]
    assert sizes[0] - sizes[1] in (0, 1)
