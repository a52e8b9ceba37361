"""Every sniffer against the files of every other format: the seeds of the fuzz targets.

`test_registry.py` does this with whole files; here are smaller and odder ones, cut anywhere
and with the beginning of another format before them.
"""

import io

import pytest

from fuzz import seeds
from hrm.errors import AmbiguousFormatError, HrmError
from hrm.io._registry import Match, builtin_readers, choose_reader
from hrm.io._source import HEAD_BYTES, Source

OWNER = {
    "mms": "mms-csv",
    "manoview_headed": "manoview-ascii",
    "manoview_headless": "manoview-headless",
    "edf": "edf",
    "native": "hrm-native",
}


def files(name):
    return [seed[1:] for seed in getattr(seeds, name)()]


def verdicts(content):
    with Source.of(io.BytesIO(content)) as source:
        head = source.head(HEAD_BYTES)
        return {reader.name: reader.sniff(head, source) for reader in builtin_readers()}


@pytest.mark.parametrize("name", OWNER)
def test_a_file_is_claimed_by_its_own_reader_and_no_other(name):
    for number, content in enumerate(files(name)):
        claims = {r: s for r, s in verdicts(content).items() if s.match is not Match.NO}
        assert set(claims) == {OWNER[name]}, (number, claims)
        assert choose_reader(Source.of(io.BytesIO(content))).name == OWNER[name]


def test_a_plain_table_is_claimed_by_no_vendor():
    for number, content in enumerate(files("table")):
        claims = {r for r, s in verdicts(content).items() if s.match is not Match.NO}
        assert claims == {"plain-table"}, number


def test_a_layout_file_is_no_recording():
    for content in files("layout"):
        assert all(s.match is Match.NO for s in verdicts(content).values())


@pytest.mark.parametrize("name", [*OWNER, "table", "layout", "source"])
def test_no_part_of_any_file_makes_a_sniffer_raise(name):
    for content in files(name):
        for percent in range(0, 100, 3):
            cut = len(content) * percent // 100
            for part in (content[:cut], content[cut:]):
                try:
                    found = verdicts(part)
                except HrmError:
                    continue  # the packing is damaged, and said so before any sniffer
                assert all(len(sniff.reason) > 4 for sniff in found.values())


MAGICS = {
    "hdf5": b"\x89HDF\r\n\x1a\n",
    "edf": b"0       ",
    "bdf": b"\xffBIOSEMI",
    "utf-8 mark": b"\xef\xbb\xbf",
    "utf-16 mark": b"\xff\xfe",
    "manoview": b"TIME:\t1\t2\n",
    "mms": b"Name=, X\n",
    "nulls": bytes(16),
}


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("name", [*OWNER, "table"])
def test_the_beginning_of_another_format_before_a_file(name, magic):
    for content in files(name):
        both = MAGICS[magic] + content
        claims = [r for r, s in verdicts(both).items() if s.match is Match.YES]
        if len(claims) > 1:
            with pytest.raises(AmbiguousFormatError):
                choose_reader(Source.of(io.BytesIO(both)))
        elif claims:
            assert choose_reader(Source.of(io.BytesIO(both))).name == claims[0]


def test_reasons_never_quote_a_file():
    for name in (*OWNER, "table"):
        for content in files(name):
            said = " ".join(sniff.reason for sniff in verdicts(content).values())
            assert "JANE" not in said.upper()
