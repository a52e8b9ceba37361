"""The swallow table: what it takes, and that each fault is named by its line."""

import pytest

from hrm.errors import ParameterError
from hrm.io.swallow_table import load_swallow_table, read_swallow_table
from hrm.schema import POSTURES, PROTOCOLS


@pytest.fixture
def read(tmp_path):
    def reader(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return read_swallow_table(path)

    return reader


FULL = [
    {"onset_s": 30.5, "posture": "supine", "protocol": "single"},
    {"onset_s": 60.0, "posture": "upright", "protocol": "mrs"},
]


@pytest.mark.parametrize(
    "content",
    [
        "onset_s,posture,protocol\n30.5,supine,single\n60,upright,mrs\n",
        "protocol,onset_s,posture\r\nsingle,30.5,supine\r\n\r\nmrs,60,upright\r\n",
        "onset_s;posture;protocol\n30,5;supine;single\n60;Upright;MRS",
        "onset_s\tposture\tprotocol\n 30.5\tsupine\tsingle\n60\tupright\tmrs\n",
        '\ufeffonset_s,posture,protocol\n"30.5","supine","single"\n60,upright,mrs,,\n,,\n',
    ],
)
def test_takes_what_spreadsheets_write(read, content):
    assert read(content) == FULL


def test_what_is_not_said_is_left_out(read):
    assert read("onset_s,posture\n1,\n2,upright\n") == [
        {"onset_s": 1.0},
        {"onset_s": 2.0, "posture": "upright"},
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("onset_s,posture\n", "no row"),
        ("time,posture\n1,supine\n", "line 1: expected a header with onset_s"),
        ("posture\nsupine\n", "line 1: expected a header"),
        ("onset_s,onset_s\n1,2\n", "line 1: expected a header"),
        ("1.0,supine\n", "line 1: expected a header"),
        ("onset_s\n1\nx\n", "line 3: onset_s must be a number"),
        ("onset_s\n1\n-2\n", "line 3: onset_s must be a number"),
        ("onset_s\n1\nnan\n", "line 3: onset_s must be a number"),
        ("onset_s\n1\ninf\n", "line 3: onset_s must be a number"),
        ("onset_s,posture\n1,supine\n\n2,sitting\n", "line 4: posture must be one of supine"),
        ("onset_s,protocol\n1,wet\n", "line 2: protocol must be one of single"),
        ("onset_s\n1,supine\n", "line 2: 2 cells, but the header has 1"),
        ("onset_s\n1\n2\n1\n", "line 4: the same onset_s as line 2"),
        ("posture,onset_s\nsupine\n", "line 2: onset_s must be a number"),
        ("start\n1.5\n", "line 2: start must be a whole number of samples"),
        ("start\n-1\n", "line 2: start must be a whole number of samples"),
        ("start\n5\n5\n", "line 3: the same start as line 2"),
        ("start,onset_s\n5,0.1\n", "line 1: expected a header"),
        ("start\n5\n", "counts in samples (its column is start)"),
        (b"onset_s\n1\n\xff\n", "not UTF-8 (byte 10)"),
        (b"onset_s\n1\x00\n", "not a swallow table"),
        (b"onset_s\n" + b"1\n" * 600_000, "not a swallow table"),
    ],
)
def test_each_fault_is_named(read, content, words):
    with pytest.raises(ParameterError) as raised:
        read(content)
    assert words in str(raised.value)


def test_all_faults_are_listed_up_to_a_limit(read):
    with pytest.raises(ParameterError) as raised:
        read("onset_s,posture\n" + "x,y\n" * 10)
    message = str(raised.value)
    assert "line 2: onset_s" in message
    assert "line 2: posture" in message
    assert "and 12 more" in message


def test_cells_are_not_quoted(read):
    with pytest.raises(ParameterError) as raised:
        read("onset_s,posture\nDOE,JANE\n")
    assert "DOE" not in str(raised.value)
    assert "JANE" not in str(raised.value)


def test_takes_every_word_of_the_contract(read):
    words = [(posture, protocol) for posture in POSTURES for protocol in PROTOCOLS]
    lines = [f"{i},{posture},{protocol}" for i, (posture, protocol) in enumerate(words)]
    rows = read("\n".join(["onset_s,posture,protocol", *lines]))
    assert [(row["posture"], row["protocol"]) for row in rows] == words


@pytest.mark.parametrize(
    ("content", "rate", "wanted", "said"),
    [
        ("start,posture\n0,supine\n125,\n", 50.0, [0.0, 2.5], "2 onsets in samples at 50 Hz"),
        ("posture;start\n;7\n", 20.0, [0.35], "1 onsets in samples at 20 Hz"),
        ("onset_s\n7\n", 20.0, [7.0], "1 onsets in seconds"),
    ],
)
def test_samples_become_seconds_at_the_rate_of_the_recording(content, rate, wanted, said, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(content)
    rows = read_swallow_table(path, sampling_rate=rate)
    assert [row["onset_s"] for row in rows] == wanted
    assert all("start" not in row for row in rows)
    assert load_swallow_table(path).said(rate) == said
