"""The server of the lab: routes, rooms and sockets.  JAX is loaded once the first page has been served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from nomoi.errors import Refusal, printable
from nomoi.lab import gate
from nomoi.lab.chairs import Link
from nomoi.lab.diary import Diary
from nomoi.lab.door import Door, new_code
from nomoi.lab.plan import Plan, of, presets, ready
from nomoi.lab.room import Room

STATIC = Path(__file__).parent / "static"
FILES = {p.name: p for p in STATIC.iterdir()} if STATIC.is_dir() else {}
BEAT = '{"t":"beat"}'  # what an open page says every few seconds, and is told again
ROOMS = 16  # that are open at once (ours)
KNOCKS = 30  # a second at the doors of all rooms: a class at once, and too few to try codes out (ours)


class Lab:
    """One lab: a host, rooms, and a workbench."""

    def __init__(self, out: Path, words: list[str], start: dict[str, Any], port: int, address: str = "127.0.0.1"):
        self.out, self.port, self.address = out, port, address
        self.token, self.sockets = secrets.token_urlsafe(16), 0
        self.rooms, self.tokens = dict[str, Room](), dict[str, list[str]]()
        self.doors, self._knocks = dict[str, Door](), gate.Meter(KNOCKS)
        self.failed: Refusal | None = None
        self._words, self._start = words, start
        self._hands = ThreadPoolExecutor(1, "bench")  # the one thread that builds and solves
        self._bench: Any = None
        self._making = threading.Lock()  # one asks at a time: Python's parser, by which files are read, is not safe
        self._served, self._tasks = asyncio.Event(), set[Any]()

    # --- what needs JAX, and so waits until the first page is out ----------------------------------------------------

    async def checked(self) -> None:
        """Raise the refusal of what the command line asked for, once that can be known; never ends otherwise."""
        await self._served.wait()
        await asyncio.get_running_loop().run_in_executor(self._hands, self._ask, "build", ({},))
        await asyncio.Event().wait()

    def tried(self, plan: Plan | None) -> None:
        """Refuse what was typed and cannot be: files, names, options, a room in which no session could begin."""
        if plan is None:
            self._ask("build", ({},))
        else:
            self._ask("fits", (plan,))

    async def bench(self, name: str, *given: Any) -> Any:
        """Ask the workbench, in its own thread."""
        await self._served.wait()
        return await asyncio.get_running_loop().run_in_executor(self._hands, self._ask, name, given)

    def _ask(self, name: str, given: Any) -> Any:
        with self._making:
            if self._bench is None:
                from nomoi.lab.bench import Bench

                self._bench = Bench(self.out, self._words, self._start)
            self._bench.doing = ""
            return getattr(self._bench, name)(*given)

    # --- rooms --------------------------------------------------------------------------------------------------------

    def open(self, plan: Plan, setup: Any = None, resume: str = "") -> Room:
        """A new room, or one that goes on; `setup` says the situation where the plan does not."""
        if sum(room.phase != "over" for room in self.rooms.values()) >= ROOMS:
            raise Refusal(f"{ROOMS} rooms are open, and that is the most; end one of them.")
        diary = Diary(self.out / "rooms" / (name := resume or self._free()))
        played: Any = None
        if resume:
            plan, setup, *told = diary.resume(lambda *room: self._ask("fits", room))  # before there is a link
            played = told if told[0] else None
            tokens, code = diary.keys(plan.persons)
        else:
            tokens, code = [secrets.token_urlsafe(16) for _ in range(plan.persons)], new_code()
            diary.opened(plan, setup, tokens, code)
        make = lambda: self._ask("play", (plan, setup, diary, played))  # noqa: E731
        keep = lambda play, ended: diary.over(self._ask("keep", (play, ended, room.consent)))  # noqa: E731
        room = Room(name, plan, make, keep, diary)
        self.rooms[name], self.tokens[name] = room, tokens
        if plan.persons > 1:
            self.doors[name] = Door(room, tokens, code)
        self._tasks.add(asyncio.get_running_loop().create_task(self._run(room)))
        return room

    async def _run(self, room: Room) -> None:
        await self._served.wait()
        await room.run()

    def _free(self) -> str:
        k = 1
        while str(k) in self.rooms or (self.out / "rooms" / str(k)).exists():
            k += 1
        return str(k)

    def links(self, room: Room) -> list[str]:
        """The links of a room's seats."""
        return [f"{self.url}r/{room.name}/{k + 1}/#{t}" for k, t in enumerate(self.tokens[room.name])]

    def way_in(self, room: Room) -> str:
        """The short address at which phones get the next free seat; "" where one person plays, or none."""
        return f"{self.url}join/{self.doors[room.name].code}" if room.name in self.doors else ""

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}/"

    # --- requests -----------------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """The one page, for hosts and for seats."""
        asyncio.get_running_loop().call_later(0.05, self._served.set)
        return FileResponse(FILES["index.html"])

    async def asset(self, request: Request) -> Response:
        found = FILES.get(request.path_params["name"])
        return FileResponse(found) if found else PlainTextResponse("There is no such file.", 404)

    async def enter(self, request: Request) -> Response:
        """Exchange a token for a cookie, which is good for that host or seat alone."""
        room, place = request.path_params.get("room"), request.path_params.get("place")
        given = await _json(request)
        right = self._right(room, place)
        if right is None or not gate.same(given.get("token"), right):
            return _no()
        out = JSONResponse({"seat": place, "room": room})
        path = f"/r/{room}/{place}/" if room else "/"
        out.set_cookie(self._cookie(room), right, httponly=True, samesite="strict", path=path)
        return out

    async def join(self, request: Request) -> Response:
        """The link of a seat, for a phone that has a room's code."""
        if self._knocks.full():
            return JSONResponse({"refused": "Many ask at once; try again in a moment."}, 429)
        given = str(request.path_params["code"]).lower()
        door = next((d for d in self.doors.values() if gate.same(given, d.code)), None)
        if door is None:
            return JSONResponse({"refused": "There is no such room; look at the address again."}, 404)
        cookie = f"nomoi-{self.port}-join"
        try:
            place = door.seat(request.cookies.get(cookie))
        except Refusal as refusal:
            return JSONResponse({"refused": str(refusal)}, 409)
        token = door.tokens[place]
        out = JSONResponse({"link": f"/r/{door.room.name}/{place + 1}/#{token}"})
        out.set_cookie(cookie, token, httponly=True, samesite="strict", path=f"/join/{given}")
        return out

    def _right(self, room: str | None, place: int | None) -> str | None:
        if room is None:
            return self.token
        tokens = self.tokens.get(room, [])
        return tokens[place - 1] if place and place <= len(tokens) else None

    def _cookie(self, room: str | None) -> str:
        return f"nomoi-{self.port}-{'seat' if room else 'host'}"  # cookies of one address are shared by its ports

    def hosted(self, request: Any) -> bool:
        """Whether a request comes from the host."""
        return gate.same(request.cookies.get(self._cookie(None)), self.token)

    async def ask(self, request: Request) -> Response:
        """A question to the workbench: build, consequences, formulas, records."""
        if not self.hosted(request):
            return _no()
        name, given = request.path_params["name"], await _json(request)
        self._served.set()  # who asks has the page
        try:
            if name == "rooms":
                return JSONResponse({"rooms": [self._told(r) for r in self.rooms.values()], "presets": presets()})
            if name == "doing":  # answered at once, while the workbench's thread works
                return JSONResponse({"doing": self._bench.doing if self._bench else "Loading what computes"})
            if name == "room":
                plan = ready(given["preset"]) if "preset" in given else _asked(given.get("plan"))
                await self.bench("fits", plan, given.get("setup"))  # before there is a folder, or a link
                return JSONResponse(self._told(self.open(plan, given.get("setup"))))
            if name in ("build", "follow", "records", "formulas", "formula"):
                return JSONResponse(await self.bench(name, given))
        except Refusal as refusal:  # of a moved slider it is the answer, and no fault that a browser should report
            return JSONResponse({"refused": str(refusal)}, 200 if name in ("follow", "formula") else 422)
        except Exception as error:  # ours, or of a person's own file: told here and there, and the lab goes on
            said = f"the question {name!r} failed ({type(error).__name__}: {printable(str(error))[:200]})"
            print(f"nomoi: {said}; the lab goes on.", file=sys.stderr, flush=True)
            return JSONResponse({"refused": f"{said}; nothing was changed."}, 500)
        return PlainTextResponse("There is no such question.", 404)

    def _told(self, room: Room) -> dict[str, Any]:
        links = [link.removeprefix(self.url) for link in self.links(room)]
        told = {"name": room.name, "title": room.plan.title or room.plan.situation, "links": links}
        return room.roster() | told | {"join": self.way_in(room).removeprefix(self.url)}

    async def kept(self, request: Request) -> Response:
        """A record's page, its film, or a session's sheet."""
        if not self.hosted(request) or request.path_params["what"] not in ("record", "film", "page", "sheet"):
            return _no()
        try:
            what, content = await self.bench(request.path_params["what"], request.path_params["id"])
        except Refusal as refusal:
            return PlainTextResponse(str(refusal), 422)
        if what == "text/html":
            return HTMLResponse(content, headers={"content-security-policy": gate.KEPT})
        aside = {"content-disposition": "attachment"} if what == "text/csv" else {}
        return Response(content, media_type=what, headers=aside)

    async def socket(self, ws: WebSocket) -> None:
        """A seat's socket, or that of somebody who watches."""
        name, place = ws.path_params["room"], ws.path_params.get("place")
        room, right = self.rooms.get(name), self._right(name, place) if place else self.token
        cookie = self._cookie(name if place else None)
        if room is None or right is None or not gate.same(ws.cookies.get(cookie), right):
            await ws.send_denial_response(_no())
            return
        if self.sockets >= gate.SOCKETS:
            await ws.send_denial_response(PlainTextResponse("The lab is full.", 503))
            return
        self.sockets += 1
        await ws.accept()
        link, chair, meter = Link(), place - 1 if place else None, gate.Meter()
        out = asyncio.create_task(_send(ws, link))
        try:
            room.join(chair, link)
            while True:
                text = await ws.receive_text()
                if meter.full():
                    break
                if sentence := room.hear(chair, text):
                    link.send(json.dumps({"t": "refused", "said": sentence}))
                elif text == BEAT:  # so that a browser, too, notices a line that is dead
                    link.send(text)
        except (WebSocketDisconnect, KeyError, RuntimeError):  # gone; or bytes where text was due
            pass
        finally:
            self.sockets -= 1
            room.leave(chair, link)
            link.queue.put_nowait(None)
            await out

    def app(self) -> gate.Gate:
        """The server, behind its gate."""
        seat = "/r/{room:str}/{place:int}/"
        routes = [
            Route("/", self.page), Route(seat, self.page), Route("/static/{name:str}", self.asset),
            Route("/enter", self.enter, methods=["POST"]), Route(f"{seat}enter", self.enter, methods=["POST"]),
            Route("/join/{code:str}", self.page), Route("/join/{code:str}", self.join, methods=["POST"]),
            Route("/ask/{name:str}", self.ask, methods=["POST"]), Route("/kept/{what:str}/{id:str}", self.kept),
            WebSocketRoute("/r/{room:str}/ws", self.socket), WebSocketRoute(f"{seat}ws", self.socket),
        ]  # fmt: skip
        hosts = {f"{name}:{self.port}" for name in {self.address, "127.0.0.1", "localhost"}}
        return gate.Gate(Starlette(routes=routes), hosts)


def _asked(told: Any) -> Plan:
    """The plan of a page, whose situation is a setup: what is named by words may be a file, and a page names none."""
    plan = of(told if isinstance(told, dict) else {}, "the room")
    if plan.situation or plan.under or plan.set or plan.map:
        raise Refusal("a room's situation is given as a setup; files are given on the command line.")
    gate.unfiled(plan.script)
    return plan


async def _send(ws: WebSocket, link: Link) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while (text := await link.queue.get()) is not None:
            await ws.send_text(text)
        await ws.close()


async def _json(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > gate.LARGEST:
            return {}
    try:
        said = json.loads(body)
        json.dumps(said, ensure_ascii=False).encode()  # half a letter, which nobody could be told, is no text
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _no() -> Response:
    return PlainTextResponse("The link is not right; ask whoever gave it to you for another.", 403)
