"""Economies from files (.yaml, .json, .toml): data that is read, never run.

goods: [wine, bread]
consumers:
  - {name: Ann, utility: {family: cobb_douglas, shares: [1, 3]}, endowment: {wine: 1}, shares: {mill: 1}}
producers:
  - {name: mill, technology: {family: activities, processes: [{wine: -1, bread: 2}]}}

Amounts by good are a list in the order of the goods, or a table that names some of them.  docs/markets.md has all
families with their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi import files
from nomoi.errors import Refusal, nearest, once, printable
from nomoi.markets.economy import HUGE, Consumer, Economy, Producer, sized
from nomoi.markets.nest import Nest, nest, positive
from nomoi.markets.quasilinear import quasi_linear
from nomoi.markets.technologies import Activities, Fixed, Smooth, Technology
from nomoi.markets.utilities import Bliss, Ces, Leontief, Linear, StoneGeary, Utility

MEGABYTES = 20  # a larger file holds no economy that can be solved (ours)
LONGEST = 60  # characters of a name (ours)


def read(path: str | Path) -> Economy:
    """The economy that a file writes down; a `Refusal` says what is wrong where."""
    path = Path(path)
    if path.is_file() and path.stat().st_size > MEGABYTES * 1e6:
        raise Refusal(f"{path} has more than the {MEGABYTES} MB of any economy that can be solved.")
    return economy(files.table(path), str(path))


class Part:
    """A table of the file, of which every word must be known."""

    def __init__(self, data: Any, where: str):
        if not isinstance(data, Mapping):
            raise Refusal(f"{where} is {_short(data)}; a table of names and values would be right.")
        self.data, self.where, self.asked = data, where, set[str]()

    def get(self, name: str, otherwise: Any = ...) -> Any:
        self.asked.add(name)
        if name not in self.data and otherwise is ...:
            raise Refusal(f"{self.where} has no {name!r}.")
        return self.data.get(name, otherwise)

    def number(self, name: str, otherwise: Any = ...) -> float:
        return _number(self.get(name, otherwise), f"{name} of {self.where}")

    def close(self) -> None:
        """Refuse words that nobody asked for."""
        for name in self.data:
            if name not in self.asked:
                raise Refusal(
                    f"{self.where} has {printable(str(name))!r}, which means nothing there; "
                    f"{nearest(str(name), self.asked, 'word')}"
                )


def _short(value: Any) -> str:
    said = printable(repr(value))
    return said if len(said) < 60 else f"{said[:57]}..."


def _number(value: Any, what: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        out = float(value)
    except (TypeError, ValueError, OverflowError):
        out = np.nan
    if not np.isfinite(out):
        raise Refusal(f"{what} is {_short(value)}; a finite number would be right.")
    if not sized(out):
        raise Refusal(f"{what} is {out:g}; 0, or a number between {1 / HUGE:g} and {HUGE:g}, would be right.")
    return out


def _name(value: Any, what: str) -> str:
    """A name that fits in a sentence and a table; numbers are names, too."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    said = " ".join(printable(str(value)).split()) if plain else ""
    if not 0 < len(said) <= LONGEST:
        raise Refusal(f"{what} is called {_short(value)}; a name of up to {LONGEST} characters would be right.")
    return said


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Refusal(f"{what} is {_short(value)}; a list would be right.")
    return list(value)


def _row(value: Any, names: Sequence[str], what: str, of: str) -> np.ndarray:
    """[names] numbers from a list of all or a table of some."""
    if isinstance(value, Mapping):
        out = np.zeros(len(names))
        for key, number in value.items():
            name = _name(key, f"a {of} of {what}")
            if name not in names:
                raise Refusal(f"{what} names {name!r}; {nearest(name, names, of)}")
            out[names.index(name)] = _number(number, f"{name} in {what}")
        return out
    row = [_number(v, f"a number of {what}") for v in _list(value, what)]
    if len(row) != len(names):
        some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise Refusal(f"{what} has {len(row)} numbers for {len(names)} {of}s ({some}).")
    return np.array(row)


def economy(data: Any, title: str = "economy") -> Economy:
    """An economy from plain data, as `read` finds it in a file."""
    top = Part(data, title)
    goods = tuple(_name(g, f"good {k + 1}") for k, g in enumerate(_list(top.get("goods"), f"goods of {title}")))
    once(((g, None) for g in goods), f"goods of {title}")
    makers = [Part(d, f"producer {k + 1}") for k, d in enumerate(_list(top.get("producers", []), "producers"))]
    names = [_name(m.get("name", m.where), m.where) for m in makers]
    producers = []
    for name, maker in zip(names, makers, strict=True):
        producers.append(Producer(name, _technology(Part(maker.get("technology"), f"the technology of {name}"), goods)))
        maker.close()
    consumers = []
    for k, found in enumerate(_list(top.get("consumers"), f"consumers of {title}")):
        who = Part(found, f"consumer {k + 1}")
        who.where = name = _name(who.get("name", who.where), who.where)
        wants = _utility(Part(who.get("utility"), f"the utility of {name}"), goods)
        owned = _row(who.get("endowment", {}), goods, f"the endowment of {name}", "good")
        parts = _row(who.get("shares", {}), names, f"the shares of {name}", "producer")
        who.close()
        consumers.append(Consumer(name, wants, owned, parts))
    for j, maker in enumerate(producers):  # where there are no profits, nobody need say whose they are
        if maker.technology.scaled and not any(c.shares[j] for c in consumers):
            for c in consumers:
                c.shares[j] = 1 / len(consumers)
    said = printable(str(top.get("title", Path(title).stem))).strip()
    top.get("note", "")
    top.close()
    return Economy(goods, tuple(consumers), tuple(producers), said or "economy")


def _utility(part: Part, goods: Sequence[str]) -> Utility:
    families: dict[str, Callable[[Part, Sequence[str]], Utility]] = {
        "cobb_douglas": lambda p, g: Ces(len(g), _nest(p, g, "shares", {"sigma": 1.0})),
        "ces": lambda p, g: Ces(len(g), _nest(p, g)),
        "nested_ces": lambda p, g: Ces(len(g), _nest(p, g)),
        "leontief": lambda p, g: Leontief(len(g), _positive(p, g, "needs")),
        "linear": lambda p, g: Linear(len(g), _positive(p, g, "worth")),
        "stone_geary": _stone_geary,
        "quasi_linear": _quasi_linear,
        "bliss": lambda p, g: Bliss(
            len(g), _row(p.get("best"), g, f"best of {p.where}", "good"), _positive(p, g, "weights", [1.0] * len(g))
        ),
    }
    return _made(part, goods, families)


def _technology(part: Part, goods: Sequence[str]) -> Technology:
    families: dict[str, Callable[[Part, Sequence[str]], Technology]] = {
        "activities": _activities,
        "leontief": _fixed_inputs,
        "cobb_douglas": _smooth,
        "ces": _smooth,
        "fixed_cost": lambda p, g: Fixed(
            len(g), _good(p, g, "output"), _good(p, g, "input"), p.number("fixed"), p.number("marginal")
        ),
    }
    return _made(part, goods, families)


def _made(part: Part, goods: Sequence[str], families: Mapping[str, Callable[[Part, Sequence[str]], Any]]) -> Any:
    family = str(part.get("family"))
    if family not in families:
        raise Refusal(
            f"{part.where} is of family {_short(family)}; {nearest(family, families, 'famil')}".replace(
                "the famils are", "the families are"
            )
        )
    out = families[family](part, goods)
    part.close()
    return out


def _positive(part: Part, goods: Sequence[str], name: str, otherwise: Any = ...) -> np.ndarray:
    what = f"{name} of {part.where}"
    return positive(_row(part.get(name, otherwise), goods, what, "good"), what)


def _good(part: Part, goods: Sequence[str], name: str) -> int:
    good = _name(part.get(name), f"{name} of {part.where}")
    if good not in goods:
        raise Refusal(f"{name} of {part.where} is {good!r}; {nearest(good, goods, 'good')}")
    return goods.index(good)


def _nest(part: Part, goods: Sequence[str], numbers: str = "", fixed: Mapping[str, float] | None = None) -> Nest:
    """A CES: {sigma | rho, weights | shares by good}, or nested {sigma, parts: [good or CES, ...], shares: [...]}."""
    fixed = fixed or {}
    convention = numbers or str(part.get("convention", "weights" if "weights" in part.data else "shares"))
    name = numbers or ("weights" if "weights" in part.data else "shares")
    rho = part.get("rho", None)
    sigma = fixed.get("sigma", part.get("sigma", None))
    if not fixed and (rho is None) == (sigma is None):
        raise Refusal(f"{part.where} must say either sigma, the elasticity of substitution, or rho = 1 - 1 / sigma.")
    inner = part.get("parts", None)
    if inner is None:
        parts: list[int | Nest] = list(range(len(goods)))
        row = _row(part.get(name), goods, f"{name} of {part.where}", "good")
    else:
        parts = []
        for k, one in enumerate(_list(inner, f"parts of {part.where}")):
            if isinstance(one, Mapping):
                below = Part(one, f"part {k + 1} of {part.where}")
                parts.append(_nest(below, goods))
                below.close()
            else:
                parts.append(_good(Part({"part": one}, part.where), goods, "part"))
        row = np.array(
            [_number(v, f"{name} of {part.where}") for v in _list(part.get(name), f"{name} of {part.where}")]
        )
    number = lambda v: None if v is None else _number(v, f"the elasticity of {part.where}")  # noqa: E731
    return nest(len(goods), row.tolist(), part.where, number(sigma), number(rho), convention, parts)


def _stone_geary(part: Part, goods: Sequence[str]) -> Utility:
    shares, least = _positive(part, goods, "shares"), _row(part.get("least"), goods, f"least of {part.where}", "good")
    if (least < 0).any():
        raise Refusal(f"least of {part.where} is {least.tolist()}; amounts of 0 or more would be right.")
    return StoneGeary(len(goods), shares / shares.sum(), least)


def _quasi_linear(part: Part, goods: Sequence[str]) -> Utility:
    spread = lambda v, what: [_number(v, what)] * len(goods) if np.isscalar(v) else _row(v, goods, what, "good")  # noqa: E731
    power, bend = (spread(part.get(name, 0.0), f"{name} of {part.where}") for name in ("power", "bend"))
    return quasi_linear(
        len(goods),
        _good(part, goods, "money"),
        _positive(part, goods, "worth").tolist(),
        list(power),
        list(bend),
        part.where,
    )


def _activities(part: Part, goods: Sequence[str]) -> Technology:
    what = f"a process of {part.where}"
    columns = [_row(v, goods, what, "good") for v in _list(part.get("processes"), f"processes of {part.where}")]
    if not columns:
        raise Refusal(f"{part.where} has no process; one at least would be right.")
    return _processes(np.array(columns).T, part)


def _fixed_inputs(part: Part, goods: Sequence[str]) -> Technology:
    column = -_positive(part, goods, "needs")
    column[_good(part, goods, "output")] += 1.0
    return _processes(column[:, None], part)


def _processes(matrix: np.ndarray, part: Part) -> Activities:
    if not matrix.any(0).all():
        raise Refusal(f"{part.where} has a process that neither uses nor makes anything; leave it out.")
    return Activities(len(matrix), matrix)


def _smooth(part: Part, goods: Sequence[str]) -> Technology:
    out = _good(part, goods, "output")
    simple = str(part.get("family")) == "cobb_douglas"
    inputs = _nest(part, goods, "shares", {"sigma": 1.0}) if simple else _nest(part, goods)
    scale, returns = part.number("scale", 1.0), part.number("returns", 1.0)
    if scale <= 0 or returns <= 0:
        raise Refusal(f"{part.where} has scale {scale:g} and returns {returns:g}; both above 0 would be right.")
    if inputs.used[out] or inputs.sigma < 0:
        raise Refusal(f"{part.where} needs its own output as an input, or has rho above 1; neither has a cost.")
    return Smooth(len(goods), out, inputs, scale, returns)
