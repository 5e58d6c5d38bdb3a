"""Who pays for punishing, and what does it hold up where some have made the norm their own?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi import govern
from nomoi.core import Situation, setting
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.institutions.peers import Peers
from nomoi.measure.evaluate import episodes
from nomoi.populations.engine import seed_of
from nomoi.populations.third_party import Commons, Descent, internalise
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
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
    return [
        Computed("solved", solved, peers, exact=True),
        Computed("lived", lived, {"worlds": 8 if rough else 128}),
        *(Computed(f"the norm asks {name}", evolved, {"promoted": p, "wholly": w, "groups": 10 if rough else 60,
                                                      "generations": times})
          for name, (p, w) in NORMS.items()),
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
]  # fmt: skip
READINGS = [
    *(Reading(f"What giving brings one of {SMALL} where {s} of the others would punish", OURS,
              of("solved", f"giving, {s} punish"), unit="of what is given") for s in range(SMALL)),
    Reading("What it brings to punish one who keeps, where all others give", OURS,
            of("solved", "punishing one who keeps"), unit="of what is given"),
    *(Reading(f"What giving brings one of {LARGE} where {k} have internalised the norm", OURS,
              of("lived", f"giving, {k} internalised"), unit="of what is given") for k in COUNTS),
    Reading("How strongly a norm is felt that asks nothing (drift alone)", OURS, of("the norm asks nothing", "felt"),
            unit="of guilt"),
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
    return [
        page.Figure("Who feels nothing gives where enough do", figures.svg(tip),
                    f"{LARGE} members; who has internalised the norm gives, and punishes whom it sees keep."),
        page.Figure("How norms come to be felt", figures.svg(felt),
                    "Groups that fare better replace others; who fares better in a group has more children. Where the "
                    "norm asks nothing the trait drifts."),
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
    "is worth nothing to it.",
    readings=READINGS,
)
