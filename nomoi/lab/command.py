"""What `nomoi lab` and `nomoi export` do."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nomoi import catalogue, files
from nomoi.errors import Refusal, nearest, printable
from nomoi.lab.plan import Plan, presets, read
from nomoi.runs.errand import THREADS

if TYPE_CHECKING:
    from nomoi.runs.record import Record

PERSON = "person"


def lab(
    situation: str, under: str, set: Sequence[str], map: str | None, seats: Sequence[str], room: str, resume: str,
    own: Sequence[str], port: int, lan: str, out: Path,
) -> None:  # fmt: skip
    """Serve a lab until it is interrupted."""
    try:
        import uvicorn
        import websockets

        from nomoi.lab.server import Lab
    except ImportError:
        raise Refusal(
            "the lab needs the packages starlette, uvicorn and websockets: pip install 'nomoi[web]'"
        ) from None
    del websockets
    if "jax" not in sys.modules and not any(name in os.environ for name in THREADS):
        os.environ[THREADS[0]] = "1"  # programs this small take longer, and twice the CPU time, with more threads
    if room and (situation or under or set or map or seats):
        raise Refusal("--room says all of a room; give it alone, or the situation and its seats without it.")
    if (under or set or map) and not situation:
        raise Refusal("--under, --set and --map are about a situation, and none is given; `nomoi lab pool --under levy`"
                      " would be right.")  # fmt: skip
    if resume and (situation or room or seats):
        raise Refusal("--resume goes on with a room as it was; give it without a situation, --room and --seat.")
    if resume and not resume.isalnum():
        raise Refusal(f"--resume {resume!r} names no room; the lab gives rooms names such as 1, 2 and 3.")
    address = _address(lan)
    words = [word for word in (*own, situation) if ".py" in word]
    plain = "" if situation.endswith(".py") else situation
    _known(plain)
    if plain.count(":"):  # the whole file is on the shelf
        words = [word.rpartition(":")[0] if ":" in word else word for word in words]
    plan = _plan(plain, under, tuple(set), map, seats, read(room) if room else None)
    start = {"situation": plain, "under": under, "set": tuple(set), "map": map}

    async def serve(lab: Lab, ear: socket.socket) -> None:
        config = uvicorn.Config(
            lab.app(), log_level="critical", access_log=False, ws="websockets-sansio", ws_max_size=65536,
            ws_per_message_deflate=False, lifespan="off", server_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
        opened = lab.open(Plan(), resume=resume) if resume else lab.open(plan) if plan else None
        print(f"the lab is at {lab.url}#{lab.token} (this link is the host's alone; Ctrl-C ends the lab)", flush=True)
        if opened and (way := lab.way_in(opened)):
            print(f"phones get the next free seat at {way}", flush=True)
        for k, link in enumerate(lab.links(opened) if opened else ()):
            print(f"seat {k + 1}: {link}", flush=True)
        serving = asyncio.create_task(server.serve([ear]))
        failing = asyncio.create_task(lab.checked())
        await asyncio.wait({serving, failing}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done() and failing.exception():
            await asyncio.sleep(1)  # so that the page can say it too
            server.should_exit = True
            await serving
            raise failing.exception()  # type: ignore[misc]
        await serving

    with _ear(address, port) as ear:
        lab = Lab(out, words, start, ear.getsockname()[1], address)
        if room not in presets() and (plan or words or under or set or map):
            lab.tried(plan)  # which loads JAX; what comes along, and names alone, can be known without
        asyncio.run(serve(lab, ear))


def _plan(
    situation: str, under: str, set: tuple[str, ...], map: str | None, seats: Sequence[str], given: Plan | None
) -> Plan | None:
    """The plan of the room that is opened at once; none where no seat is given."""
    if given or not seats:
        return given
    others = [word for word in seats if word != PERSON]
    if len(dict.fromkeys(others)) > 1:
        raise Refusal(f"the seats are for {', '.join(others)}; one script plays all that no person has.")
    if not situation:
        raise Refusal("a seat stands in a situation; something like `nomoi lab harvest --seat person` would be right.")
    persons = list(seats).count(PERSON)
    return Plan(situation=situation, under=under, set=set, map=map or "", persons=persons, script="".join(others[:1]))


def _known(word: str) -> None:
    """Refuse a name that means no situation, before anything is loaded."""
    if word and not any(mark in word for mark in (".py", "/", ":", ".csv", ".json", ".nfg")):
        known = [c.name.lower() for c in catalogue.texts("situation")]
        if word.lower() not in known:
            raise Refusal(f"there is no situation called {word!r}; {nearest(word.lower(), known, 'situation')}")


def _address(lan: str) -> str:
    if not lan:
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(lan).version == 4:
            return lan
    except ValueError:
        pass
    raise Refusal(f"--lan {lan} is no address of this machine; {_own()}")


def _own() -> str:
    """What this machine's own address is, at the end of a sentence; nothing is sent to know it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("192.0.2.1", 9))  # an address that nobody has: only the way there is chosen
            if (own := way.getsockname()[0]) != "0.0.0.0":
                return f"in its network this one has {own}."
        except OSError:
            pass
    return "`hostname -I` (Linux), `ipconfig getifaddr en0` (macOS) or `ipconfig` (Windows) tells its own."


def _ear(address: str, port: int) -> socket.socket:
    ear = socket.socket()
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        ear.bind((address, port))
    except (OSError, OverflowError) as error:
        ear.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
            raise Refusal(f"--lan {address} is no address of this machine; {_own()}") from None
        said = error.strerror if isinstance(error, OSError) else error
        raise Refusal(f"the lab cannot be at {address}:{port} ({said}); --port 0 takes any that is free.") from None
    ear.listen(128)  # before the link is printed: who follows it at once waits
    return ear


def export(record: Record, csv: Path | None, page: Path | None, out: Path) -> None:
    """A session as CSV, or as a page."""
    from nomoi.lab import report, sheet
    from nomoi.runs.store import Store

    session = report.session(record)
    for path in (csv, page):
        if path:
            files.check_place(path, out)
    if page:
        print(printable(str(files.write(page, report.html(session, record, Store(out))))))
    if csv:
        print(printable(str(files.write(csv, sheet.rows(session)))))
    elif not page:
        print(sheet.rows(session), end="")
