"""What is said while a batch runs."""

import io
import json
from types import SimpleNamespace

from hrm.batch import Input, Settings
from hrm.batch.plan import Planned
from hrm.batch.progress import Bar, JsonLog, Lines, Several, in_words
from hrm.store.ledger import Attempted, Failed
from tests.batch.conftest import PLANT
from tests.store.test_ledger import attempt, key

GOOD = attempt()
BAD = Attempted(key(), Failed("damaged", "expected numbers", "export it again"), (), 0.25)
STATES = {"done": 2, "new": 2}


def planned(number, row=None):
    given = Input(f"/{PLANT}/a.txt", row)
    return Planned(given, Settings(), 1, 2, None, "new", number=number)


def tell(progress):
    progress.planned(STATES, 2)
    progress.measured(planned(7), GOOD)
    progress.measured(planned(8, row=4), BAD)
    progress.measured(planned(9), BAD)


def test_states_in_words():
    assert in_words({"failed": 1, "done": 2, "quarantined": 0}) == "2 done before, 1 failed before"


def test_plain_lines_name_no_path():
    stream = io.StringIO()
    tell(Lines(stream))
    text = stream.getvalue()
    assert "hrm: 4 inputs: 2 done before, 2 new; 2 to measure" in text
    assert "hrm: manifest row 4: damaged: expected numbers" in text
    assert "hrm: input 9: damaged: expected numbers" in text
    assert "2 of 2, 1 failed" in text
    assert PLANT not in text


def test_the_json_log_is_one_object_a_line(tmp_path):
    path = tmp_path / "log.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        tell(Several([JsonLog(stream)]))
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(event.pop("time").endswith("+00:00") for event in events)
    bad = {
        "event": "measured", "seconds": 0.25, "status": "failed", "cause": "damaged",
        "message": "expected numbers",
    }  # fmt: skip
    assert events == [
        {"event": "planned", "states": STATES, "to_do": 2},
        {
            "event": "measured", "input": 7, "manifest_row": None, "seconds": 0.5, "status": "ok",
            "study_id": "P01",
        },
        {**bad, "input": 8, "manifest_row": 4},
        {**bad, "input": 9, "manifest_row": None},
    ]  # fmt: skip


def test_the_bar_counts_and_shows_the_users_own_path(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with Bar() as bar:
        bar._bar.console.file = io.StringIO()
        tell(bar)
        (task,) = bar._bar.tasks
        assert (task.completed, task.total) == (3, 2)
        assert task.fields["failed"] == "2 failed"
        text = bar._bar.console.file.getvalue()
    assert f"/{PLANT}/a.txt: damaged: expected numbers" in text


def test_a_member_is_part_of_the_name():
    given = Planned(Input("a.zip"), Settings(member="x.txt"), 1, 2, None, "new")
    assert given.name == "a.zip!x.txt"
    assert SimpleNamespace(**given.registered()).path == "a.zip!x.txt"
