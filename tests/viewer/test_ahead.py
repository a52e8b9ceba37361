"""What is measured ahead of the hand is what the hand is told when it gets there."""

import asyncio
import json

import pytest

from hrm.edits import Change
from hrm.errors import AnnotationError
from hrm.viewer.ahead import GRAIN_CM, Ahead
from hrm.viewer.live_line import Line

from .test_live import opened, study


@pytest.fixture(scope="module")
def recording():
    return study()


def expected(*changes, waits=False):
    """Places that are measured after the last of some drafts; after each, if the hand waits."""
    ahead, found = Ahead(), []

    def measure(asked):
        found.append(asked[0].new)
        yield from (None, None)

    for change in changes:
        found.clear()
        ahead.expect([change], measure)
        while (waits or change is changes[-1]) and ahead.step():
            pass
    return list(found)


def border(cm, field="les_upper_cm"):
    return Change("landmarks", field, cm)


def test_the_next_places_lie_on_the_way_of_the_hand():
    assert expected(border(30.0)) == [30.1, 29.9, 30.2, 29.8, 30.3, 29.7, 30.4, 29.6]
    assert expected(border(30.0), border(30.1)) == [30.2, 30.3, 30.4, 30.5]
    # As far again as it came, and then one after the other.
    assert expected(border(30.0), border(30.3)) == [30.6, 30.4, 30.5, 30.7]
    assert expected(border(30.0), border(29.2)) == [28.4, 29.1, 29.0, 28.9, 28.8]
    assert len(expected(border(30.0), border(30.0))) == 8
    # Nothing twice, and not where the hand was.
    assert expected(border(30.0), border(30.1), waits=True) == [30.5]
    assert expected(border(30.0), border(30.4), border(30.2), waits=True) == []
    assert expected(border(30.0), border(30.2), border(30.1)) == [29.9, 29.8, 29.7]
    # Another border was under the hand before.
    assert len(expected(border(20.0, "ues_lower_cm"), border(30.0))) == 8


@pytest.mark.parametrize(
    "change",
    [
        Change("swallow@50.00", "les_upper_cm", 30.0),  # one swallow, which takes no time
        Change("landmarks", "gastric_reference_mmhg", 5.0),
        border(None),
        border("deep"),
        border(float("nan")),
    ],
)
def test_of_anything_else_nothing_is_measured_ahead(change):
    assert expected(change) == []


def test_several_changes_at_once_are_no_way_to_anywhere():
    ahead = Ahead()
    ahead.expect([border(30.0), border(33.0, "les_lower_cm")], lambda _: iter([None]))
    assert not ahead.step()


def test_before_the_first_draft_the_place_itself_is_measured_too():
    ahead, found = Ahead(), []

    def measure(asked):
        found.append(asked[0].new)
        yield

    ahead.expect([border(30.0)], measure, measured=False)
    while ahead.step():
        pass
    assert found == [30.0, 30.1, 29.9, 30.2, 29.8, 30.3, 29.7, 30.4, 29.6]


def test_a_place_that_cannot_be_is_left_out_quietly():
    ahead = Ahead()

    def measure(_):
        raise AnnotationError("below the stomach")
        yield

    ahead.expect([border(30.0)], measure)
    assert not ahead.step()


def at(session, cm):
    edit = {"object": "landmarks", "field": "les_upper_cm", "new": cm}
    out = session.edit([edit], commit=False, quick=True)
    del out["result"]["review"]  # it names the second of the draft
    return out


def test_a_handle_that_the_hand_is_at_is_measured_for_and_nothing_shown(recording):
    session = opened(recording, system="manoscan", posture="supine")
    before = session.study()
    start = round(session._result["landmarks"]["les_upper_cm"], 1)
    edit = {"object": "landmarks", "field": "les_upper_cm", "new": start}
    assert session.near([edit]) == {"draft": True}
    steps = 0
    while session.ahead()["more"]:
        steps += 1
    assert steps == 9 * len(session._now.record.swallows)
    assert session.study() == before
    assert session.near([]) == session.near("x") == {"draft": True}
    assert not session.ahead()["more"]


def test_a_fault_of_what_nobody_asked_for_stops_no_answer():
    said = []

    async def work(function):
        raise RuntimeError("of a kernel")

    async def talk():
        coming = asyncio.Queue()
        coming.put_nowait(json.dumps({"seq": 0, "type": "near", "edits": []}))
        coming.put_nowait(json.dumps({"seq": 1, "type": "undo"}))

        async def send(text):
            said.append(json.loads(text))

        running = asyncio.create_task(Line(coming.get, send, work).run())
        while not said:
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(talk(), 30))
    assert said[0]["seq"] == 1
    assert said[0]["type"] == "error"


def test_what_was_measured_ahead_is_what_is_measured_there(recording, monkeypatch):
    session = opened(recording, system="manoscan", posture="supine")
    start = round(session._result["landmarks"]["les_upper_cm"], 1)
    places = [round(start - GRAIN_CM * k, 2) for k in range(6)]
    at(session, places[0])
    at(session, places[1])
    swallows = len(session._now.record.swallows)
    steps = 0
    while session.ahead()["more"]:
        steps += 1
    assert steps == 4 * swallows
    before = [row["onset_s"] for row in session._result["swallows"]]
    # Nothing of it was shown or kept.
    assert [row["onset_s"] for row in session.study()["result"]["swallows"]] == before

    def measured_again(*_, **__):
        raise AssertionError("this was measured ahead")

    with monkeypatch.context() as patch:
        patch.setattr("hrm.viewer.live.see_one", measured_again)
        ahead = [at(session, cm) for cm in places[2:]]
        with pytest.raises(AssertionError, match="measured ahead"):
            at(session, round(places[-1] - GRAIN_CM, 2))
    other = opened(recording, system="manoscan", posture="supine")
    other.study()
    at(other, places[1])
    assert [at(other, cm) for cm in places[2:]] == ahead


def test_a_message_does_not_wait_for_what_is_measured_ahead(recording):
    """The next draft is answered after one swallow more at the most, and the rest in full."""
    session = opened(recording, system="manoscan", posture="supine")
    les = round(session._result["landmarks"]["les_upper_cm"], 1)
    done, said = [], []

    async def work(function):
        out = function(session)
        done.append("ahead" if "more" in out else out["result"]["landmarks"]["les_upper_cm"])
        await asyncio.sleep(0)
        return out

    async def talk():
        coming = asyncio.Queue()

        def draft(seq, cm):
            edit = {"object": "landmarks", "field": "les_upper_cm", "new": cm}
            coming.put_nowait(
                json.dumps({"seq": seq, "type": "edit", "commit": False, "edits": [edit]})
            )

        async def send(text):
            said.append(json.loads(text))

        running = asyncio.create_task(Line(coming.get, send, work).run())
        draft(1, les)
        while done.count("ahead") < 2:
            await asyncio.sleep(0.001)
        draft(2, les - 0.5)
        while not (said and said[-1].get("settled")):
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(talk(), 60))
    assert [(each["seq"], each["settled"]) for each in said] == [(1, False), (2, False), (2, True)]
    second = done.index(les - 0.5)
    assert done[0] == les
    assert set(done[1:second]) == {"ahead"}
    assert len(done[1:second]) <= 4
    assert "ahead" in done[second + 1 : -1]
