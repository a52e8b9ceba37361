"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside the target, and rename it once the block has ended well.

    Parameters
    ----------
    path : path-like
        The file to make. The temporary name keeps its suffix.
    overwrite : bool
        Replace an existing file.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is not set.
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If the target is a folder.
    """
    target = Path(path)
    check_target(target, overwrite=overwrite)
    # In the same folder, so that the last step is a rename within one file system.
    temporary = target.parent / f".hrm-{secrets.token_hex(8)}{target.suffix}"
    try:
        yield temporary
        _publish(temporary, target, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse a target that cannot be written, before any work is done for it."""
    if target.is_dir():
        raise IsADirectoryError("the output is a folder; name a file in it")
    if not target.parent.is_dir():
        raise FileNotFoundError("the folder of the output file does not exist; make it first")
    if target.exists() and not target.is_file():
        # The rename at the end would put a file where /dev/null or a pipe was.
        raise OSError("the output is a device or a pipe; name a file")
    if target.exists() and not overwrite:
        raise _exists()
    if not os.access(target.parent, os.W_OK):
        raise PermissionError("the folder of the output file cannot be written to")


def _exists() -> FileExistsError:
    return FileExistsError("the output file exists; pass overwrite=True to replace it")


def _publish(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(target)
        return
    # A link fails if somebody made the target meanwhile; a rename would replace it.
    try:
        os.link(temporary, target)
    except FileExistsError as err:
        raise _exists() from err
    except (OSError, NotImplementedError):
        # No hard links on this file system: the check before has to do.
        temporary.replace(target)
