"""`nomoi goods`: what kind of good a situation holds, under which institutions, and in whose company."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from nomoi.core import Situation, govern, outline
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.statistics import number
from nomoi.probes import goods as probing
from nomoi.report.terminal import console
from nomoi.runs import regimes

WAYS = ("constant(choice=1)", "constant(choice=1000)")  # modest and greedy: the first choice above nothing, the last


@dataclasses.dataclass(frozen=True)
class Asked:
    """One answer: the regime, the ways of the others, and what was found."""

    under: str
    who: str
    good: probing.Good


@dataclasses.dataclass(frozen=True)
class Goods:
    """All answers about one situation; `terms` say from where, how long, and of whom it was asked."""

    situation: Situation
    terms: str
    rows: tuple[Asked, ...]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        rows = [{"under": r.under, "others": r.who, **r.good.data()} for r in self.rows]
        return {"situation": self.situation.name, "terms": self.terms, "goods": rows}


def goods(
    situation: Situation | str, under: Sequence[str] = (), *, who: Sequence[str] = (), less: str = "", more: str = "",
    map: str | None = None, set: Sequence[str] = (), agent: int | None = None, steps: int = 0, worlds: int = 64,
) -> Goods:  # fmt: skip
    """Ask what kind of good a situation holds under each regime, among others of each way.

    who    scripts by which the others act; by default a modest and a greedy one, and foragers where there is land
    less, more, agent, steps, worlds   see `nomoi.probes.goods.probe`; where there is land, i forages rather than idles
    """
    options = regimes.settings(set)
    place = regimes.place(situation, map, options)
    chosen = regimes.asked(under, options)
    land = outline(place).scene is not None
    if land:
        who, less = who or ("forager", "forager(spare=3)"), less or "constant(choice=0)"
        more = more or "forager"
    one = lambda text: regimes.player(text) if text else None  # noqa: E731
    ways = {text: _script(text) for text in who or WAYS}
    agent = probing.whom(place) if agent is None else agent
    rows = []
    for regime in chosen:
        governed = govern(place, *regime.institutions)
        for text, script in ways.items():
            good = probing.probe(key_of(0), governed, script, agent, steps, worlds, one(less), one(more))
            rows.append(Asked(regime.label, text, good))
    gift = probing.given(place)
    ways = "one notch more in the first step", "as the others"
    low, high = ways if gift and not less and not more else ways[::-1]
    what = "what one has of all that is given, and not what one keeps" if gift else (
        "the harvest" if "harvest" in place.emits else "the reward")  # fmt: skip
    terms = (
        f"Agent {agent} of {place.agents} ({place.roles[agent]}) lives twice: {more or high}, and {less or low}; over "
        f"{steps or place.horizon} steps from where {place.name} begins, {worlds} worlds.  The good is {what}."
    )
    return Goods(place, terms, tuple(rows))


def _script(text: str) -> Learner:
    player = regimes.player(text)
    if player.batch:
        raise Refusal(f"--who {text} learns, and others' ways are held fixed here; a script would be right.")
    return player


COLUMNS = ("under", "the others", "gain", "harm", "sigma", "beta", "kappa", "kind")


def cells(asked: Asked) -> list[str]:
    """A row under COLUMNS; what is not defined is told in words."""
    g = asked.good
    sigma = "no ratio" if math.isnan(g.sigma) else number(g.sigma)
    kappa = number(g.kappa) if math.isfinite(g.kappa) else "keeps nothing" if g.kept else "no barrier"
    beta = number(g.beta) if g.kept else "-"
    return [asked.under, asked.who, number(g.gain), number(g.harm), sigma, beta, kappa, g.kind]


def sentences(found: Goods) -> list[str]:
    """What a reader must know before believing the table."""
    out = [found.terms]
    out.append(
        "sigma: what the others lose for each unit that the agent gains, barriers lifted (rival from 0.5). beta: the "
        "share of its benefit that the barriers keep from it (excludable from 0.5, if kappa, what they cost for each "
        "unit kept, is below 1)."
    )
    for row in found.rows:
        if math.isnan(row.good.sigma):
            out.append(
                f"{row.under}, {row.who}: taking more brought the agent {number(row.good.gain)}, which is no gain, so "
                f"there is no ratio; the others lost {number(row.good.harm)}."
            )
    if any(row.good.idle > row.good.dust and not row.good.kept for row in found.rows):
        out.append(
            "Who is idle goes without, but nobody can be kept out where no institution bars: that is no exclusion."
        )
    return out


def show(found: Goods, as_json: bool = False) -> None:
    """Print it."""
    if as_json:
        print(json.dumps(found.data(), indent=1, allow_nan=False))
        return
    table = Table(show_edge=False, pad_edge=False)
    for name in COLUMNS:
        words = name in (*COLUMNS[:2], COLUMNS[-1])
        table.add_column(name, justify="left" if words else "right", no_wrap=name == COLUMNS[-1], overflow="fold")
    for row in found.rows:
        table.add_row(*map(escape, cells(row)))
    console.print(table)
    for line in sentences(found):
        console.print(escape(line), highlight=False)
