"""The workbench: what the host's page asks for that needs JAX, answered in one thread."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.core import Situation, govern
from nomoi.errors import Refusal
from nomoi.lab import consequences, formulas, gate, kept, report, sheet, villages
from nomoi.lab.diary import Diary
from nomoi.lab.plan import Plan
from nomoi.lab.play import Play, default, keep
from nomoi.lab.setup import Setup, Shelf, controls, preset
from nomoi.probes.meeting import Guest, fitted
from nomoi.report import meeting
from nomoi.report.comparison import film_of
from nomoi.runs import programs, regimes
from nomoi.runs.code import changed
from nomoi.runs.store import Store

LESSONS = Path(__file__).parent / "lessons.toml"
LEARNED = "learned:"
MINDS, KEPT = 20, 64  # the newest runs that a page offers as company; players that are remembered (ours)


class Bench:
    """What a lab has on its shelf, and what it makes of it.

    start  situation, under, set, map as on the command line: what the page shows first
    """

    def __init__(self, out: Path, words: Sequence[str] = (), start: dict[str, Any] | None = None):
        programs.keep()
        self.store, self.shelf = Store(out), Shelf()
        self._others = dict[tuple[str, str], Guest]()
        self.doing = ""  # what takes time now, in words, for who waits for it; another thread reads them
        self._begun = set[tuple[str, str]]()  # (shape, who) for which something was compiled here
        self._alone: tuple[str, dict[str, Any]] = "", {}  # what followed last without any rule, and of what
        self.shelf.put(words)
        self.first = self.shelf.typed(**start) if start and start.get("situation") else None

    def shelf_names(self, bare: Situation | None = None) -> dict[str, Any]:
        """All that a page may name, by kind; among scripts the newest runs in which something was learned."""
        kinds = ("situation", "institution", "script")
        names: dict[str, Any] = {kind: self.shelf.names(kind) for kind in kinds}
        names["about"] = {kind: self.shelf.about(kind) for kind in kinds}
        if bare is not None and villages.live(bare):
            names["script"].insert(0, villages.NAME)
            names["about"]["script"][villages.NAME] = villages.ABOUT
        trained = [r for r in reversed(self.store.sound(whole=False)[0]) if r.kind == "trained"][:MINDS]
        return names | {"learned": [[f"{LEARNED}{r.id[:8]}", f"learned in {r.label}, seed {r.seed} ({r.id[:8]})"]
                                    for r in trained]}  # fmt: skip

    def build(self, given: dict[str, Any]) -> dict[str, Any]:
        """A setup with the controls of all its parts, and every refusal as it stands.

        `fits` has the institutions that can be added, with the options that each needs for it.
        """
        setup = given.get("setup") or (self.shelf.setup(self.first) if self.first else self.lessons[0]["setup"])
        stack, parts = self.shelf.stack(setup), []
        place = bare = self.shelf.build({**setup, "stack": []})
        for part in stack:
            made, refused = self.shelf.institution(part), ""
            try:
                place = govern(place, made)
            except Refusal as refusal:  # the others stay, so that it can be mended or taken away
                refused = str(refusal)
            parts.append({"institution": part["institution"], "sentence": made.says(bare), "title": made.name,
                          "controls": controls(made), "refused": refused})  # fmt: skip
        refused = ""
        try:
            self.shelf.build(setup)
        except Refusal as refusal:
            refused = str(refusal)
        kinds = {name: self.shelf.find(name, "institution") for name in self.shelf.names("institution")}
        fits = {name: options for name, cls in kinds.items() if (options := regimes.fitting(cls, place)) is not None}
        card = " ".join((type(bare).__doc__ or "").split("\n\n")[0].split())
        presets = [[name, preset(made)] for name, made in type(bare).presets.items()]
        return {"setup": setup, "card": card, "controls": controls(bare), "presets": presets, "stack": parts,
                "refused": refused, "lessons": self.lessons, "fits": fits} | self.shelf_names(bare)  # fmt: skip

    @cached_property
    def lessons(self) -> list[dict[str, Any]]:
        """What a newcomer can begin with: {title, about, setup}."""
        told = files.table(LESSONS, (".toml",))["lesson"]
        typed = lambda one: self.shelf.typed(one["situation"], one.get("under", ""), (), one.get("map"))  # noqa: E731
        return [{"title": x["title"], "about": x["about"], "setup": self.shelf.setup(typed(x))} for x in told]

    def follow(self, given: dict[str, Any]) -> dict[str, Any]:
        """What follows from a setup."""
        place, word = self.shelf.build(given.get("setup")), str(given.get("script") or "")
        self.doing = "Villagers adapt to the rules" if word == villages.NAME else "Making ready who lives there"
        who = self.others(gate.unfiled(word), place)
        self._does(place, word, "what follows")
        found = consequences.follow(place, who, exact=not word)
        found["sentences"] = [i.says(place.bare) for i in place.institutions]
        if not place.institutions or not found["rows"]:
            return found
        same = word or default(place)
        key = json.dumps([{**given["setup"], "stack": []}, same, found["exact"]], sort_keys=True)
        if self._alone[0] != key:  # a rule that moves moves nothing there
            self._does(place.bare, same, "the same without any rule, to compare")
            self._alone = key, consequences.follow(place.bare, self.others(same, place.bare), exact=found["exact"])
        alone = self._alone[1]
        if not alone["rows"]:  # a game in normal form, of which sentences tell
            found["said"] += [f"Without any rule: {said}" for said in alone["said"]]
        if alone["exact"] == found["exact"]:
            found["without"] = {row[0]: row[1] for row in alone["rows"]}
        if not found["exact"] and word != villages.NAME and not word.startswith(LEARNED):
            more = "let villagers live here, or " if villages.live(place) else ""
            found["said"] = [f"Who lives here ({who.name}) never learns: it does the same whatever a rule costs or "
                             "pays, and keeps to it only where the rule leaves no choice. To see people who react, "
                             f"{more}make the situation small enough to be solved.", *found["said"]]  # fmt: skip
        return found

    def _does(self, place: Situation, who: str, what: str) -> None:
        """Say what takes time from now on, and whether a program is made for it first."""
        same = consequences.shape(place), who
        self.doing = f"{'Computing' if same in self._begun else 'Compiling'} {what}"
        self._begun.add(same)

    def formulas(self, given: dict[str, Any]) -> dict[str, Any]:
        """Which formulas there are."""
        return {"formulas": formulas.listed()}

    def formula(self, given: dict[str, Any]) -> dict[str, Any]:
        """What a formula says of the options that were moved."""
        return formulas.asked(given)

    def others(self, word: str, place: Situation) -> Guest:
        """Who lives at seats that no person has: a script, or what a run learned, if that fits the place.

        A run is named as `nomoi meet` names it; learned:RUN says that it is one.
        """
        if word == villages.NAME:
            return villages.settled(place)
        same = word, consequences.shape(place)
        if same not in self._others:
            if len(self._others) >= KEPT:
                self._others.pop(next(iter(self._others)))
            self._others[same] = self._other(word, place)
        return self._others[same]

    def _other(self, word: str, place: Situation) -> Guest:
        known = word.startswith(LEARNED)
        run = self.store.pick(word.removeprefix(LEARNED)) if known else meeting.named(word, self.store.root)
        guest = meeting.guest(word or default(place), place, self.store.root, False) if run is None else \
            meeting.of_record(run, True)  # fmt: skip
        if run is not None and (other := changed(run.facts["code"])):
            guest = dataclasses.replace(guest, name=f"{guest.name}, made by other code ({', '.join(other[:3])})")
        learner, mind = fitted(guest, place)
        return dataclasses.replace(guest, learner=learner, mind=mind)

    def play(self, plan: Plan, setup: Setup | None, diary: Diary, played: Any) -> Play:
        """A room's table."""
        self.doing = "Making a room ready"
        situation, others = self.fits(plan, setup)
        return Play(situation, plan, diary, setup or self.shelf.setup(situation), others, played)

    def fits(self, plan: Plan, setup: Setup | None = None) -> tuple[Situation, Guest]:
        """The situation of a plan, and who lives at other seats; refused where no session could begin."""
        shelf = self.shelf
        situation = shelf.build(setup) if setup else shelf.typed(plan.situation, plan.under, plan.set, plan.map or None)
        if plan.persons > situation.agents:
            raise Refusal(f"{plan.persons} seats are for people, and {situation.name} has {situation.agents} agents; "
                          f"persons={situation.agents} or situation.agents={plan.persons} would be right.")  # fmt: skip
        return situation, self.others(plan.script, situation)

    def records(self, given: dict[str, Any]) -> dict[str, Any]:
        return kept.records(self.store)

    def record(self, name: str) -> tuple[str, str]:
        return "text/html", kept.page_of(self.store.pick(name), self.store)

    def sheet(self, name: str) -> tuple[str, str]:
        return "text/csv", sheet.rows(report.session(self.store.pick(name)))

    def film(self, name: str) -> tuple[str, bytes]:
        return "image/webp", film_of(self.store.pick(name))

    def page(self, name: str) -> tuple[str, str]:
        return "text/html", kept.page(self.store, name)

    def keep(self, play: Play, ended: str, consent: str) -> str:
        return keep(self.store, play, ended, consent)
