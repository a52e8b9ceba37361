"""A worklist in the browser: the list, and every study of it in the viewer, in one server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hrm.errors import HrmError, ParameterError
from hrm.viewer.app import Viewer, as_json, asset, assets, handlers, message
from hrm.viewer.security import Gate, Guard
from hrm.viewer.session import Opened, Session

_PAGE = "worklist.html"
#: Studies that are held open; each keeps its samples in memory.
_MOST_OPEN = 4


class Desk(Protocol):
    """One reader's list of studies, by their codes; see `hrm.worklist.desk`."""

    reader: str
    blinded: bool

    @property
    def adjudicates(self) -> bool:
        """Whether the reader settles disagreements."""
        ...

    def rows(self) -> list[dict[str, Any]]:
        """Give the list in the reader's order."""
        ...

    def readings(self, code: str) -> dict[str, Any]:
        """Give readings beside each other."""
        ...


class Shelf:
    """A list of studies behind its routes.

    Parameters
    ----------
    desk : Desk
    opening : callable
        Opens the study of a code; it may take seconds.
    gate : Gate
    """

    def __init__(self, desk: Desk, opening: Callable[[str], Opened], gate: Gate) -> None:
        self._desk, self._opening, self._gate = desk, opening, gate
        self._seen = time.monotonic()
        #: Addresses say nothing of the study, and hold for this run only.
        self._codes: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._open: dict[str, Viewer] = {}
        self._assets = assets()
        self.app: ASGIApp = Guard(self._routes(), gate)

    @property
    def last_seen(self) -> float:
        """When a page last asked for something [s, monotonic]."""
        return max([self._seen, *(viewer.last_seen for viewer in self._open.values())])

    def close(self) -> None:
        """Close every study."""
        for viewer in self._open.values():
            viewer.close()
        self._open.clear()

    def _routes(self) -> Starlette:
        routes = [
            Route("/", self._page),
            Route("/static/{name:path}", self._static),
            Route("/api/worklist", self._list),
            Route("/study/{id}/api/place", self._place),
            Route("/study/{id}/api/readings", self._readings),
            Mount("/study/{id}", app=self._study),
        ]
        return Starlette(routes=routes, exception_handlers=handlers())

    async def _page(self, _request: Request) -> Response:
        self._seen = time.monotonic()
        return asset(self._assets, _PAGE)

    async def _static(self, request: Request) -> Response:
        self._seen = time.monotonic()
        return asset(self._assets, str(request.path_params["name"]))

    async def _list(self, _request: Request) -> Response:
        self._seen = time.monotonic()
        desk = self._desk
        rows = await asyncio.to_thread(self._rows)
        said = {"reader": desk.reader or None, "blinded": desk.blinded}
        return as_json({**said, "adjudicates": desk.adjudicates, "studies": rows})

    def _rows(self) -> list[dict[str, Any]]:
        rows = self._desk.rows()
        return [{"id": self._id(row["code"]), **row} for row in rows]

    def _id(self, code: str) -> str:
        if code not in self._ids:
            made = secrets.token_urlsafe(12)
            self._ids[code], self._codes[made] = made, code
        return self._ids[code]

    async def _place(self, request: Request) -> Response:
        """Where a study is in the list: what comes before it, and what after."""
        own = str(request.path_params["id"])
        rows = await asyncio.to_thread(self._rows)
        at = next((k for k, row in enumerate(rows) if row["id"] == own), None)
        if at is None:
            return message(404, "There is nothing here.")
        todo = [row["id"] for row in rows[at + 1 :] + rows[:at] if _waits(row)]
        return as_json(
            {
                "position": at + 1,
                "of": len(rows),
                "previous": rows[at - 1]["id"] if at else None,
                "next": rows[at + 1]["id"] if at + 1 < len(rows) else None,
                "next_to_read": todo[0] if todo else None,
            }
        )

    async def _readings(self, request: Request) -> Response:
        code = self._codes.get(str(request.path_params["id"]))
        if code is None:
            return message(404, "There is nothing here.")
        return as_json(await asyncio.to_thread(self._desk.readings, code))

    async def _study(self, scope: Scope, receive: Receive, send: Send) -> None:
        code = self._codes.get(str(scope["path_params"]["id"]))
        if code is not None:
            await self._viewer(code).bare(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await message(404, "There is nothing here.")(scope, receive, send)

    def _viewer(self, code: str) -> Viewer:
        found = self._open.pop(code, None)
        if found is None or found.failed:
            self._make_room()
            found = Viewer(lambda: self._session(code), self._gate)
        self._open[code] = found  # the last one asked for comes last
        return found

    def _make_room(self) -> None:
        """Close what nobody looks at; whatever was kept of it is in its log."""
        for code in list(self._open):
            if len(self._open) < _MOST_OPEN:
                return
            if not self._open[code].lines:
                self._open.pop(code).close()

    def _session(self, code: str) -> Session:
        try:
            return Session(self._opening(code))
        except HrmError as err:
            raise ParameterError(f"{code} cannot be opened: {err}") from err
        except OSError as err:
            why = (err.strerror or "no reason given").lower()
            raise ParameterError(f"{code} cannot be opened: {why}") from err


def _waits(row: dict[str, Any]) -> bool:
    return (row["own"] or row["status"]) not in ("signed", "unknown")
