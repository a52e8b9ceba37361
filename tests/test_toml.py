"""TOML of the user: bounded in time, faults with their place, nothing quoted."""

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm._toml import MOST_BYTES, MOST_KEY_PARTS, load_toml_bounded
from hrm.errors import FormatError

HARMFUL = {
    "a dotted key": b".".join([b"a"] * 30_000) + b" = 1",
    "a dotted key in quotes": b".".join([b'"!"'] * 15_000) + b" = 1",
    "a dotted key in apostrophes": b" . ".join([b"'!'"] * 15_000) + b" = 1",
    "a dotted header": b"[" + b".".join([b"a"] * 30_000) + b"]",
    "a dotted key after a string with a mark": b'a = "#\\"" # "\nb' + b".c" * 30_000 + b"=1",
    "arrays in arrays": b"a = " + b"[" * 500_000,
    "tables in tables": b"a = {" * 200_000,
    "digits": b"a = " + b"9" * 100_000,
    "quotes": b'"' * 1_000_000,
    "backslashes": b'a = """' + b"\\" * 1_000_000,
    "dots and blanks": b". \t" * 300_000,
    "too long": b"#" * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("text", HARMFUL.values(), ids=HARMFUL)
def test_harmful_text_is_refused_at_once(text):
    begin = time.perf_counter()
    with pytest.raises(FormatError, match="not TOML"):
        load_toml_bounded(text)
    assert time.perf_counter() - begin < 3.0


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"\n\nunit = = 1", "at line 3, column 8"),
        (b"a = 1\nname = '\xff'", "byte 14 is not UTF-8"),
        (
            b'\na = """\n"""\n' + b".".join([b"b"] * (MOST_KEY_PARTS + 1)) + b" = 1",
            "at line 4: tables",
        ),
    ],
)
def test_a_fault_has_its_place_and_quotes_nothing(text, where):
    with pytest.raises(FormatError, match=where) as caught:
        load_toml_bounded(text, path=Path("mine.toml"))
    assert caught.value.path == "mine.toml"
    assert caught.value.__cause__ is caught.value.__context__ is None


SOUND = [
    "",
    ".".join(["a"] * MOST_KEY_PARTS) + " = 1",
    'source = "www.a.b.c.d.e.f.g.h.i.j.k" # see a.b.c.d.e.f.g.h.i.j.k',
    "source = '''\na.b.c.d.e.f.g.h.i.j.k\n'''",
    "depths = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]",
    "\n".join(f"depth.k{k} = 0.{k}" for k in range(2000)),
]


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_is_what_the_standard_library_says(text):
    assert load_toml_bounded(text) == tomllib.loads(text)
    assert load_toml_bounded(b"\xef\xbb\xbf" + text.encode()) == tomllib.loads(text)


@given(st.text(alphabet="ab1.=\"'#[]{}\\ \n,", max_size=60))
def test_any_text_gives_what_the_standard_library_gives(text):
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        expected = None
    try:
        found = load_toml_bounded(text)
    except FormatError as err:
        found = expected if " parts" in str(err) else None
    assert found == expected
