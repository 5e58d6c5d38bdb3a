"""A contract that does not name the vase: what must an institution know that supplies the unwritten term?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi import govern
from nomoi.core import Situation, build
from nomoi.institutions.deed import Deed
from nomoi.institutions.gapfiller import Gapfiller
from nomoi.learners.ppo import PPO
from nomoi.measure.statistics import number
from nomoi.runs import effects
from nomoi.runs.study import Claim, Computed, Reading, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.vases import Vases
from nomoi.solve.markov import Markov
from nomoi.solve.subgame import Solution, backwards
from nomoi.solve.unfold import repaid, tabular

PAY, HARM, DRAFT = 2.0, 10.0, 2.0  # a box is paid what it is worth, so that nothing but the gap is amiss (ours)
SHAVELL, HADFIELD = "Shavell 2006, abstract", "ours, after Hadfield-Menell & Hadfield 2019"
SCHOOL, GAP, COMPLETE, RANDOM = "school", "gap", "complete", "random"
KNOWS, NOISY, CAREFUL, CUSTOM = "knows", "errs", "errs, lets small losses pass", "custom alone"
SELDOM, MULTIPLE = "looks seldom", "looks seldom, awards more"
FILLERS: Mapping[str, Mapping[str, Any]] = {
    KNOWS: {},
    NOISY: {"error": 2.0},
    CAREFUL: {"error": 2.0, "minor": 5.0},
    CUSTOM: {"knows": 0.0, "custom": 5.0},
    SELDOM: {"look": 0.2},
    MULTIPLE: {"look": 0.2, "multiple": 5.0},
}
LEARNED = (GAP, COMPLETE, *FILLERS)
ERRORS, MINORS, COSTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0), (0.0, 2.0, 5.0), (0.0, 0.1, 0.25, 0.5, 1.0)
SHARES, CUSTOMS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.0, 1.0, 5.0)
THINGS: Mapping[str, tuple[float, bool]] = {  # knows, and whether custom is the mean loss (else 0: silence permits)
    "knows all": (1.0, False),
    "knows half": (0.5, False),
    "knows a quarter": (0.25, False),
    "custom alone": (0.0, True),
}


# --- solved exactly -------------------------------------------------------------------------------------------------


def place(horizon: int, fine: float = 0.0, harm: float = HARM, filler: Gapfiller | None = None) -> Situation:
    """The mover's world under a deed that asks `fine` for a vase, and a gapfiller, where there is none one that never
    looks: worlds with the same terms move alike, and are unfolded once.  To draft is paid before, and not counted."""
    deed = Deed(on="delivered,broken", prices=[PAY, -fine])
    judge = (filler or Gapfiller(look=0.0)).replace(mean=True, named="broken" if fine and filler else "")
    return govern(Vases(horizon=horizon, harm=harm), deed, judge)


@cache
def moves(horizon: int, named: bool) -> Markov:
    return tabular(place(horizon, *((1.0, HARM, Gapfiller()) if named else ())))


def solved(horizon: int, worlds: Sequence[Mapping[str, Any]]) -> list[Solution]:
    """What the mover does best in each of the worlds that the arguments of `place` describe."""
    out: dict[int, Solution] = {}
    both = [bool(w.get("fine") and w.get("filler")) for w in worlds]
    for named in sorted(set(both)):
        mine = [k for k, other in enumerate(both) if other == named]
        base = moves(horizon, named)
        out |= dict(zip(mine, backwards([repaid(base, place(horizon, **worlds[k])) for k in mine]), strict=True))
    return [out[k] for k in range(len(worlds))]


@eqx.filter_jit
def _lived(world: Situation, path: Any) -> Mapping[str, jax.Array]:
    def step(state: Any, move: jax.Array) -> tuple[Any, Any]:
        state, outcome = world.step(jax.random.key(0), state, {"move": move})
        return state, {name: outcome.events[name].sum() for name in ("delivered", "broken", "disturbed")}

    return jax.tree.map(lambda x: x.sum(0), jax.lax.scan(step, world.reset(jax.random.key(0)), path)[1])


def told(solution: Solution, horizon: int) -> Mapping[str, float]:
    """What comes of it: what is good for both, before and after what looking costs; boxes, vases, things disturbed."""
    path = jnp.asarray(np.stack([a["move"] for a in solution.path()]))
    events = {name: float(x) for name, x in _lived(Vases(horizon=horizon), path).items()}
    return {"reward": solution.welfare, "payoff": float(solution.start.sum()), **events}


def exact(key: None, horizon: int) -> Mapping[str, float]:
    """Each rule, and sweeps over what a gapfiller knows, how it errs, and what it costs."""
    worlds: dict[str, Mapping[str, Any]] = {GAP: {}, COMPLETE: {"fine": HARM}}
    worlds |= {name: {"filler": build(Gapfiller, **options)} for name, options in FILLERS.items()}
    for e in ERRORS:
        worlds |= {f"error {e:g}, minor {m:g}": {"filler": Gapfiller(error=e, minor=m)} for m in MINORS}
        worlds |= {f"error {e:g}, cost {c:g}": {"filler": Gapfiller(error=e, minor=5.0, cost=c)} for c in COSTS}
    for k in SHARES:
        worlds |= {f"knows {k:g}, custom {c:g}": {"filler": Gapfiller(knows=k, custom=c)} for c in CUSTOMS}
    out = {}
    for name, solution in zip(worlds, solved(horizon, list(worlds.values())), strict=True):
        found = told(solution, horizon) if name in LEARNED else {"payoff": float(solution.start.sum())}
        out |= {f"{name}: {measure}": value for measure, value in found.items()}
    return out


def things(key: jax.Array, count: int, drafting: float, horizon: int) -> Mapping[str, float]:
    """One of many things may stand in the short way, each with a loss and a chance of its own: the best contract names
    those for which a term is worth what it costs to write; a gapfiller, if there is one, judges the others.

    What the best contract is worth, and how many things it names, under each gapfiller and under none.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    losses, odds = rng.uniform(0, 12, count), 1 / np.arange(1.0, count + 1)
    odds /= odds.sum()
    usual = float(odds @ losses)
    fillers = {"none": None} | {
        name: Gapfiller(knows=k, custom=usual if mean else 0.0) for name, (k, mean) in THINGS.items()
    }
    asked = [(name, named, loss) for name in fillers for named in (False, True) for loss in losses]
    worlds = [{"harm": h, "fine": h if named else 0.0, "filler": fillers[name]} for name, named, h in asked]
    worth = np.array([s.start.sum() for s in solved(horizon, worlds)]).reshape(len(fillers), 2, count)
    out = {}
    for name, (left, named) in zip(fillers, worth, strict=True):
        gain = odds * (named - left) - drafting
        out |= {f"{name}: terms": float((gain > 0).sum()), f"{name}: worth": float(odds @ left + gain.clip(0).sum())}
    return out


# --- learned --------------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    steps, count = {"smoke": (8_000, 3), "laptop": (250_000, 8), "paper": (2_000_000, 12)}[size]
    learner = build(PPO, entropy_coef=0.03, entropy_coef_end=0.005)
    learner = dataclasses.replace(learner, worlds=8, steps=16, minibatches=2) if size == "smoke" else learner
    short, hall = Deed(prices=[PAY], drafting=DRAFT), Vases(harm=HARM)
    whole = Deed(on="delivered,broken", prices=[PAY, -HARM], drafting=DRAFT)
    under = {GAP: (short,), COMPLETE: (whole,)} | {k: (short, build(Gapfiller, **v)) for k, v in FILLERS.items()}
    return [
        Scripted(RANDOM, hall, Random(), (short,)),
        Trained(SCHOOL, hall.replace(map="walled"), (short,), steps, learner),
        *(Trained(name, hall, rules, steps, learner, parent=SCHOOL, film=True) for name, rules in under.items()),
        Computed("solved", exact, {"horizon": 60}, exact=True),
        Computed("things", things, {"count": count, "drafting": 0.1, "horizon": 36}),
    ]


def _learned(text: str, measure: str, one: str, other: str, unit: str, source: str = "ours", **bound: Any) -> Claim:
    return Claim(text, source, effects.late(measure, one, other), unit=unit, kind="ours", **bound)


def _below(name: str) -> Callable[[Results], np.ndarray]:
    """By how much what is left under a gapfiller is below what a complete contract leaves."""
    return lambda r: r.late("solved", f"{COMPLETE}: payoff") - r.late("solved", f"{name}: payoff")


def _lead(measure: str, one: str, other: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late("things", f"{one}: {measure}") - r.late("things", f"{other}: {measure}")


CLAIMS = [
    Claim("Who expects a gapfiller that knows half of each loss writes a shorter contract", SHAVELL,
          _lead("terms", "knows half", "none"), below=-1, unit="terms",
          published="interpretation allows parties to write simpler contracts"),
    Claim("One that knows all leaves more, after what it costs to write and to be judged", SHAVELL,
          _lead("worth", "knows all", "none"), above=0, unit="reward",
          published="interpretation may improve on otherwise imperfect contracts"),
    Claim("One that knows half of each loss is worth less than one that knows all", "ours",
          _lead("worth", "knows half", "knows all"), below=0, unit="reward", kind="ours"),
    Claim("One that goes by custom alone, the mean loss, is worse than none", "ours",
          _lead("worth", "custom alone", "none"), below=0, unit="reward", kind="ours"),
    Claim("A robot paid by the box breaks the vase that the contract does not name", HADFIELD,
          effects.of(GAP, "broken"), above=0.5, unit="vases an episode", kind="ours"),
    _learned("... and serves the principal worse than while the short way was walled up", "reward", GAP, SCHOOL,
             "reward", HADFIELD, below=0),
    _learned("A gapfiller that knows what acts cost the principal mends that", "reward", KNOWS, GAP, "reward", HADFIELD,
             above=0),
    _learned("... and with one term, and what it costs to be judged, leaves more than a contract of two terms",
             "payoff", KNOWS, COMPLETE, "reward", above=0),
    _learned("One whose errors are a fifth of the vase's worth keeps the robot off the lawn, which harms nobody",
             "disturbed", NOISY, KNOWS, "things", below=0),
    _learned("... unless it lets small losses pass", "reward", CAREFUL, NOISY, "reward", above=0),
    _learned("One that goes by custom alone serves the principal worse than one that knows", "reward", CUSTOM, KNOWS,
             "reward", below=0),
    _learned("One that looks at one act in five leaves the vase broken more often", "broken", SELDOM, KNOWS, "vases",
             above=0),
    _learned("... unless it awards five times the loss", "reward", MULTIPLE, SELDOM, "reward", above=0),
    Claim("Control: under the gap what is learned is within 1.5 of what is best for the robot, solved exactly", "ours",
          lambda r: r.late(GAP, "reward") - r.late("solved", f"{GAP}: reward"), near=0, tolerance=1.5, unit="reward",
          kind="control"),
    Claim("Control: and so it is under the gapfiller that knows", "ours",
          lambda r: r.late(KNOWS, "reward") - r.late("solved", f"{KNOWS}: reward"), near=0, tolerance=1.5,
          unit="reward", kind="control"),
    Claim("Control: a robot that moves at random carries fewer boxes than one that learned", "ours",
          effects.late("delivered", RANDOM, SCHOOL), below=0, unit="boxes", kind="control"),
]  # fmt: skip

READINGS = [
    Reading("Terms that a gapfiller spares that knows all, so that none pays for itself", "ours",
            _lead("terms", "none", "knows all"), unit="terms"),
    *(Reading(f"Solved exactly, {name}: left for both after what looking costs", "ours",
              effects.of("solved", f"{name}: payoff"), unit="reward") for name in LEARNED),
    Reading("A term on vases pays against a gapfiller that knows, where it costs less than", "ours",
            _below(KNOWS), unit="reward"),
    *(Reading(f"... against one that errs by {e:g} and lets nothing pass, than", "ours",
              _below(f"error {e:g}, minor 0"), unit="reward") for e in ERRORS[1:]),
]  # fmt: skip


def _grid(results: Results, rows: Sequence[tuple[str, str]], columns: Sequence[str]) -> list[list[str]]:
    value = lambda name: number(float(results.late("solved", f"{name}: payoff")[0]))  # noqa: E731
    return [[head, *(value(f"{name}, {column}") for column in columns)] for head, name in rows]


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, panels

    panes = [(head, unit, {a: results.curve(a, m) for a in LEARNED}) for head, unit, m in (
        ("Boxes", "an episode", "delivered"), ("Vases broken", "an episode", "broken"),
        ("Worth to the principal", "reward", "reward"), ("Left for both", "reward", "payoff"))]  # fmt: skip
    measures = ("reward", "payoff", "delivered", "broken", "disturbed")
    rules = [[a, *(number(float(results.late("solved", f"{a}: {m}")[0])) for m in measures)] for a in LEARNED]
    both = "Left for both, transfers and drafting apart."
    of = lambda values: [(f"{v:g}", f"error {v:g}") for v in values]  # noqa: E731
    terms = effects.rows(results, ["things"], [f"{n}: {m}" for n in ("none", *THINGS) for m in ("terms", "worth")])[0]
    pairs = zip(("none", *THINGS), terms[1::2], terms[2::2], strict=True)
    return [
        page.Figure("Learned under each rule", figures.svg(panels.panels(panes, columns=2, labels=LEARNED))),
        page.Table("Solved exactly", ["rule", *measures], rules, "What is best for the robot, by backward induction."),
        page.Table("... by errors, and by the losses that are let pass", ["error", *(f"up to {m:g}" for m in MINORS)],
                   _grid(results, of(ERRORS), [f"minor {m:g}" for m in MINORS]), both),
        page.Table("... by errors and by what a look costs", ["error", *(f"cost {c:g}" for c in COSTS)],
                   _grid(results, of(ERRORS), [f"cost {c:g}" for c in COSTS]), f"{both} Losses up to 5 are let pass."),
        page.Table("... by what it knows, and by the custom that it goes by otherwise",
                   ["knows", *(f"custom {c:g}" for c in CUSTOMS)],
                   _grid(results, [(f"{k:g}", f"knows {k:g}") for k in SHARES], [f"custom {c:g}" for c in CUSTOMS]),
                   both),
        page.Table("The best contract where one of many things may stand in the way",
                   ["gapfiller", "terms", "worth"], [list(row) for row in pairs],
                   "Losses drawn from 0 to 12, chances by Zipf's law; a term costs 0.1, a look too."),
    ]  # fmt: skip


STUDY = Study(
    "unwritten",
    "What must an institution know that fills the gaps of a contract?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 10},
    sections,
    "A robot is paid 2 a box. The short way goes past a vase worth 10 to the principal, another across a lawn that may "
    "be crossed, a long one around both; the contract names boxes alone. All begin with what was learned in a hall "
    "whose short way was walled up: damages that befall who cannot carry a box yet teach it to stand still. A term "
    "costs 2 to write, a look 0.1.",
    ("reward", "payoff", "delivered", "broken", "disturbed", "gapfiller.looked", "awarded", "burnt"),
    READINGS,
    first=10,
)
