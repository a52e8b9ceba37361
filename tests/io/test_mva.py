"""ManoView's binary file: recognized by what is packed in it, and refused with what to do."""

import codecs
import gzip
import io
import random
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hrm.io
from hrm.errors import HrmError, UnknownFormatError, UnsupportedVersionError
from hrm.io import mva
from hrm.io._registry import Match, builtin_readers
from hrm.io._source import Source
from tests.io.layouts import PLANT, Headless, ManoView, Mms

INFO = f'<info><patient name="{PLANT}"/></info>' + "<!-- 3 -->" * 200
PARTS = (INFO, "<probe/>", "<examination/>", "<analysis/>", "\x80\x01\x02" * 999)


def study(*, begin=b"", level=6, encode=str.encode):
    return begin + b"".join(zlib.compress(encode(part), level) for part in PARTS)


FILES = {
    "plain": study(),
    "bytes before": study(begin=bytes(range(256)) * 4),
    "stored": study(level=0),
    "fast": study(level=1),
    "best": study(level=9),
    "utf-16": study(encode=lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le")),
    "utf-8-bom": study(encode=lambda text: text.encode("utf-8-sig")),
    "declaration": study(encode=lambda text: b'<?xml version="1.0"?>\r\n' + text.encode()),
    "cut": study()[:300],
    "random around": random.Random(3).randbytes(9000) + study(),
}


def verdict(data, name=""):
    stream = io.BytesIO(data)
    with Source.of(stream) as source:
        if name:
            source.suffixes = (name,)
        return {r.name: r.sniff(source.head(), source).match for r in builtin_readers()}


@pytest.mark.parametrize("name", FILES)
def test_a_study_is_answered_with_how_to_export_it(name, tmp_path):
    found = verdict(FILES[name])
    assert found.pop("manoview-mva") is Match.YES
    assert set(found.values()) == {Match.NO}
    for suffix in (".mva", ".txt"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(FILES[name])
        for function in (hrm.io.open_recording, hrm.io.peek):
            with pytest.raises(UnsupportedVersionError, match="File > Save Selected Data") as c:
                function(path)
            assert c.value.path == str(path)
            assert "DOE" not in str(c.value)
        with pytest.raises(UnsupportedVersionError, match="Save Selected Data"):
            hrm.io.convert_recording(path, tmp_path / "out.nc")
        assert not (tmp_path / "out.nc").exists()


def test_a_packed_study_is_answered_alike():
    for function in (hrm.io.open_recording, hrm.io.peek):
        with pytest.raises(UnsupportedVersionError, match="Save Selected Data"):
            function(io.BytesIO(gzip.compress(study())))


OTHERS = {
    "manoview": ManoView().bytes(),
    "headless": Headless().bytes(),
    "mms": Mms().bytes(),
    "other packed xml": zlib.compress(b"<svg><info/></svg>"),
    "a longer word": zlib.compress(b"<information/>"),
    "text packed": zlib.compress(b"info " * 99),
    "the word alone": b"<info/>" * 99,
    "document": b"%PDF-1.7\n" + zlib.compress(b"<?xpacket?><x:xmpmeta/>"),
    "random": random.Random(5).randbytes(65536),
    "empty": b"",
}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_is_taken_for_one(name):
    assert verdict(OTHERS[name])["manoview-mva"] is Match.NO


def test_the_suffix_counts_only_beside_packed_xml():
    other = zlib.compress(b"<probe/>")
    assert verdict(other, ".mva")["manoview-mva"] is Match.MAYBE
    assert verdict(other, ".bin")["manoview-mva"] is Match.NO
    for name in ("manoview", "headless", "mms", "random", "text packed"):
        assert verdict(OTHERS[name], ".mva")["manoview-mva"] is Match.NO


def test_little_is_unpacked_and_looking_is_quick():
    bomb = zlib.compress(b"<" + b" " * 50_000_000, 9)
    assert max(map(len, mva._packed_texts(bomb))) <= 1024
    many = b"\x78\x9c" * 32768
    start = time.perf_counter()
    assert verdict(many)["manoview-mva"] is Match.NO
    assert verdict(bomb + study())["manoview-mva"] is Match.YES
    assert time.perf_counter() - start < 5.0


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_studies_are_refused_in_type(data):
    content = bytearray(study()[: data.draw(st.integers(1, 400))])
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with pytest.raises(HrmError) as caught:
        hrm.io.open_recording(io.BytesIO(bytes(content)))
    assert "DOE" not in str(caught.value)
    if not isinstance(caught.value, UnsupportedVersionError):
        assert isinstance(caught.value, UnknownFormatError)
