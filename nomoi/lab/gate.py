"""The gate: who may speak to the lab, from where, and how much.

A link carries its token in the fragment, which no server and no log ever sees; the page exchanges it for a cookie that
no script can read.  Each request and socket must name this host, and come from a page of its own.
"""

from __future__ import annotations

import hmac
import time
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from nomoi.errors import Refusal

SOCKETS, RATE, LARGEST = 64, 50, 65536  # at once; messages a second and socket; bytes of a message or a request
LONGEST = 200  # letters of a path or a name
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KEPT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"  # kept pages
SAFE = {
    "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
    "cache-control": "no-store", "cross-origin-opener-policy": "same-origin",
}  # fmt: skip


class Gate:
    """The outermost layer of the server (ASGI): Host, Origin, and headers of every answer."""

    def __init__(self, app: Any, hosts: set[str]):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope)
        origin, strict = said.get("origin"), scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        refused: Response | None = None
        if len(scope["path"]) > LONGEST:
            refused = PlainTextResponse("There is no such place.", 404)
        elif (said.get("host") or "").lower() not in self.hosts:
            refused = PlainTextResponse("This lab answers under its own address alone.", 421)
        elif (strict or origin) and origin not in {f"http://{host}" for host in self.hosts}:
            refused = PlainTextResponse("This lab hears its own pages alone.", 403)
        elif scope["type"] == "http" and int(said.get("content-length") or 0) > LARGEST:
            refused = PlainTextResponse("That is too much at once.", 413)
        if refused:
            await deny(scope, receive, send, refused)
            return

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                more = [(n.encode(), v.encode()) for n, v in SAFE.items() if n.encode() not in there]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, answer)


async def deny(scope: Any, receive: Any, send: Any, response: Response) -> None:
    """Answer instead of the server; a socket is refused with that answer before it opens."""
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    await receive()  # websocket.connect
    head = {"type": "websocket.http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await send(head)
    await send({"type": "websocket.http.response.body", "body": response.body})


def same(given: Any, token: str) -> bool:
    """Whether a token is right, in a time that tells nothing."""
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


class Meter:
    """How many messages came in the last second."""

    def __init__(self, rate: int = RATE):
        self.rate, self.left, self.at = float(rate), float(rate), time.monotonic()

    def full(self) -> bool:
        """Whether one more is too many; it is counted where it is not, so that what is refused costs nothing."""
        now = time.monotonic()
        self.left, self.at = min(self.rate, self.left + (now - self.at) * self.rate), now
        if self.left < 1:
            return True
        self.left -= 1
        return False


def unfiled(word: str) -> str:
    """A word of a page that names who plays; refused where it names a file."""
    if len(word) > LONGEST or any(mark in word for mark in ("/", "\\", ".py")) or Path(word or ".").is_file():
        raise Refusal(f"{word[:60]!r} is no name of a player; files are given on the command line, and a page names "
                      "what is there.")  # fmt: skip
    return word
