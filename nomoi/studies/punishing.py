"""Who pays for punishing, and what does it hold up where some, or all, have made the norm their own?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi import govern
from nomoi.core import Institution, Situation, setting
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.institutions.fine import Fine
from nomoi.institutions.peers import Peers
from nomoi.learners.objectives import Formula, Objective, Own
from nomoi.learners.ppo import PPO
from nomoi.learners.villagers import Villagers
from nomoi.measure.evaluate import episodes
from nomoi.populations.engine import seed_of
from nomoi.populations.third_party import Commons, Descent, internalise
from nomoi.runs.effects import Effect, late, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.contribution import Contribution
from nomoi.solve.unfold import normal_form

OURS = "ours"
SMALL, LARGE = 4, 20  # members (ours)
COUNTS = tuple(range(9))  # internalisers among the others of the large group
SHARES = np.array(COUNTS) / (LARGE - 1)
GENERATIONS = (1, 25, 50, 100, 150, 200, 300, 400, 500)
NORMS = {"to give and to punish": (True, True), "to give": (False, True), "nothing": (False, False)}
KEEP, GIVE = 1, 0  # where one keeps all or nothing
IDLE, PUNISH = 0, 1
# In which all see all, and a fine is what it comes to in the mean where half are seen; guilt for a unit kept, and the
# worth of righting one, dearer than it costs (ours).
PEERS = Peers(seen=1.0, fine=0.3, price=0.3)
FEELS = Formula(text="own - 0.4*peers.violation + 0.2*peers.righted")
RULES: Mapping[str, tuple[tuple[Institution, ...], Objective]] = {
    "nothing": ((), Own()),
    "peers": ((PEERS,), Own()),
    "peers who feel the norm": ((PEERS,), FEELS),
    "a fine": ((Fine(on="shirked", rate=1.0),), Own()),
}


# --- solved ---------------------------------------------------------------------------------------------------


def solved(key: None, fine: float, seen: float, price: float) -> Mapping[str, float]:
    """What giving brings one of four beyond keeping, where the others give and so many of them would punish; and what
    punishing brings.  From the payoffs of the governed game, with every sanction at its mean."""
    place = govern(Contribution(members=SMALL, levels=2, horizon=1), Peers(seen=1.0, fine=seen * fine, price=price))
    payoff = np.asarray(normal_form(place).payoff[0], np.float64)  # the first member's, by the choices of all

    def worth(keeps: int, punishes: int, others: int, shirking: int = 0) -> float:
        """The first member's payoff where so many of the others would punish, and so many keep."""
        rest = [_choice(k < shirking, k >= SMALL - 1 - others) for k in range(SMALL - 1)]
        return float(payoff[(_choice(keeps, punishes), *rest)])

    gains = {f"giving, {s} punish": worth(GIVE, IDLE, s) - worth(KEEP, IDLE, s) for s in range(SMALL)}
    alone = worth(GIVE, PUNISH, 0, shirking=1) - worth(GIVE, IDLE, 0, shirking=1)
    return gains | {"punishing one who keeps": alone}


def _choice(keeps: bool | int, punishes: bool | int) -> int:
    """The joint answer to keep (0, 1) and peers.punish (0, 1), as the normal form counts them."""
    return 2 * int(keeps) + int(punishes)


def undominated(key: None, rule: str) -> Mapping[str, float]:
    """Of what could be given, the least and the most that is given by choices that no other one weakly dominates, once
    all that are dominated are left out, and again (all players are alike)."""
    stack, wants = RULES[rule]
    place = govern(Contribution(members=SMALL, levels=2, horizon=1), *stack)
    utility, choices = _utilities(place, wants)
    there = np.arange(len(choices))
    while (left := _undominated(utility[np.ix_(*[there] * SMALL)])).sum() < len(there):
        there = there[left]
    gives = [choices[c]["keep"] == GIVE for c in there]
    return {"least giving": float(min(gives)), "most giving": float(max(gives))}


def _utilities(place: Situation, wants: Objective) -> tuple[np.ndarray, list[dict[str, int]]]:
    """[A, ..., A] what the first member wants of every joint choice; and what the A choices are."""
    heads = place.actions
    choices = [dict(zip(heads, c, strict=True)) for c in np.ndindex(*heads.values())]
    joint = np.stack(list(np.ndindex(*(len(choices),) * SMALL)))  # [A^n, n]
    answers = {h: jnp.asarray(np.array([c[h] for c in choices])[joint], jnp.int32) for h in heads}
    state, key = place.reset(jax.random.key(0)), jax.random.key(0)

    def felt(action: Action) -> Array:
        return wants.feel(jnp.zeros(place.agents), place, place.step(key, state, action)[1])[1][0]

    return np.asarray(jax.jit(jax.vmap(felt))(answers), np.float64).reshape((len(choices),) * SMALL), choices


def _undominated(utility: np.ndarray, dust: float = 1e-6) -> np.ndarray:
    """[A] which own choices (the first axis) none other is as good as always and better than somewhere."""
    own = utility.reshape(len(utility), -1)
    gap = own[:, None] - own  # [by, of, others' choices]
    beaten = (gap >= -dust).all(2) & (gap > dust).any(2)
    return np.logical_not(beaten.any(0))


# --- lived by rule ----------------------------------------------------------------------------------------------


class Internalised(Learner, Rule):
    """The first `count` members give and punish; the last of all gives where `gives`; the others keep."""

    count: Float[Array, ""] = setting(0.0, "how many have made the norm their own", OURS, "members", 0)
    gives: Float[Array, ""] = setting(0.0, "whether the last member gives", OURS, "", 0, 1)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        who = jnp.arange(situation.agents, dtype=jnp.float32)
        firm = who < self.count
        gives = firm | ((who == situation.agents - 1) & (self.gives > 0))
        top = situation.actions["keep"] - 1
        return {"keep": jnp.where(gives, 0, top), "peers.punish": firm.astype(jnp.int32)}, carry


def lived(key: PRNGKeyArray, worlds: int) -> Mapping[str, float]:
    """What giving brings the last of twenty beyond keeping, a round, by how many have internalised the norm."""
    place = govern(Contribution(members=LARGE, levels=2), Peers())
    gain = np.asarray(_gains(place, key, worlds), np.float64)
    per = {f"giving, {k} internalised": float(g) for k, g in zip(COUNTS, gain, strict=True)}
    return per | {"tips at": float(np.interp(0.0, gain, SHARES))}


@eqx.filter_jit
def _gains(place: Situation, key: PRNGKeyArray, worlds: int) -> Float[Array, " K"]:
    def earned(count: Array, gives: Array) -> Array:
        lives = episodes(key, place, Internalised(count=count, gives=gives), worlds=worlds)
        return ((lives.reward + lives.transfer)[:, -1] / lives.steps).mean()

    counts = jnp.array(COUNTS, jnp.float32)
    return jax.vmap(lambda c: earned(c, jnp.array(1.0)) - earned(c, jnp.array(0.0)))(counts)


# --- how norms come to be felt ------------------------------------------------------------------------------------


def evolved(key: PRNGKeyArray, promoted: bool, wholly: bool, groups: int, generations: Sequence[int]) -> Any:
    """How strongly the norm is felt, and how many give, from nobody feeling anything."""
    felt, giving = internalise(
        Commons(), Descent(groups=groups), seed_of(key), max(generations), promoted=promoted, wholly=wholly
    )
    late = len(felt) // 2
    own = {"felt": float(felt[late:].mean()), "giving": float(giving[late:].mean())}
    return own | {f"felt at {t}": float(felt[t - 1]) for t in generations}


# --- the study ------------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    rough = size == "smoke"
    times = [t for t in GENERATIONS if t <= 50] if rough else list(GENERATIONS)
    peers = {"fine": 0.6, "seen": 0.5, "price": 0.3}
    steps = {"smoke": 8_000, "laptop": 400_000, "paper": 2_000_000}[size]
    grown = {"smoke": 2_000, "laptop": 100_000, "paper": 400_000}[size]
    place, arms = Contribution(members=SMALL, levels=2), []
    for rule, (stack, wants) in RULES.items():
        arms += [
            Computed(f"solved: {rule}", undominated, {"rule": rule}, exact=True),
            Trained(f"adapted: {rule}", place, stack, grown, Villagers(objective=wants)),
            Trained(f"learned: {rule}", place, stack, steps, PPO(objective=wants)),
        ]
    return [
        Computed("solved", solved, peers, exact=True),
        Computed("lived", lived, {"worlds": 8 if rough else 128}),
        *(Computed(f"the norm asks {name}", evolved, {"promoted": p, "wholly": w, "groups": 10 if rough else 60,
                                                      "generations": times})
          for name, (p, w) in NORMS.items()),
        *arms,
    ]  # fmt: skip


GAVRILETS = "Gavrilets & Richerson 2017"
FORMULA = Commons(members=LARGE)


def _more(measure: str) -> Effect:
    one, other = "the norm asks to give and to punish", "the norm asks to give"
    return lambda r: r.late(one, measure) - r.late(other, measure)


CLAIMS = [
    Claim("A norm that asks to punish is internalised further than one that only asks to give", GAVRILETS,
          _more("felt"), "much more easily", above=0, unit="of guilt"),
    Claim("... and more people give", GAVRILETS, _more("giving"), "much larger effects on behavior", above=0,
          unit="of people"),
    Claim(f"Lived by rule, {LARGE} members tip where so many of the others are internalisers as the formula says, "
          f"{FORMULA.tip.value:.3f}", OURS, of("lived", "tips at"), near=FORMULA.tip.value,
          tolerance=0.01, unit="of the others", kind="control"),
    Claim("Who learns for money alone gives a tenth or less where peers may punish", OURS,
          of("learned: peers", "giving"), below=0.1, unit="of what could be given", kind="ours"),
    *(Claim(f"Where all feel the norm, guilt and a duty to punish, more is given ({way})", OURS,
            late("giving", f"{way}: peers who feel the norm", f"{way}: peers"), above=0, unit="of what could be given",
            kind="ours") for way in ("adapted", "learned")),
    *(Claim(f"A fine dearer than what keeping brings makes more be given ({way})", OURS,
            late("giving", f"{way}: a fine", f"{way}: nothing"), above=0, unit="of what could be given", kind="ours")
      for way in ("adapted", "learned")),
]  # fmt: skip
READINGS = [
    *(Reading(f"What giving brings one of {SMALL} where {s} of the others would punish", OURS,
              of("solved", f"giving, {s} punish"), unit="of what is given") for s in range(SMALL)),
    Reading("What it brings to punish one who keeps, where all others give", OURS,
            of("solved", "punishing one who keeps"), unit="of what is given"),
    *(Reading(f"What giving brings one of {LARGE} where {k} have internalised the norm", OURS,
              of("lived", f"giving, {k} internalised"), unit="of what is given") for k in COUNTS),
    *(Reading(f"Given where choices are left out that others weakly dominate, {rule}", OURS,
              of(f"solved: {rule}", "least giving"), unit="of what could be given") for rule in RULES),
    *(Reading(f"How strongly a norm is felt that asks {name}{' (drift alone)' * (name == 'nothing')}", OURS,
              of(f"the norm asks {name}", "felt"), unit="of guilt") for name in NORMS),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page

    shares = np.linspace(0, SHARES[-1], 50)
    force = FORMULA.seen * (LARGE - 1) * FORMULA.fine
    formula = {"giving less keeping": (shares, force * shares - FORMULA.temptation)}
    found = np.stack([results.late("lived", f"giving, {k} internalised") for k in COUNTS], 1)
    tip = charts.lines(formula, "of what is given, a round", "What giving brings one who feels nothing",
                       "share of the others who have internalised the norm", {"giving less keeping": (SHARES, found)},
                       {"tips": FORMULA.tip.value})  # fmt: skip
    times = [int(m.split()[-1]) for m in results.measures("the norm asks to give") if m.startswith("felt at ")]
    series = {f"asks {n}": (np.array(times), np.stack([results.late(f"the norm asks {n}", f"felt at {t}")
                                                       for t in times], 1)) for n in NORMS}  # fmt: skip
    felt = figures.curves(series, "guilt for a unit kept", "A norm comes to be felt further if it asks to punish",
                          xlabel="generations")  # fmt: skip
    ways = figures.intervals(
        {f"{rule}, {way}": results.late(f"{way}: {rule}", "least giving" if way == "solved" else "giving")
         for rule in RULES for way in ("solved", "adapted", "learned")},
        f"share of what {SMALL} could give", "One rule, solved, adapted to and learned",
    )  # fmt: skip
    return [
        page.Figure("Who feels nothing gives where enough do", figures.svg(tip),
                    f"{LARGE} members; who has internalised the norm gives, and punishes whom it sees keep."),
        page.Figure("How norms come to be felt", figures.svg(felt),
                    "Groups that fare better replace others; who fares better in a group has more children. Where the "
                    "norm asks nothing the trait drifts."),
        page.Figure("Three ways of asking", figures.svg(ways), "Solved: what is left once dominated choices are left "
                    "out, one outcome each. Adapted: villagers. Learned: PPO. Who feels the norm feels guilt of .4 for "
                    "a unit kept, and .2 for one righted, which costs .09. A fine is 1; to keep brings .6."),
    ]  # fmt: skip


STUDY = Study(
    "punishing",
    "Who pays for punishing, and what does it hold up where some have made the norm their own?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 32},
    sections,
    "The public good of n persons and its peers are ours; from Gavrilets & Richerson 2017, of which we read the "
    "abstract, only orderings are taken. Nobody who minds money alone punishes: each sanction costs who punishes and "
    "is worth nothing to it. Learners have the sizes of the canal's study; one pilot, on another seed and for a "
    "quarter of the steps, came before.",
    readings=READINGS,
)
