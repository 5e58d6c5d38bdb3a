"""Formulas: what nomoi knows in closed form, or solves in a moment, in one table.  Nothing is modelled here.

Beside models of parameters (`nomoi.lab.models`) stand games, economies and an objective that come with nomoi: plain
data, whose numbers become options.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nomoi.core.option import Option, number
from nomoi.errors import Refusal, nearest
from nomoi.lab.form import Form, Found
from nomoi.lab.models import models
from nomoi.measure.statistics import number as said

SMALL = 6  # goods times consumers of an economy that is solved while one waits (ours)


def _numbers(data: Any, words: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    """(path, value) of every number above or below zero in tables and lists."""
    if isinstance(data, Mapping):
        for key, part in data.items():
            yield from _numbers(part, (*words, key))
    elif isinstance(data, (list, tuple)):
        for k, part in enumerate(data):
            yield from _numbers(part, (*words, k))
    elif isinstance(data, (int, float)) and not isinstance(data, bool) and data:
        yield words, float(data)


def _with(data: Any, path: tuple[Any, ...], value: float) -> Any:
    """The same data with another number at a path."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, Mapping) else list(data)
    copy[path[0]] = _with(data[path[0]], path[1:], value)
    return copy


def _sliders(paths: Mapping[str, tuple[tuple[Any, ...], float]], source: str) -> dict[str, Option]:
    """An option for each number: what is above zero stays so, and reaches three times as far."""
    return {name: number(value, "", "as in the file", source, *sorted((0.0, 3 * value)))
            for name, (_, value) in paths.items()}  # fmt: skip


def _economy(name: str, data: Mapping[str, Any]) -> Form:
    from nomoi.markets.reading import economy

    goods, people = list(data["goods"]), data["consumers"]

    def label(path: tuple[Any, ...]) -> str:
        words = [str(people[path[1]].get("name", path[1] + 1)) if path[0] == "consumers" else str(path[0])]
        return " ".join([*words, *(str(goods[w]) if isinstance(w, int) and w < len(goods) else str(w)
                                   for w in path[2 if path[0] == "consumers" else 1:])])  # fmt: skip

    paths = {label(path): (path, value) for path, value in _numbers(data)}

    def answer(values: dict[str, Any], only: str) -> Found:
        asked: Any = dict(data)
        for word, value in values.items():
            asked = _with(asked, paths[word][0], value)
        here = economy({"title": name} | asked, name)
        found, rows, numbers = here.equilibria(), [], {}
        for k, e in enumerate(found.found, 1):
            mark = f"{k}: " if len(found) > 1 else ""
            for good, price in zip(here.goods, e.prices, strict=True):
                rows.append([f"{mark}price of {good}", said(float(price), 4), "", "", "prices sum to one"])
                numbers.setdefault(f"price of {good}", float(price))
            for who, u in zip(here.consumers, e.utilities, strict=True):
                rows.append([f"{mark}utility of {who.name}", said(float(u), 4), "", "utility", "in the equilibrium"])
                numbers.setdefault(f"utility of {who.name}", float(u))
        return Found(rows, [found.promise[:1].upper() + found.promise[1:], *found.tried], numbers)

    return Form(name, "markets", str(data.get("note", name)), _sliders(paths, "the economy's file"), answer)


def _game(name: str, entry: Any) -> Form:
    from nomoi.report import solution
    from nomoi.solve import basins
    from nomoi.solve.analysis import analyse
    from nomoi.solve.dilemma import symmetric
    from nomoi.solve.game import NormalForm

    game, equal = entry.game, symmetric(entry.game)
    cells = {f"{who} at {', '.join(acts[k] for acts, k in zip(game.actions, place, strict=True))}": (i, *place)
             for i, who in enumerate(game.players[: 1 if equal else game.n])
             for place in np.ndindex(*game.shape)}  # fmt: skip
    span, pure = float(np.abs(game.payoff).max()), list(itertools.product(*game.actions))
    asked = {word: number(float(game.payoff[at]), "", "payoff", entry.source, -2 * span, 2 * span)
             for word, at in cells.items()}  # fmt: skip

    def shares(found: Mapping[str, float]) -> dict[str, float]:
        """Of where the replicator ends, the share of each pure end; of larger games it is not known."""
        ends = [f"all {a}" for a in game.actions[0]] if equal else ["(" + ", ".join(a) + ")" for a in pure]
        return {f"basin of {end}": found.get(end, 0.0) for end in ends} if found else {}

    def answer(values: dict[str, Any], only: str) -> Found:
        payoff = game.payoff.copy()
        for word, value in values.items():
            payoff[cells[word]] = value
        if equal:
            payoff[1] = payoff[0].T
        now = NormalForm(payoff, game.title, game.players, game.actions)
        if only:
            return Found([], [], shares(basins.one_population(now) if equal else basins.two_populations(now)))
        found, rows = analyse(now), list[list[str]]()
        for k, (point, worth) in enumerate(zip(found.equilibria.points, found.equilibria.payoffs, strict=True), 1):
            mix = "; ".join(" ".join(f"{said(float(p))} {a}" for p, a in zip(x, acts, strict=True) if p > 1e-9)
                            for x, acts in zip(point, game.actions, strict=True))  # fmt: skip
            rows.append([f"equilibrium {k}", ", ".join(said(float(w)) for w in worth), "", "payoffs", mix])
        return Found(rows, solution.sentences(found), shares(found.one or found.two))

    return Form(name, "games", game.title, asked, answer)


def _objective(name: str, data: Mapping[str, Any]) -> Form:
    from nomoi.proxies import incomplete
    from nomoi.proxies.proxy_audit import parse

    first = parse(data, name).world
    data = {**data, "start": dict(zip(first.names, map(float, first.start), strict=True))}
    paths = {" ".join(map(str, path)): (path, value) for path, value in _numbers(data) if path[0] != "update_every"}
    asked = {
        word: number(
            math.floor(1e4 * value) / 1e4,
            "",
            "as in the file",
            "the objective's file",
            *((0.1, 3 * value) if word == "until" else (-3.0, 1.0)),
        )
        for word, (_, value) in paths.items()
    }

    def answer(values: dict[str, Any], only: str) -> Found:
        given: Any = dict(data)
        for word, value in values.items():
            given = _with(given, paths[word][0], value)
        o = parse(given, name)
        path = incomplete.flow(o.world, o.proxy, o.mentioned, o.until)
        when, best = path.peak()
        rows = [["t*", said(when), "", "time", "when utility is best: from here on the proxy rises and it falls"],
                ["at best", said(path.told(best)), "", "utility", "utility at t*"],
                ["at the end", said(path.told(float(path.utility[-1]))), "", "utility", "utility after all the time"],
                ["proxy at the end", said(float(path.proxy[-1])), "", "proxy", "what was asked for"]]  # fmt: skip
        return Found(rows, [], {}, (path.t[::4], {"utility": path.utility[::4], "proxy": path.proxy[::4]}))

    return Form("incomplete", "proxies", f"{data['name']}: a proxy that mentions some attributes is optimised", asked,
                answer)  # fmt: skip


@functools.cache
def forms() -> dict[str, Form]:
    """All formulas by name; those that would have the same take their wing before it."""
    from nomoi.markets.economies import ECONOMIES
    from nomoi.proxies.reading import read as objective
    from nomoi.report import examples
    from nomoi.solve.games import GAMES

    small = {n: e for n, e in ECONOMIES.items() if len(e["goods"]) * len(e["consumers"]) <= SMALL}
    every = [*models(), *(_game(n, e) for n, e in GAMES.items()), *(_economy(n, e) for n, e in small.items()),
             _objective("proxy.yaml", objective(examples.place("proxy")))]  # fmt: skip
    names = [form.name for form in every]
    return {f"{f.wing}.{f.name}" if names.count(f.name) > 1 else f.name: f for f in every}


def listed() -> list[dict[str, str]]:
    """Name, wing and what it is about, of all formulas."""
    return [{"name": name, "wing": form.wing, "about": form.about} for name, form in forms().items()]


def asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """A page's question: {"form", "options": {name: text}, "along", "of"}."""
    name = given.get("form")
    if not isinstance(name, str) or name not in forms():
        raise Refusal(f"there is no formula {name!r}; {nearest(str(name), forms(), 'formula')}")
    form = forms()[name]
    told = {"name": name, "about": form.about, "controls": form.controls()}
    return told | form.told(given.get("options", {}), str(given.get("along") or ""), str(given.get("of") or ""))
