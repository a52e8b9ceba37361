"""`hrm compare`: two sets of results, one page, and what is refused."""

import json
import re
from pathlib import Path

import pytest

PLANT = "DOE JANE 1961"
COLUMNS = "subject,visit,swallow,metric,value,unit,status"
OFFSETS = {"A": [0.0] * 4, "B": [1.0, -0.5, 0.5, 2.0]}


def reported(side, *, without=()):
    lines = [COLUMNS]
    for s, offset in enumerate(OFFSETS[side]):
        if s in without:
            continue
        lines.append(f"S{s},V1,,diagnosis_ccv4,{'iem' if s % 2 else 'normal'},,ok")
        for n in range(1, 5):
            value = 10 + 3 * s + n + offset * (1 + 0.1 * n)
            lines += [
                f"S{s},V1,{n},irp4s_mmhg,{value},mmHg,ok",
                f"S{s},V1,{n},type,{'weak' if n == 1 else 'normal'},,ok",
            ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def sides(tmp_path):
    for side, without in (("A", ()), ("B", (3,))):
        path = tmp_path / f"DOE_JANE_{side}.csv"
        path.write_text(reported(side, without=without), encoding="utf-8")
    return tmp_path / "DOE_JANE_A.csv", tmp_path / "DOE_JANE_B.csv"


def test_two_tables_give_a_page_and_a_record(run, sides):
    done = run("compare", *sides, "--html", "p.html", "--json", "p.json", "--name-b", "reader 1")
    assert done.exit_code == 0, done.output
    assert "3 studies and 12 swallows are on both sides" in done.stdout
    assert "only in A: S3 V1" in done.stdout
    assert "irp4s_mmhg [mmHg]" in done.stdout
    assert "kappa 1" in done.stdout
    assert "Differences are A minus reader 1" in done.stdout
    page = Path("p.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,iVBOR") == 2  # study medians and swallows
    assert "Agreement of A and reader 1" in page
    record = json.loads(Path("p.json").read_text(encoding="utf-8"))
    first = record["metrics"][0]
    assert first["levels"][1]["limits"]["n"] == 12
    assert first["levels"][0]["limits"]["bias"]["value"] == pytest.approx(
        -(1.25 - 0.625 + 0.625) / 3
    )
    # Three letters may stand in the bytes of a picture by chance.
    words = re.sub(r"base64,[^\"]+", "", page)
    for text in (words, json.dumps(record), done.stdout):
        assert "DOE" not in text
        assert ".csv" not in text


def test_the_same_run_gives_the_same_bytes(run, sides):
    for name in ("one", "two"):
        assert run("compare", *sides, "--html", f"{name}.html").exit_code == 0
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()


def test_results_of_analyze_are_compared(run, manoview, table):
    for path, more in (("one", ()), ("two", ("--set", "irp.duration_s=3"))):
        made = run(
            *("analyze", manoview, "--system", "manoscan", "--swallows", table),
            *("--participant", "P1", "--json", f"{path}.json", "--long", f"{path}.csv", *more),
        )
        assert made.exit_code == 0, made.output
    for b in ("two.json", "two.csv"):
        done = run("compare", "one.json", b, "--json", "out.json", "--force", "--metric", "all")
        assert done.exit_code == 0, done.output
        record = json.loads(Path("out.json").read_text(encoding="utf-8"))
        irp = next(row for row in record["metrics"] if row["metric"] == "irp4s_mmhg")
        bias = irp["levels"][1]["limits"]["bias"]
        assert bias["value"] > 0.0  # the lowest three seconds lie below the lowest four
        assert (bias["low"], bias["status"]) == (None, "too_few_subjects")
        dci = next(row for row in record["metrics"] if row["metric"] == "dci_mmhg_s_cm")
        assert dci["levels"][1]["limits"]["bias"]["value"] == 0.0
        assert record["matched"][0]["swallows_by"] == "onset"


def test_a_choice_of_metrics(run, sides):
    only = run("compare", *sides, "--metric", "type")
    assert "irp4s_mmhg" not in only.stdout
    assert "type: type of swallow" in only.stdout
    wrong = run("compare", *sides, "--metric", "irp")
    assert wrong.exit_code == 2
    assert "not on both sides: irp; both have diagnosis_ccv4, irp4s_mmhg, type" in wrong.stderr


def test_the_level_is_that_of_every_interval(run, sides):
    for level in ("0.95", "0.5"):
        assert run("compare", *sides, "--level", level, "--json", f"{level}.json").exit_code == 0
    wide, narrow = (
        json.loads(Path(f"{level}.json").read_text(encoding="utf-8"))["metrics"][0]["levels"]
        for level in ("0.95", "0.5")
    )
    for k in (0, 1):
        for of in ("bias", "lower", "upper"):
            first, second = wide[k]["limits"][of], narrow[k]["limits"][of]
            assert first["value"] == second["value"]
            assert first["low"] < second["low"] < second["high"] < first["high"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{COLUMNS}\n{PLANT},V1,1,irp4s_mmhg,3,mmHg,ok\n", "line 2: subject must be a code"),
        (f"{COLUMNS}\nS1,V1,1,irp4s_mmhg,3,kPa,ok\n", "line 2: expected irp4s_mmhg in mmHg"),
        (f"name,born\n{PLANT},1961\n", "missing: subject, swallow"),
        ('{"name": "DOE JANE 1961"}', "found another JSON"),
        ("", "found none"),
    ],
)
def test_wrong_input_is_refused_without_a_quote(run, sides, text, message):
    wrong = Path("wrong.csv")
    wrong.write_text(text, encoding="utf-8")
    done = run("compare", sides[0], wrong)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "DOE" not in done.stderr
    assert "Traceback" not in done.output


def test_nothing_is_replaced_unasked(run, sides):
    Path("p.html").write_text("mine", encoding="utf-8")
    done = run("compare", *sides, "--html", "p.html")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert Path("p.html").read_text(encoding="utf-8") == "mine"
    same = run("compare", *sides, "--json", sides[1], "--force")
    assert same.exit_code == 2
    assert "the input file itself" in same.stderr
    assert run("compare", sides[0], "nothing.csv").exit_code == 2
