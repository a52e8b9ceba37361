"""The fenced blocks of a documentation page, and how each kind is run.

A page is run from top to bottom in a folder that holds ``examples/``. ``python`` blocks share one
namespace, also those with prompts; of ``sh`` blocks each command is run; a ``console`` block shows
what its commands print, ``...`` standing for anything. A block of another kind is data, and is
written to a file if the comment before it says so. Comments are not shown to readers:

``<!-- file: NAME -->``
    the block is the content of that file (``more of NAME`` adds to it)
``<!-- not run: REASON -->``
    the block cannot run here
``<!-- fails: N -->``
    its last command ends with that status
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hrm.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DATA = ("csv", "json", "text")
#: Blocks that a test of their own reads.
ELSEWHERE = {"floors": "tests/test_floors.py", "powershell": "tests/test_readme.py"}

_BLOCK = re.compile(
    r"(?:^<!-- *(?P<note>[^\n]*?) *-->\n)?^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^ *```$",
    flags=re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, its text, and the comment before it."""

    page: str
    line: int
    kind: str
    text: str
    note: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    def said(self, word: str) -> str:
        """What the comment says of ``word``, or nothing."""
        return self.note.removeprefix(f"{word}:").strip() if self.note.startswith(word) else ""


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page of the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [_block(page, text, found) for found in _BLOCK.finditer(text)]


def _block(page: str, text: str, found: re.Match[str]) -> Block:
    indent = found["indent"]
    lines = [line.removeprefix(indent) for line in found["text"].splitlines(keepends=True)]
    line = text.count("\n", 0, found.start("kind")) + 1
    return Block(page, line, found["kind"], "".join(lines), found["note"] or "")


def run(page: str, folder: Path) -> dict[str, Any]:
    """Run a page in a folder, which is the current one; the namespace of its Python."""
    if not (folder / "examples").exists():
        shutil.copytree(ROOT / "examples", folder / "examples")
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if not block.said("not run"):
            _run(block, names, folder)
    return names


def _run(block: Block, names: dict[str, Any], folder: Path) -> None:
    if block.note.startswith(("file:", "more of")):
        name = block.said("file") or block.note.removeprefix("more of").strip(" :")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if block.note.startswith("more") else "w", encoding="utf-8") as out:
            out.write(block.text)
    elif block.kind == "python" and block.text.lstrip().startswith(">>>"):
        _prompts(block, names)
    elif block.kind == "python":
        exec(compile("\n" * block.line + block.text, block.page, "exec"), names)
    elif block.kind in {"sh", "console"}:
        for command, shown in commands(block):
            _command(block, command, shown)
    elif block.kind == "toml":
        tomllib.loads(block.text)
    elif block.kind in ELSEWHERE:
        assert block.kind in (ROOT / ELSEWHERE[block.kind]).read_text(encoding="utf-8")
    elif block.kind not in DATA and (block.kind or block.text.lstrip("$ ").startswith("hrm ")):
        raise AssertionError(f"{block.where}: say what the block is: {block.kind!r}")


def _prompts(block: Block, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(
        block.text, names, block.where, block.page, block.line
    )
    outcome = doctest.DocTestRunner(optionflags=FLAGS).run(test, clear_globs=False)
    names.update(test.globs)
    assert outcome.failed == 0, block.where
    assert outcome.attempted > 0, block.where


def commands(block: Block) -> Iterator[tuple[str, str | None]]:
    """Commands of a block, and what is shown of the output of each (None: nothing)."""
    if block.kind == "sh":
        joined = block.text.replace("\\\n", " ")
        yield from ((line, None) for line in joined.splitlines() if line.split("#")[0].strip())
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.replace("\\\n", " ").partition("\n")
        yield command, shown


def _command(block: Block, command: str, shown: str | None) -> None:
    words = shlex.split(command, comments=True)
    if words[0] != "hrm":
        _elsewhere(block, words)
        return
    if words[1] == "view":
        raise AssertionError(f"{block.where}: it would serve until it is stopped")
    result = CliRunner().invoke(main, words[1:], prog_name="hrm")
    fails = block.said("fails")
    message = f"{block.where}: {command}\n{result.output}"
    assert result.exit_code == int(fails or 0), message
    if shown is not None:
        assert _shows(shown, result.output), f"{message}\nshown:\n{shown}"


def _shows(shown: str, output: str) -> bool:
    """Whether the output is what is shown; ``...`` stands for anything, blanks are alike."""
    parts = [" ".join(part.split()) for part in shown.split("...")]
    pattern = ".*".join(map(re.escape, parts))
    return re.fullmatch(pattern, " ".join(output.split()), flags=re.DOTALL) is not None


def _elsewhere(block: Block, words: list[str]) -> None:
    """Commands that other jobs of the same checks run: here only whether they exist."""
    if words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)
        found = all(word in targets for word in words[1:] if "=" not in word)
    elif words[:2] == ["pip", "install"]:
        found = _installable(words[2:])
    elif words[0] in {"bash", "python"}:
        found = (ROOT / words[1]).is_file()
    else:
        raise AssertionError(f"{block.where}: a command that is neither run nor known: {words}")
    assert found, f"{block.where}: {' '.join(words)}"


def _installable(words: list[str]) -> bool:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    text = " ".join(words)
    asked = [name for found in re.findall(r"\[([\w,]+)\]", text) for name in found.split(",")]
    folders = [word for word in words if word.startswith("./")]
    return all(name in extras for name in asked) and all((ROOT / f).exists() for f in folders)
