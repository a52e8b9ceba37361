"""A recording with three swallows, and a real server in front of it."""

import asyncio
import re
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

import hrm
from hrm.viewer.app import Viewer
from hrm.viewer.journal import Place
from hrm.viewer.serve import LOOPBACK, Terms, _config, gate_of, listen
from hrm.viewer.session import Opened, Session

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "manoview_36ch_normal.txt"
OPTIONS = {"system": "manoscan", "posture": "supine"}


@pytest.fixture(scope="session")
def example():
    """The bundled study."""
    return hrm.open_recording(EXAMPLE)


@pytest.fixture
def opened(example, tmp_path):
    """It, with a folder of its own for the log."""

    def make(reader="AB", **options):
        file = tmp_path / "study.txt"
        if not file.exists():
            shutil.copyfile(EXAMPLE, file)
        place = Place(tmp_path, example.attrs["source_sha256"], reader, options.pop("own", False))
        return Opened(file, example, {**OPTIONS, **options}, place)

    return make


@pytest.fixture
def session(opened):
    return Session(opened())


class Served:
    """A running server, and a browser's part of it."""

    def __init__(self, gate, viewer):
        self.gate, self.viewer = gate, viewer
        self.host = f"{LOOPBACK}:{gate.port}"
        self.url = f"http://{self.host}"
        self.cookies = {gate.cookie_name: gate.cookie}

    def get(self, path, *, cookie=True, **more):
        cookies = self.cookies if cookie else None
        with httpx.Client(cookies=cookies, trust_env=False) as client:
            return client.get(self.url + path, **more)

    def post(self, content, *, cookie=True, origin=None, **more):
        headers = {"Origin": self.url if origin is None else origin, **more}
        cookies = self.cookies if cookie else None
        with httpx.Client(cookies=cookies, trust_env=False) as client:
            return client.post(f"{self.url}/api/action", content=content, headers=headers)


@contextmanager
def running(opening):
    """Serve in a thread, on a port of its own."""
    terms = Terms(browser=False)
    with listen(terms) as listening:
        gate = gate_of(listening, terms)
        viewer = Viewer(opening, gate)
        server = uvicorn.Server(_config(viewer, terms))
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
        )
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Served(gate, viewer)
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            viewer.close()


@pytest.fixture
def served(opened):
    made = opened()
    with running(lambda: Session(made)) as found:
        yield found


def link_of(text):
    """The launch link in what the command line printed."""
    return re.search(r"https?://\S+", text)[0]
