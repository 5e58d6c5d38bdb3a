"""A reward function that a person gives to be audited: a file in YAML or JSON, or Python with a function `reward`."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.core.own import module
from nomoi.errors import Refusal, nearest
from nomoi.proxies import fields
from nomoi.proxies.expression import Expression, identifier
from nomoi.proxies.fields import FIELDS, Field
from nomoi.proxies.reading import Part, number, read

KINDS = ("outcome", "shaping", "constraint")
MANY = 64  # combinations of what is unknown that are tried (ours)
TERMS = 100  # attributes of a reward (ours): more than anybody has written, less than takes a minute
OUTSIDE = ("extrapolate", "clip")
DRAWS = 256  # calls whose mean a stochastic reward is (ours)


@dataclasses.dataclass(frozen=True)
class Term:
    """One attribute: weight x expression, or a potential Phi of the state, paid as gamma Phi(s') - Phi(s)."""

    name: str
    expression: Expression
    weight: float = 1.0
    kind: str = ""
    unit: str = ""
    terminal: bool = False
    potential: bool = False
    measures: str = ""


@dataclasses.dataclass(frozen=True)
class Scenario:
    """The drive whose outcomes are compared; every value may be set by the file, and some are ours."""

    distance_m: float = 300.0
    speed_mps: float = 10.0
    crash_fraction: float = 0.5
    damage: float | None = None
    collision: str = "vehicle"


@dataclasses.dataclass(frozen=True)
class Reward:
    """What the file says.  None: it does not say.  `time_limit_s` is inf where the file says that there is none.

    unknown   name -> values that the description leaves open; every combination is audited
    given     all other tables of the file, as the checks read them
    """

    title: str
    terms: Sequence[Term] = ()
    call: Callable[..., Any] | None = None
    gamma: float | None = None
    dt_s: float | None = None
    time_limit_s: float | None = None
    ends: tuple[str, ...] | None = None
    episodic: bool = True
    stochastic: bool = False
    outside: str | None = None
    declared: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    constants: Mapping[str, float] = dataclasses.field(default_factory=dict)
    unknown: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    scenario: Scenario = Scenario()
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    folder: Path = Path()

    def names(self) -> set[str]:
        """The fields that its expressions read (of a function, nothing is known before it is called)."""
        return {name for term in self.terms for name in term.expression.names} - set(self.constants)

    @property
    def ranged(self) -> bool:
        """Whether a field has a range, beyond which something must be said to happen."""
        return any(f.bounded for f in self.declared.values())

    def reads(self, means: str) -> bool:
        """Whether an expression reads a field, by nomoi's name or by the file's own."""
        return any(n == means or (n in self.declared and self.declared[n].means == means) for n in self.names())

    def cases(self) -> Iterator[tuple[str, Reward]]:
        """(in words, itself with it settled) of every combination of what is unknown."""
        for values in itertools.product(*self.unknown.values()):
            chosen = dict(zip(self.unknown, values, strict=True))
            words = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in chosen.items())
            yield words, self.settled(chosen)

    def settled(self, chosen: Mapping[str, Any]) -> Reward:
        """Itself with unknown values chosen."""
        out = dataclasses.replace(self, unknown={k: v for k, v in self.unknown.items() if k not in chosen})
        for name, value in chosen.items():
            if name in self.constants:
                out = dataclasses.replace(out, constants={**out.constants, name: value})
            elif name in ("gamma", "dt_s", "time_limit_s", "outside"):
                out = dataclasses.replace(out, **{name: value})
            else:
                out = dataclasses.replace(out, scenario=dataclasses.replace(out.scenario, **{name: value}))
        return out

    def scaled(self, factor: float) -> Reward:
        """Itself times a number."""
        if self.call:
            call = self.call
            return dataclasses.replace(self, call=lambda *step: factor * call(*step))
        return dataclasses.replace(self, terms=[dataclasses.replace(t, weight=t.weight * factor) for t in self.terms])


def find(path: str | Path) -> Reward:
    """The reward of a file; everything that cannot be understood is refused by name."""
    path = Path(path)
    if path.suffix == ".py":
        return _python(path)
    return parse(read(path), str(path), path.parent)


def _python(path: Path) -> Reward:
    home = module(path)
    call = getattr(home, "reward", None)
    if not callable(call):
        raise Refusal(
            f"{path} has no function `reward`; write reward(step), or reward(state, action, next_state, info)."
        )
    count = len(inspect.signature(call).parameters)
    if count not in (1, 4):
        raise Refusal(
            f"{path}: reward has {count} arguments; reward(step) and reward(state, action, next_state, info) are right."
        )
    about = getattr(home, "AUDIT", {})
    if not isinstance(about, Mapping):
        raise Refusal(f"{path}: AUDIT is {about!r}; a table such as {{'gamma': 0.99, 'dt_s': 0.1}} would be right.")
    return parse(about, str(path), path.parent, call)


def parse(data: Mapping[str, Any], where: str, folder: Path = Path(), call: Callable[..., Any] | None = None) -> Reward:
    """A reward from plain data, as it stands in a file."""
    part = Part(data, where)
    title = part.words("name", Path(where).stem)
    gamma = part.number("gamma", None, 0, 1, open_low=True)
    dt = part.number("dt_s", None, 0, math.inf if "trajectories" in part else 3600, open_low=True)
    limit = None
    if "time_limit_s" in part:
        said = part.value("time_limit_s")
        limit = math.inf if said in (None, "none") else part.number("time_limit_s", low=0, open_low=True)
    ends = tuple(map(str, part.rows("ends"))) if "ends" in part else None
    declared = fields.read(part.part("fields", {}))
    constants = {}
    table = part.part("constants", {})
    for name in table.data:
        if not identifier(name):
            raise Refusal(f"{table.where}: {name!r} can be no name in an expression; letters, digits and _ are right.")
        if name in FIELDS or name in declared:
            raise Refusal(f"{table.where} has {name!r}, which is a field, too; another name would be right.")
        constants[name] = table.number(name)
    scenario = _scenario(part.part("scenario", {}))
    own = "trajectories" in part
    terms = () if call else _terms(part, {*constants}, None if own else {*FIELDS, *declared})
    outside = part.choice("outside", OUTSIDE, None)
    ranged = [f.name for f in declared.values() if f.bounded]
    if outside and not ranged:
        raise Refusal(f"{where}: outside says what happens beyond a range, and no field has one; give a `range`.")
    unknown = _unknown(part.part("unknown", {}), constants)
    if ranged and not outside and "outside" not in unknown:
        unknown["outside"] = OUTSIDE
    if math.prod(len(v) for v in unknown.values()) > MANY:
        raise Refusal(f"{where}: unknown leaves more than {MANY} combinations open; give fewer values.")
    rest = {key: part.value(key) for key in REST if key in part}
    for key in ("about", "source"):
        part.value(key, "")
    made = Reward(
        title,
        terms,
        call,
        gamma,
        dt,
        limit,
        ends,
        part.truth("episodic", True),
        part.truth("stochastic", False),
        outside,
        declared,
        constants,
        unknown,
        scenario,
        rest,
        folder,
    )
    part.close(*REST, "time_limit_s", "ends", *([] if call else ["attributes"]))
    return made


# tables of a file that single checks read
REST = (
    "humans",
    "outcomes",
    "design",
    "trajectories",
    "prefer",
    "graph",
    "rollouts",
    "chosen_by",
    "strict",
    "target_km",
)


def _terms(part: Part, constants: set[str], known: set[str] | None) -> tuple[Term, ...]:
    out: list[Term] = []
    for row in part.parts("attributes"):
        name = row.words("name")
        where = f"{part.where}: attribute {name!r}"
        potential = "potential" in row
        if potential == ("expr" in row):
            raise Refusal(f"{where} needs an `expr`, or else a `potential`, and not both.")
        text = Expression(row.value("potential" if potential else "expr"), where)
        if known is not None:
            text.known(known | constants, "field")
        kind = row.choice("kind", KINDS, "shaping" if potential else "")
        out.append(
            Term(
                name,
                text,
                row.number("weight", 1.0),
                kind,
                row.value("unit", ""),
                row.truth("terminal", False),
                potential,
                row.words("measures", ""),
            )
        )
        row.close()
    if len(out) > TERMS:
        raise Refusal(f"{part.where} has {len(out):,} attributes; at most {TERMS} would be right.")
    if not out:
        raise Refusal(f"{part.where} has no attributes; give at least one with a name and an expr.")
    if len({t.name for t in out}) < len(out):
        raise Refusal(f"{part.where}: two attributes have one name; rename one of them.")
    return tuple(out)


def _scenario(part: Part) -> Scenario:
    out = {}
    for name, high in (("distance_m", 1e7), ("speed_mps", 1e3)):
        out[name] = part.number(name, getattr(Scenario, name), 0, high, open_low=True)
    out["crash_fraction"] = part.number("crash_fraction", 0.5, 0, 1, open_low=True)
    out["damage"] = part.number("damage", None, 0)
    out["collision"] = part.choice("collision", ("vehicle", "pedestrian", "other"), "vehicle")
    part.close()
    return Scenario(**out)


def _unknown(part: Part, constants: Mapping[str, float]) -> dict[str, Sequence[Any]]:
    numbers = {*constants, "gamma", "dt_s", "time_limit_s", *(f.name for f in dataclasses.fields(Scenario))} - {
        "collision"
    }
    out: dict[str, Sequence[Any]] = {}
    for name in part.data:
        values = part.rows(name)
        if not values:
            raise Refusal(f"{part.of(name)} has no value; give those that the description leaves open.")
        if name == "outside":
            if any(v not in OUTSIDE for v in values):
                raise Refusal(f"{part.of(name)} is {values!r}; of {', '.join(OUTSIDE)} it may be.")
            out[name] = tuple(values)
        elif name in numbers:
            low, high = (0.0, 1.0 if name in ("gamma", "crash_fraction") else math.inf)
            positive = name not in (*constants, "damage")
            out[name] = tuple(
                number(
                    v,
                    part.of(name),
                    low if positive or name == "damage" else -math.inf,
                    high if positive else math.inf,
                    open_low=positive,
                )
                for v in values
            )
        else:
            raise Refusal(f"{part.where} has {name!r}; {nearest(name, {*numbers, 'outside'}, 'value')}")
    return out


def rewards(
    reward: Reward, view: Mapping[str, np.ndarray], start: Mapping[str, float], gamma: float, where: str
) -> dict[str, np.ndarray]:
    """{attribute: [K] what it pays at each step}; of a function, all under the name `reward`.

    view    [K] of each name, after the step;  start   the same before the first step
    """
    count = len(next(iter(view.values())))
    if not count:
        raise Refusal(f"{where} has no step; at least one would be right.")
    if reward.call:
        return {"reward": _called(reward, view, start, where)}
    out = {}
    values = {**view, **reward.constants}
    for term in reward.terms:
        missing = term.expression.names - set(values)
        if missing:
            name = sorted(missing)[0]
            raise Refusal(
                f"{where} has no {name!r}, which the attribute {term.name!r} reads (checks 2 to 5 need it); "
                f"{nearest(name, list(view), 'column')}"
            )
        paid = np.broadcast_to(np.asarray(term.expression(values), float), count)
        if term.potential:
            first = float(term.expression({**{k: np.asarray(v) for k, v in start.items()}, **reward.constants}))
            after = paid.copy()
            after[-1] = 0.0  # an episode ends where every potential is zero
            with np.errstate(all="ignore"):  # what is not finite is refused below
                paid = gamma * after - np.concatenate([[first], paid[:-1]])
        if term.terminal:
            paid = np.where(np.arange(count) == count - 1, paid, 0.0)
        with np.errstate(over="ignore"):
            paid = term.weight * paid
        if not np.isfinite(paid).all():
            k = int(np.flatnonzero(~np.isfinite(paid))[0])
            raise Refusal(
                f"{where}: the attribute {term.name!r} is {paid[k]} at step {k}; every reward must be finite."
            )
        out[term.name] = paid
    return out


def _called(reward: Reward, view: Mapping[str, np.ndarray], start: Mapping[str, float], where: str) -> np.ndarray:
    """[K] what a function says, called twice on each step; of a stochastic one the mean of many calls."""
    assert reward.call
    names, columns = list(view), [np.asarray(c, float).tolist() for c in view.values()]
    steps = [dict(zip(names, row, strict=True)) | reward.constants for row in zip(*columns, strict=True)]
    before = [dict(start) | reward.constants, *steps[:-1]]
    four = len(inspect.signature(reward.call).parameters) == 4
    out = []
    for k, (old, new) in enumerate(zip(before, steps, strict=True)):
        action = {n: new[n] for n in ("steer", "accel") if n in new}
        step = (old, action, new, new) if four else (new,)
        said = [_said(reward.call, step, f"{where}, step {k}") for _ in range(DRAWS if reward.stochastic else 2)]
        if not reward.stochastic and abs(said[0] - said[1]) > 1e-12:
            raise Refusal(
                f"{where}, step {k}: reward gave {said[0]:g} and then {said[1]:g} for the same step; one "
                "that draws lots must say so in AUDIT: 'stochastic': True."
            )
        out.append(float(np.mean(said)) if reward.stochastic else said[0])
    return np.array(out)


def _said(call: Any, step: tuple[Any, ...], where: str) -> float:
    try:
        value = call(*(dict(part) for part in step))  # what a function does to a step stays with it
    except KeyError as error:
        raise Refusal(
            f"{where}: reward reads the field {error.args[0]!r}; {nearest(str(error.args[0]), list(step[-1]), 'field')}"
        ) from None
    except (Exception, SystemExit) as error:
        raise Refusal(f"{where}: reward raised {type(error).__name__}: {str(error) or 'no message'}.") from None
    if (
        isinstance(value, (bool, str))
        or not isinstance(value, (int, float, np.floating, np.integer))
        or not abs(value) <= sys.float_info.max
    ):
        shown = type(value).__name__ if isinstance(value, np.ndarray) else repr(value)
        raise Refusal(f"{where}: reward gave {shown[:60]}; one finite number a step would be right.")
    return float(value)
