"""Reader of the invented "tally" format: a worked example of a plug-in for hrm.

A file has header lines that begin with ``#``, then rows of a sample number, one pressure
[mmHg] for each sensor from proximal to distal, and 1 while the operator presses the button:

.. code-block:: text

    #TALLY 1
    #rate=10
    #subject=somebody
    0;1.2;30;12.5;0
    1;1.3;31;12;1
    2;1.2;30.5;12;0

``#catheter=`` may name a model; ``sample.tally`` beside this package is a longer file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hrm.catheters import catheters
from hrm.errors import CorruptFileError, UnsupportedVersionError
from hrm.io.plugin import (
    Block,
    BlockLayout,
    Facts,
    Lines,
    Match,
    RawEvent,
    ReadOptions,
    Sniff,
    Source,
    TableParser,
    Variant,
    parse_number,
    peek_result,
    phi_attr_name,
    read_ends,
    read_stream,
    without_blank_end,
)

NAME = "tally"
MAGIC = b"#TALLY "
# An allow-list: any other header line is identity until somebody shows that it is not.
SIGNAL_KEYS = ("rate", "catheter")


class TallyReader:
    """Reader of tally files."""

    name = NAME
    vendor = "Example"
    suffixes: tuple[str, ...] = (".tally",)
    description = "invented format of the worked example"
    variants = (
        Variant("version 1", "standard", "defined in the example itself"),
        Variant("version 2", "prose", "said to exist", read=False),
    )

    def sniff(self, head: bytes, source: Source) -> Sniff:  # noqa: ARG002 - content decides
        """Look at the content only; never raise, never quote it."""
        if head.startswith(MAGIC):
            return Sniff(Match.YES, "begins with #TALLY")
        return Sniff(Match.NO, "does not begin with #TALLY")

    def peek(self, source: Source) -> dict[str, Any]:
        """Describe the file from its two ends."""
        head, tail = read_ends(source, reader=NAME)
        header = [line for line in head if line.startswith(b"#")]
        facts = parse_header(header)
        rows = [line.split(b";") for line in head[len(header) :]]
        last = parse_number(tail[-1].split(b";")[0]) if tail else None
        first = parse_number(rows[0][0]) if rows else None
        n_samples = None if first is None or last is None else int(last - first) + 1
        return peek_result(
            name=NAME,
            n_sensors=len(rows[0]) - 2 if rows else 0,
            rate_hz=facts["rate"],
            n_samples=n_samples,
            first_time_s=0.0,
            has_impedance=False,
            needs_catheter=facts["catheter"] is None,
            size=source.size,
        )

    def stream(self, source: Source, options: ReadOptions) -> TallyStream:
        """Read the header; with this, `hrm convert` takes files larger than the memory."""
        return TallyStream(source, options)

    def read(self, source: Source, options: ReadOptions) -> Any:
        """Read the whole file into a validated study."""
        return read_stream(self.stream(source, options), options)


def parse_header(lines: list[bytes]) -> dict[str, Any]:
    """Rate and catheter of a file, and the lines that may name somebody."""
    if not lines or lines[0].removeprefix(MAGIC).strip() != b"1":
        raise UnsupportedVersionError("expected version 1", reader=NAME, where="line 1")
    rows = dict(line[1:].decode("utf-8", "replace").partition("=")[::2] for line in lines[1:])
    rate = parse_number(rows.get("rate", "").encode())
    if rate is None or not 0 < rate < 10_000:
        # Say what was expected and where; never show what the file holds instead.
        raise CorruptFileError("expected #rate= with a number of Hz", reader=NAME)
    model = rows.get("catheter")
    return {
        "rate": rate,
        # Positions are never guessed: a model that nobody knows is no model.
        "catheter": model if model in catheters() else None,
        "identity": {key: text for key, text in rows.items() if key not in SIGNAL_KEYS},
    }


class TallyStream:
    """A tally file whose header has been read."""

    reader = NAME
    n_segments = 0
    default_catheter: str | None = None
    states_catheter = True

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self._source, self._options = source, options
        self._lines = Lines(source, reader=NAME)
        header: list[bytes] = []
        while (ahead := self._lines.ahead(1)) and ahead[0].startswith(b"#"):
            header.append(self._lines.line() or b"")
        self._facts = parse_header(header)
        first_row = (self._lines.ahead(1) or [b""])[0]
        self.n_sensors = first_row.count(b";") - 1
        if self.n_sensors < 2:
            raise CorruptFileError("expected rows of at least 4 cells", reader=NAME)
        self._presses: list[int] = []
        self._pressed = False
        self._next = 0

    def blocks(self) -> Iterator[Block]:
        """Give the pressures; `TableParser` makes every cell a number or names the bad one."""
        n_cells = self.n_sensors + 2
        parser = TableParser(BlockLayout(b";", tuple(range(n_cells)), n_cells), reader=NAME)
        for rows in without_blank_end(self._lines.blocks(), separator=b";", reader=NAME):
            table = parser.parse(rows)
            n_rows = len(table.first)
            expected = np.arange(self._next, self._next + n_rows)
            if not np.array_equal(table.first, expected):
                row = int(np.argmax(table.first != expected))
                raise CorruptFileError(
                    "the sample number does not rise by one; rows are missing or doubled",
                    reader=NAME,
                    where=f"line {rows.first_line + row}",
                )
            down = np.concatenate(([self._pressed], table.values[:, -1] != 0))
            self._presses += [self._next + int(at) for at in np.flatnonzero(down[1:] & ~down[:-1])]
            self._pressed, self._next = bool(down[-1]), self._next + n_rows
            yield Block(table.values[:, :-1])

    def finish(self) -> Facts:
        """Say what is known now that the last row was read."""
        identity = self._facts["identity"] if self._options.keep_phi else {}
        return Facts(
            source_format=NAME,
            reader=NAME,
            reader_version="1",
            sha256=self._source.sha256,
            sampling_rate_hz=self._facts["rate"],
            time_offset_s=0.0,
            events=tuple(RawEvent(at / self._facts["rate"], "marker") for at in self._presses),
            attrs={phi_attr_name(key): text for key, text in identity.items()},
            catheter=self._facts["catheter"],
        )
