"""Which reading of a recording counts, and whether the logs are intact."""

import csv
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrm.annotate import append, head_path, log_path
from hrm.edits import Change
from hrm.errors import AnnotationError, ProvenanceWarning
from hrm.readings import deciding, deciding_log, logs_in, reading_path, readings

SHA = "ab" * 32
SIGN = Change("study", "signed_off", new=True)
ADJUDICATE = Change("study", "adjudicates", new=True)


def write(folder, reader, *changes, own=True, sha256=SHA):
    path = reading_path(sha256, folder, reader if own else "")
    return append(path, *changes, sha256=sha256, reader=reader, reason="x")


def move(to):
    return Change("landmarks", "les_upper_cm", to)


def test_without_a_log_the_automatic_result_counts(tmp_path):
    assert readings(SHA, tmp_path) == []
    assert deciding_log(SHA, tmp_path) is None
    assert deciding_log(SHA, tmp_path / "not there") is None


def test_a_shared_log_counts_as_it_stands(tmp_path):
    write(tmp_path, "AB", move(40.0), own=False)
    assert deciding_log(SHA, tmp_path) == log_path(SHA, tmp_path)


def test_a_reading_of_ones_own_counts_once_it_is_signed(tmp_path):
    write(tmp_path, "AB", move(40.0))
    assert deciding_log(SHA, tmp_path) is None
    write(tmp_path, "AB", SIGN)
    assert deciding_log(SHA, tmp_path) == reading_path(SHA, tmp_path, "AB")
    write(tmp_path, "AB", move(41.0))
    assert deciding_log(SHA, tmp_path) is None


def test_two_signed_readings_leave_the_automatic_result_until_somebody_adjudicates(tmp_path):
    for reader, place in (("AB", 40.0), ("CD", 42.0)):
        write(tmp_path, reader, move(place), SIGN)
    with pytest.warns(ProvenanceWarning, match="2 signed readings and no adjudication"):
        assert deciding_log(SHA, tmp_path) is None
    write(tmp_path, "EF", move(41.0), ADJUDICATE)
    with pytest.warns(ProvenanceWarning):
        assert deciding_log(SHA, tmp_path) is None
    write(tmp_path, "EF", SIGN)
    assert deciding(readings(SHA, tmp_path)).reader == "EF"


def test_only_one_can_adjudicate(tmp_path):
    for reader in ("EF", "GH"):
        write(tmp_path, reader, ADJUDICATE, SIGN)
    with pytest.raises(AnnotationError, match=r"two readings adjudicate .* \(EF, GH\)"):
        deciding_log(SHA, tmp_path)


def test_to_say_that_one_adjudicates_is_no_signature(tmp_path):
    write(tmp_path, "EF", ADJUDICATE)
    (reading,) = readings(SHA, tmp_path)
    assert (reading.adjudicates, reading.signed_off) == (True, False)


def test_an_edit_of_another_reader_is_found(tmp_path):
    path = reading_path(SHA, tmp_path, "AB")
    append(path, move(40.0), sha256=SHA, reader="CD", reason="x")
    with pytest.raises(AnnotationError, match=r"line 1: an edit of another reader .* AB"):
        readings(SHA, tmp_path)


def test_a_log_that_is_lost_but_for_its_head_is_noticed(tmp_path):
    write(tmp_path, "AB", move(40.0), SIGN)
    path = reading_path(SHA, tmp_path, "AB")
    path.unlink()
    assert head_path(path).exists()
    with pytest.raises(AnnotationError, match="is missing"):
        readings(SHA, tmp_path)
    assert logs_in(tmp_path) == [(SHA, "AB", path)]


def test_a_name_is_no_code(tmp_path):
    with pytest.raises(AnnotationError, match="not a name"):
        reading_path(SHA, tmp_path, "../Doe Jane")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    signed=st.sets(st.sampled_from(["AB", "CD", "EF"])),
    adjudicator=st.sampled_from(["", "AB", "EF"]),
    shared=st.booleans(),
)
def test_the_rule_in_words(tmp_path_factory, signed, adjudicator, shared):
    folder = tmp_path_factory.mktemp("readings")
    for reader in ("AB", "CD", "EF"):
        said = [ADJUDICATE] if reader == adjudicator else [move(40.0)]
        write(folder, reader, *said, *([SIGN] if reader in signed else []))
    if shared:
        write(folder, "XY", move(39.0), own=False)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProvenanceWarning)
        chosen = deciding(readings(SHA, folder))
    if adjudicator in signed:
        assert chosen.reader == adjudicator
    elif len(signed) == 1:
        assert {chosen.reader} == signed
    else:
        assert chosen is None


@pytest.fixture
def audit(tmp_path):
    from click.testing import CliRunner

    from hrm.cli.main import main

    return lambda *more: CliRunner().invoke(main, ["audit", str(tmp_path), *map(str, more)])


def test_the_audit_says_intact_and_exports_every_edit(tmp_path, audit):
    write(tmp_path, "AB", move(40.0), SIGN)
    append(log_path("cd" * 32, tmp_path), move(39.5), sha256="cd" * 32, reader="XY", reason="=1+1")
    done = audit("--csv", tmp_path / "audit.csv")
    assert done.exit_code == 0
    assert f"{SHA[:12]} AB: intact, 2 edits by AB; signed off" in done.output
    assert "cdcdcdcdcdcd: intact, 1 edit by XY; not signed off" in done.output
    with (tmp_path / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["recording"][:4], r["reader"], r["field"], r["new"]) for r in rows] == [
        ("abab", "AB", "les_upper_cm", "40.0"),
        ("abab", "AB", "signed_off", "true"),
        ("cdcd", "XY", "les_upper_cm", "39.5"),
    ]
    assert rows[2]["reason"] == "'=1+1"


def test_the_audit_names_the_first_broken_line(tmp_path, audit):
    write(tmp_path, "AB", move(40.0), move(41.0), SIGN)
    path = reading_path(SHA, tmp_path, "AB")
    path.write_bytes(path.read_bytes().replace(b"40.0", b"40.5", 1))
    write(tmp_path, "CD", SIGN)
    done = audit("--json")
    assert done.exit_code == 3
    broken, sound = json.loads(done.stdout)
    assert not broken["intact"]
    assert "line 1 was changed" in broken["fault"]
    assert sound["intact"]


def test_an_audit_of_nothing_says_so(audit):
    done = audit()
    assert done.exit_code == 2
    assert "there is no review log" in done.output
