"""hrm review: what it writes, that hrm analyze replays it, and what it refuses."""

import csv
import json
import shutil
from pathlib import Path

import pytest

import hrm
from hrm.annotate import read_log

CATHETER = ("--catheter", "CE4-0062", "--system", "manoscan")
WHY = ("--reader", "AB", "--reason", "seen in DOE JANE")


@pytest.fixture
def file(mms, tmp_path, run):
    """The recording in a folder of its own, named as a hospital might."""
    (tmp_path / "in").mkdir()
    return Path(shutil.copy(mms, tmp_path / "in" / "DOE_JANE.csv"))


@pytest.fixture
def review(run, file):
    return lambda *arguments: run("review", file, *CATHETER, *arguments)


@pytest.fixture
def analyzed(run, file):
    """Results, and what was said on the way."""

    def analyze(*arguments):
        done = run("analyze", file, *CATHETER, "--posture", "supine", "--json", "-", *arguments)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    return analyze


def log_of(folder):
    (log,) = Path(folder).glob("*.review.jsonl")
    return log


def ok(done):
    assert done.exit_code == 0, done.output
    return done.stdout


def test_an_edit_is_written_and_replayed(review, analyzed, file):
    plain, said = analyzed()
    assert plain["review"] is None
    assert "Review" not in said
    out = ok(review("--set", "les_upper_cm=28.5", *WHY))
    assert out.split() == ["1", "AB", "les_upper_cm", f"{plain['landmarks']['les_upper_cm']:.6g}", "->", "28.5"]  # fmt: skip
    seen, said = analyzed()
    assert seen["landmarks"]["les_upper_cm"] == 28.5
    assert seen["review"]["applied"][0]["automatic"] == plain["landmarks"]["les_upper_cm"]
    assert "Review: 1 edit by AB; not signed off" in said
    assert f"les_upper_cm: 28.5 instead of {plain['landmarks']['les_upper_cm']:.6g} (AB)" in said
    assert "LES                           28.5 to" in said
    assert "JANE" not in json.dumps(seen) + said
    (edit,) = read_log(log_of(file.parent))
    assert (edit.reader, edit.reason, edit.engine) == ("AB", "seen in DOE JANE", hrm.__version__)
    assert edit.old == plain["landmarks"]["les_upper_cm"]
    digest = plain["recording"]["sha256"]
    assert sorted(path.name for path in file.parent.iterdir()) == sorted(
        [
            *("DOE_JANE.csv", f"{digest}.review.head", f"{digest}.review.jsonl"),
            f"{digest}.review.json",  # a digest of the name
        ]
    )
    assert "JANE" not in (file.parent / f"{digest}.review.json").read_text(encoding="utf-8")


def test_a_review_of_what_the_file_held_before_is_told_of(run, review, file):
    ok(review("--set", "les_upper_cm=28.5", *WHY))
    before = file.read_bytes()
    lines = before.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))  # a sample less
    done = run("analyze", file, *CATHETER)
    assert "Review" not in ok(done)
    assert "changed since it was reviewed" in done.stderr
    assert "JANE" not in done.stderr
    file.write_bytes(before)
    done = run("analyze", file, *CATHETER)
    assert "Review: 1 edit" in ok(done)
    assert "changed since" not in done.stderr


def test_swallows_are_numbered_as_analyze_numbers_them(review, analyzed):
    plain, _ = analyzed()
    onset = plain["swallows"][0]["onset_s"]
    ok(
        review(
            *("--set", "swallow.3.include=false", "--set", f"swallow.1.onset_s={onset + 0.4:.2f}"),
            *("--set", "swallow.2.cdp_cm=25", "--set", "swallow.2.posture=upright", *WHY),
        )
    )
    seen, said = analyzed()
    first, second, third = seen["swallows"]
    assert (first["onset_s"], first["onset_method"]) == (round(onset + 0.4, 2), "reader")
    assert (second["cdp_cm"], second["cdp_method"], second["posture"]) == (
        25.0,
        "reader",
        "upright",
    )
    assert (third["evaluable"], third["reason"]) == (False, "excluded_by_reader")
    assert "onset by a reader" in said
    assert "deceleration point by a reader" in said
    assert "excluded by reader" in said
    # A swallow that is added moves the numbers of those behind it.
    ok(review("--set", "swallow@20.0.added=true", *WHY))
    assert len(analyzed()[0]["swallows"]) == 4
    ok(review("--set", "swallow.4.include=automatic", "--set", "swallow.1.include=false", *WHY))
    rows = analyzed()[0]["swallows"]
    assert [row["evaluable"] for row in rows] == [False, True, True, True]
    assert rows[1]["onset_s"] == first["onset_s"]


def test_the_swallow_table_counts_too(run, review, analyzed, file):
    Path("table.csv").write_text("onset_s,posture\n20.0,upright\n", encoding="utf-8")
    ok(review("--swallows", "table.csv", "--set", "swallow.1.include=true", *WHY))
    seen, _ = analyzed("--swallows", "table.csv")
    assert seen["review"]["applied"][0]["object"] == "swallow@20.00"
    without = run("analyze", file, *CATHETER)
    assert without.exit_code == 2
    assert "review log, line 1: swallow@20.00" in without.stderr
    assert "give that table" in without.stderr


def test_signing_off(review, analyzed):
    # Wherever it is asked for, the signature comes last.
    ok(review("--set", "study.signed_off=true", "--set", "les_upper_cm=28.5", *WHY))
    seen, said = analyzed()
    assert seen["review"]["signed_off"]
    assert "Review: 2 edits by AB; signed off" in said
    done = review("--set", "les_upper_cm=automatic", "--reader", "CD", "--reason", "was right")
    ok(done)
    assert "no longer signed off" in done.stderr
    seen, said = analyzed()
    assert (seen["review"]["signed_off"], seen["review"]["readers"]) == (False, ["AB", "CD"])
    assert "Review: 3 edits by AB, CD; not signed off" in said


def test_list_and_verify(review, file):
    for option in ("--list", "--verify"):
        none = review(option)
        assert none.exit_code == 2
        assert "no review log" in none.stderr
    ok(review("--set", "les_upper_cm=28.5", "--set", "swallow.1.include=false", *WHY))
    lines = ok(review("--list")).splitlines()
    assert len(lines) == 2
    assert lines[0].split()[0::2][:2] == ["1", "AB"]
    assert "-> 28.5  'seen in DOE JANE'" in lines[0]
    assert ".include true -> false" in lines[1]
    log = log_of(file.parent)
    assert ok(review("--verify")) == (
        f"sound: 2 edits by AB; not signed off; head {read_log(log)[-1].hash}\n"
    )
    log.with_suffix(".head").unlink()
    done = review("--verify")
    assert "last line would not show" in done.stderr
    ok(done)


def test_a_changed_log_stops_everything(run, review, file):
    ok(review("--set", "les_upper_cm=28.5", "--set", "les_lower_cm=32", *WHY))
    log = log_of(file.parent)
    log.write_bytes(log.read_bytes().replace(b"28.5", b"28.6"))
    for done in (
        run("analyze", file, *CATHETER),
        review("--verify"),
        review("--list"),
        review("--set", "les_lower_cm=31", *WHY),
    ):
        assert done.exit_code == 2
        assert done.stdout == ""
        assert "review log, line 2: prev_hash does not match, line 1 was changed" in done.stderr
        assert "Traceback" not in done.stderr
    ignored = run("analyze", file, *CATHETER, "--no-review")
    assert "Review" not in ok(ignored)
    assert "ignored (--no-review)" in ignored.stderr


def test_a_log_that_is_gone_is_missed(run, review, file):
    ok(review("--set", "les_upper_cm=28.5", *WHY))
    log_of(file.parent).unlink()
    done = run("analyze", file, *CATHETER)
    assert done.exit_code == 2
    assert "missing" in done.stderr


def test_a_folder_for_logs(run, review, analyzed, file):
    Path("logs").mkdir()
    ok(review("--review-dir", "logs", "--set", "les_upper_cm=28.5", *WHY))
    assert [path.name for path in file.parent.iterdir()] == ["DOE_JANE.csv"]
    assert analyzed()[0]["review"] is None
    assert analyzed("--review-dir", "logs")[0]["landmarks"]["les_upper_cm"] == 28.5
    assert ok(review("--review-dir", "logs", "--list")).count("\n") == 1
    assert review("--review-dir", "nowhere", "--list").exit_code == 2


def test_a_converted_recording_finds_its_log(run, review, file):
    ok(review("--set", "les_upper_cm=28.5", *WHY))
    ok(run("convert", file, *CATHETER, file.parent / "study.h5"))
    done = run("analyze", file.parent / "study.h5", "--json", "-")
    assert json.loads(ok(done))["landmarks"]["les_upper_cm"] == 28.5


REFUSED = {
    "a name": (["--set", "les_upper_cm=28.5", "--reader", "Jane", "--reason", "x"], "not a name"),
    "no reader": (["--set", "les_upper_cm=28.5", "--reason", "x"], "--reader"),
    "no reason": (["--set", "les_upper_cm=28.5", "--reader", "AB"], "--reason"),
    "blank reason": (["--set", "les_upper_cm=28.5", "--reader", "AB", "--reason", " "], "--reason"),
    "nothing": ([], "--set"),
    "two things": (["--list", "--verify"], "--list or --verify"),
    "no value": (["--set", "les_upper_cm", *WHY], "FIELD=VALUE"),
    "empty value": (["--set", "les_upper_cm=", *WHY], "FIELD=VALUE"),
    "unknown field": (["--set", "les_upper=28", *WHY], "les_upper_cm"),
    "unknown object": (["--set", "esophagus.length=28", *WHY], "unknown object"),
    "text": (["--set", "les_upper_cm=low", *WHY], "a number from"),
    "beyond": (["--set", "les_upper_cm=300", *WHY], "to 150 cm"),
    "does not fit": (["--set", "les_upper_cm=2", *WHY], "nothing was written: review log, line 1"),
    "swallow 0": (["--set", "swallow.0.include=false", *WHY], "no swallow 0"),
    "swallow 9": (["--set", "swallow.9.include=false", *WHY], "has 3"),
    "swallow field": (["--set", "swallow.1.irp4s_mmhg=3", *WHY], "unknown field of swallow"),
    "one of two": (["--set", "les_upper_cm=28", "--set", "les_lower_cm=1", *WHY], "line 2"),
    "added twice": (["--set", "swallow@30.00.cdp_cm=25", *WHY], "no swallow is found"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_and_nothing_written(review, file, case):
    arguments, words = REFUSED[case]
    done = review(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert [path.name for path in file.parent.iterdir()] == ["DOE_JANE.csv"]


def test_the_long_table(run, review, analyzed, file):
    ok(review("--set", "les_upper_cm=28.5", *WHY))
    seen, _ = analyzed("--long", "long.csv")
    with Path("long.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = {(row["swallow"], row["metric"]): row for row in rows}
    mark = table["NA", "les_upper_cm"]
    assert (float(mark["value"]), mark["unit"], mark["status"]) == (28.5, "cm", "ok")
    assert mark["source"].endswith("#reader:AB")
    for row in seen["swallows"]:
        assert float(table[str(row["id"]), "irp4s_mmhg"]["value"]) == row["irp4s_mmhg"]
    digest = seen["recording"]["sha256"]
    assert all(row["source"].startswith(f"{digest}#hrm-") for row in rows)
    assert all(value for row in rows for name, value in row.items() if name != "visit")
    again = run("analyze", file, *CATHETER, "--long", "long.csv")
    assert again.exit_code == 2
    assert "--force" in again.stderr
