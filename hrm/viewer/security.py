"""Who may talk to the viewer: one browser, on this machine, that opened the launch link.

Every request passes here before anything else sees it, and every answer leaves with the
same headers, errors too.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Largest body of a request, and largest message of a connection [bytes].
MOST_BYTES = 64 * 1024
_CSP = "; ".join(
    (
        *("default-src 'self'", "base-uri 'none'", "object-src 'none'"),
        *("form-action 'none'", "frame-ancestors 'none'"),
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pressures and results must not stay in the disk cache of a browser.
    "Cache-Control": "no-store",
}
_WRITING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Gate:
    """Secrets of one run, and where it listens.

    Attributes
    ----------
    hosts : frozenset of str
        Names, with port, by which a browser may call this server.
    secure : bool
        Whether it speaks TLS.
    port : int
    token : str
        Opens the page once.
    cookie : str
        Opens everything else, from then on.
    """

    hosts: frozenset[str]
    port: int
    secure: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie_name(self) -> str:
        """Name with the port: all ports of a machine share their cookies."""
        return f"hrm_view_{self.port}"

    @property
    def scheme(self) -> str:
        """Scheme of the page."""
        return "https" if self.secure else "http"

    def spend(self, token: str) -> bool:
        """Take a launch token; it opens the page once."""
        if not self.token or not _same(token, self.token):
            return False
        self.token = ""
        return True

    def holds_cookie(self, header: str) -> bool:
        """Whether a cookie header has this run's cookie."""
        try:
            found = SimpleCookie(header).get(self.cookie_name)
        except CookieError:
            return False
        return found is not None and _same(found.value, self.cookie)

    def set_cookie(self) -> str:
        """Header that hands the cookie over."""
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie_name}={self.cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def own_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from a page of this server."""
        return headers.get("origin", "") == f"{self.scheme}://{headers.get('host', '')}"


class Guard:
    """Let in whom the gate knows, and nobody else.

    Parameters
    ----------
    app : ASGI application
    gate : Gate
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        if scope["type"] == "websocket":
            await self._connection(scope, headers, receive, send)
            return
        send = _with_headers(send)
        token = _token(scope)
        refused = self._refusal(scope, headers)
        if refused is not None and not (refused[0] == 401 and token is not None):
            await _say(send, *refused, plain="/api/" not in scope["path"])
        elif token is not None:
            await self._launch(token, headers, send)
        else:
            await self._app(scope, _bounded(receive), send)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Status and words of what is not let in."""
        gate = self._gate
        if headers.get("host", "").lower() not in gate.hosts:
            return 400, "This server answers only to the address that hrm printed."
        if scope["method"] in _WRITING:
            if not gate.own_origin(headers):
                return 403, "Only the page of hrm may ask for this."
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MOST_BYTES:
                return 413, "This is more than the viewer takes at once."
        if not gate.holds_cookie(headers.get("cookie", "")):
            return 401, (
                "Open the link that hrm printed. It opens the page once; if it was used "
                "already, end hrm with Ctrl-C in its terminal and start it again."
            )
        return None

    async def _launch(self, token: str, headers: Mapping[str, str], send: Send) -> None:
        known = self._gate.holds_cookie(headers.get("cookie", ""))
        if not known and not self._gate.spend(token):
            text = (
                "This link is not valid, or was used already: it opens the page once. End hrm "
                "view and start it again."
            )
            await _say(send, 403, text, plain=True)
            return
        fields = [("location", "/")]
        if not known:
            fields.append(("set-cookie", self._gate.set_cookie()))
        await _answer(send, 303, b"", fields)

    async def _connection(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        gate = self._gate
        good = (
            headers.get("host", "").lower() in gate.hosts
            and gate.own_origin(headers)
            and gate.holds_cookie(headers.get("cookie", ""))
        )
        if good:
            await self._app(scope, receive, send)
        else:
            # Before it is accepted: the browser gets 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8"))


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name; one that appears twice holds both, and so fits nothing."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        between = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{between}{text}" if key in found else text
    return found


def _token(scope: Scope) -> str | None:
    """Launch token of a request for the page."""
    if scope["method"] != "GET" or scope["path"] != "/":
        return None
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
    return given[0] if given else None


def _with_headers(send: Send) -> Send:
    ours = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    names = {name for name, _ in ours}

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return sender


def _bounded(receive: Receive) -> Receive:
    """End a body that grows beyond what it may, whatever its length was said to be."""
    seen = 0

    async def receiver() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > MOST_BYTES else message

    return receiver


async def _say(send: Send, status: int, text: str, *, plain: bool) -> None:
    body = text if plain else json.dumps({"message": text})
    kind = "text/plain; charset=utf-8" if plain else "application/json"
    await _answer(send, status, body.encode(), [("content-type", kind)])


async def _answer(send: Send, status: int, body: bytes, fields: Any) -> None:
    headers = [(name.encode(), value.encode()) for name, value in fields]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
