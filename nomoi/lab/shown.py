"""What is sent to a browser: codes of what there is to see, what is asked, and what happened in words.

A person at a seat is told what its agent is told (`Table.told`), and no more, unless the plan shows the whole map.
"""

from __future__ import annotations

import re
from typing import Any

import equinox as eqx
import numpy as np

from nomoi.core import Situation, outline
from nomoi.grid import paint
from nomoi.grid.still import Still, still, trace
from nomoi.measure.statistics import number
from nomoi.play.digest import home
from nomoi.play.table import Table
from nomoi.play.words import choices
from nomoi.play.words import rules as told
from nomoi.runs.regimes import unheard

MARKS = re.compile(r"`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)")  # of emphasis, which a page of text does not know

DUST = 1e-6  # what single precision leaves of a transfer that is none (ours)


class Eyes:
    """How one situation is shown."""

    def __init__(self, situation: Situation, sees: str):
        self.situation, self.sees = situation, sees
        self.scene = outline(situation).scene
        self.labels = labels(situation)
        # an Equinox module makes a method anew whenever it is asked for one, which costs more than the words
        self.roles, self.says, self.says_of_the_world = situation.roles, situation.words, situation.bare.words
        # who sees a place, which has no words of its own for it, need not read vectors to find the way
        self.bare_numbers = self.scene is not None and type(situation.bare).words is Situation.words
        self._mapped: tuple[Any, dict[str, Any]] = (None, {})

    def fixed(self) -> dict[str, Any]:
        """What does not change: rules in words, names of choices, and how to paint."""
        place, bare = self.situation, self.situation.bare
        if self.scene is None:  # the rules as they are told to whoever speaks, with all their numbers
            card = [line.removeprefix("- ") for line in told(bare).splitlines() if line != "The rules:"]
        else:
            card = [" ".join(part.split()) for part in (type(bare).__doc__ or "").strip().split("\n\n")[:2]]
        card = [MARKS.sub("", line) for line in card]
        rules = [i.says(bare) for i in place.institutions if bool(i.in_force)] + unheard(place.institutions)
        out = {"name": bare.name, "card": card, "rules": rules,
               "agents": place.agents, "roles": list(place.roles), "labels": self.labels, "horizon": place.horizon,
               "colours": list(paint.AGENTS), "palette": paint.PALETTE}  # fmt: skip
        if self.scene is not None:
            extent = self.scene.extent
            names = self.scene.planes
            blank = np.zeros((1, 1), np.uint32)
            one = np.zeros(1, np.int32)
            shot = Still(1, 1, names, len(self.scene.ground), blank, blank.astype(np.int8) - 1, one, one, one, {},
                          place.kinds)  # fmt: skip
            bodies = sorted(self.scene.bodies)
            looks = [(n, "body" if n in bodies else form, tone) for n, form, tone in paint.looks(shot)]
            out["view"] = {"looks": looks, "own": [extent.ahead, extent.side], "shape": list(extent.shape)}
        return out

    def seat(self, table: Table, i: int, total: float) -> dict[str, Any]:
        """What the person at a seat is told now; `total` is what the agent has got so far."""
        told = table.told(i)
        out = self._happened(table, i, total) | {"asked": list(told.asked), "present": told.present, "step": told.step}
        view = told.seen.pop("view", None)
        if view is not None and self.sees == "view":
            out["view"] = view.tolist()
        if self.sees == "map" and self.scene is not None:
            out["map"] = self.map(table)
        if not told.present:
            return out | {"words": "You are out of play now."}
        said, role = told.seen, self.roles[i]
        if self.bare_numbers:
            out["numbers"] = self.says_of_the_world({k: v for k, v in said.items() if "." not in k}, role)
            said = {k: v for k, v in said.items() if "." in k}  # of institutions
        return out | {"words": self.says(said, role)}

    def everything(self, table: Table, totals: np.ndarray) -> dict[str, Any]:
        """What somebody who watches is shown."""
        out: dict[str, Any] = {"step": table.steps, "totals": [number(float(x)) for x in totals]}
        if self.scene is not None:
            out["map"] = self.map(table)
        if "stock" in self.situation.offers:
            out["stock"] = [[k, number(float(x))] for k, x in zip(self.situation.kinds, np.asarray(
                _stock(self.situation, table.state)), strict=True)]  # fmt: skip
        return out

    def map(self, table: Table) -> dict[str, Any]:
        """The whole map as codes; made once a step, for however many look."""
        when = table.episode, table.steps
        if self._mapped[0] != when:
            self._mapped = when, self._codes(home(_seen(self.situation, table.state)))
        return self._mapped[1]

    def _codes(self, traced: dict[str, np.ndarray]) -> dict[str, Any]:
        assert self.scene is not None
        shot = still(self.scene, traced, self.situation.kinds)
        tones = {k: paint.colour(paint.kind_name(k, shot.kinds)) for k in np.unique(shot.goods).tolist() if k >= 0}
        goods = [[r, c, tones[int(shot.goods[r, c])]] for r, c in np.argwhere(shot.goods >= 0).tolist()]
        bodies = [[int(c) // shot.width, int(c) % shot.width, int(f), int(o)]
                  for c, f, o in zip(shot.cell, shot.facing, shot.out, strict=True)]  # fmt: skip
        return {"codes": shot.codes.tolist(), "goods": goods, "bodies": bodies, "looks": paint.looks(shot)}

    def _happened(self, table: Table, i: int, total: float) -> dict[str, Any]:
        """What the last step brought to one agent, in numbers and in words."""
        if not table.outcome:
            return {"total": number(total), "happened": "The episode begins."}
        share = table.outcome[i]  # of its events the agent learns what it senses, and no more
        paid = f"You got {number(share.payoff)}" + (
            f" ({number(share.reward)} earned, {number(share.transfer)} by the rules)"
            if abs(share.transfer) > DUST
            else ""
        )
        return {"total": number(total), "happened": f"{paid}."}


def labels(situation: Situation) -> dict[str, list[str]]:
    """The name of each choice of each head."""
    return {head: list(names) for head, names in choices(situation).items()}


@eqx.filter_jit
def _seen(place: Situation, state: Any) -> dict[str, Any]:
    scene: Any = place.scene(state)
    return trace(scene)


@eqx.filter_jit
def _stock(place: Situation, state: Any) -> Any:
    return place.stock(state)


__all__ = ["Eyes", "labels"]
