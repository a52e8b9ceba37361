"""A reader that misbehaves on demand, installed as a plug-in where a test asks for it.

The first line of a file says how: ``#FAULT hang``. What follows is an export of ManoView,
which is what is read in the end, if there is an end.
"""

from __future__ import annotations

import io
import os
import signal
import time
from pathlib import Path

from hrm.io import open_recording
from hrm.io.plugin import Match, Sniff, Variant

MAGIC = b"#FAULT "


class FaultReader:
    """Reader of files that harm who reads them."""

    name = "fault"
    vendor = "Example"
    suffixes: tuple[str, ...] = (".fault",)
    description = "harms who reads it"
    variants = (Variant("all", "standard", "defined here"),)

    def sniff(self, head, source):
        if head.startswith(MAGIC):
            return Sniff(Match.YES, "begins with #FAULT")
        return Sniff(Match.NO, "does not begin with #FAULT")

    def peek(self, source):
        return {}

    def read(self, source, options):
        with source.open() as file:
            first, rest = file.readline(), file.read()
        kind, _, argument = first.removeprefix(MAGIC).strip().decode().partition(" ")
        getattr(self, f"_{kind}")(argument)
        study = open_recording(io.BytesIO(rest), system=options.system)
        study.attrs["source_sha256"] = source.sha256
        return study

    def _hang(self, _argument):
        time.sleep(3600)

    def _slow(self, seconds):
        time.sleep(float(seconds))

    def _kill(self, _argument):
        os.kill(os.getpid(), signal.SIGKILL)

    def _exit(self, _argument):
        os._exit(3)

    def _touch(self, path):
        with Path(path).open("ab") as file:
            file.write(b"\n")

    def _raise(self, words):
        raise ValueError(words)

    def _memory(self, most_mb):
        kept = []
        while len(kept) * 20 < float(most_mb):
            kept.append(bytearray(os.urandom(1)) * (20 << 20))
            time.sleep(0.05)
        raise MemoryError
