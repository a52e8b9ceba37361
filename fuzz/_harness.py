"""What every fuzz target shares: running one input, judging what came out, keeping count.

A target hands over bytes of which the first chooses a set of options, so that options are
searched like everything else. Nothing here needs atheris until `main` runs, and the seeds
and findings are replayed by the tests without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import random
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "fuzz" / "seeds"
WORK = ROOT / "fuzz" / "work"
#: Made-up patient of the seeds; it must not come out in an error.
PLANT = "JANE"
#: More than this for an input of at most 100 kB is a finding [s of processor time].
SLOW_S = 2.0
#: A single input that takes longer than this ends the process [s].
HANG_S = 20
RSS_MB = 2048
#: Block sizes of the text reader: as usual, and one that cuts through every line.
SMALL_BLOCK = 97
_FLUSH_S = 2.0

Work = Callable[[bytes], Any]
Mutator = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """One reader to be fuzzed.

    `parse` reads samples and events into plain arrays and gives something to compare, or
    None; `open` goes through `hrm.io.open_recording` and all it checks. `in_blocks` says
    that the size of the blocks of text must make no difference.
    """

    name: str
    parse: Work
    open: Work
    mutate: Mutator
    max_len: int = 4096
    in_blocks: bool = False


class PrivacyError(Exception):
    """An error text quotes the patient."""


class BlockError(Exception):
    """The size of a block changes what is read."""


class SlowError(Exception):
    """An input takes longer than it may."""


def load(name: str) -> Target:
    """Return the target of a reader."""
    target: Target = importlib.import_module(f"fuzz.{name}").TARGET
    return target


def prepare() -> None:
    """Make warnings that are not of hrm errors: they quote files, and nobody meant them."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", RuntimeWarning)
    warnings.simplefilter("error", UserWarning)
    from hrm.errors import HrmWarning

    warnings.simplefilter("ignore", HrmWarning)


def attempt(work: Work, data: bytes) -> tuple[str, Any]:
    """Run one input: ("read", result) or ("refused", name of the error).

    Raises
    ------
    PrivacyError
        If the refusal quotes the patient.
    Exception
        Whatever else escapes: it is a finding.
    """
    from hrm.errors import HrmError

    try:
        return "read", work(data)
    except HrmError as err:
        if any(PLANT in str(each).upper() for each in _chain(err)):
            raise PrivacyError(type(err).__name__) from None
        return "refused", type(err).__name__


def _chain(err: BaseException | None) -> Iterator[BaseException]:
    """Give an error and those that a traceback would show above it."""
    while err is not None:
        yield err
        err = err.__cause__ or (None if err.__suppress_context__ else err.__context__)


def check(target: Target, mode: str, data: bytes) -> str:
    """Run one input and every check on what comes out; gives "read" or "refused"."""
    work = target.parse if mode == "parse" else target.open
    verdict, result = attempt(work, data)
    # One in eight, chosen by content so that a finding stays one.
    if target.in_blocks and mode == "parse" and zlib.crc32(data) % 8 == 0:
        _check_blocks(target, data, verdict, result)
    return verdict


def _check_blocks(target: Target, data: bytes, verdict: str, result: Any) -> None:
    from hrm.io import _lines

    usual, _lines.BLOCK_BYTES = _lines.BLOCK_BYTES, SMALL_BLOCK
    try:
        again, other = attempt(target.parse, data)
    finally:
        _lines.BLOCK_BYTES = usual
    if again != verdict or (verdict == "read" and other != result):
        raise BlockError(f"{verdict} as a whole, {again} in small blocks")


@dataclass
class Tally:
    """Counts of one run, written out as it goes, because a fault may end the process."""

    file: Path
    findings: Path
    executions: int = 0
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    slowest_bytes: int = 0
    found: dict[str, int] = field(default_factory=dict)
    _written: float = 0.0

    def add(self, verdict: str, seconds: float, data: bytes) -> None:
        """Count one input."""
        self.executions += 1
        self.read += verdict == "read"
        self.refused += verdict == "refused"
        if seconds > self.slowest_s:
            self.slowest_s, self.slowest_bytes = seconds, len(data)
            (self.findings / "slowest").write_bytes(data)

    def keep(self, fault: BaseException, data: bytes) -> None:
        """Keep the first input of each finding, by the place where it arose."""
        key = place_of(fault)
        if key not in self.found:
            name = hashlib.sha256(key.encode()).hexdigest()[:10]
            (self.findings / f"{name}.bin").write_bytes(data)
            text = "".join(traceback.format_exception(fault))
            (self.findings / f"{name}.txt").write_text(f"{key}\n\n{text}", encoding="utf-8")
        self.found[key] = self.found.get(key, 0) + 1

    def write(self, *, now: bool = False) -> None:
        """Write the counts, every few seconds or `now`."""
        at = time.monotonic()
        if not now and at - self._written < _FLUSH_S:
            return
        self._written = at
        self.file.write_text(
            json.dumps(
                {
                    "executions": self.executions,
                    "read": self.read,
                    "refused": self.refused,
                    "slowest_s": round(self.slowest_s, 3),
                    "slowest_bytes": self.slowest_bytes,
                    "findings": self.found,
                }
            )
        )


def place_of(fault: BaseException) -> str:
    """Kind of a fault and the last line of hrm it came from."""
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if "/hrm/" in f.filename]
    where = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "-"
    said = str(fault) if isinstance(fault, BlockError | PrivacyError) else ""
    return f"{type(fault).__name__} at {where} {said}".strip()


def run_one(target: Target, mode: str, data: bytes, tally: Tally) -> None:
    """Run one input and keep what is wrong with it; nothing escapes."""
    begun = time.process_time()
    verdict = "fault"
    try:
        verdict = check(target, mode, data)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is what is looked for
        tally.keep(fault, data)
    seconds = time.process_time() - begun
    if seconds > SLOW_S:
        tally.keep(SlowError(f"{seconds:.1f} s"), data)
    tally.add(verdict, seconds, data)
    tally.write()


def main(name: str, mode: str, runs: int, folder: Path, corpora: Sequence[str]) -> None:
    """Fuzz a target in this process; libFuzzer ends it."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    import atheris

    with atheris.instrument_imports(include=["hrm", "edfio"]):
        import hrm.io.convert
        import hrm.io.native
        import hrm.schema  # noqa: F401 - imported here to be instrumented
        from hrm.io._registry import builtin_readers

        builtin_readers()
        target = load(name)
    prepare()
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally(folder / "tally.json", folder)
    seeds = [file.read_bytes() for file in sorted(Path(corpora[-1]).glob("*.bin"))]

    def one_input(data: bytes) -> None:
        run_one(target, mode, data, tally)
        if tally.executions >= runs:
            tally.write(now=True)

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.3:
            return bytes(atheris.Mutate(data, max_size))
        # Most of a corpus is refused early; a seed with one thing spoilt gets further.
        if rng.random() < 0.4:
            return target.mutate(rng.choice(seeds), rng)[:max_size]
        out = data
        for _ in range(rng.choice((1, 1, 2, 4))):
            out = target.mutate(out, rng)
        return out[:max_size]

    arguments = [
        f"-runs={runs}",
        f"-max_len={target.max_len}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={RSS_MB}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-len_control=0",
        "-reload=0",
    ]
    atheris.Setup([sys.argv[0], *arguments, *corpora], one_input, custom_mutator=mutator)
    atheris.Fuzz()


def options_of(data: bytes, choices: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], bytes]:
    """Take the options that the first byte chooses, and the content behind it."""
    return choices[data[0] % len(choices)] if data else choices[0], data[1:]


def text_target(
    name: str, reader: str, choices: Sequence[dict[str, Any]], mutate: Mutator
) -> Target:
    """Make a target of a reader that streams."""

    def parse(data: bytes) -> Any:
        return parse_stream(reader, *options_of(data, choices))

    def open_it(data: bytes) -> Any:
        said, content = options_of(data, choices)
        return open_study(reader, said, content)

    return Target(name, parse, open_it, mutate, in_blocks=reader != "edf")


def parse_stream(reader_name: str, said: dict[str, Any], content: bytes) -> Any:
    """Sniff, and read a stream to its end; gives what must not depend on how it was cut."""
    from hrm.io import _options
    from hrm.io._registry import _by_name, all_readers
    from hrm.io._source import Source
    from hrm.io._stream import collect

    reader: Any = _by_name(all_readers(), reader_name)
    with Source.of(io.BytesIO(content)) as source:
        reader.sniff(source.head(), source)
        raw = collect(reader.stream(source, _options(**said)))
    ohms = None if raw.impedance is None else raw.impedance.tobytes()
    return raw.pressure.tobytes(), raw.pressure.shape, ohms, repr(raw.facts)


def open_study(reader: str | None, said: dict[str, Any], content: bytes) -> Any:
    """Open, check and peek; a peek may be refused where reading is not, and the reverse."""
    import hrm.io
    from hrm.errors import HrmError
    from hrm.schema import validate

    with contextlib.suppress(HrmError):
        hrm.io.peek(io.BytesIO(content), reader=reader)
    study = open_recording(reader, said, content)
    validate(study)
    return study["pressure/pressure"].shape


def open_recording(reader: str | None, said: dict[str, Any], content: bytes) -> Any:
    """Open what a file object holds."""
    import hrm.io

    return hrm.io.open_recording(io.BytesIO(content), reader=reader, **said)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
