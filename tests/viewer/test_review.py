"""What a reader says beside the numbers, and what stands against a review that is not sound."""

import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

import hrm
from hrm.annotate import head_path, read_log
from hrm.cli.main import main
from hrm.errors import AnnotationError
from hrm.viewer.mask import Mask
from hrm.viewer.session import Session

REMARK = "two swallows in a row, see the pharynx"


def log_of(session):
    return session.journal.place.path


def les(session, by):
    at = session.live.automatic.record.landmarks["les_upper_cm"]
    return {"object": "landmarks", "field": "les_upper_cm", "new": round(at + by, 2)}


def comment(name, text):
    return {"object": name, "field": "comment", "new": text}


def test_comments_are_in_the_log_and_nowhere_in_the_result(session, opened):
    first = session._result
    key = session._now.record.swallows[0].object
    session.edit([comment("study", "catheter slipped")], commit=True)
    said = session.edit([comment(key, REMARK)], commit=True)["comments"]
    assert said == {
        "study": {"text": "catheter slipped", "reader": "AB"},
        key: {"text": REMARK, "reader": "AB"},
    }
    assert Session(opened()).study()["comments"] == said
    assert [edit.new for edit in read_log(log_of(session))] == ["catheter slipped", REMARK]
    assert session._result["review"].pop("n_edits") == 2
    assert REMARK not in json.dumps(session._result)
    assert session._result["swallows"] == first["swallows"]
    assert session._result["review"]["applied"] == []
    session.act("undo", {})
    assert session.edit([comment("study", None)], commit=True)["comments"] == {}


def test_a_signature_shows_no_comment_in_the_result(session):
    session.edit([comment("study", REMARK)], commit=True)
    session.act("sign_off", {})
    assert [row["field"] for row in session._result["review"]["applied"]] == ["signed_off"]
    with pytest.raises(AnnotationError, match="signed off"):
        session.edit([comment("study", "more")], commit=True)


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001, 7, True, "a\0b"])
def test_what_is_no_comment_is_refused_without_quoting_it(session, text):
    with pytest.raises(AnnotationError, match="expected a text of at most 1000") as caught:
        session.edit([comment("study", text)], commit=True)
    assert "xxx" not in str(caught.value)
    assert not log_of(session).exists()


def test_a_comment_needs_its_swallow(session):
    with pytest.raises(AnnotationError, match="no swallow"):
        session.edit([comment("swallow@9999.00", REMARK)], commit=True)


def test_a_signed_study_is_reopened_with_a_reason_and_signed_as_a_new_version(session):
    assert session.act("sign_off", {})["signatures"] == 1
    for said in ({}, {"reason": "  "}):
        with pytest.raises(AnnotationError, match="say why"):
            session.act("reopen", said)
    session.act("reopen", {"reason": "the border was read at the crus"})
    assert session.act("sign_off", {})["signatures"] == 2
    reasons = [edit.reason for edit in read_log(log_of(session))]
    assert reasons == ["sign off", "the border was read at the crus", "sign off"]


def test_the_automatic_result_lies_beside_the_reviewed_one(session):
    assert not any(row["differs"] for row in session.readings()["rows"])
    session.edit([les(session, 0.5)], commit=True)
    found = session.readings()
    assert found["sides"] == ["automatic", "reviewed"]
    (row,) = [row for row in found["rows"] if row["what"] == "les_upper_cm"]
    assert row["differs"]
    assert row["values"][1] == round(les(session, 0.5)["new"], 1)


# --- A log that is not sound, and a recording that changed ---------------------------


def audit(folder):
    return CliRunner().invoke(main, ["audit", str(folder)])


def test_a_corrupt_log_is_kept_aside_and_a_new_one_begins(session, opened, tmp_path):
    session.edit([les(session, 0.4)], commit=True)
    session.edit([les(session, 0.6)], commit=True)
    log = log_of(session)
    broken = log.read_bytes().replace(b'"AB"', b'"AC"', 1)
    log.write_bytes(broken)
    head = head_path(log).read_bytes()
    later = Session(opened())
    assert later.study()["broken_log"]
    assert later.study()["reader"] is None
    now = later.act("set_aside", {})
    assert now["result"]["review"] is None
    study = later.study()
    assert (study["reader"], study["broken_log"], study["problems"]) == ("AB", False, [])
    (kept,) = tmp_path.glob("*.aside-1.review.jsonl")
    assert kept.read_bytes() == broken
    assert head_path(kept).read_bytes() == head
    later.edit([les(later, 0.2)], commit=True)
    assert len(read_log(log)) == 1
    told = audit(tmp_path)
    assert told.exit_code == 3
    assert "KEPT ASIDE" in told.output
    assert "1 of 1 logs intact, 1 kept aside" in told.output
    # What is kept aside is no reading, and a second one takes the next name.
    log.write_bytes(b"nonsense\n")
    again = Session(opened())
    again.act("set_aside", {})
    assert len(list(tmp_path.glob("*.aside-2.review.jsonl"))) == 1
    assert kept.read_bytes() == broken


def test_whole_lines_before_an_unfinished_one_go_on(session, opened, tmp_path):
    session.edit([les(session, 0.4)], commit=True)
    log = log_of(session)
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"seq":2,"utc"')
    later = Session(opened())
    later.act("set_aside", {})
    assert log.read_bytes() == whole
    assert later._result["landmarks"]["les_upper_cm"] == les(session, 0.4)["new"]
    (kept,) = tmp_path.glob("*.aside-1.review.jsonl")
    assert kept.read_bytes() == whole + b'{"seq":2,"utc"'
    told = audit(tmp_path)
    assert told.exit_code == 0, told.output
    assert "go on in the log" in told.output


def test_lines_that_are_not_sound_do_not_go_on(session, opened, tmp_path):
    session.edit([les(session, 0.4)], commit=True)
    log = log_of(session)
    log.write_bytes(log.read_bytes().replace(b'"AB"', b'"AC"') + b'{"seq":2,"utc"')
    later = Session(opened())
    later.act("set_aside", {})
    assert not log.exists()
    assert later.study()["reader"] == "AB"


def test_a_sound_log_is_not_set_aside(session):
    session.edit([les(session, 0.4)], commit=True)
    with pytest.raises(AnnotationError, match="sound"):
        session.act("set_aside", {})
    assert log_of(session).exists()


def test_a_recording_that_changed_since_its_review_takes_no_edit(session, opened, tmp_path):
    session.edit([les(session, 0.4)], commit=True)
    made = opened()
    text = made.file.read_bytes()
    # A sample is another one.
    made.file.write_bytes(text.replace(b"7.", b"8.", 1))
    changed = hrm.open_recording(made.file)
    place = opened().place
    later = Session(
        type(made)(
            made.file,
            changed,
            made.options,
            type(place)(tmp_path, changed.attrs["source_sha256"], "AB"),
        )
    )
    study = later.study()
    assert study["reader"] is None
    assert any("changed since it was reviewed" in text for text in study["problems"])
    later.edit([les(later, 0.4)], commit=True)
    assert [path.name for path in tmp_path.glob("*.jsonl")] == [log_of(session).name]
    # The file of that time opens as before, and so does another recording under its own name.
    made.file.write_bytes(text)
    assert Session(opened()).study()["reader"] == "AB"
    other = tmp_path / "other.txt"
    shutil.copyfile(made.file, other)
    assert Session(type(made)(other, changed, made.options, later._opened.place)).study()["reader"]


def test_what_is_remembered_of_a_file_does_not_name_it(session, tmp_path):
    session.edit([les(session, 0.4)], commit=True)
    (known,) = tmp_path.glob("*.review.json")
    assert known.name == f"{session.journal.place.sha256}.review.json"
    (key,) = json.loads(known.read_text())["files"]
    assert len(key) == 128
    assert "study" not in key


# --- Two windows ---------------------------------------------------------------------


def test_two_windows_of_one_session_show_the_same(served):
    study = served.get("/api/study", timeout=60).json()
    at = study["result"]["landmarks"]["les_upper_cm"]

    def window():
        cookie = f"{served.gate.cookie_name}={served.gate.cookie}"
        url = f"ws://{served.host}/api/live"
        return connect(url, origin=served.url, additional_headers={"Cookie": cookie}, proxy=None)

    def change(line, seq, new):
        edit = {"object": "landmarks", "field": "les_upper_cm", "new": new}
        line.send(json.dumps({"seq": seq, "type": "edit", "commit": True, "edits": [edit]}))

    with window() as one, window() as other:
        change(one, 1, round(at + 0.5, 2))
        answer = json.loads(one.recv(timeout=60))
        heard, notice = (json.loads(other.recv(timeout=60)) for _ in range(2))
        assert (heard["seq"], heard["type"], heard["draft"]) == (0, "result", False)
        assert notice["type"] == "notice"
        assert heard["result"]["swallows"] == answer["result"]["swallows"]
        assert heard["can"]["undo"]
        # The second goes on from there, and the first hears of it.
        change(other, 1, round(at + 0.9, 2))
        changed = json.loads(other.recv(timeout=60))["result"]["swallows_changed"]
        heard = json.loads(one.recv(timeout=60))
        by_id = {row["id"]: row for row in heard["result"]["swallows"]}
        assert changed
        assert all(by_id[row["id"]] == row for row in changed)
    edits = read_log(log_of(served.viewer._session.result()))
    assert [edit.new for edit in edits] == [round(at + 0.5, 2), round(at + 0.9, 2)]


def test_the_command_line_takes_a_comment_and_tells_it(opened, tmp_path):
    file = opened().file
    said = ["--reader", "AB", "--reason", "for the meeting"]
    asked = ["--set", "study.comment=Catheter slipped", "--set", "swallow.1.comment=cough", *said]
    done = CliRunner().invoke(main, ["review", str(file), *asked])
    assert done.exit_code == 0, done.output
    comments = Session(opened()).study()["comments"]
    assert sorted(each["text"] for each in comments.values()) == ["Catheter slipped", "cough"]
    told = CliRunner().invoke(main, ["review", str(file), "--list"]).output
    assert "study.comment automatic -> Catheter slipped" in told
    table = tmp_path / "audit.csv"
    assert CliRunner().invoke(main, ["audit", str(tmp_path), "--csv", str(table)]).exit_code == 0
    assert table.read_text().count("comment") == 2
    taken = ["--set", "study.comment=automatic", *said]
    assert CliRunner().invoke(main, ["review", str(file), *taken]).exit_code == 0
    assert len(Session(opened()).study()["comments"]) == 1


def test_a_hidden_diagnosis_is_hidden_beside_the_reading_too(opened):
    session = Session(replace(opened(), mask=Mask(no_diagnosis=True)))
    rows = {row["what"]: row for row in session.readings()["rows"] if row["swallow"] is None}
    assert rows["diagnosis_ccv4"]["values"] == ["hidden", "hidden"]
    assert rows["diagnosis_ccv3"]["values"] == ["hidden", "hidden"]
    assert rows["les_upper_cm"]["values"][0] is not None
