"""One writer at a time: a lock that names its holder, and that a dead process loses."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from hrm.errors import StoreError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Windows forbids reading a locked byte, so the lock lies far behind the text.
_LOCKED_BYTE = 1 << 20


class RunLock:
    """The right to write to a folder, held until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        The lock file; it stays when the lock is released, since the operating system
        holds the lock and not the file's existence.

    Raises
    ------
    StoreError
        If somebody else holds it; the message names host and process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._file)
        except OSError as err:
            os.close(self._file)
            raise StoreError(
                f"another batch writes to this folder: {_holder(path)}. Wait for its end, stop it, "
                "or name another folder"
            ) from err
        text = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
        os.ftruncate(self._file, 0)
        os.write(self._file, text.encode())

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._file < 0:
            return
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)
        self._file = -1


def _lock(file: int) -> None:
    if sys.platform == "win32":
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return f"process {int(said['pid'])} on {said['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has only just begun"
