"""One live connection: edits come in, results go out, and only the newest draft counts."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hrm.errors import HrmError

if TYPE_CHECKING:
    from hrm.viewer.session import Session

Work = Callable[[Callable[["Session"], dict[str, Any]]], Awaitable[dict[str, Any]]]
FAULT = "hrm met a fault of its own; the change was not kept. Please report it."
#: Messages that may wait; a page that sends more does not wait for answers.
_MOST_WAITING = 200
#: The hand rests when it sent nothing so long [s].
_REST_S = 0.4
_ACTIONS = ("undo", "redo", "sign_off", "reopen", "settings", "stability")


class Line:
    """Answer the messages of one page.

    Parameters
    ----------
    receive, send : async callables
        Of texts.
    work : async callable
        Does something with the session in its thread.
    """

    def __init__(
        self,
        receive: Callable[[], Awaitable[str]],
        send: Callable[[str], Awaitable[None]],
        work: Work,
    ) -> None:
        self._receive, self._send, self._work = receive, send, work
        self._waiting: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Serve until the page goes away."""
        answering = asyncio.create_task(self._answer_all())
        try:
            while True:
                await self._take(await self._receive())
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("seq"), int):
            await self._say({"seq": 0, "type": "error", "message": "Not a message of the viewer."})
            return
        if _is_draft(message):
            # An older draft that nobody began to measure is of no use any more.
            self._waiting = deque(each for each in self._waiting if not _is_draft(each))
        if len(self._waiting) >= _MOST_WAITING:
            await self._say(_error(message, "Too many changes at once; this one was not kept."))
            return
        self._waiting.append(message)
        self._news.set()

    async def _answer_all(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._answer(self._waiting.popleft())

    async def _answer(self, message: dict[str, Any]) -> None:
        """Answer at once; a draft again, in full, when the hand rests."""
        if message.get("type") == "near":
            await self._unasked(lambda session: session.near(message.get("edits", ())))
            await self._go_ahead(_REST_S)
            return
        done = await self._answer_once(message, quick=_is_draft(message))
        # What does not fit is said once: the hand may still be on its way to where it does.
        if done and _is_draft(message) and not self._waiting:
            self._news.clear()  # it told of this very draft
            rest = asyncio.get_running_loop().time() + _REST_S
            await self._go_ahead(_REST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(rest):
                    await self._news.wait()
            if not self._waiting:
                await self._answer_once(message, quick=False)

    async def _go_ahead(self, seconds: float) -> None:
        """Measure where the hand may go next, until it says where it went."""
        clock = asyncio.get_running_loop()
        end = clock.time() + seconds
        while not self._waiting and clock.time() < end:
            if not (await self._unasked(lambda session: session.ahead())).get("more"):
                return

    async def _unasked(self, do: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
        """Do what nobody waits for; a fault of it is told when somebody asks for the same."""
        try:
            return await self._work(do)
        except Exception:  # noqa: BLE001 - the page is answered all the same
            return {}

    async def _answer_once(self, message: dict[str, Any], *, quick: bool) -> bool:
        """Answer a message; whether it could be done."""
        try:
            done = await self._work(lambda session: _do(session, message, quick=quick))
        except HrmError as err:
            await self._say(_error(message, for_page(err)))
            return False
        except OSError as err:
            words = (
                f"The review log cannot be written: {(err.strerror or 'no reason given').lower()}"
            )
            await self._say(_error(message, f"{words}. The change was not kept."))
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the page goes back and goes on
            await self._say(_error(message, FAULT))
            return False
        notice = done.pop("notice", None)
        await self._say({"seq": message["seq"], "type": "result", **done})
        if notice:
            await self._say({"type": "notice", "message": notice})
        return True

    async def _say(self, content: dict[str, Any]) -> None:
        await self._send(json.dumps(content, allow_nan=False, separators=(",", ":")))


def _do(session: Session, message: dict[str, Any], *, quick: bool) -> dict[str, Any]:
    kind = message.get("type")
    if kind == "edit":
        commit = message.get("commit") is True
        return session.edit(message.get("edits", ()), commit=commit, quick=quick)
    if kind in _ACTIONS:
        return session.act(kind, message)
    return session.act("", message)


#: What a code of the log is called on the page.
_WORDS = {
    "ues_upper_cm": "the upper border of the UES",
    "ues_lower_cm": "the lower border of the UES",
    "les_upper_cm": "the upper border of the LES",
    "les_lower_cm": "the lower border of the LES",
    "transition_zone_cm": "the transition zone",
    "crural_diaphragm_cm": "the diaphragm",
    "pressure_inversion_point_cm": "the pressure inversion point",
    "gastric_reference_mmhg": "the gastric reference",
}


def for_page(error: Exception) -> str:
    """Write a fault for somebody who moved a handle and knows no lines of a log."""
    text = re.sub(r"^review log, line \d+: (landmarks )?", "", str(error))
    for code, words in _WORDS.items():
        text = text.replace(code, words)
    return text[:1].upper() + text[1:]


def _is_draft(message: dict[str, Any]) -> bool:
    return message.get("type") == "edit" and message.get("commit") is not True


def _error(message: dict[str, Any], words: str) -> dict[str, Any]:
    return {"seq": message["seq"], "type": "error", "message": words, "revert": True}
