"""One quota, solved, adapted to and learned: does it count when announced, fined, imported or following the stock?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi import govern
from nomoi.core import Situation, setting, size
from nomoi.core.institution import Institution
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.institutions.fine import Fine
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.quota import Quota
from nomoi.learners.ppo import PPO
from nomoi.runs.effects import Effect, late
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.harvest import Harvest
from nomoi.situations.pool import Pool
from nomoi.solve.dynamics import path
from nomoi.solve.game import NormalForm
from nomoi.solve.markov import Markov
from nomoi.solve.subgame import Solution, backwards, planner
from nomoi.solve.unfold import repaid, tabular

OURS = "ours"
FISHERS, POINTS, DISCOUNT = 4, 41, 0.95  # ours
PLACES = {"rich": 0.8, "poor": 0.4}  # growth: the region's, from which a quota is imported, and a poorer place's (ours)
RATE = 1.1  # fine x chance to be caught; at 1 and below some stages have no pure equilibrium (ours)
LOT = 0.5 / 12  # one step of what may be asked for
SLACK = 0.11  # what departing may gain where quotas are no whole number of such steps (ours; a table tells how much)
TARGETS = tuple(round(0.3 + 0.02 * k, 2) for k in range(11))
STARTS = (0.05, 0.5, 0.95)
BARS = (0.0, 0.5, 0.9, 1.0)
FINE_STEPS = 121  # amounts, so that a tenth of the largest one can be asked for (ours)
ARMS: Mapping[str, tuple[Institution, ...]] = {
    "nothing": (),
    "announced": (Quota(on="request"), Fine(on="quota.excess", rate=0.0)),
    "constant": (Quota(on="request", follows=False), Fine(on="quota.excess", rate=RATE)),
    "follows": (Quota(on="request"), Fine(on="quota.excess", rate=RATE)),
}
CONTROLS: Mapping[str, tuple[Institution, ...]] = {
    "follows, not told": (Quota(on="request", announced=False), Fine(on="quota.excess", rate=RATE)),
    "follows, one in ten looked at": (
        Quota(on="request"), Monitor(on="quota.excess", share=0.1, cost=0.0), Fine(on="monitor.caught", rate=10 * RATE),
    ),
}  # fmt: skip


# --- solved ---------------------------------------------------------------------------------------------------


def solved(
    key: None, place: str, points: int = POINTS, horizon: int = 60, targets: Sequence[float] = TARGETS
) -> Mapping[str, float]:
    """Welfare in the symmetric equilibrium, discounted, under each rule; and what departing once may gain there."""
    pool = Pool(agents=FISHERS, points=points, growth=PLACES[place], horizon=horizon)
    quota, none = Quota(on="request", lot=LOT), Fine(on="quota.excess", rate=0.0)
    whole = {f"target {t:g}": quota.replace(target=t) for t in targets}
    whole["constant"] = quota.replace(follows=False)
    loose = {"any amount, target 0.5": quota.replace(lot=0.0), "any amount, constant": ARMS["constant"][0]}
    rules = {name: (q, Fine(on="quota.excess", rate=RATE)) for name, q in (whole | loose).items()}
    rules |= {"announced": (quota, none)}
    base = tabular(govern(pool, quota, none), symmetric=True)
    games = {name: repaid(base, govern(pool, *stack)) for name, stack in rules.items()}
    found = _selected(games, "best")
    best = max(targets, key=lambda t: found[f"target {t:g}"].welfare)
    low = _selected({name: games[name] for name in (f"target {best:g}", "constant", *loose)}, "worst")
    own = {"best target": best, "welfare, best target": found[f"target {best:g}"].welfare, "optimum": owned(pool)}
    own |= {"least welfare, best target": low[f"target {best:g}"].welfare}
    own |= {f"welfare, {name}": s.welfare for name, s in found.items()}
    own |= {f"least welfare, {name}": s.welfare for name, s in low.items()}
    return own | {f"gain from departing, {name}": s.deviation for name, s in found.items()}


def _selected(games: Mapping[str, Markov], select: str) -> dict[str, Solution]:
    return dict(zip(games, backwards(list(games.values()), DISCOUNT, select, SLACK), strict=True))


def owned(pool: Pool) -> float:
    """What a sole owner of all boats would make of it."""
    fleet = pool.replace(agents=1, levels=(pool.levels - 1) * pool.agents + 1, most=float(pool.most) * pool.agents)
    return planner(tabular(fleet), DISCOUNT)


def escapement(key: None, place: str, left: float = 0.5, horizon: int = 60) -> Mapping[str, float]:
    """What an episode yields where `left` of capacity stays in the water in each step, from a full stock."""
    return {"harvest": (1 - left) + (horizon - 1) * PLACES[place] * left * (1 - left)}


# --- lived by rule --------------------------------------------------------------------------------------------


class Keepers(Learner, Rule):
    """The first `keepers` fishers ask for their quota, rounded down to a step; the others for a share of the most."""

    keepers: Float[Array, ""] = setting(0.0, "how many keep to the quota", OURS, "agents", 0)
    share: Float[Array, ""] = setting(1.0, "of the most, what the others ask for", OURS, "", 0, 1)
    steps: int = size(12, "how many steps there are to the most", OURS, low=1)
    most: Float[Array, ""] = setting(0.5, "the largest amount that can be asked for", OURS, "units of fish", 0)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        quota = jnp.floor(seen["quota.allowed"][:, 0] / self.most * self.steps + 1e-3)
        greedy = jnp.round(self.share * self.steps)
        keeps = jnp.arange(situation.agents, dtype=jnp.float32) < self.keepers
        return {"request": jnp.clip(jnp.where(keeps, quota, greedy), 0, self.steps).astype(jnp.int32)}, carry


def licensed(key: None, bar: float) -> Mapping[str, float]:
    """What two villagers earn, discounted, where of what two strangers ask for 1 - bar passes, on average.

    Each villager keeps to a quarter of what is beyond the target that is best in the rich place, in whole steps.
    """
    pool = Pool(agents=FISHERS, outsiders=2, levels=FINE_STEPS)
    quota = Quota(on="request", target=0.38, rate=0.5, lot=LOT)
    people = Keepers(keepers=2.0, share=1 - bar, steps=FINE_STEPS - 1)
    earned = np.asarray(_lived(govern(pool, quota), people), np.float64)
    return {"income": float((DISCOUNT ** np.arange(len(earned)) * earned[:, :2].sum(1)).sum())}


@eqx.filter_jit
def _lived(place: Situation, people: Learner) -> Float[Array, "T n"]:
    """What each earned, step by step of an episode, after fines; nothing once it is over."""

    def tick(now: tuple[Any, Array], _: None) -> tuple[tuple[Any, Array], Array]:
        state, over = now
        action = people.act(key, (), place, place.observe(state), ())[0]
        state, outcome = place.step(key, state, action)
        return (state, over | outcome.done), jnp.where(over, 0.0, outcome.payoff)

    key = jax.random.key(0)  # nothing is drawn
    return jax.lax.scan(tick, (place.reset(key), jnp.array(False)), None, place.horizon)[1]


def adapted(key: None, place: str, arm: str) -> Mapping[str, float]:
    """Where replicators end up that keep the quota or take all there is, from shares of keepers; and what they earn."""
    pool = Pool(agents=FISHERS, growth=PLACES[place])
    table = _payoffs(govern(pool, *ARMS[arm]))
    counts = np.indices((2,) * FISHERS).sum(0)  # choice 1 keeps
    payoff = np.stack([table[np.indices((2,) * FISHERS)[i], counts] for i in range(FISHERS)])
    starts = [np.array([[1 - s, s] for s in STARTS])]
    ends = path(NormalForm(payoff, arm), starts, 4000, one=True)[0][-1][:, 1]
    income = {"income where all keep": float(table[1, FISHERS])}
    return {f"keep, from {s:g}": float(x) for s, x in zip(STARTS, ends, strict=True)} | income


def _payoffs(place: Situation) -> np.ndarray:
    """[2, FISHERS + 1] what one who takes all (0) or keeps (1) earns in an episode where so many keep, after fines."""
    each = [np.asarray(_lived(place, Keepers(keepers=float(k)))).sum(0) for k in range(FISHERS + 1)]
    return np.array([[e[-1] for e in each], [e[0] for e in each]], np.float64)


# --- the study ------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 400_000, "paper": 4_000_000}[size]
    rich = Pool(agents=FISHERS, growth=PLACES["rich"])
    seen = Quota(on="sparse"), Fine(on="quota.excess", rate=2.0)
    grid = {"nothing": (), "announced": (seen[0], seen[1].replace(rate=0.0)), "follows": seen}
    return [
        *(Computed(f"{p}: solved", solved, {"place": p} | ({"points": 11, "horizon": 6} if size == "smoke" else {}),
                   exact=True) for p in PLACES),
        *(Computed(f"{p}: half stays", escapement, {"place": p}, exact=True) for p in PLACES),
        *(Computed(f"licence {b:g}", licensed, {"bar": b}, exact=True) for b in BARS),
        *(Computed(f"{p}: {arm}, adapted", adapted, {"place": p, "arm": arm}, exact=True)
          for p in PLACES for arm in ARMS if ARMS[arm]),
        *(Trained(f"{p}: {arm}", Pool(agents=FISHERS, growth=g), stack, steps)
          for p, g in PLACES.items() for arm, stack in ARMS.items()),
        *(Trained(f"rich: {arm}", rich, stack, steps) for arm, stack in CONTROLS.items()),
        Trained("rich: follows, discount 0.95", rich, ARMS["follows"], steps, PPO(gamma=0.95)),
        *(Trained(f"harvest: {arm}", Harvest(), stack, steps) for arm, stack in grid.items()),
    ]  # fmt: skip


def _yield(place: str, arm: str) -> Effect:
    """What is caught under an arm, of what escapement of one half makes."""
    return lambda r: r.late(f"{place}: {arm}", "harvest") / r.late(f"{place}: half stays", "harvest")


def _exact(place: str, rule: str) -> Effect:
    return lambda r: r.late(f"{place}: solved", f"welfare, {rule}")


def _keep(place: str, arm: str, start: float) -> Effect:
    return lambda r: r.late(f"{place}: {arm}, adapted", f"keep, from {start:g}")


def _claim(text: str, effect: Effect, kind: str = "ours", **bounds: Any) -> Claim:
    return Claim(text, OURS, effect, kind=kind, **bounds)


PART = {"unit": "of what keeping half makes"}
CLAIMS = [
    *(_claim(f"Learned in the {p} place: a quota that follows the stock, with a fine, makes 95 % of keeping half",
             _yield(p, "follows"), above=0.95, **PART) for p in PLACES),
    _claim("Learned in the poor place: the imported quota makes less than 35 % of it",
           _yield("poor", "constant"), below=0.35, **PART),
    *(_claim(f"Learned in the {p} place: announced without a fine, the quota changes nothing (all is taken at once)",
             late("harvest", f"{p}: announced", f"{p}: nothing"), near=0, tolerance=0.05, unit="units of fish")
      for p in PLACES),
    _claim("Learned on the grid: a quota of sparse apples with a fine raises the harvest",
           late("harvest", "harvest: follows", "harvest: nothing"), above=0, unit="apples"),
    _claim("Learned on the grid: announced without a fine it does not",
           late("harvest", "harvest: announced", "harvest: nothing"), near=0, tolerance=10, unit="apples"),
    _claim("Looked at one time in ten, for ten times the fine, they do as well within 5 %",
           lambda r: _yield("rich", "follows, one in ten looked at")(r) - _yield("rich", "follows")(r),
           "control", near=0, tolerance=0.05, **PART),
    _claim("At a discount of .95 too it makes 95 % of keeping half", _yield("rich", "follows, discount 0.95"),
           "control", above=0.95, **PART),
]  # fmt: skip
READINGS = [
    *(Reading(f"Adapted in the {p} place, from few who keep it: the share that keeps a quota {told}", OURS,
              _keep(p, arm, 0.05), unit="share that keeps") for p in PLACES
      for arm, told in (("follows", "with the fine"), ("announced", "without one"))),
    *(Reading(f"Welfare of {FISHERS} fishers in the {p} place, {rule}", OURS, _exact(p, rule), unit="units of fish")
      for p in PLACES for rule in ("announced", "constant", "any amount, constant", "any amount, target 0.5",
                                   "best target")),
    Reading("Welfare in the poor place under the target that is best in the rich one", OURS,
            _exact("poor", "target 0.38"), unit="units of fish"),
    *(Reading(f"The best constant target in the {p} place", OURS, lambda r, p=p: r.late(f"{p}: solved", "best target"),
              unit="of capacity") for p in PLACES),
    *(Reading(f"What one owner makes in the {p} place", OURS, lambda r, p=p: r.late(f"{p}: solved", "optimum"),
              unit="units of fish") for p in PLACES),
    *(Reading(f"Income of a village that keeps its quota by rule, {b:.0%} of what strangers ask for barred", OURS,
              lambda r, b=b: r.late(f"licence {b:g}", "income"), unit="units of fish") for b in BARS),
    Reading("Not told of their quota but fined, what they make of keeping half", OURS,
            _yield("rich", "follows, not told"), **PART),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    def line(place: str) -> tuple[np.ndarray, np.ndarray]:
        label = f"{place}: solved"
        return np.array(TARGETS), np.array([results.late(label, f"welfare, target {t:g}") for t in TARGETS]).T[:1]

    drawn = figures.curves({f"{p} place": line(p) for p in PLACES}, "units of fish, discounted",
                           "What is left in the water by rule, and what that is worth", {},
                           "target: the stock that the quota leaves, of capacity", note="exact")  # fmt: skip
    learned = {
        f"{p} place": figures.curves(
            {arm: results.curve(f"{p}: {arm}", "harvest") for arm in ARMS}, "units of fish an episode",
            f"Learned in the {p} place", {"half stays": float(results.late(f"{p}: half stays", "harvest")[0])},
        ) for p in PLACES
    }  # fmt: skip
    gain = "gain from departing, "
    rules = ["best target", "any amount, target 0.5", "any amount, constant", "constant", "announced"]
    rows = [[p, rule, *(f"{float(results.late(f'{p}: solved', m)[0]):.3f}" if m in results.measures(f"{p}: solved")
                        else "-" for m in (f"welfare, {rule}", f"least welfare, {rule}", gain + rule))]
            for p in PLACES for rule in rules]  # fmt: skip
    return [
        page.Figure("The target", figures.svg(drawn), "Symmetric equilibrium from backward induction, fine 1.1."),
        *(page.Figure(title, figures.svg(f), "Mean over seeds, 95 % band.") for title, f in learned.items()),
        page.Table("Solved", ["place", "rule", "welfare", "in the worst equilibrium", "gain from departing"], rows,
                   "Where quotas are no whole steps of what may be asked for, some stages have no exact equilibrium; "
                   f"a gain from departing of up to {SLACK:g} is let pass, and named."),
    ]  # fmt: skip


STUDY = Study(
    "quotas",
    "When does a quota change what fishers do: told, fined, following the stock, or imported from elsewhere?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "One and the same institution is solved by backward induction, adapted to by replicators that keep it or take all, "
    "and learned under by PPO; on the grid only the direction is asked. All constants are ours; the imported quota is "
    "what suits the region, so that it does well there follows from that.",
    readings=READINGS,
    shown=("harvest", "stock", "quota.excess", "fine.paid"),
)
