"""Start the viewer: the socket, the link, the browser, and the end when nobody is there."""

from __future__ import annotations

import asyncio
import socket
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import uvicorn
from starlette.types import ASGIApp

from hrm.errors import ParameterError
from hrm.viewer.app import Viewer
from hrm.viewer.security import MOST_BYTES, Gate

if TYPE_CHECKING:
    from hrm.viewer.session import Session

LOOPBACK = "127.0.0.1"
_CHECK_S = 0.5


@dataclass(frozen=True)
class Remote:
    """What listening to other machines takes.

    Attributes
    ----------
    name : str
        By which browsers call this machine.
    certificate, key : Path
        PEM files for TLS.
    """

    name: str
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Terms:
    """How to serve.

    Attributes
    ----------
    port : int
        0 for any free one.
    browser : bool
        Open the page.
    idle_s : float [s]
        The server ends when no page has asked for anything so long.
    remote : Remote or None
        None for this machine only.
    """

    port: int = 0
    browser: bool = True
    idle_s: float = 3600.0
    remote: Remote | None = None


def serve(opening: Callable[[], Session], terms: Terms, say: Callable[[str], None]) -> None:
    """Serve one recording until it is interrupted, or nobody looks any more.

    Parameters
    ----------
    opening : callable
        Gives the session.
    terms : Terms
    say : callable
        Takes a line for the terminal.

    Raises
    ------
    ParameterError
        If the port is taken.
    """
    serve_app(lambda gate: Viewer(opening, gate), terms, say)


class Served(Protocol):
    """What is served: an application that says when it was last asked for something."""

    @property
    def last_seen(self) -> float:
        """When a page last asked for something [s, monotonic]."""
        ...

    @property
    def app(self) -> ASGIApp:
        """All of it, behind its guard."""
        ...

    def close(self) -> None:
        """End what it started."""
        ...


def serve_app(
    making: Callable[[Gate], Served],
    terms: Terms,
    say: Callable[[str], None],
    *,
    name: str = "hrm view",
) -> None:
    """Serve an application until it is interrupted, or nobody looks any more; as `serve`."""
    with listen(terms) as listening:
        gate = gate_of(listening, terms)
        viewer = making(gate)
        host = terms.remote.name if terms.remote else LOOPBACK
        link = f"{gate.scheme}://{host}:{gate.port}/?token={gate.token}"
        say(f"{name}: {link}")
        say("It opens the page once, in one browser. Ctrl-C ends the viewer.")
        if terms.browser and not _opened(link):
            say("No browser could be opened here: open the link yourself.")
        server = uvicorn.Server(_config(viewer, terms))
        try:
            asyncio.run(_run(server, viewer, listening, terms.idle_s, say))
        except KeyboardInterrupt:
            say("ended")
        finally:
            viewer.close()


def listen(terms: Terms) -> socket.socket:
    """Take the port.

    Raises
    ------
    ParameterError
        If somebody else has it.
    """
    # asyncio sends at once only where the protocol is named; else an answer in two parts, or
    # a second one, waits 40 ms for the browser's kernel to acknowledge the first.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.bind((("0.0.0.0" if terms.remote else LOOPBACK), terms.port))  # noqa: S104
        listening.listen(64)
    except OSError as err:
        listening.close()
        raise ParameterError(
            f"port {terms.port} cannot be used: another program listens there, or it needs more "
            "rights; name another one with --port, or leave it out for any free one"
        ) from err
    return listening


def gate_of(listening: socket.socket, terms: Terms) -> Gate:
    """Make the secrets of a run."""
    port = int(listening.getsockname()[1])
    names = [terms.remote.name] if terms.remote else [LOOPBACK, "localhost"]
    hosts = {f"{name}:{port}".lower() for name in names}
    secure = terms.remote is not None
    if secure and port == 443:
        hosts |= {name.lower() for name in names}
    return Gate(frozenset(hosts), port, secure)


def _opened(link: str) -> bool:
    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False


def _config(viewer: Served, terms: Terms) -> uvicorn.Config:
    remote = terms.remote
    return uvicorn.Config(
        viewer.app,
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=MOST_BYTES,
        limit_concurrency=64,
        timeout_graceful_shutdown=2,
        ssl_certfile=str(remote.certificate) if remote else None,
        ssl_keyfile=str(remote.key) if remote else None,
    )


async def _run(
    server: uvicorn.Server,
    viewer: Served,
    listening: socket.socket,
    idle_s: float,
    say: Callable[[str], None],
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not serving.done():
        await asyncio.wait([serving], timeout=_CHECK_S)
        if time.monotonic() - viewer.last_seen > idle_s and not server.should_exit:
            say(f"nobody looked for {idle_s / 60.0:g} minutes: ended")
            server.should_exit = True
    await serving
