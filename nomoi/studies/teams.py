"""Do contracts lead agents who see different things to what a team would do that cannot talk?  Solved exactly.

The statement (T6; T1 to T5 are in `contracts`) is that of Christoffersen et al. 2023, of which we could read one line:
where histories are transparent, contracting is tied to the decentralised problem (Dec-POMDP).  This is our
reconstruction of what it says, on its smallest case: two agents, a signal and an act each, and a treaty that is
negotiated before any signal is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi import govern
from nomoi.institutions.treaty import Treaty
from nomoi.runs.effects import Effect
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.signals import Signals
from nomoi.solve.subgame import backward, planner
from nomoi.solve.unfold import normal_form, tabular

AFTER = "ours, after Christoffersen et al. 2023, abstract (of which it is our reconstruction)"
STEP = 0.25  # of the lump sums; what can be gained by a better contract is split no finer
NOTHING, SEEN, DONE = "nothing", "contract on departing from the plan", "contract on acting"


def rescue(key: None) -> Mapping[str, float]:
    """The game that comes with `Signals`: acting pays who acts, and harms the other where one's signal is 0."""
    return _welfare(Signals())


def random_games(key: jax.Array, games: int) -> Mapping[str, float]:
    """Random games of two signals and two actions each, payoffs whole numbers from 0 to 9, signals correlated."""
    paid, odds = jax.random.split(key)
    payoffs = np.asarray(jax.random.randint(paid, (games, 2, 2, 2, 2, 2), 0, 10), float)
    priors = np.asarray(jax.random.randint(odds, (games, 2, 2), 1, 6), float)
    found = []
    for payoff, prior in zip(payoffs, priors, strict=True):
        world = Signals(payoff=payoff.tolist(), prior=(prior / prior.sum()).tolist())
        total = normal_form(world).payoff.sum(0)
        best = np.unravel_index(total.argmax(), total.shape)  # the rules that a team would agree on
        found.append(_welfare(world.replace(plan=[int(r) for r in best])))
    each = {name: np.array([f[name] for f in found]) for name in found[0]}
    team = each["team"]
    out = {f"{name}: reached": float((each[name] > team - STEP).mean()) for name in (NOTHING, SEEN, DONE)}
    out |= {f"{name}: lost": float((team - each[name]).mean()) for name in (NOTHING, SEEN, DONE)}
    return out | {
        "most above the team": float((each[SEEN] - team).max()),
        "seeing all: more": float((each["seeing all"] - team).mean()),
        "seeing all: helps": float((each["seeing all"] > team + 1e-4).mean()),
    }


def _welfare(world: Signals) -> dict[str, float]:
    """Welfare of the best equilibrium without and with treaties, of the team, and of one who sees all signals."""
    lumps = {"most": 20.0, "lumps": 1 + round(40 / STEP)}
    seen = Treaty(on="defect", high=10.0, fines=2, apart=True, **lumps)  # 10 outweighs every gain from departing
    done = Treaty(on="act", low=-10.0, high=10.0, fines=5, apart=True, **lumps)
    together = np.asarray(world.payoff).sum(0)
    return {
        NOTHING: backward(tabular(world)).welfare,
        SEEN: backward(tabular(govern(world, seen))).welfare,
        DONE: backward(tabular(govern(world, done))).welfare,
        "team": planner(tabular(world)),
        "seeing all": float((np.asarray(world.prior) * together.max((2, 3))).sum()),
    }


def trials(size: str) -> Sequence[Trial]:
    games = {"smoke": 2, "laptop": 25, "paper": 250}[size]
    return [Computed("rescue", rescue, exact=True), Computed("random games", random_games, {"games": games})]


def _random(measure: str) -> Effect:
    return lambda r: r.late("random games", measure)


def _less(one: str, other: str) -> Effect:
    """How much less often the team's best is reached under `one` than under `other`."""
    return lambda r: r.late("random games", f"{other}: reached") - r.late("random games", f"{one}: reached")


CLAIMS = [
    Claim("With transparent histories the team's best is reached in all random games", AFTER,
          _random(f"{SEEN}: reached"), near=1, tolerance=0.001, unit="of games", kind="ours"),
    Claim("Where contracts know only what was done, the team's best is reached less often", "ours", _less(DONE, SEEN),
          above=0, unit="of games", kind="ours"),
    Claim("... and without a contract still less often", "ours", _less(NOTHING, DONE), above=0, unit="of games",
          kind="ours"),
]  # fmt: skip


def _rescue(measure: str, text: str) -> Reading:
    return Reading(text, "ours (by hand)", lambda r: r.late("rescue", measure), unit="welfare")


READINGS = [
    _rescue(NOTHING, "Acting that may harm, without a contract: both always act"),
    _rescue(SEEN, "... with a contract on acting against the plan, of which all signals are seen afterwards"),
    _rescue("team", "... of a team whose members cannot talk"),
    _rescue(DONE, "... with a contract that knows only whether one acted: nobody acts"),
    Reading("Random games in which one who sees all signals would do better than a team", "ours",
            _random("seeing all: helps"), unit="of games"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import figures, page

    arms = (NOTHING, DONE, SEEN)
    reached = {a: estimate(results.late("random games", f"{a}: reached")) for a in arms}
    names = (NOTHING, DONE, SEEN, "team", "seeing all")
    rows = [[name, number(results.late("rescue", name)[0])] for name in names]
    figure = figures.intervals(reached, "share of games", "The team's best is reached")
    return [
        page.Figure("Random games", figures.svg(figure),
                    f"Best subgame-perfect equilibrium; reached within {STEP}, the step of the lump sums."),
        page.Table("Acting that may harm", ["", "welfare"], rows, "The game that comes with the situation `signals`."),
    ]  # fmt: skip


STUDY = Study(
    "teams",
    "Do contracts lead agents who see different things to what a team would do that cannot talk?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 4},
    sections,
    "All but the random games is exact. Rules are chosen before signals are seen, so negotiation does not leak what "
    "anybody saw.",
    readings=READINGS,
)
