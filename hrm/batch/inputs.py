"""Which files a batch is asked for: folders, patterns, a manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from hrm.batch.settings import Settings, from_folder, settings_from
from hrm.errors import ParameterError

#: Files beside recordings that are none: what hrm and spreadsheets write there.
_NOT_RECORDINGS = (
    *(".swallows.csv", ".offsets.csv", ".review.jsonl", ".review.head", ".toml", ".json", ".md"),
    *(".png", ".pdf", ".svg", ".html", ".sqlite", ".lock", ".xlsx", ".docx", ".py", ".log"),
)
_MOST_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Input:
    """One recording that a batch is asked for."""

    path: str
    #: Row of the manifest that names it, the first after the header being 1.
    row: int | None = None
    said: Settings = field(default_factory=Settings)


def is_remote(path: str) -> bool:
    """Whether a path is an address that fsspec opens, like ``s3://bucket/name``."""
    return "://" in path


def find_inputs(
    names: Sequence[str], *, out: Path, suffixes: Sequence[str] = ()
) -> tuple[list[Input], list[str]]:
    """Find the recordings below folders, by patterns and by name.

    Parameters
    ----------
    names : sequence of str
        Folders (searched through), patterns (``site?/*.csv``), files, addresses.
    out : Path
        The output folder; nothing in it is an input.
    suffixes : sequence of str
        Take only files with these endings from folders; otherwise all but those that
        are known to be something else.

    Returns
    -------
    inputs : list of Input
        Sorted by path, each once.
    left_out : list of str
        Files of the folders that are not taken.

    Raises
    ------
    ParameterError
        If a name stands for no file.
    """
    taken: dict[str, Input] = {}
    left_out: list[str] = []
    inside = out.resolve()
    empty = []
    for name in names:
        found = list(_files_of(name))
        wanted = [path for path in found if not path.resolve().is_relative_to(inside)]
        if is_remote(name):
            taken[name] = Input(name)
            continue
        if not wanted:
            empty.append(name)
        searched = Path(name).is_dir()
        for path in wanted:
            if searched and not _may_be_recording(path, suffixes):
                left_out.append(str(path))
            else:
                taken[str(path)] = Input(str(path))
    if empty:
        raise ParameterError(f"no file is found for {len(empty)} of the inputs: {', '.join(empty)}")
    return [taken[path] for path in sorted(taken)], sorted(left_out)


def _files_of(name: str) -> Iterator[Path]:
    if is_remote(name):
        return
    path = Path(name)
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.is_file())
    elif path.exists() or not has_magic(name):
        # A name that is not there is an input all the same: the run says which it was.
        yield path
    else:
        # Path.glob takes no absolute pattern.
        found = (Path(each) for each in glob(name, recursive=True))  # noqa: PTH207
        yield from sorted(each for each in found if each.is_file())


def _may_be_recording(path: Path, suffixes: Sequence[str]) -> bool:
    name = path.name.lower()
    if name.startswith("."):
        return False
    if suffixes:
        return name.endswith(tuple(suffix.lower() for suffix in suffixes))
    return not name.endswith(_NOT_RECORDINGS)


def read_manifest(path: Path) -> list[Input]:
    """Read a manifest: CSV with the column ``path`` and any names of `Settings`.

    A parameter stands in a column of its own, ``parameters.irp.window_s``. Relative
    paths count from the manifest's folder.

    Raises
    ------
    ParameterError
        Naming every row with a fault.
    """
    rows = list(_rows(path))
    faults, inputs = [], []
    for number, row in rows:
        try:
            inputs.append(_input(number, row, path.parent))
        except ParameterError as err:
            faults.append(str(err))
    faults += _twice(inputs)
    if faults:
        raise ParameterError("\n".join(["the manifest has faults:", *faults[:20]]))
    if not inputs:
        raise ParameterError("the manifest names no file")
    return inputs


def _rows(path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    if path.stat().st_size > _MOST_MANIFEST_BYTES:
        raise ParameterError("the manifest is larger than 64 MB")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        raise ParameterError("the manifest is not UTF-8; save it as CSV UTF-8") from err
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    if "path" not in names or len(set(names)) < len(names):
        raise ParameterError("the manifest needs a header with the column path, each name once")
    reader.fieldnames = names
    try:
        for number, row in enumerate(reader, 1):
            if None in row or None in row.values():
                raise ParameterError(f"manifest, row {number}: as many cells as in the header")
            if any(cell.strip() for cell in row.values()):
                yield number, {name: cell.strip() for name, cell in row.items()}
    except csv.Error as err:
        raise ParameterError(f"the manifest is no CSV: line {reader.line_num}") from err


def _input(number: int, row: dict[str, Any], folder: Path) -> Input:
    where = f"manifest, row {number}"
    path = row.pop("path")
    if not path:
        raise ParameterError(f"{where}: the cell path is empty")
    prefix = "parameters."
    said = {name: cell for name, cell in row.items() if not name.startswith(prefix)}
    said["parameters"] = {
        name.removeprefix(prefix): _value(cell)
        for name, cell in row.items()
        if name.startswith(prefix) and cell
    }
    settings = from_folder(settings_from(said, where=where), folder)
    return Input(path if is_remote(path) else str(folder / path), number, settings)


def _value(cell: str) -> bool | int | float | str:
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _twice(inputs: Sequence[Input]) -> list[str]:
    """Rows that name a file again: which of two settings holds would be a guess."""
    first: dict[str, int | None] = {}
    faults = []
    for each in inputs:
        name = each.path + (f"\0{each.said.member}" if each.said.member else "")
        if name in first:
            faults.append(f"manifest, row {each.row}: the file of row {first[name]} again")
        first.setdefault(name, each.row)
    return faults
