"""The routes of the viewer: the page, its data, and the live connection."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from hrm.errors import HrmError
from hrm.viewer.live_line import Line, for_page
from hrm.viewer.security import Gate, Guard

if TYPE_CHECKING:
    # Measuring takes half a second to import; the page is served before.
    from hrm.viewer.session import Session

T = TypeVar("T")

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_PAGE = "index.html"
FAULT = "hrm met a fault of its own; nothing was written. Please report it."


class Viewer:
    """One session behind its routes.

    Parameters
    ----------
    opening : callable
        Gives the session; it is called in the thread that measures.
    gate : Gate
    """

    def __init__(self, opening: Callable[[], Session], gate: Gate) -> None:
        self.last_seen = time.monotonic()
        # One thread: edits are measured in the order in which they came.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="hrm-view")
        # Tiles do not wait for an edit that is being measured.
        self._session = self._worker.submit(opening)
        self._assets = assets()
        #: Without the guard, for who has one already.
        self.bare: ASGIApp = self._routes()
        #: Live connections that are open, by a name of their own.
        self._pages: dict[str, WebSocket] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self.app: ASGIApp = Guard(self.bare, gate)

    def close(self) -> None:
        """End the thread once what it measures is done."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _routes(self) -> Starlette:
        routes = [
            Route("/", self._page),
            Route("/static/{name:path}", self._static),
            Route("/api/study", self._study),
            Route("/api/tile/{level:int}/{index:int}", self._tile),
            Route("/api/explain", self._explain),
            Route("/api/readings", self._readings),
            Route("/api/action", self._action, methods=["POST"]),
            WebSocketRoute("/api/live", self._live),
        ]
        return Starlette(routes=routes, exception_handlers=handlers())

    @property
    def failed(self) -> bool:
        """Whether the recording could not be opened."""
        return self._session.done() and self._session.exception() is not None

    @property
    def lines(self) -> int:
        """How many pages are connected."""
        return len(self._pages)

    async def work(self, function: Callable[[Session], T]) -> T:
        """Do something with the session, in its thread."""
        self.last_seen = time.monotonic()
        session = await self.session()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, function, session)

    async def session(self) -> Session:
        """Wait until the recording is measured."""
        self.last_seen = time.monotonic()
        return await asyncio.wrap_future(self._session)

    async def _asset(self, _request: Request, name: str) -> Response:
        self.last_seen = time.monotonic()
        return asset(self._assets, name)

    async def _page(self, request: Request) -> Response:
        return await self._asset(request, _PAGE)

    async def _static(self, request: Request) -> Response:
        return await self._asset(request, str(request.path_params["name"]))

    async def _study(self, _request: Request) -> Response:
        return as_json(await self.work(lambda session: session.study()))

    async def _tile(self, request: Request) -> Response:
        session = await self.session()
        kind = request.query_params.get("kind", "mean")
        place = request.path_params
        found = session.tile(place["level"], place["index"], kind)
        if found is None:
            return message(404, "There is no such tile.")
        return Response(found, media_type="application/octet-stream")

    async def _explain(self, request: Request) -> Response:
        given = request.query_params
        number = given.get("swallow", "")
        if not re.fullmatch(r"([1-9][0-9]{0,4})?", number):
            return message(400, "A swallow is a whole number from 1.")
        swallow = int(number) if number else None
        metric = given.get("metric", "")
        return as_json(await self.work(lambda session: session.explain(metric, swallow)))

    async def _readings(self, _request: Request) -> Response:
        return as_json(await self.work(lambda session: session.readings()))

    async def _action(self, request: Request) -> Response:
        try:
            given = json.loads(await request.body())
        except (ValueError, RecursionError):
            return message(400, "Expected an action as JSON.")
        except ClientDisconnect:
            return message(413, "This is more than the viewer takes at once.")
        if not isinstance(given, dict) or not isinstance(given.get("action"), str):
            return message(400, "Expected an action as JSON.")
        done = await self._work_of("", lambda session: session.act(given["action"], given))
        return as_json({"type": "result", **done})

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        page = secrets.token_hex(8)
        self._pages[page] = socket
        try:
            work = partial(self._work_of, page)
            await Line(socket.receive_text, socket.send_text, work).run()
        except WebSocketDisconnect:
            return
        finally:
            del self._pages[page]
            self.last_seen = time.monotonic()
            if self._session.done() and not self.failed:
                self._session.result().forget(page)

    async def _work_of(
        self, page: str, function: Callable[[Session], dict[str, Any]]
    ) -> dict[str, Any]:
        """Do something for one page; the other pages hear of what is kept."""
        done = await self.work(lambda session: session.as_page(page, function))
        if not done["draft"] and self._pages.keys() - {page}:
            telling = asyncio.create_task(self._tell(self._pages.keys() - {page}))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
        return done

    async def _tell(self, pages: set[str]) -> None:
        notice = {"type": "notice", "message": "Changed in another window; it is shown here too."}
        for page in pages:
            now = await self.work(partial(_whole_for, page))
            with suppress(KeyError, WebSocketDisconnect, RuntimeError):
                socket = self._pages[page]
                await socket.send_text(as_text({"seq": 0, "type": "result", **now}))
                await socket.send_text(as_text(notice))


def _whole_for(page: str, session: Session) -> dict[str, Any]:
    return session.as_page(page, lambda each: each.whole())


def assets() -> dict[str, Path]:
    """List the files of the page by their names; nothing else is ever sent."""
    out: dict[str, Path] = {}
    # What draws is shared with the report as a page; the rest is the viewer's own.
    for part in ("report", "viewer"):
        root = Path(str(files("hrm") / part / "static"))
        found = (path for path in sorted(root.rglob("*")) if path.suffix in _TYPES)
        out |= {path.relative_to(root).as_posix(): path for path in found if path.is_file()}
    return out


def asset(known: dict[str, Path], name: str) -> Response:
    """Send a file of the page, if there is one of that name."""
    path = known.get(name)
    if path is None:
        return message(404, "There is nothing here.")
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])


def handlers() -> Any:
    """Say what a fault is answered with."""
    return {404: _not_found, 405: _not_found, HrmError: _refused, Exception: _failed}


def as_json(content: Any) -> Response:
    """Answer with data."""
    return Response(as_text(content), media_type="application/json")


def as_text(content: Any) -> str:
    """Write data for a page."""
    return json.dumps(content, allow_nan=False, separators=(",", ":"))


def message(status: int, text: str) -> JSONResponse:
    """Answer in words."""
    return JSONResponse({"message": text}, status_code=status)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return message(404, "There is nothing here.")


async def _refused(_request: Request, error: Exception) -> Response:
    return message(400, for_page(error))


async def _failed(_request: Request, _error: Exception) -> Response:
    # Not a word of the fault itself: it may quote the recording.
    return message(500, FAULT)
