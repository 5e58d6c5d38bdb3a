"""A technique gets cheaper and dearer again: where it tips, where it is given up, and what an institution moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nomoi import govern
from nomoi.core import Situation
from nomoi.core.institution import Institution
from nomoi.institutions.fine import Fine
from nomoi.institutions.levy import Levy
from nomoi.learners.villagers import Villagers
from nomoi.runs.effects import Effect, late, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.technique import Technique

OURS = "ours"
PEOPLE = 101  # so many that one more or less makes no difference (ours)
COSTS = tuple(round(1.2 - 0.02 * k, 2) for k in range(61))  # falling, from 1.2 to 0
HOLD = 400  # how long each cost lasts, in units of the replicator's time (ours)
SEED = 1e-3  # who tries the other one all the same (ours)
LIVED = {"dear": (0.7, 0.0), "cheap": (0.3, 0.0), "cheap, fined": (0.3, 0.8)}  # cost, rate of a fine (ours)
ARMS: Mapping[str, tuple[Institution, ...]] = {
    "nothing": (),
    "fine": (Fine(on="defect", rate=0.3),),
    "shared levy": (Levy(on="defect", rate=0.3, proceeds="shared"),),
}


@eqx.filter_jit
def _lead(place: Situation, costs: Float[Array, " C"]) -> Float[Array, "C n"]:
    """What dynamite brings beyond a spear to one more user, by its cost and by how many others use it."""

    def gain(cost: Array, others: Array) -> Array:
        at = eqx.tree_at(lambda p: p.bare.cost, place, cost) if place.institutions else place.replace(cost=cost)
        state = at.reset(jax.random.key(0))

        def brings(own: int) -> Array:
            uses = (jnp.arange(at.agents) <= others).astype(jnp.int32).at[0].set(own)
            return at.step(jax.random.key(0), state, {"dynamite": uses})[1].payoff[0]

        return brings(1) - brings(0)

    others = jnp.arange(place.agents)
    return jax.vmap(lambda c: jax.vmap(lambda k: gain(c, k))(others))(costs)


def loop(key: None, under: str, disapproval: float) -> Mapping[str, float]:
    """The share that uses dynamite as its cost falls and rises again, slowly, under replicator dynamics on the payoffs
    of the situation itself; and the costs at which half have gone over, and come back."""
    place = govern(Technique(agents=PEOPLE, disapproval=disapproval), *ARMS[under])
    lead = np.asarray(_lead(place, jnp.asarray(COSTS, jnp.float32)), np.float64)
    down, y = _swept(lead, SEED)
    up, _ = _swept(lead[::-1], y)
    rising = np.array(COSTS)[::-1]
    own = {f"falling, cost {c:g}": float(s) for c, s in zip(COSTS, down, strict=True)}
    own |= {f"rising, cost {c:g}": float(s) for c, s in zip(rising, up, strict=True)}
    tips, back = _crosses(COSTS, down >= 0.5), _crosses(rising, up < 0.5)
    return own | {"tips at": tips, "given up at": back, "width": back - tips}


def _swept(lead: np.ndarray, y: float, step: float = 0.5) -> tuple[np.ndarray, float]:
    """The share of users after each cost has lasted a while, from a first share y."""
    grid = np.arange(lead.shape[1]) / (lead.shape[1] - 1)
    out = []
    for row in lead:
        for _ in range(int(HOLD / step)):
            moved = y + step * y * (1 - y) * float(np.interp(y, grid, row))
            y, before = min(max(moved, SEED), 1 - SEED), y
            if y == before:
                break
        out.append(y)
    return np.array(out), y


def _crosses(costs: Sequence[float] | np.ndarray, there: np.ndarray) -> float:
    """The first cost at which it is so; NaN where it never is."""
    return float(np.asarray(costs)[np.argmax(there)]) if there.any() else float("nan")


def settled(key: None, cost: float, rate: float) -> Mapping[str, float]:
    """The least and the most that use dynamite where nobody would do better by changing, reef aside; as a share."""
    place = Technique(cost=cost)
    lead = np.asarray(_lead(govern(place, *_fined(rate)), jnp.array([cost], jnp.float32)), np.float64)[0]
    stays = np.append(True, lead >= 0) & np.append(lead <= 0, True)  # [n + 1] by how many use it
    found = np.flatnonzero(stays) / place.agents
    return {"least": float(found.min()), "most": float(found.max())}


def _fined(rate: float) -> tuple[Institution, ...]:
    return (Fine(on="defect", rate=rate),) if rate else ()


def reef(key: None, cost: float) -> Mapping[str, float]:
    """What is left of the reef, and what a fisher earns, where all use spears and where all use dynamite."""
    place = Technique(cost=cost, horizon=200)

    @eqx.filter_jit
    def lived(place: Technique, answer: Array) -> tuple[Array, Array]:
        def tick(state: Any, _: None) -> tuple[Any, Any]:
            state, out = place.step(jax.random.key(0), state, {"dynamite": jnp.full(place.agents, answer)})
            return state, (state.stock, out.reward.mean())

        return jax.lax.scan(tick, place.reset(jax.random.key(0)), None, place.horizon)[1]

    own = {}
    for name, answer in (("spears", 0), ("dynamite", 1)):
        stock, reward = lived(place, jnp.array(answer))
        own |= {f"reef, {name}": float(stock[-1]), f"income, {name}": float(reward[-1])}
    return own


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 3_200, "laptop": 160_000, "paper": 640_000}[size]
    learned = {"smoke": 8_000, "laptop": 400_000, "paper": 2_000_000}[size]
    return [
        *(Computed(f"loop, {arm}", loop, {"under": arm, "disapproval": 0.6}, exact=True) for arm in ARMS),
        Computed("loop, weak disapproval", loop, {"under": "nothing", "disapproval": 0.2}, exact=True),
        Computed("reef", reef, {"cost": 0.6}, exact=True),
        *(Computed(f"{arm}, solved", settled, {"cost": cost, "rate": rate}, exact=True)
          for arm, (cost, rate) in LIVED.items()),
        *(Trained(f"{arm}, people", Technique(cost=cost), _fined(rate), steps, Villagers(cooperators=0.0))
          for arm, (cost, rate) in LIVED.items()),
        *(Trained(f"{arm}, learned", Technique(cost=cost), _fined(rate), learned)
          for arm, (cost, rate) in LIVED.items()),
        Trained("dear, people who trust", Technique(cost=0.7), (), steps, Villagers()),
    ]  # fmt: skip


def _less(label: str, other: str) -> Effect:
    return late("dynamite", label, other)


CLAIMS = [
    Claim("People who imitate use more dynamite where it is cheap (.3) than where it is dear (.7)", OURS,
          _less("cheap, people", "dear, people"), above=0, unit="of time", kind="ours"),
    Claim("... and a fine that makes it dearer than its gain ends that", OURS,
          _less("cheap, fined, people", "cheap, people"), below=0, unit="of time", kind="ours"),
    Claim("A fifth of dynamite or less is left under it", OURS, of("cheap, fined, people", "dynamite"), below=0.2,
          unit="of time", kind="ours"),
    Claim("Where some do their part as long as they see others do it, less dynamite is used", OURS,
          _less("dear, people who trust", "dear, people"), below=0, unit="of time", kind="ours"),
    Claim("Who learns uses more dynamite where it is cheap than where it is dear", OURS,
          _less("cheap, learned", "dear, learned"), above=0, unit="of time", kind="ours"),
    Claim("... and the fine ends that", OURS, _less("cheap, fined, learned", "cheap, learned"), below=0,
          unit="of time", kind="ours"),
]  # fmt: skip
FORM = "ours (both are conventions while gain - disapproval < cost < gain)"
READINGS = [
    *(Reading(f"{arm}: {what}", FORM, of(f"loop, {arm}", key), unit="reward")
      for arm in (*ARMS, "weak disapproval")
      for what, key in (("dynamite tips at this cost", "tips at"), ("... and is given up at this one", "given up at"),
                        ("... the width of the loop", "width"))),
    *(Reading(f"Who use dynamite where nobody would do better by changing, {arm}: the {end}", OURS,
              of(f"{arm}, solved", end), unit="of all") for arm in LIVED for end in ("least", "most")),
    *(Reading(f"The reef, of what it can hold, where all use {x}", OURS, of("reef", f"reef, {x}"), unit="of capacity")
      for x in ("spears", "dynamite")),
    *(Reading(f"What a fisher earns then where all use {x}", OURS, of("reef", f"income, {x}"), unit="reward")
      for x in ("spears", "dynamite")),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    def line(label: str, way: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(COSTS)[::-1], np.stack([results.late(label, f"{way}, cost {c:g}") for c in COSTS[::-1]], 1)

    drawn = {
        arm: figures.curves({f"cost {way}": line(f"loop, {arm}", way) for way in ("falling", "rising")},
                            "share that uses dynamite", title, xlabel="cost of dynamite", note="exact")
        for arm, title in (("nothing", "It tips at one cost and is given up at another"),
                           ("fine", "A fine moves the loop, and does not close it"),
                           ("weak disapproval", "Where few frown the loop is narrow"))
    }  # fmt: skip
    labels = ("dear, people", "dear, people who trust")
    people = figures.intervals({x: results.late(x, "dynamite") for x in labels}, "share of time with dynamite",
                               "People who adapt")  # fmt: skip
    ways = figures.intervals(
        {f"{arm}, {way}": results.late(f"{arm}, {label}", measure) for arm in LIVED for way, label, measure in (
            ("solved, least", "solved", "least"), ("solved, most", "solved", "most"),
            ("adapted", "people", "dynamite"), ("learned", "learned", "dynamite"))},
        "share of time with dynamite", "One price, solved, adapted to and learned",
    )  # fmt: skip
    return [
        *(page.Figure(f"The loop: {arm}", figures.svg(fig), "Replicator dynamics on the payoffs of the situation; the "
                      "cost moves by .02 at a time, slowly, and a thousandth always tries the other one.")
          for arm, fig in drawn.items()),
        page.Figure("People who adapt", figures.svg(people), "Imitators alone, or half of them conditional "
                    "cooperators; the cost is .7."),
        page.Figure("Three ways of asking", figures.svg(ways), "Solved: where nobody would do better by changing now, "
                    "which leaves out what one kills of the reef. Adapted: people who imitate. Learned: PPO. The cost "
                    "is .7 where it is dear, .3 where it is cheap, and the fine .8."),
    ]  # fmt: skip


STUDY = Study(
    "dynamite",
    "At which cost does a harmful technique tip, and at which is it given up?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 16},
    sections,
    "A model of ours after a story of the tutorial (Hadfield et al. 2024): a spear or dynamite, and the disapproval of "
    "those who still use spears. A cost that moves in finite time tips a little later than the formula says, each way. "
    "Learners have the sizes of the canal's study; nothing was tried before.",
    readings=READINGS,
)
