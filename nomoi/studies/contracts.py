"""Does a contract that is signed before play lead self-interested agents to what is best for all?  Solved exactly.

The statements T1, T2 and T5 are those of Christoffersen et al. 2023 as its abstracts give them (T6 is in `teams`); the
full text was not open to us.  T3 and T4 we know from notes of others alone, so that they count as ours.  Everything
here is unfolded and solved by backward induction, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi import govern
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.treaty import Treaty
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.solve.game import NormalForm
from nomoi.solve.interest import least_fine, least_transfer, self_interest
from nomoi.solve.subgame import Solution, backward
from nomoi.solve.unfold import normal_form, tabular

PAPER = "Christoffersen et al. 2023, abstract"
NOTES = "ours, after SocialJax (9zehn), notes of a thesis"
LEVEL = "ours, after Willis et al. 2023"
FIRST = "introduction"  # the dilemma of the tutorial's introduction
GAMES = {FIRST: (2, 0, 4, 1), "dilemma": (3, 0, 4, 1), "stag": (4, 0, 3, 1), "chicken": (3, 1, 4, 0)}  # R, S, T, P

# Random games pay whole numbers from 0 to 9.  A fine or bounty of 10 then outweighs every gain from leaving, and sums
# to 20, in halves, can pay anybody for anything.
RICH = {"low": -10.0, "high": 10.0, "fines": 3, "apart": True, "most": 20.0, "lumps": 81}
SPACES = {  # each is contained in the next
    "lump sums only": {"low": 0.0, "high": 0.0, "fines": 1, "apart": False},
    "one fine": {"low": 0.0, "high": 10.0, "fines": 2, "apart": False},
    "fine or bounty": {"low": -10.0, "high": 10.0, "fines": 3, "apart": False},
    "a fine for each": {"low": -10.0, "high": 10.0, "fines": 3, "apart": True},
}


def split(key: None, proposers: int, select: str, step: float) -> Mapping[str, float]:
    """The introduction's dilemma under a treaty with fines of 0 to 4 and lump sums in steps of `step`."""
    lumps = 1 + 2 * round(4 / step)
    treaty = Treaty(on="defect", high=4.0, fines=5, most=4.0, lumps=lumps, proposers=proposers)
    return _told(_solved(Matrix(), treaty, select))


def plain(key: None, control: str) -> Mapping[str, float]:
    """The introduction's dilemma under a contract on defecting, and under two that cannot help."""
    if control == "useless event":  # on a third choice, which costs who takes it 9, so that nobody ever does
        both, alone, tempted, neither = GAMES[FIRST]
        row = np.array([[both, alone, alone], [tempted, neither, neither], [-9, -9, -9]], float)
        never = Matrix(payoff=np.stack([row, row.T]).tolist(), defect=2)
        return _told(_solved(never, Contract(on="defect", high=4.0, voters=0)))
    if control == "null contract always":
        return _told(_solved(Matrix(), Treaty(on="defect", low=0.0, high=0.0, fines=1, lumps=1)))
    return _told(_solved(Matrix(), Contract(on="defect", high=4.0, voters=0)))


def random_games(key: jax.Array, games: int, select: str) -> Mapping[str, float]:
    """Random two by two games: in how many of them the best is reached, by what contracts may say."""
    payoffs = np.asarray(jax.random.randint(key, (games, 2, 2, 2), 0, 10), float)
    money = {name: RICH[name] for name in ("most", "lumps")}
    arms = {name: space | money for name, space in SPACES.items()}
    poor = {name: space | {"lumps": 1} for name, space in SPACES.items()}
    poor["many fines"] = RICH | {"fines": 21, "lumps": 1}  # every whole number from -10 to 10, for each agent
    arms |= {f"{name}, no lump sums": space for name, space in poor.items()}
    welfare = {name: np.zeros(games) for name in ("nothing", *arms)}
    gains = np.zeros(games)  # of the responder, against the game without a treaty
    for g, payoff in enumerate(payoffs):
        world = Matrix(payoff=payoff.tolist())
        alone = backward(tabular(world), select=select)
        found = {name: _solved(world, Treaty(on="defect", **arm), select) for name, arm in arms.items()}
        for name, solved in ({"nothing": alone} | found).items():
            welfare[name][g] = solved.welfare
        gains[g] = found["a fine for each"].start[1] - alone.start[1]
    best = payoffs.sum(1).max((1, 2))
    out = {f"best reached: {name}": float((w > best - 1e-4).mean()) for name, w in welfare.items()}
    out |= {f"welfare lost: {name}": float((best - w).mean()) for name, w in welfare.items()}
    for tail, spaces in (("", SPACES), (", no lump sums", poor)):  # each space is contained in the next
        ladder = np.stack([welfare[name + tail] for name in spaces])
        out[f"richer was worse{tail}"] = float((np.diff(ladder, axis=0) < -1e-4).any(0).mean())
    return out | {"responder gains at most": float(gains.max()), "responder loses at most": float(-gains.min())}


def thresholds(key: None, game: str) -> Mapping[str, float]:
    """The self-interest level, the best exchange of payoffs, and the smallest fine, also as found by unfolding."""
    payoff = symmetric(*map(float, GAMES[game]))
    made = normal_form(Matrix(payoff=payoff))
    return {
        "self-interest": self_interest(made, (0, 0)),
        "least exchange": least_transfer(made, (0, 0))[0],
        "least fine": least_fine(made, (0, 0)),
        "least fine, unfolded": _least_rate(payoff, 1.0),
        "least fine, half detected": least_fine(made, (0, 0), 0.5),
        "least fine, half detected, unfolded": _least_rate(payoff, 0.5),
    }


def public_goods(key: None, agents: int, factor: float) -> Mapping[str, float]:
    """The linear public goods game with all or nothing: self-interest level and smallest fine."""
    gives = 1 - np.indices((2,) * agents).astype(float)  # action 0 contributes
    game = NormalForm(factor / agents * gives.sum(0) - gives, "linear public goods")
    target = (0,) * agents
    return {"self-interest": self_interest(game, target), "least fine": least_fine(game, target),
            "least fine, unfolded": _least_rate(game.payoff.tolist(), 1.0)}  # fmt: skip


def _least_rate(payoff: list, detect: float) -> float:
    """The smallest fine on defecting, in steps of .05, under which the unfolded game has cooperation dominant.

    A fine that is paid with probability `detect` is charged as its expectation.
    """
    n = len(payoff)
    for rate in np.arange(0, 8.01, 0.05):
        # a levy gives the payer its n-th part back
        levy = Levy(on="defect", proceeds="shared", rate=float(rate * detect * n / (n - 1)))
        game = normal_form(govern(Matrix(payoff=payoff), levy))
        if least_fine(game, (0,) * n) <= 1e-5:
            return float(rate)
    return float("nan")


def _solved(world: Matrix, institution: Contract | Treaty, select: str = "best") -> Solution:
    return backward(tabular(govern(world, institution)), select=select)


def _told(solved: Solution) -> Mapping[str, float]:
    return {"first": float(solved.start[0]), "second": float(solved.start[1]), "welfare": solved.welfare,
            "gain from departing": solved.deviation}  # fmt: skip


def trials(size: str) -> Sequence[Trial]:
    games = {"smoke": 3, "laptop": 25, "paper": 250}[size]
    exact: list[tuple[str, Callable[..., Mapping[str, float]], dict[str, Any]]] = [
        *((f"{p} proposer{'s' * (p > 1)}, {s}", split, {"proposers": p, "select": s, "step": 0.125})
          for p in (1, 2) for s in ("best", "worst")),
        *((name, plain, {"control": name}) for name in ("contract", "useless event", "null contract always")),
        *((f"thresholds, {g}", thresholds, {"game": g}) for g in GAMES),
        *((f"public goods, N = {n}, r = {r:g}", public_goods, {"agents": n, "factor": r}) for n, r in GOODS),
    ]  # fmt: skip
    return [
        *(Computed(label, function, settings, exact=True) for label, function, settings in exact),
        *(Computed(f"random games, {s}", random_games, {"games": games, "select": s}) for s in ("best", "worst")),
    ]


GOODS = ((2, 1.5), (3, 1.5), (4, 1.6), (5, 2.0))


def _random(measure: str, select: str = "best") -> Effect:
    return of(f"random games, {select}", measure)


def _more(one: str, other: str, measure: str = "best reached") -> Effect:
    """How much more of a measure random games have under one space of contracts than under another."""
    return lambda r: _random(f"{measure}: {one}")(r) - _random(f"{measure}: {other}")(r)


CLAIMS = [
    Claim("T1: with a rich space the best is reached in all random games", PAPER,
          _random("best reached: a fine for each"), near=1, tolerance=0.005, unit="of games"),
    Claim("T1: and in the least favourable equilibrium that we select stage by stage as well", PAPER,
          _random("best reached: a fine for each", "worst"), near=1, tolerance=0.005, unit="of games"),
    Claim("T1: a contract on defecting rescues the introduction's dilemma: welfare 4", PAPER,
          of("contract", "welfare"), near=4, tolerance=0.005),
    Claim("T2: a richer space is never worse (four nested spaces)", PAPER, _random("richer was worse"), near=0,
          tolerance=0.005, unit="of games"),
    Claim("T2: and the richest makes more than the poorest", PAPER,
          _more("lump sums only", "a fine for each", "welfare lost"), above=0, unit="welfare"),
    Claim("T3: the proposer of a treaty on the introduction's dilemma takes the surplus and gets 3", NOTES,
          of("1 proposer, best", "first"), near=3, tolerance=0.005, kind="ours"),
    Claim("T3: the responder is held to 1, what it has without a treaty", NOTES, of("1 proposer, best", "second"),
          near=1, tolerance=0.005, kind="ours"),
    Claim("T3: in random games the responder gains less than one step of the lump sums (0.5)", NOTES,
          _random("responder gains at most"), below=0.5, kind="ours"),
    Claim("T4: with two proposers a subgame-perfect equilibrium can be worse than the best (4)", NOTES,
          of("2 proposers, worst", "welfare"), below=4, kind="ours"),
    Claim("T5: without lump sums the best is missed in some random games", PAPER,
          _random("best reached: many fines, no lump sums"), below=1, unit="of games"),
    Claim("Without lump sums a richer space can be worse, because proposers care for themselves", "ours",
          _random("richer was worse, no lump sums"), above=0, unit="of games", kind="ours"),
    Claim("Control: without contracts the best is reached in fewer random games than with a rich space", "ours",
          _more("nothing", "a fine for each"), below=0, unit="of games", kind="control"),
]  # fmt: skip

# Levels and fines are formulas of the payoffs, and what contracts that change nothing bring, or how ties are resolved,
# is so by definition; the tests hold all of them.
READINGS = [
    *(Reading(f"Self-interest level of {g}", LEVEL, of(f"thresholds, {g}", "self-interest")) for g in GAMES),
    *(Reading(f"Smallest fine that makes cooperation dominant in {g}", "ours", of(f"thresholds, {g}", "least fine"))
      for g in GAMES),
    *(Reading(f"... as found in the unfolded game {g}, in steps of .05", "ours",
              of(f"thresholds, {g}", "least fine, unfolded")) for g in GAMES),
    Reading("The fine of the introduction's dilemma where half is detected", "ours",
            of(f"thresholds, {FIRST}", "least fine, half detected, unfolded")),
    *(Reading(f"Self-interest level of public goods (r / N), N = {n}, r = {f:g}", LEVEL,
              of(f"public goods, N = {n}, r = {f:g}", "self-interest")) for n, f in GOODS),
    *(Reading(f"Smallest fine of public goods (1 - r / N), N = {n}, r = {f:g}", "ours",
              of(f"public goods, N = {n}, r = {f:g}", "least fine, unfolded")) for n, f in GOODS),
    Reading("Most that a responder loses by a treaty that it may refuse", "ours", _random("responder loses at most")),
    Reading("T4: welfare with two proposers, in the best equilibrium that is selected", NOTES,
            of("2 proposers, best", "welfare")),
    Reading("A responder who refuses where it is indifferent: 1 and one step of the lump sum (0.125)", "ours",
            of("1 proposer, worst", "second")),
    Reading("Welfare under a contract on an event that never happens (2 without any)", "ours",
            of("useless event", "welfare")),
    Reading("... and under a treaty that can only be null", "ours", of("null contract always", "welfare")),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import figures, page

    poor = (f"{name}, no lump sums" for name in ("one fine", "fine or bounty", "a fine for each", "many fines"))
    arms = ("nothing", *poor, *SPACES)
    reached = {a: estimate(results.late("random games, best", f"best reached: {a}")) for a in arms}
    rows = [[label, *(results.late(label, m)[0] for m in ("first", "second", "welfare"))]
            for label in ("contract", "1 proposer, best", "1 proposer, worst", "2 proposers, best",
                          "2 proposers, worst", "useless event", "null contract always")]  # fmt: skip
    measures = ("self-interest", "least exchange", "least fine")
    levels = [[g, *(number(results.late(f"thresholds, {g}", m)[0]) for m in measures)] for g in GAMES]
    return [
        page.Figure("Random games", figures.svg(figures.intervals(reached, "share of games", "The best is reached")),
                    "Subgame-perfect equilibrium before play; each space from 'lump sums only' on contains the last."),
        page.Table("The introduction's dilemma", ["under", "first agent", "second agent", "welfare"], rows,
                   "Nothing: 1, 1. Best and worst say how indifference and several equilibria are resolved."),
        page.Table("How much of their payoff agents may keep", ["game", "s*", "g* (any exchange)", "least fine"],
                   levels),
    ]  # fmt: skip


STUDY = Study(
    "contracts",
    "Does a contract that is signed before play lead self-interested agents to what is best for all?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 4},
    sections,
    "All but the random games is exact. Two proposers are our reconstruction (both must name the same terms), and "
    "detection is the simplest that is meant: the appendix of the paper could not be read.",
    readings=READINGS,
)
