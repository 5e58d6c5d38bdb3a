"""The workbench: what the host's page asks for that needs JAX, answered in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nomoi.core import Situation
from nomoi.errors import Refusal
from nomoi.lab import consequences, kept
from nomoi.lab.diary import Diary
from nomoi.lab.plan import Plan
from nomoi.lab.play import Play, keep, lives, player
from nomoi.lab.setup import Setup, Shelf, controls
from nomoi.report.comparison import film_of
from nomoi.runs import programs
from nomoi.runs.store import Store


class Bench:
    """What a lab has on its shelf, and what it makes of it.

    start  situation, under, set, map as on the command line: what the page shows first
    """

    def __init__(self, out: Path, words: Sequence[str] = (), start: dict[str, Any] | None = None):
        programs.keep()
        self.store, self.shelf = Store(out), Shelf()
        self.shelf.put(words)
        self.first = self.shelf.typed(**start) if start and start.get("situation") else None

    def shelf_names(self) -> dict[str, Any]:
        return {kind: self.shelf.names(kind) for kind in ("situation", "institution", "script")}

    def build(self, given: dict[str, Any]) -> dict[str, Any]:
        """A setup with the controls of all its parts, and every refusal as it stands."""
        setup = given.get("setup") or (self.shelf.setup(self.first) if self.first else _blank("harvest"))
        bare = self.shelf.build({**setup, "stack": []})
        parts, refused = [], ""
        for part in setup.get("stack", []):
            made = self.shelf.institution(part)
            parts.append({"institution": part["institution"], "sentence": made.sentence, "title": made.name,
                          "controls": controls(made)})  # fmt: skip
        try:
            self.shelf.build(setup)
        except Refusal as refusal:
            refused = str(refusal)
        card = " ".join((type(bare).__doc__ or "").split("\n\n")[0].split())
        return {"setup": setup, "card": card, "controls": controls(bare), "presets": list(type(bare).presets),
                "stack": parts, "refused": refused} | self.shelf_names()  # fmt: skip

    def follow(self, given: dict[str, Any]) -> dict[str, Any]:
        """What follows from a setup."""
        return consequences.follow(self.shelf.build(given.get("setup")), str(given.get("script") or ""))

    def play(self, plan: Plan, setup: Setup | None, diary: Diary, played: Any) -> Play:
        """A room's table."""
        situation = self.fits(plan, setup)
        return Play(situation, plan, diary, setup or self.shelf.setup(situation), played)

    def fits(self, plan: Plan, setup: Setup | None = None) -> Situation:
        """The situation of a plan; refused where no session could begin in it."""
        shelf = self.shelf
        situation = (
            shelf.build(setup) if setup else shelf.typed(plan.situation, plan.under, plan.set, plan.map or None)
        )
        if plan.persons > situation.agents:
            raise Refusal(f"{plan.persons} seats are for people, and {situation.name} has {situation.agents} agents; "
                          f"persons={situation.agents} or situation.agents={plan.persons} would be right.")  # fmt: skip
        lives(player(plan, situation), situation)
        return situation

    def records(self, given: dict[str, Any]) -> dict[str, Any]:
        return kept.records(self.store)

    def record(self, name: str) -> tuple[str, str]:
        return "text/html", kept.page_of(self.store.pick(name), self.store)

    def film(self, name: str) -> tuple[str, bytes]:
        return "image/webp", film_of(self.store.pick(name))

    def page(self, name: str) -> tuple[str, str]:
        return "text/html", kept.page(self.store, name)

    def keep(self, play: Play, ended: str, consent: str) -> str:
        return keep(self.store, play, ended, consent)


def _blank(word: str) -> Setup:
    return {"situation": word, "preset": "", "options": {}, "stack": []}
