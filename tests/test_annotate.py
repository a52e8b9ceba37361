"""The review log: its chain, what it refuses, and two writers at once."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm import annotate, catalog
from hrm.annotate import GENESIS, append, find_log, head_path, log_path, read_log, replay
from hrm.edits import FIELDS, Change, Edit, swallow_object, swallow_onset, value_of
from hrm.errors import AnnotationError, ParameterError, ProvenanceWarning

ROOT = Path(__file__).resolve().parent.parent
SHA = "a" * 64
KEYS = ["seq", "utc", "reader", "object", "field", "old", "new", "reason", "engine", "sha256"]
MARK = Change("landmarks", "les_upper_cm", 41.5, 40.2)
MANY = [
    MARK,
    Change("landmarks", "gastric_reference_mmhg", 7.0, 8.5),
    Change("swallow@31.20", "include", new=False, old=True),
    Change("swallow@31.20", "posture", "upright", "unknown"),
    Change("swallow@62.00", "onset_s", 62.4, 62.001),
    Change("study", "signed_off", new=True),
]


def write(folder, *changes, reader="AB", sha256=SHA, **said):
    log = log_path(sha256, folder)
    append(log, *changes, sha256=sha256, reader=reader, **said)
    return log


@pytest.fixture
def log(tmp_path):
    return write(tmp_path, *MANY)


def lines_of(log):
    return log.read_bytes().split(b"\n")[:-1]


def rewrite(log, lines):
    log.write_bytes(b"".join(line + b"\n" for line in lines))


def chained(*contents):
    """Lines written by another program: spaced JSON, and the chain by its definition."""
    out, before = [], "0" * 64
    for number, content in enumerate(contents, 1):
        line = json.dumps({**EXAMPLE, "seq": number, "prev_hash": before, **content}).encode()
        before = hashlib.sha256(line).hexdigest()
        out.append(line)
    return out


EXAMPLE = {
    "seq": 1,
    "utc": "2026-01-31T09:30:00Z",
    "reader": "AB",
    "object": "landmarks",
    "field": "les_upper_cm",
    "old": 40.2,
    "new": 41.5,
    "reason": "seen lower",
    "engine": "0.1.0",
    "sha256": SHA,
    "prev_hash": GENESIS,
}


# -- what is written ---------------------------------------------------------------------


def test_a_line_holds_what_the_issue_names_in_its_order(log):
    first = json.loads(lines_of(log)[0])
    assert list(first) == [*KEYS, "prev_hash"]
    assert (first["seq"], first["reader"], first["old"], first["new"]) == (1, "AB", 40.2, 41.5)
    assert (first["sha256"], first["prev_hash"]) == (SHA, "0" * 64)
    assert first["utc"].endswith("Z")
    assert log.name == f"{SHA}.review.jsonl"


def test_each_line_holds_the_digest_of_the_bytes_before_it(log):
    lines = lines_of(log)
    for before, line in pairwise(lines):
        assert json.loads(line)["prev_hash"] == hashlib.sha256(before).hexdigest()
    assert read_log(log)[-1].hash == hashlib.sha256(lines[-1]).hexdigest()
    assert head_path(log).read_text() == f"{len(lines)} {hashlib.sha256(lines[-1]).hexdigest()}\n"


def test_what_is_read_is_what_was_written(log):
    edits = read_log(log)
    assert [(e.object, e.field, e.new, e.old) for e in edits] == [
        (c.object, c.field, c.new, c.old) for c in MANY
    ]
    assert [e.line() for e in edits] == lines_of(log)


def test_an_append_leaves_what_is_there(log):
    before = log.read_bytes()
    append(log, MARK, sha256=SHA, reader="CD", reason="again")
    assert log.read_bytes().startswith(before)
    assert [e.reader for e in read_log(log)] == ["AB"] * 6 + ["CD"]


def test_old_is_what_the_log_had_before(log):
    added = append(log, Change("landmarks", "les_upper_cm", 42.0, 40.2), sha256=SHA, reader="AB")
    assert added[0].old == 41.5
    append(log, Change("landmarks", "les_upper_cm", None, 40.2), sha256=SHA, reader="AB")
    again = append(log, Change("landmarks", "les_upper_cm", 43.0, 40.2), sha256=SHA, reader="AB")
    assert again[0].old == 40.2


def test_another_programs_json_is_read(tmp_path):
    log = log_path(SHA, tmp_path)
    rewrite(log, chained({}, {"new": 41, "reason": "Größe"}, {"new": None}))
    with pytest.warns(ProvenanceWarning, match=r"no \.head file"):
        edits = read_log(log)
    assert [e.new for e in edits] == [41.5, 41.0, None]
    assert isinstance(edits[1].new, float)


def test_an_empty_log_has_no_edits(tmp_path):
    log = log_path(SHA, tmp_path)
    log.write_bytes(b"")
    assert read_log(log) == []
    assert replay([]).head_hash == GENESIS


def test_find_log(tmp_path):
    assert find_log(SHA, tmp_path) is None
    with pytest.raises(FileNotFoundError):
        read_log(log_path(SHA, tmp_path))
    log = write(tmp_path, MARK)
    assert find_log(SHA, tmp_path) == log
    log.unlink()
    with pytest.raises(AnnotationError, match="missing"):
        read_log(find_log(SHA, tmp_path))
    with pytest.raises(ParameterError):
        log_path("../DOE_JANE", tmp_path)


# -- tampering ---------------------------------------------------------------------------


def fault(log):
    with pytest.raises(AnnotationError) as raised:
        read_log(log)
    return str(raised.value)


@given(data=st.data())
def test_a_change_of_any_byte_is_noticed(data):
    with tempfile.TemporaryDirectory() as folder:
        log = write(folder, *MANY)
        content = bytearray(log.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        log.write_bytes(bytes(content))
        assert "line" in fault(log)


@given(at=st.integers(0, len(MANY) - 1), how=st.sampled_from(["drop", "twice", "cut", "swap"]))
def test_lines_that_come_or_go_are_noticed(at, how):
    with tempfile.TemporaryDirectory() as folder:
        log = write(folder, *MANY)
        lines = lines_of(log)
        changed = {
            "drop": lines[:at] + lines[at + 1 :],
            "twice": [*lines[: at + 1], *lines[at:]],
            "cut": lines[:at],
            "swap": [lines[at], *lines[:at], *lines[at + 1 :]],
        }[how]
        if changed == lines:
            return
        rewrite(log, changed)
        assert "review log, line" in fault(log)


def test_every_byte_of_the_last_line_counts(log):
    """The chain does not reach the last line; its digest is kept beside the log."""
    *before, last = lines_of(log)
    rewrite(log, [*before, last.replace(b"true", b"null")])
    assert "line 6: the line was changed" in fault(log)
    head_path(log).unlink()
    with pytest.warns(ProvenanceWarning, match=r"no \.head file"):
        assert read_log(log)[-1].new is None


def test_a_changed_line_is_named(log):
    lines = lines_of(log)
    lines[2] = lines[2].replace(b"false", b"true ")
    rewrite(log, lines)
    message = fault(log)
    assert "line 4: prev_hash does not match, line 3 was changed" in message
    assert "copy" in message


@pytest.mark.parametrize("at", [3, 6])
def test_a_torn_last_line_is_said_to_be_one(log, at):
    whole = b"\n".join(lines_of(log)[:at])
    log.write_bytes(whole[:-20])
    assert f"line {at}: the line is incomplete" in fault(log)
    assert "the log was cut" in fault(log), "the head knows that the line was whole"
    head_path(log).unlink()
    assert "delete that last line only" in fault(log)
    log.write_bytes(whole)  # complete but for its end
    assert f"line {at}: the line is incomplete" in fault(log)
    with pytest.raises(AnnotationError, match="incomplete"):
        append(log, MARK, sha256=SHA, reader="AB")


def test_a_line_without_its_head_yet_is_read_and_mended(log):
    """Stopped between the line and the head: nothing is lost."""
    early = head_path(log).read_bytes()
    append(log, MARK, sha256=SHA, reader="AB")
    head_path(log).write_bytes(early)
    assert len(read_log(log)) == 7
    append(log, MARK, sha256=SHA, reader="AB")
    assert head_path(log).read_text().startswith("8 ")


def test_a_damaged_head_is_said_to_be_one(log):
    head_path(log).write_bytes(b"6 DOE JANE\n")
    assert ".head file" in fault(log)
    assert "DOE" not in fault(log)


def test_a_renamed_log_is_of_another_recording(log):
    other = log.with_name(f"{'b' * 64}.review.jsonl")
    other.write_bytes(log.read_bytes())
    assert "another recording" in fault(other)


def test_lines_of_two_recordings_are_refused(tmp_path):
    log = tmp_path / "log.jsonl"
    rewrite(log, chained({}, {"sha256": "b" * 64}))
    assert "line 2: sha256 differs" in fault(log)
    good = write(tmp_path, MARK)
    with pytest.raises(AnnotationError, match="another recording"):
        append(good, MARK, sha256="b" * 64, reader="AB")


# -- rules of one line -------------------------------------------------------------------

BROKEN = {
    "unknown object": ({"object": "esophagus"}, "unknown object"),
    "swallow by number": ({"object": "swallow@3"}, "unknown object"),
    "swallow without onset": ({"object": "swallow"}, "unknown object"),
    "unknown field": ({"field": "les_middle_cm"}, "unknown field of landmarks"),
    "field of another object": ({"object": "study"}, "unknown field of study"),
    "text for a number": ({"new": "41.5"}, "new cannot be used, expected a number"),
    "truth for a number": ({"new": True}, "expected a number"),
    "list": ({"new": [41.5]}, "expected a number"),
    "far away": ({"new": 4150.0}, "from -50 to 150 cm"),
    "beyond every float": ({"new": 10**400}, "from -50 to 150 cm"),
    "old far away": ({"old": -999.0}, "old cannot be used"),
    "posture": ({"object": "swallow@1.00", "field": "posture", "new": "left"}, "supine, upright"),
    "number for a truth": ({"object": "swallow@1.00", "field": "include", "new": 1}, "true, false"),
    "number for a word": ({"object": "swallow@1.00", "field": "protocol", "new": 1}, "single"),
    "pressure": ({"field": "gastric_reference_mmhg", "new": 500.0}, "mmHg"),
    "a name": ({"reader": "Jane Doe"}, "not a name"),
    "one letter": ({"reader": "A"}, "2 to 12"),
    "lower case": ({"reader": "ab"}, "2 to 12"),
    "reader with a line end": ({"reader": "AB\n"}, "2 to 12"),
    "no time": ({"utc": "yesterday"}, "utc must be"),
    "time of a zone": ({"utc": "2026-01-31T09:30:00+01:00"}, "utc must be"),
    "a day that is none": ({"utc": "2026-02-31T09:30:00Z"}, "utc must be"),
    "a long reason": ({"reason": "x" * 1001}, "reason"),
    "a broken character": ({"reason": "\ud800"}, "reason"),
    "reason is a number": ({"reason": 3}, "reason must be a text"),
    "engine": ({"engine": "of Jane Doe"}, "engine"),
    "seq is text": ({"seq": "1"}, "seq must be"),
    "seq is a truth": ({"seq": True}, "seq must be"),
    "seq is wrong": ({"seq": 2}, "expected seq 1"),
    "short digest": ({"sha256": "abc"}, "64 hexadecimal"),
    "no start": ({"prev_hash": "1" * 64}, "start of the log is missing"),
    "another key": ({"name": "Jane Doe"}, "expected the keys"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_broken_line_is_refused_by_its_number(tmp_path, case):
    content, words = BROKEN[case]
    log = tmp_path / "log.jsonl"
    rewrite(log, chained(content))
    message = fault(log)
    assert message.startswith("review log, line 1: ")
    assert words in message
    assert "Jane" not in message


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"3", b"\xff\xfe", b"{" * 100_000, b'{"seq":1,"seq":1}', b'{"new":NaN}'],
)
def test_what_is_no_line_is_refused(tmp_path, line):
    log = tmp_path / "log.jsonl"
    rewrite(log, [*chained({}), line])
    assert fault(log).startswith("review log, line 2: ")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        log.write_bytes(content)
        try:
            assert read_log(log) == []
        except AnnotationError:
            return
        assert content == b""


def test_nothing_is_written_of_a_wrong_edit(tmp_path):
    log = log_path(SHA, tmp_path)
    wrong = [
        {"reader": "Jane Doe"},
        {"reader": "AB", "reason": "x" * 2000},
        {"reader": "AB", "utc": "now"},
    ]
    for said in wrong:
        with pytest.raises(AnnotationError) as raised:
            append(log, MARK, sha256=SHA, **said)
        assert "Jane" not in str(raised.value)
    with pytest.raises(AnnotationError, match="unknown field"):
        append(log, MARK, Change("landmarks", "x", 1.0), sha256=SHA, reader="AB")
    with pytest.raises(AnnotationError, match="no change"):
        append(log, sha256=SHA, reader="AB")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        append(tmp_path / "no" / "log.jsonl", MARK, sha256=SHA, reader="AB")


def test_a_full_disk_leaves_the_log_as_it_was(log, monkeypatch):
    before, real = log.read_bytes(), os.write

    def short(descriptor, data):
        if len(data) > 50:
            return real(descriptor, data[:50])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(annotate.os, "write", short)
    with pytest.raises(OSError, match="space"):
        append(log, Change("study", "signed_off", new=False), sha256=SHA, reader="AB")
    monkeypatch.undo()
    assert log.read_bytes() == before
    assert len(read_log(log)) == len(MANY)


# -- two writers -------------------------------------------------------------------------

WRITER = """
import sys
from hrm.annotate import append
from hrm.edits import Change
log, sha256, reader = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for k in range(25):
    append(log, Change("landmarks", "les_upper_cm", 30.0 + k), sha256=sha256, reader=reader)
print(*(name for name in ("numpy", "xarray", "numba") if name in sys.modules))
"""


def test_two_processes_that_append_at_once_both_survive(tmp_path):
    log = log_path(SHA, tmp_path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(log), SHA, reader],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for reader in ("AB", "CD", "EF")
    ]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 3
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=120) for writer in writers]
    assert said == [("\n", "")] * 3  # and a log needs none of the heavy packages
    edits = read_log(log)
    assert len(edits) == 75
    for reader in ("AB", "CD", "EF"):
        own = [e.new for e in edits if e.reader == reader]
        assert own == [30.0 + k for k in range(25)]
    changes = sum(a.reader != b.reader for a, b in pairwise(edits))
    assert changes >= 2
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".head", ".jsonl"]


# -- replay ------------------------------------------------------------------------------


def test_the_last_edit_of_each_field_counts(log):
    append(log, Change("landmarks", "les_upper_cm", 42.0), sha256=SHA, reader="CD")
    append(log, Change("swallow@31.20", "include", None), sha256=SHA, reader="CD")
    said = replay(read_log(log))
    marks = {e.field: (e.new, e.reader) for e in said.of("landmarks")}
    assert marks == {"les_upper_cm": (42.0, "CD"), "gastric_reference_mmhg": (7.0, "AB")}
    swallows = {(e.object, e.field): e.new for e in said.of("swallow")}
    assert swallows["swallow@31.20", "include"] is None
    assert swallows["swallow@31.20", "posture"] == "upright"
    assert (said.n_edits, said.readers, said.sha256) == (8, ("AB", "CD"), SHA)
    assert said.head_hash == hashlib.sha256(lines_of(log)[-1]).hexdigest()


def test_a_later_edit_takes_the_signature_back(log):
    assert replay(read_log(log)).signed_off
    append(log, MARK, sha256=SHA, reader="AB")
    assert not replay(read_log(log)).signed_off
    append(log, Change("study", "signed_off", new=True), sha256=SHA, reader="AB")
    assert replay(read_log(log)).signed_off
    append(log, Change("study", "signed_off", new=False), sha256=SHA, reader="AB")
    assert not replay(read_log(log)).signed_off


def test_half_a_log_cannot_be_replayed(log):
    edits = read_log(log)
    assert replay(edits[:3]).n_edits == 3
    with pytest.raises(AnnotationError, match="line 1: expected seq 1, found 3"):
        replay(edits[2:])


# -- names and values --------------------------------------------------------------------


def test_swallows_are_named_by_their_onset():
    assert [swallow_object(t) for t in (31.2, 31.204, 0.0, -0.001, -0.1)] == [
        *("swallow@31.20", "swallow@31.20", "swallow@0.00", "swallow@0.00", "swallow@-0.10"),
    ]
    assert swallow_onset("swallow@31.20") == 31.2
    assert swallow_onset("landmarks") is None


@given(st.floats(-10.0, 99_999.0))
def test_every_onset_has_a_name_that_leads_back(onset):
    assert swallow_onset(swallow_object(onset)) == pytest.approx(onset, abs=0.0051)


@pytest.mark.parametrize(
    ("name", "field", "text", "value"),
    [
        ("landmarks", "les_upper_cm", " 41.5 ", 41.5),
        ("landmarks", "les_upper_cm", "automatic", None),
        ("swallow@1.00", "include", "False", False),
        ("swallow@1.00", "posture", "Supine", "supine"),
        ("study", "signed_off", "null", None),
    ],
)
def test_what_is_typed_becomes_a_value(name, field, text, value):
    assert value_of(name, field, text) == value


@pytest.mark.parametrize(
    ("name", "field", "text", "words"),
    [
        ("landmarks", "les_upper_cm", "41,5", "a number from"),
        ("landmarks", "les_upper_cm", "nan", "a number from"),
        ("swallow@1.00", "include", "yes", "true, false or automatic"),
        ("swallow@1.00", "posture", "left", "supine, upright"),
        ("swallow@1.00", "pressure_inversion_point_cm", "1", "unknown field of swallow"),
    ],
)
def test_what_cannot_be_a_value_is_refused(name, field, text, words):
    with pytest.raises(AnnotationError, match=words):
        value_of(name, field, text)


def test_words_and_landmarks_are_those_of_the_contract():
    schema = catalog.result_schema()["$defs"]
    assert set(FIELDS["landmarks"]) == set(schema["landmarks"]["properties"]) - {"status"}
    for posture in schema["swallow"]["properties"]["posture"]["enum"]:
        assert value_of("swallow@1.00", "posture", posture) == posture


def test_an_edit_that_breaks_a_rule_cannot_be_made():
    with pytest.raises(AnnotationError, match="reader"):
        Edit(**{**EXAMPLE, "reader": "jane"})
    with pytest.raises(AnnotationError) as raised:
        Edit(**{**EXAMPLE, "reader": "jane", "new": 999.0, "utc": ""})
    assert all(word in str(raised.value) for word in ("reader", "les_upper_cm", "utc"))
