"""Endpoint: one question to a server of the usual chat protocol (POST URL/chat/completions), with patience.

What is for a moment (429, 5xx, a connection that breaks) is tried again; anything else that the server refuses is said
in a sentence at once.  The key comes from the environment, goes into one header, and nowhere else.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from nomoi.errors import Refusal, printable
from nomoi.speak.desk import Desk, named

LARGEST = 1_000_000  # bytes of an answer, beyond which it is none (ours)
LONGEST = 120.0  # seconds that a server may ask to be left alone (ours)
FIRST = 3  # tries of a connection where nobody ever answered (ours)
MOMENTS = (408, 425, 429)  # beside 5xx: what is over in a moment
Messages = Sequence[Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A model behind a URL such as http://127.0.0.1:8000/v1; `key` is the *name* of an environment variable."""

    model: str
    url: str
    key: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
        except ValueError:  # a bracket that is not closed
            parts = urlsplit("")
        if "@" in parts.netloc or parts.query or parts.fragment:  # before anything repeats the address
            raise Refusal(
                "an address with a password, or with words behind a question mark or #, would be written into "
                "records; name an environment variable that has the key."
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refusal(
                f"{self.url!r} is no address of an endpoint; something like http://127.0.0.1:8000/v1 would be right."
            )
        if self.key and not (self.key.isascii() and self.key.isidentifier()):  # it may be the key itself
            raise Refusal(
                "a key is given by the name of an environment variable that has it, and what was given is no such "
                "name; after `export MY_KEY=...` MY_KEY would be right."
            )
        if not self.model or printable(self.model) != self.model:
            raise Refusal(f"{self.model!r} is no name of a model; such as the server calls it would be right.")

    @property
    def place(self) -> str:
        return f"{self.url.rstrip('/')}/chat/completions"

    def secret(self) -> str:
        """The key itself, for the header alone."""
        value = os.environ.get(self.key, "") if self.key else ""
        if self.key and not value:
            raise Refusal(
                f"the environment variable {self.key} is empty; export {self.key}=... gives the key of {self.url}."
            )
        if not value.isascii() or not value.isprintable():
            raise Refusal(f"the environment variable {self.key} has letters that no key has; give the key alone.")
        return value

    def ask(self, desk: Desk, messages: Messages, draw: Sequence[int], schema: Any = None, **parameters: Any) -> str:
        """The text that the model answers; the same question of the same draw is asked once and for ever."""
        said = [dict(message) for message in messages]
        asked = {"url": self.url, "model": self.model, "messages": said, "parameters": parameters, "draw": list(draw)}
        name = named(asked)
        if found := desk.find(name, asked):
            return str(found["text"])
        seed = int(name[:7], 16)  # whatever the server makes of it
        body = {"model": self.model, "messages": list(messages), "seed": seed, **parameters}
        text, tokens = self._tried(desk, body, schema)
        return str(desk.keep(name, asked, self.hide(text), tokens)["text"])

    def hide(self, text: str) -> str:
        """A text without the key."""
        secret = self.secret()
        return text.replace(secret, "[key]") if secret else text

    def _tried(self, desk: Desk, body: dict[str, Any], schema: Any) -> tuple[str, int]:
        wrong, attempt = "", 0
        for attempt in range(desk.tries):
            formed = schema is not None and self.place not in _PLAIN
            sent = body | ({"response_format": _format(schema)} if formed else {})
            desk.count()
            status, wait, content = self._once(desk, sent)
            if status == 200:
                if (said := _said(content)) is not None:
                    desk.heard = True
                    return said
                wrong = "it answers with what is no chat completion"
            elif formed and status in (400, 422):  # it does not take a form: asked once, remembered
                _PLAIN.add(self.place)
                continue
            elif status and status < 500 and status not in MOMENTS:
                raise Refusal(
                    f"{self.url} refuses what it is asked ({status}{self._why(content)}){self._hint(status)}."
                )
            else:
                wrong = f"it answers with status {status}" if status else content.decode()
            if not status and not desk.heard and attempt + 1 >= FIRST:
                break
            if attempt + 1 < desk.tries:
                time.sleep(wait if wait is not None else min(LONGEST, desk.pause * 2**attempt))
        raise Refusal(
            f"{self.url} gives no answer after {attempt + 1} tries: {wrong}; what was said so far is kept, "
            "and the same command goes on from there."
        )

    def _once(self, desk: Desk, body: Mapping[str, Any]) -> tuple[int, float | None, bytes]:
        """Status (0: no connection, and the content is why), seconds to wait if told, and the content."""
        import httpx

        head, secret = {"content-type": "application/json"}, self.secret()
        if secret:
            head["authorization"] = f"Bearer {secret}"
        end, got = time.monotonic() + desk.patience, bytearray()
        try:
            with _client().stream("POST", self.place, content=json.dumps(body), headers=head,
                                  timeout=desk.patience) as answer:  # fmt: skip
                for piece in answer.iter_bytes():
                    got += piece
                    if len(got) > LARGEST:
                        return 200, None, _LARGE
                    if time.monotonic() > end:
                        raise httpx.ReadTimeout("it takes too long")
                return answer.status_code, _wait(answer.headers.get("retry-after")), bytes(got)
        except httpx.HTTPError as error:
            late = isinstance(error, httpx.TimeoutException)
            why = f"no answer in {desk.patience:g} s" if late else "the connection fails"
            return 0, None, f"{why} ({type(error).__name__})".encode()
        except httpx.InvalidURL:
            raise Refusal(
                f"{self.url!r} is no address of an endpoint; http://127.0.0.1:8000/v1 would be one."
            ) from None

    def _why(self, content: bytes) -> str:
        """What the server says, cut, on one line and without the key."""
        try:
            told = json.loads(content)["error"]
            said = str(told["message"] if isinstance(told, dict) else told)
        except (ValueError, LookupError, TypeError, RecursionError):
            return ""
        said = self.hide(printable(" ".join(said.split())))
        return f": {said[:120]}"

    def _hint(self, status: int) -> str:
        if status in (401, 403):
            where = f"check the key in {self.key}" if self.key else "name the environment variable that has its key"
            return f"; {where}"
        return f"; check the address, and that it has a model {self.model!r}" if status == 404 else ""


_PLAIN = set[str]()  # endpoints that take no form of answers
_LARGE = json.dumps({"choices": [{"message": {"content": ""}}]}).encode()  # too much is as good as nothing
_LOCK, _CLIENTS = threading.Lock(), list[Any]()


def _client() -> Any:
    """One pool of connections a process."""
    try:
        import httpx
    except ImportError:
        raise Refusal("agents that speak need httpx; pip install 'nomoi[words]' brings it.") from None
    with _LOCK:
        if not _CLIENTS:
            _CLIENTS.append(httpx.Client(follow_redirects=False))
        return _CLIENTS[0]


def _format(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def _wait(told: str | None) -> float | None:
    """Seconds of a Retry-After; a date, or nonsense, is as if nothing were said."""
    try:
        return min(LONGEST, max(0.0, float(told or "")))
    except ValueError:
        return None


def _said(content: bytes) -> tuple[str, int] | None:
    """The text of a chat completion and the tokens that it took; None of what is none."""
    try:
        told = json.loads(content)
        text = told["choices"][0]["message"]["content"]
        tokens = told.get("usage", {}).get("total_tokens", len(str(text)) // 4)
        tokens = tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else 0
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return (str(text) if text is not None else "", tokens)
