"""What is kept of a reader's edits: the log, undo, the signature, and what stands against it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import hrm
from hrm.annotate import append, head_path, log_path, read_log, replay
from hrm.edits import Change
from hrm.errors import AnnotationError, ParameterError
from hrm.viewer.journal import NOBODY
from hrm.viewer.session import Session


def log_of(session):
    return session.journal.place.path


def les(session, by):
    at = session.live.automatic.record.landmarks["les_upper_cm"]
    return {"object": "landmarks", "field": "les_upper_cm", "new": round(at + by, 2)}


def test_a_draft_is_not_kept_and_a_commit_is(session):
    session.edit([les(session, 0.3)], commit=False)
    assert not log_of(session).exists()
    session.edit([{**les(session, 0.4), "reason": "tone above"}], commit=True)
    (edit,) = read_log(log_of(session))
    assert (edit.reader, edit.field, edit.reason) == ("AB", "les_upper_cm", "tone above")
    assert edit.new == les(session, 0.4)["new"]
    assert edit.old == session.live.automatic.record.landmarks["les_upper_cm"]


def test_the_log_is_what_analyze_replays(session, opened):
    session.edit([les(session, 0.4)], commit=True)
    again = hrm.analyze(
        opened().recording, system="manoscan", posture="supine", review=log_of(session)
    )
    assert hrm.to_dict(again) == session._result
    assert Session(opened())._result == session._result


def test_undo_and_redo_are_further_lines(session):
    first = session._result
    session.edit([les(session, 0.4)], commit=True)
    moved = session._result
    session.edit([les(session, 0.8)], commit=True)
    assert session.act("undo", {})["can"] == {"undo": True, "redo": True}
    assert session._result["swallows"] == moved["swallows"]
    session.act("undo", {})
    assert session._result["swallows"] == first["swallows"]
    assert session._result["landmarks"] == first["landmarks"]
    session.act("redo", {})
    assert session._result["swallows"] == moved["swallows"]
    values = [edit.new for edit in read_log(log_of(session))]
    a, b = les(session, 0.4)["new"], les(session, 0.8)["new"]
    assert values == [a, b, a, None, a]
    session.edit([les(session, -0.2)], commit=True)
    with pytest.raises(AnnotationError, match="nothing to do again"):
        session.act("redo", {})


def test_what_was_done_on_an_earlier_day_can_be_undone(session, opened):
    automatic = session._result
    session.edit([les(session, 0.4)], commit=True)
    once = session._result
    session.edit([les(session, 0.8)], commit=True)
    session.act("undo", {})
    again = Session(opened())
    assert again.journal.can == {"undo": True, "redo": True}
    again.act("redo", {})
    assert again._result["landmarks"]["les_upper_cm"] == les(session, 0.8)["new"]
    again.act("undo", {})
    assert again._result["swallows"] == once["swallows"]
    again.act("undo", {})
    assert again._result["swallows"] == automatic["swallows"]
    assert again.journal.can == {"undo": False, "redo": True}


def test_what_somebody_else_changed_after_is_not_undone(session, opened):
    session.edit([les(session, 0.4)], commit=True)
    own = {"object": "landmarks", "field": "transition_zone_cm", "new": 13.0, "reason": "trough"}
    session.edit([own], commit=True)
    other = Change("landmarks", "les_upper_cm", les(session, 0.6)["new"])
    append(log_of(session), other, sha256=session.journal.place.sha256, reader="CD", reason="")
    again = Session(opened())
    again.act("undo", {})
    assert again._result["landmarks"]["les_upper_cm"] == other.new
    assert not again.journal.can["undo"]


def test_nothing_to_undo_is_said(session):
    with pytest.raises(AnnotationError, match="nothing to undo"):
        session.act("undo", {})


def test_several_edits_are_one_step(session):
    key = session._now.record.swallows[0].object
    excluded = {"object": key, "field": "include", "new": False, "reason": "double swallow"}
    session.edit([les(session, 0.4), excluded], commit=True)
    assert not session._result["swallows"][0]["evaluable"]
    session.act("undo", {})
    assert session._result["swallows"][0]["evaluable"]
    assert session.journal.can == {"undo": False, "redo": True}


def test_an_edit_that_does_not_fit_writes_nothing(session):
    with pytest.raises(AnnotationError, match="has to be less"):
        session.edit([les(session, 5.0)], commit=True)
    with pytest.raises(AnnotationError, match="reaches from"):
        session.edit([les(session, 90.0)], commit=True)
    with pytest.raises(AnnotationError, match="unknown field"):
        session.edit([{"object": "landmarks", "field": "nose_cm", "new": 1.0}], commit=True)
    assert not log_of(session).exists()
    assert session.journal.can == {"undo": False, "redo": False}


@pytest.mark.parametrize("rows", [[], "x", [1], [{}], [{"object": "landmarks"}], [None] * 101])
def test_what_is_no_edit_is_refused(session, rows):
    with pytest.raises(AnnotationError):
        session.edit(rows, commit=True)


def test_a_page_cannot_sign_by_an_edit(session):
    with pytest.raises(AnnotationError, match="own action"):
        session.edit([{"object": "study", "field": "signed_off", "new": True}], commit=True)


def test_a_signed_study_is_locked_until_it_is_reopened(session, opened):
    session.edit([les(session, 0.4)], commit=True)
    assert session.act("sign_off", {})["locked"]
    assert session._result["review"]["signed_off"]
    assert session.journal.can == {"undo": False, "redo": False}
    for refused in (
        lambda: session.edit([les(session, 0.5)], commit=True),
        lambda: session.edit([les(session, 0.5)], commit=False),
        lambda: session.act("undo", {}),
    ):
        with pytest.raises(AnnotationError, match="signed off"):
            refused()
    later = Session(opened())
    assert later.study()["locked"]
    assert not later.act("reopen", {"reason": "second look"})["locked"]
    later.edit([les(session, 0.5)], commit=True)
    edits = read_log(log_of(session))
    assert [edit.field for edit in edits] == [
        *("les_upper_cm", "signed_off", "signed_off", "les_upper_cm"),
    ]
    assert edits[2].reason == "second look"
    assert not replay(edits).signed_off


def test_a_signature_of_somebody_else_meanwhile_counts(session):
    session.edit([les(session, 0.4)], commit=True)
    said = {"sha256": session.journal.place.sha256, "reader": "CD"}
    append(log_of(session), Change("study", "signed_off", new=True, old=False), **said)
    with pytest.raises(AnnotationError, match="signed off"):
        session.edit([les(session, 0.5)], commit=True)
    assert len(read_log(log_of(session))) == 2


def test_edits_of_somebody_else_meanwhile_are_shown_and_said(session):
    said = {"sha256": session.journal.place.sha256, "reader": "CD"}
    append(log_of(session), Change("landmarks", "les_lower_cm", 32.0, None), **said)
    out = session.edit([les(session, 0.4)], commit=True)
    assert "Somebody else" in out["notice"]
    assert session._result["landmarks"]["les_lower_cm"] == 32.0
    assert session._result["review"]["readers"] == ["CD", "AB"]


def test_without_a_code_nothing_is_kept(opened, tmp_path):
    session = Session(opened(reader=""))
    assert session.study()["reader"] is None
    session.edit([les(session, 0.4)], commit=True)
    assert session._result["review"]["readers"] == [NOBODY]
    session.act("undo", {})
    with pytest.raises(AnnotationError, match="--reviewer"):
        session.act("sign_off", {})
    assert [path.name for path in tmp_path.iterdir()] == ["study.txt"]


def test_an_own_log_sees_no_other(opened, session):
    session.edit([les(session, 0.4)], commit=True)
    own = Session(opened(reader="EF", own=True))
    assert own._result["review"] is None
    own.edit([les(own, -0.3)], commit=True)
    assert own.journal.place.path.name.endswith(".EF.review.jsonl")
    assert len(read_log(own.journal.place.path)) == 1


def test_a_damaged_log_opens_the_automatic_result_and_keeps_nothing(session, opened):
    session.edit([les(session, 0.4)], commit=True)
    log = log_of(session)
    log.write_bytes(log.read_bytes().replace(b'"AB"', b'"AC"'))
    before = log.read_bytes()
    later = Session(opened())
    assert any("review log cannot be used" in text for text in later.problems)
    assert later.study()["reader"] is None
    later.edit([les(session, 0.5)], commit=True)
    assert log.read_bytes() == before


def test_half_a_line_of_a_killed_writer_is_said(session, opened):
    session.edit([les(session, 0.4)], commit=True)
    log = log_of(session)
    with log.open("ab") as end:
        end.write(b'{"seq":2,"utc"')
    assert any("incomplete" in text for text in Session(opened()).problems)


def test_a_log_that_does_not_fit_the_recording_is_said(opened, tmp_path):
    made = opened()
    said = {"sha256": made.place.sha256, "reader": "AB"}
    append(log_path(made.place.sha256, tmp_path), Change("landmarks", "les_upper_cm", 99.0), **said)
    session = Session(made)
    assert any("does not fit" in text for text in session.problems)
    assert session._result["review"] is None


def test_a_recording_that_changed_on_the_disk_takes_no_edit(session):
    session._opened.file.write_text("something else")
    with pytest.raises(AnnotationError, match="changed or removed"):
        session.edit([les(session, 0.4)], commit=True)
    session._opened.file.unlink()
    with pytest.raises(AnnotationError, match="changed or removed"):
        session.act("sign_off", {})
    assert not log_of(session).exists()


def test_a_folder_that_cannot_be_written_leaves_the_study_as_it_was(session, tmp_path):
    before = session._result
    log_of(session).mkdir()
    with pytest.raises(OSError, match="directory"):
        session.edit([les(session, 0.4)], commit=True)
    assert session._result == before
    assert session.journal.edits is None
    shutil.rmtree(log_of(session))
    session.edit([les(session, 0.4)], commit=True)
    assert head_path(log_of(session)).exists()


def test_a_folder_that_is_read_only_is_said_before_the_first_edit(opened):
    # Nobody can make a file in /proc, not even root, whatever its rights say.
    made = opened()
    session = Session(replace(made, place=replace(made.place, folder=Path("/proc"))))
    study = session.study()
    assert study["reader"] is None
    assert any("--review-dir" in text for text in study["problems"])
    session.edit([les(session, 0.4)], commit=True)
    with pytest.raises(AnnotationError, match="nothing is kept"):
        session.act("sign_off", {})


def test_unknown_actions_and_settings_are_refused(session):
    with pytest.raises(ParameterError, match="unknown action"):
        session.act("drop", {})
    for wrong in (
        {"posture": "prone"},
        {"system": "nobody"},
        {"system": 3},
        {"irp_limit": -1},
        {"irp_limit": [1]},
        {"irp_limit": True},
    ):
        with pytest.raises((ParameterError, AnnotationError)):
            session.act("settings", wrong)
