"""A canal with a head and a tail: who takes, who keeps it up, and what a quota and a rotation change; in three ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nomoi import govern
from nomoi.core import Situation
from nomoi.core.institution import Institution
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.institutions.fine import Fine
from nomoi.institutions.quota import Quota
from nomoi.institutions.rotation import Rotation
from nomoi.learners.villagers import Villagers
from nomoi.probes import canal as solved
from nomoi.runs.claims import Results
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Evaluated, Reading, Study, Trained, Trial
from nomoi.situations.irrigation import Irrigation

OURS = "ours"
EARLIER = "ours, by our earlier program"
LAB, FIELD = "Janssen et al. 2011", "Janssen et al. 2012"
ROUNDS, TOGETHER = 20, 3
PLACES = ("head", "place 2", "place 3", "place 4", "tail")
RATE = 7.0  # dearer than what any field gains from one unit more, 6 tokens at most (ours)
RULES: Mapping[str, tuple[Institution, ...]] = {
    "nothing": (),
    "quota": (Quota(target=0.0), Fine(on="quota.excess", rate=RATE)),
    "rotation": (Rotation(length=1, together=TOGETHER),),
}
ANNOUNCED = (Quota(target=0.0), Fine(on="quota.excess", rate=0.0))
SUPPLIES = (5, 10, 15, 20, 25, 30, 35, 40)
TAKES = (5, 6, 7, 8, 9, 10)


# --- solved ---------------------------------------------------------------------------------------------------


def bounds(key: None) -> Mapping[str, float]:
    """What one hand could make of it, and what is left where nobody gives; over ten rounds."""
    place = Irrigation(horizon=10)
    own = {f"crops at {f}": float(solved.best_crops(place, f)) for f in SUPPLIES}
    feet = {"greedy": solved.greedy(place)(30.0, 0), "equal": solved.equal(place)(30.0, 0)}
    out = own | {f"crops, {name}": float(solved.crop(jnp.asarray(w)).sum()) for name, w in feet.items()}
    none = [solved.best_crops(place, min(float(solved.flows(place)[e]), 30)) + 50 for e in (75, 50, 25, *[0] * 7)]
    return out | {"planned": solved.planned(place), "nobody gives": float(sum(none))}


def played(key: None, rule: str, rounds: int = ROUNDS) -> Mapping[str, float]:
    """The equilibrium in tokens, where water is taken as the rule says."""
    place = Irrigation(horizon=rounds)
    ways = {"nothing": solved.greedy(place), "quota": solved.equal(place), "rotation": solved.turns(place, TOGETHER)}
    found = solved.equilibrium(place, ways[rule])
    return _told(found.water / solved.SECONDS, found.given / float(place.duty), found.income) | {"slack": found.slack}


def restrained(key: None, rounds: int = ROUNDS) -> Mapping[str, float]:
    """Incomes where the head takes so many units, and those below give as they are watered."""
    found = {k: solved.bandit(Irrigation(horizon=rounds), k) for k in TAKES}
    best = max(TAKES, key=lambda k: found[k][0])
    out = {f"{who}, takes {k}": float(x) for k in TAKES for who, x in (("head", found[k][0]), ("all", found[k].sum()))}
    return out | {"best take of the head": float(best)}


def _told(water: np.ndarray, worked: np.ndarray, income: np.ndarray) -> dict[str, float]:
    """Numbers of one episode: water [T, n] in units, worked [T, n] of one's duty, income [n]."""
    each = {f"water, {place}": float(w) for place, w in zip(PLACES, water.mean(0), strict=True)}
    tail = float(water[:, -2:].sum() / max(water[:, :2].sum(), 1e-9))
    return each | {"tail": tail, "provision": float(worked.mean()), "reward": float(income.sum())}


# --- lived by people who adapt, and by what was learned -----------------------------------------------------------


def gini(water: np.ndarray) -> np.ndarray:
    """[...] of water [..., n]; NaN where there is none."""
    total = water.sum(-1)
    gaps = np.abs(water[..., :, None] - water[..., None, :]).sum((-1, -2))
    return np.where(total > 0, gaps / (2 * water.shape[-1] * np.where(total > 0, total, 1)), np.nan)


def begun(key: Any, rule: str, canals: int, rounds: int = ROUNDS) -> Mapping[str, float]:
    """The first rounds of people who have not yet adapted to anything, on many canals: each looks at the next one's."""
    place, who = govern(Irrigation(horizon=rounds), *RULES[rule]), Villagers(villages=canals)
    born, living = jax.random.split(key)

    def tick(now: tuple[Any, Any], t: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        people, state = now
        keys = jax.random.split(jax.random.fold_in(living, t), canals)
        seen = jax.vmap(place.observe)(state)
        lots = jax.vmap(lambda k: who.lots(k, place))(keys)
        action = jax.vmap(lambda *x: who.answer(x[0], x[1], place, x[2]))(lots, people, seen)
        state, outcome = jax.vmap(place.step)(keys, state, action)
        others = jax.tree.map(lambda x: jnp.roll(x, 1, 0), people)
        people = jax.vmap(lambda lot, own, *x: who.adapt(lot, own, place, *x))(
            lots, people, seen, action, outcome, outcome.payoff, others
        )
        return (people, state), (outcome.events["harvest"], outcome.events["worked"])

    @jax.jit
    def lived() -> Any:
        first = jax.vmap(place.reset)(jax.random.split(living, canals))
        return jax.lax.scan(tick, (who.init(born, place), first), jnp.arange(rounds))[1]

    water, worked = map(np.asarray, lived())  # [T, canals, n]
    return {
        "inequality and what is given next": followed_by(gini(water), worked.mean(2)),
        "inequality": float(np.nanmean(gini(water))),
        "dry": float(np.isnan(gini(water)[:-1]).mean()),
    }


def followed_by(unequal: np.ndarray, given: np.ndarray) -> float:
    """The correlation of inequality in a round [T, canals] with what is given in the next; where there is water."""
    one, next_ = unequal[:-1].ravel(), given[1:].ravel()
    watered = np.isfinite(one)
    return float(np.corrcoef(one[watered], next_[watered])[0, 1])


def places(key: Any, situation: Situation, learner: Learner, mind: Any, worlds: int = 16) -> Mapping[str, float]:
    """What was learned, along the canal."""
    lived = rollout(key, situation, learner, situation.horizon, worlds, mind)
    water, worked = (np.asarray(lived.outcome.events[e]).mean(1) for e in ("harvest", "worked"))
    return _told(water, worked, np.asarray(lived.outcome.reward).mean(1).sum(0))


# --- the study ------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    smoke = size == "smoke"
    steps = {"smoke": 8_000, "laptop": 400_000, "paper": 4_000_000}[size]
    grown = {"smoke": 2_000, "laptop": 100_000, "paper": 400_000}[size]
    arms: list[Trial] = []
    for rule, stack in RULES.items():
        arms += [
            Computed(f"solved: {rule}", played, {"rule": rule} | ({"rounds": 3} if smoke else {}), exact=True),
            Computed(f"begun: {rule}", begun, {"rule": rule, "canals": 4 if smoke else 64}),
            Trained(f"adapted: {rule}", Irrigation(), stack, grown, Villagers()),
            Evaluated(f"adapted: {rule}, places", f"adapted: {rule}", places),
            Trained(f"learned: {rule}", Irrigation(), stack, steps),
            Evaluated(f"learned: {rule}, places", f"learned: {rule}", places),
        ]
    return [
        Computed("bounds", bounds, {}, exact=True),
        Computed("restraint", restrained, {}, exact=True),
        Trained("learned: quota, no fine", Irrigation(), ANNOUNCED, steps),
        *arms,
    ]


def _gap(way: str, measure: str, one: str, other: str) -> Effect:
    return lambda r: r.late(f"{way}: {one}", measure) - r.late(f"{way}: {other}", measure)


CLAIMS = [
    Claim("Inequality in a round goes with less given in the next (people who begin, without a rule)", FIELD,
          of("begun: nothing", "inequality and what is given next"), "triggers lower levels of contributions", below=0,
          unit="correlation", kind="published"),
    *(Claim(f"The lower two get less than the upper two ({way}, without a rule)", LAB, of(f"{way}: nothing", "tail"),
            "head-enders take unequal shares", below=1, unit="of the upper two's water", kind="published")
      for way in ("adapted", "learned")),
    *(Claim(f"A quota makes shares more equal ({way})", FIELD, _gap(way, "inequality", "quota", "nothing"),
            "the stationary bandit is less relevant", below=0, unit="Gini", kind="published")
      for way in ("adapted", "learned")),
    *(Claim(f"A rotation lowers what the group makes ({way})", f"ours, after {FIELD}",
            _gap(way, "reward", "rotation", "nothing"), below=0, unit="tokens", kind="ours")
      for way in ("adapted", "learned")),
    *(Claim(f"A quota raises what the group makes ({way})", OURS, _gap(way, "reward", "quota", "nothing"), above=0,
            unit="tokens", kind="ours") for way in ("adapted", "learned")),
    Claim("The head does best with more than an equal part and less than all it could use", f"ours, after {LAB}",
          lambda r: r.late("restraint", "head, takes 8") - np.maximum(r.late("restraint", "head, takes 6"),
                                                                      r.late("restraint", "head, takes 10")),
          above=0, unit="tokens", kind="ours"),
    Claim("Announced without a fine, the quota does not raise what is learned to make", OURS,
          lambda r: r.late("learned: quota, no fine", "reward") - r.late("learned: nothing", "reward"), near=0,
          tolerance=50, unit="tokens", kind="control"),
]  # fmt: skip
READINGS = [
    *(Reading(f"Most tokens of one round at {f} cubic feet a second", EARLIER, of("bounds", f"crops at {f}"),
              unit=f"tokens (by our earlier program {n})") for f, n in
      zip(SUPPLIES, (10, 20, 37, 51, 63, 75, 90, 95), strict=True)),
    Reading("The same at 30 where each stops at 500 cubic feet, the head first", EARLIER, of("bounds", "crops, greedy"),
            unit="tokens (59)"),
    Reading("... and where each stops at 300", EARLIER, of("bounds", "crops, equal"), unit="tokens (70)"),
    Reading("Ten rounds where one hand gives out water and tokens", EARLIER, of("bounds", "planned"),
            unit="tokens (1034)"),
    Reading("Ten rounds where nobody gives and one hand gives out the water", EARLIER, of("bounds", "nobody gives"),
            unit="tokens (585)"),
    *(Reading(f"Twenty rounds in equilibrium, {rule}", OURS, of(f"solved: {rule}", "reward"), unit="tokens")
      for rule in RULES),
    *(Reading(f"... what somebody may gain by departing in a round, {rule}", OURS, of(f"solved: {rule}", "slack"),
              unit="tokens") for rule in RULES),
    Reading("What the head takes where that serves it best and those below give as they are watered", OURS,
            of("restraint", "best take of the head"), unit="units of water, of 6 that are equal"),
    *(Reading(f"Gini of the water in the first twenty rounds, {rule}", OURS, of(f"begun: {rule}", "inequality"),
              unit="") for rule in RULES),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    along = {
        way: figures.curves(
            {rule: (np.arange(1, 6), _along(results, f"{way}: {rule}{end}")) for rule in RULES},
            "units of water a round", f"The canal, {way}", {"an equal part": 6.0}, "place along the canal, 1 the head",
            note="mean over seeds, 95 % band",
        ) for way, end in (("solved", ""), ("adapted", ", places"), ("learned", ", places"))
    }  # fmt: skip
    made = figures.intervals(
        {f"{rule}, {way}": results.late(f"{way}: {rule}{end}", "reward") for rule in RULES
         for way, end in (("solved", ""), ("adapted", ", places"), ("learned", ", places"))},
        "tokens in an episode of twenty rounds, all farmers", "One rule, solved, adapted to and learned",
        {"nobody gives nor waters": 50.0 * ROUNDS},
    )  # fmt: skip
    take = figures.curves(
        {who: (np.array(TAKES), np.array([results.late("restraint", f"{who}, takes {k}") for k in TAKES]).T)
         for who in ("head",)}, "tokens in twenty rounds", "What the head earns by how much it takes", {},
        "units that the head takes in a round; 6 is an equal part", note="exact",
    )  # fmt: skip
    return [
        *(page.Figure(f"The canal, {way}", figures.svg(f), "From the head to the tail. Rewards before fines.")
          for way, f in along.items()),
        page.Figure("Three ways of asking", figures.svg(made), "Solved: the equilibrium in tokens with most welfare in "
                    "each round, where water is taken as the rule says. Adapted: villagers. Learned: PPO."),
        page.Figure("Restraint", figures.svg(take), "Those below share the rest, and give as they are watered."),
    ]  # fmt: skip


def _along(results: Results, label: str) -> np.ndarray:
    return np.stack([results.late(label, f"water, {place}") for place in PLACES], 1)


STUDY = Study(
    "canal",
    "On a canal with a head and a tail, who takes, who keeps it up, and what do a quota and a rotation change?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "All constants are those of the laboratory's software. Of people only two abstracts were at hand, so published "
    "claims are orderings. A rotation here lets three of five open their gates in a round; in the field the "
    "order of taking went round, so what a rotation does is a claim of ours. A step is the water of a round and the "
    "tokens for the next; the first round's tokens, which a canal at its start does not need, are left out. Where a "
    "round has no pure equilibrium one is let pass, and what somebody may gain by departing is named.",
    readings=READINGS,
    shown=("reward", "harvest", "inequality", "tail", "provision"),
)
