"""Ostrom's design principles as mechanisms on one commons: 2^11 ways to have them, lived by people who adapt.

A model of ours: the mechanisms follow the principles (Ostrom 1990, in the coding of Cox et al. 2010), and every number
in them is invented.  So a number of the model is drawn from `RANGES` wherever a claim is to be more than a reading of
one of our choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Situation, govern
from nomoi.core.worlds import step
from nomoi.grid.words import fold
from nomoi.institutions.assembly import Assembly
from nomoi.institutions.challenged import Challenged
from nomoi.institutions.court import Court
from nomoi.institutions.fine import Fine
from nomoi.institutions.licence import Licence
from nomoi.institutions.quota import Quota
from nomoi.institutions.shares import Shares
from nomoi.institutions.survey import Survey
from nomoi.institutions.units import members
from nomoi.institutions.wardens import Wardens
from nomoi.learners.villagers import Villagers
from nomoi.situations.commons import ALIVE, Commons

PRINCIPLES = {
    "1A": "user boundaries: strangers need a licence",
    "1B": "resource boundaries: the ground is closed off",
    "2A": "rules fit local conditions: the quota follows the stock, and is not imported",
    "2B": "benefits follow costs: shares go by what one provides",
    "3": "collective choice: an assembly moves the quota",
    "4A": "users are monitored: paid and accountable wardens",
    "4B": "the resource is monitored: a survey",
    "5": "graduated sanctions: fines on a ladder, not flat",
    "6": "conflict resolution: a near court, not a far one",
    "7": "rights are recognised: nobody annuls the rules",
    "8": "nested levels: villages pool quotas, and wardens accuse anybody",
}
NAMES = tuple(PRINCIPLES)
ALL = 2 ** len(NAMES)
# what is invented, and between what it is drawn: name -> (default, low, high); all ours
INVENTED: dict[str, tuple[float, float, float]] = {
    "growth": (0.7, 0.5, 0.9), "leak": (0.1, 0.05, 0.2), "beyond": (0.1, 0.05, 0.2), "mixing": (0.1, 0.03, 0.2),
    "allee": (0.05, 0.0, 0.15), "crash": (0.02, 0.0, 0.05), "spread": (0.15, 0.05, 0.3),
    "arrival": (0.87, 0.33, 1.0), "outside": (1.5, 0.5, 3.0), "reach": (2.25, 1.75, 2.75), "cost": (0.1, 0.05, 0.2),
    "misfit": (0.7, 0.3, 1.2), "noise": (0.5, 0.3, 0.8), "work": (0.5, 0.25, 1.0), "gain": (0.25, 0.18, 0.35),
    "weight": (0.4, 0.2, 0.6), "licence.bar": (0.6, 0.3, 0.9), "survey.noise": (0.1, 0.05, 0.2),
    "survey.fee": (0.4, 0.2, 1.2), "assembly.step": (0.2, 0.05, 0.25), "assembly.fee": (0.1, 0.03, 0.3),
    "safety": (0.7, 0.55, 0.9), "quota.fee": (0.3, 0.1, 0.8), "wardens.base": (0.04, 0.01, 0.1),
    "wardens.sight": (0.4, 0.25, 0.5), "wardens.false": (0.08, 0.02, 0.15), "wardens.wage": (1.3, 0.9, 1.7),
    "wardens.effort": (0.5, 0.3, 0.8), "wardens.accountable": (0.7, 0.5, 0.95), "court.fee": (0.2, 0.05, 0.5),
    "court.far": (3.0, 1.5, 6.0), "court.right": (0.9, 0.75, 0.97), "flat": (2.0, 1.0, 5.0), "first": (1.0, 0.5, 1.5),
    "fine.cap": (8.0, 4.0, 16.0), "fine.decay": (0.1, 0.03, 0.3), "challenged.enter": (0.15, 0.05, 0.3),
    "challenged.leave": (0.35, 0.2, 0.5), "villagers.cooperators": (0.5, 0.25, 0.75),
    "villagers.rate": (0.2, 0.1, 0.4), "villagers.beta": (4.0, 2.0, 6.0), "villagers.mutation": (0.02, 0.01, 0.05),
    "villagers.trust_rate": (0.1, 0.05, 0.25), "villagers.low": (0.3, 0.2, 0.45), "villagers.high": (0.9, 0.75, 1.0),
    "weight.justice": (1.0, 0.3, 1.7), "weight.share": (1.0, 0.3, 1.7), "weight.voice": (1.0, 0.3, 1.7),
    "weight.catch": (1.0, 0.3, 1.7),
}  # fmt: skip
DEFAULTS = {name: value for name, (value, _, _) in INVENTED.items()}
RANGES = {name: (low, high) for name, (_, low, high) in INVENTED.items()}
WORLD = ("growth", "beyond", "mixing", "allee", "crash", "spread", "arrival", "outside", "reach", "cost", "misfit",
         "noise", "work", "gain", "weight")  # fmt: skip
SEALED = 0.01  # what leaks where the ground is closed off (ours)
VOID = "licence,quota,shares,assembly,fine"  # what an authority annuls (ours)
CHUNK = 1024  # combinations at once (the fastest of 256, 1024 and 2048 here)

Has = Bool[Array, " 11"]
Numbers = Mapping[str, Any]


def stack(has: Has, numbers: Numbers = DEFAULTS, horizon: int = 200) -> Situation:
    """The commons under the institutions by which the principles are had or lacked: has [11], as NAMES.

    One program for all: which principles there are is in leaves (`in_force`, or a setting), and so are the numbers.
    """
    got = dict(zip(NAMES, has, strict=True))
    mine = lambda title: {k.partition(".")[2]: v for k, v in numbers.items() if k.startswith(f"{title}.")}  # noqa: E731
    leak = jnp.where(got["1B"], SEALED, numbers["leak"])
    commons = Commons(horizon=horizon, leak=leak, **{name: numbers[name] for name in WORLD})
    safe = numbers["safety"] * numbers["growth"]  # the region's best rule, made safer
    return govern(
        commons,
        Licence(in_force=got["1A"], lost=numbers["outside"], **mine("licence")),
        Survey(in_force=got["4B"], **mine("survey")),
        Shares(in_force=got["2B"]),
        Assembly(in_force=got["3"], **mine("assembly")),
        Quota(follows=got["2A"], rate=safe / 2, target=0.0, constant=safe / 4, tolerance=0.05, pool=got["8"],  # type: ignore[arg-type]
              public=True, **mine("quota")),
        Wardens(paid=got["4A"], everywhere=got["8"], **mine("wardens")),
        Court(near=got["6"], **mine("court")),
        Fine(ladder=got["5"], rate=jnp.where(got["5"], numbers["first"], numbers["flat"]), proceeds="members",  # type: ignore[arg-type]
             **mine("fine")),
        Challenged(in_force=~got["7"], of=VOID, **mine("challenged")),
    )  # fmt: skip


def people(numbers: Numbers = DEFAULTS) -> Villagers:
    """Those who live there."""
    weights = [numbers[f"weight.{name}"] for name in ("justice", "share", "voice", "catch")]
    mine = {k.partition(".")[2]: v for k, v in numbers.items() if k.startswith("villagers.")}
    return Villagers(weights=jnp.stack([jnp.asarray(w, jnp.float32) for w in weights]), **mine)


MEASURES = {
    "success": ("share", "whether the stock stood in nine of ten seasons, at a quarter or more on average"),
    "standing": ("share", f"seasons with a stock above {ALIVE:g} of capacity"),
    "stock": ("share", "mean stock, of capacity"),
    "income": ("reward/season", "what a villager ends a season with, transfers and governance included"),
    "equality": ("0..1", "1 - Gini of villagers' incomes"),
    "governance": ("reward/season", "what landing, survey, meetings, pooling, wages, watching and appeals cost in all"),
    "kept": ("share", "villagers who took no more than they were allowed; read it with the stock"),
    "trust": ("0..1", "mean trust of villagers"),
    "just": ("0..1", "of what trust is made of: not punished without cause"),
    "due": ("0..1", "a due share"),
    "heard": ("0..1", "heard"),
    "enough": ("0..1", "enough"),
    "works": ("share", "villagers who provide"),
    "poached": ("units/season", "what strangers take"),
    "watch": ("chance", "to watch when holding a post"),
}
PARTS = ("just", "due", "heard", "enough")
COSTS = ("licence.cost", "survey.cost", "assembly.cost", "quota.cost", "wardens.wage", "wardens.toil", "court.cost")


def lived(key: PRNGKeyArray, place: Situation, who: Villagers, steps: int) -> dict[str, Float[Array, ""]]:
    """MEASURES of the last half of `steps` seasons lived by new people in a new world.  Pure; for vmap and jit."""
    born, first, playing, acting = jax.random.split(key, 4)
    mine = members(place)
    n, full = place.agents, place.capacity().sum()

    def season(now: Any, t: Array) -> tuple[Any, None]:
        state, turn, those, sums = now
        lots, seen = who.lots(fold(acting, t), place), place.observe(state)
        action = who.answer(lots, those, place, seen)
        state, turn, outcome = step(place, playing, turn, state, action)
        those = who.adapt(lots, those, place, seen, action, outcome, outcome.payoff)
        stock, e = place.stock(state).sum() / full, outcome.events
        facts = {
            "standing": (stock > ALIVE).astype(jnp.float32), "stock": stock, "income": outcome.payoff,
            "governance": sum((e[name] for name in COSTS if name in e), jnp.zeros(n)), "poached": e["intrusion"],
            "kept": (e["quota.excess"] <= 0).astype(jnp.float32), "works": e["worked"], "trust": those.trust,
            "watch": who.diligence(those), **dict(zip(PARTS, those.lived, strict=True)),
        }  # fmt: skip
        late = (t >= steps // 2).astype(jnp.float32) / (steps - steps // 2)
        return (state, turn, those, {name: sums[name] + late * x for name, x in facts.items()}), None

    many = (*PARTS, "income", "governance", "poached", "kept", "works", "trust", "watch")
    none = dict.fromkeys(("standing", "stock"), jnp.zeros(())) | dict.fromkeys(many, jnp.zeros(n))
    begun = place.reset(first), jnp.zeros((), jnp.int32), who.born(born, place), none
    sums = jax.lax.scan(season, begun, jnp.arange(steps))[0][3]
    success = ((sums["standing"] >= 0.9 - 1e-6) & (sums["stock"] >= 0.25)).astype(jnp.float32)
    whole = {"governance": sums["governance"].sum(), "poached": sums["poached"].sum(), "success": success,
             "standing": sums["standing"], "stock": sums["stock"],
             "equality": _equality(sums["income"], mine)}  # fmt: skip
    return {name: whole[name] if name in whole else (sums[name] * mine).sum() / mine.sum() for name in MEASURES}


def _equality(pay: Float[Array, " n"], mine: Any) -> Float[Array, ""]:
    """1 - Gini of members' incomes, counted from the lowest where that is below nothing."""
    from_least = jnp.where(mine > 0, pay - jnp.minimum(jnp.where(mine > 0, pay, jnp.inf).min(), 0), 0.0)
    gaps = (jnp.abs(from_least[:, None] - from_least) * mine[:, None] * mine).sum()
    return 1 - gaps / (2 * mine.sum() * jnp.maximum(from_least.sum(), 1e-3))


@eqx.filter_jit
def _lives(key: PRNGKeyArray, has: Bool[Array, "parts c 11"], numbers: Numbers, steps: int) -> dict[str, Array]:
    """[parts, c] of each measure, one place for all; what is drawn is drawn once for all combinations."""
    one = lambda h: lived(key, stack(h, numbers, steps), people(numbers), steps)  # noqa: E731
    return jax.lax.map(jax.vmap(one), has)


def table(
    key: PRNGKeyArray, numbers: Numbers = DEFAULTS, steps: int = 200, combinations: Any = None
) -> dict[str, np.ndarray]:
    """What came of each combination (all 2^11, or some [c]) at one place: measure -> [c] float32.

    A place is a draw of people, soil and luck; combinations meet the same ones.
    """
    some = np.arange(ALL) if combinations is None else np.asarray(combinations)
    size = min(CHUNK, len(some))
    filled = np.concatenate([some, np.repeat(some[-1:], -len(some) % size)])
    has = (filled[:, None] >> np.arange(len(NAMES)) & 1 == 1).reshape(-1, size, len(NAMES))
    given = {name: jnp.float32(value) for name, value in numbers.items()}
    found = _lives(key, jnp.asarray(has), given, steps)
    return {name: np.asarray(x).reshape(-1)[: len(some)] for name, x in found.items()}
