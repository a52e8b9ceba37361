"""What events say of the swallows: words, blocks of a test, and postures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm import catalog
from hrm.detect.events import (
    Told,
    event_warnings,
    meaning,
    posture_told,
    protocols_told,
    read_events,
)
from hrm.io.identity import is_protocol_text
from hrm.schema import POSTURES, PROTOCOLS, make_recording
from tests.detect.signals import PARAMETERS


@pytest.mark.parametrize(
    ("note", "known"),
    [
        ("MRS", "mrs"),
        ("mrs #2", "mrs"),
        ("Multiple rapid swallows 1", "mrs"),
        ("Rapid swallows", "mrs"),
        ("RDC", "rdc"),
        ("200 ml rapid drink", "rdc"),
        ("Rapid Drinking Challenge", "rdc"),
        ("solid swallow 3", "solid"),
        ("Upright", "upright"),
        ("sitting", "upright"),
        ("SUPINE", "supine"),
        ("left lateral", "unknown"),
        ("Wet swallow10", "other"),
        ("Leg Wet swallow1", "other"),
        ("cough", None),
        ("", None),
        ("mrs was not possible", None),
        ("MRS 123", None),
    ],
)
def test_the_meaning_of_a_text(note, known):
    assert meaning(note) == known


def test_every_word_has_a_meaning_that_the_contract_knows():
    words = catalog.event_words()
    assert set(words.values()) <= {*PROTOCOLS, *POSTURES, "other"}
    assert all(text == " ".join(text.casefold().split()) for text in words)


def test_what_readers_keep_without_identity_is_understood():
    """Readers keep only a fixed vocabulary: of tests and postures none of it is lost on us."""
    for text in ("MRS 1", "100 ml RDC", "rapid drinking challenge", "bread 2", "standing"):
        assert is_protocol_text(text)
        assert meaning(text) is not None


def told(*rows):
    return [Told(start, stop, word) for start, stop, word in rows]


def protocols(rows, onsets):
    return protocols_told(told(*rows), onsets, PARAMETERS)


def test_an_event_with_a_duration_covers_it():
    seen = protocols([(10.0, 18.0, "rdc")], [7.9, 8.1, 10.0, 14.0, 19.9, 20.1])
    assert seen == ["unknown", "rdc", "rdc", "rdc", "rdc", "unknown"]


def test_an_instant_event_starts_a_run_that_a_pause_ends():
    seen = protocols([(10.0, 10.0, "mrs")], [2.0, 11.0, 13.5, 16.0, 26.1, 28.0])
    assert seen == ["unknown", "mrs", "mrs", "mrs", "unknown", "unknown"]


def test_an_instant_event_without_a_swallow_soon_says_nothing():
    assert protocols([(10.0, 10.0, "mrs")], [20.1, 22.0]) == ["unknown"] * 2
    assert protocols([(10.0, 10.0, "mrs")], [19.9, 22.0]) == ["mrs"] * 2


@pytest.mark.parametrize("word", ["other", "upright", "rdc"])
def test_the_next_event_ends_the_run(word):
    seen = protocols([(10.0, 10.0, "mrs"), (16.0, 16.0, word)], [11.0, 13.0, 17.0])
    assert seen == ["mrs", "mrs", word if word == "rdc" else "unknown"]


def test_an_event_for_each_swallow_of_a_test():
    rows = [(at - 0.1, at - 0.1, "mrs") for at in (10.0, 12.0, 14.5, 17.0)]
    assert protocols(rows, [10.0, 12.0, 14.5, 17.0, 40.0]) == ["mrs"] * 4 + ["unknown"]


@given(
    onsets=st.lists(st.floats(0, 300), max_size=12).map(sorted),
    rows=st.lists(
        st.tuples(
            st.floats(0, 300), st.floats(0, 20), st.sampled_from(["mrs", "rdc", "upright", "other"])
        ),
        max_size=5,
    ),
)
@settings(max_examples=60)
def test_a_test_has_no_swallow_that_no_event_of_it_reaches(onsets, rows):
    rows = sorted((start, start + length, word) for start, length, word in rows)
    for at, seen in zip(onsets, protocols(rows, onsets), strict=True):
        if seen != "unknown":
            assert any(word == seen and start - 2.0 <= at for start, _, word in rows)
        else:
            assert not any(
                word in ("mrs", "rdc") and start < stop and start - 2.0 <= at <= stop + 2.0
                for start, stop, word in rows
            )


def test_a_posture_holds_until_the_next():
    rows = told((5.0, 5.0, "supine"), (100.0, 100.0, "upright"), (200.0, 200.0, "unknown"))
    seen = [posture_told(rows, at, PARAMETERS) for at in (2.9, 3.1, 97.9, 98.1, 199.0)]
    assert seen == ["", "supine", "supine", "upright", "unknown"]


def test_a_posture_with_a_duration_holds_while_it_lasts():
    rows = told((5.0, 5.0, "supine"), (100.0, 200.0, "upright"))
    seen = [posture_told(rows, at, PARAMETERS) for at in (50.0, 150.0, 203.0)]
    assert seen == ["supine", "upright", "supine"]


def test_events_are_read_from_the_recording():
    import numpy as np

    events = [
        {"onset": 8.0, "label": "marker"},
        {"onset": 5.0, "duration": 4.0, "label": "protocol", "note": "RDC"},
        {"onset": 1.0, "label": "annotation", "note": "sitting"},
        {"onset": 2.0, "label": "annotation", "note": "hiccup"},
    ]
    made = make_recording(np.zeros((200, 3)), sampling_rate=20.0, depth=[0, 1, 2], events=events)
    seen = read_events(made["events"].to_dataset())
    assert seen == told((1.0, 1.0, "upright"), (5.0, 9.0, "rdc"))


def test_a_posture_of_the_study_that_the_events_contradict_is_named():
    rows = told((1.0, 1.0, "upright"), (2.0, 2.0, "mrs"))
    (text,) = event_warnings(rows, "supine")
    assert "upright" in text
    assert event_warnings(rows, "upright") == event_warnings(rows, "unknown") == []
