"""A canal solved: what it can give at most, and what farmers give to it where each does the best for himself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from nomoi.situations.irrigation import SECONDS, Irrigation, crop, delivered, shared_out

GATES = jax.jit(shared_out)
Waters = Callable[[float, int], np.ndarray]  # of a flow in cubic feet a second, in a round: cubic feet of each [n]


def through_gates(place: Irrigation, wish: Callable[[float, int], Sequence[float]]) -> Waters:
    """The water of each where all stop at what they wish for, in units, by flow and round."""
    known: dict[tuple[float, tuple[float, ...]], np.ndarray] = {}

    def waters(flow: float, round: int) -> np.ndarray:
        asked = tuple(float(w) for w in wish(flow, round))
        if (flow, asked) not in known:
            feet = SECONDS * jnp.asarray(asked, jnp.float32)
            known[flow, asked] = np.asarray(GATES(jnp.float32(flow), feet, place.gate))
        return known[flow, asked]

    return waters


def greedy(place: Irrigation) -> Waters:
    """All stop where more would not help the field: at 500 cubic feet."""
    return through_gates(place, lambda flow, round: [500 / SECONDS] * place.agents)


def equal(place: Irrigation) -> Waters:
    """All stop at an equal part."""
    return through_gates(place, lambda flow, round: [flow / place.agents] * place.agents)


def turns(place: Irrigation, together: int) -> Waters:
    """So many are on turn, and stop at 500 cubic feet; the turn moves on by as many in each round."""
    n = place.agents
    on = lambda round: (np.arange(n) - round * together) % n < together  # noqa: E731
    return through_gates(place, lambda flow, round: np.where(on(round), 500 / SECONDS, 0.0))


def best_crops(place: Irrigation, flow: float) -> int:
    """The most tokens that a flow can earn in a round where one hand gives out the water."""
    steps = int(flow * SECONDS // 50)  # every edge of a bin is a multiple of 50
    earns = np.asarray(crop(50 * jnp.arange(max(steps, 40) + 1, dtype=jnp.float32))).astype(int)
    best = np.zeros(steps + 1, int)
    for _ in range(place.agents):
        best = np.array([max(earns[k] + best[w - k] for k in range(w + 1)) for w in range(steps + 1)])
    return int(best[-1])


def flows(place: Irrigation) -> np.ndarray:
    """[101] what a canal carries that is kept up 0 .. 100, of the supply that there is."""
    return np.minimum(np.asarray(delivered(jnp.arange(101, dtype=jnp.float32)), float), float(place.supply))


def planned(place: Irrigation) -> float:
    """The most that all together can earn, where one hand gives out water and tokens."""
    carried = flows(place).tolist()
    most_of = {f: best_crops(place, f) for f in set(carried)}
    crops = np.array([most_of[f] for f in carried])
    n, most = place.agents, place.agents * place.endowment
    worth = np.zeros(101)
    for _ in range(place.horizon):
        after = _after(place, most)
        worth = crops + n * place.endowment + np.max(worth[after] - np.arange(most + 1), 1)
    return float(worth[int(place.start)])


def _after(place: Irrigation, most: int) -> np.ndarray:
    """[101, most + 1] how well the canal is kept up after a round, by tokens given."""
    worn = np.maximum(np.arange(101) - int(place.wear), 0)
    return np.minimum(worn[:, None] + np.arange(most + 1), 100)


@dataclasses.dataclass(frozen=True)
class Played:
    """One way an episode goes: given [T, n] tokens, water [T, n] cubic feet, income [n] over all rounds, kept [T];
    slack, what somebody may gain by departing in a round, in tokens."""

    given: np.ndarray
    water: np.ndarray
    income: np.ndarray
    kept: np.ndarray
    slack: float


def equilibrium(place: Irrigation, waters: Waters, best: bool = True) -> Played:
    """The subgame-perfect equilibrium in tokens with most welfare in each round (or least), by backward induction.

    Water is as `waters` says.  What each gains hangs on the sum of tokens alone, so a round is solved for each sum: it
    stands if every part of it is a best reply to the rest.  Of equal sums the most even parts are taken.  Where no sum
    stands, parts are let pass that are within the least whole number of tokens of a best reply; the largest such number
    is the `slack`.
    """
    n, ten = place.agents, place.endowment
    carried, after = flows(place), _after(place, n * ten)
    worth, plan, slack = np.zeros((n, 101)), np.zeros((place.horizon, 101, n), int), 0
    for t in reversed(range(place.horizon)):
        gain = worth[:, after]  # [n, 101, sums] what follows, by the sum of tokens
        sums = np.zeros(101, int)
        open, near = np.arange(101), 0
        while len(open):
            some = gain[:, open]
            stands, trace = _parts(some, ten, near)
            welfare = np.where(stands, some.sum(0) - np.arange(n * ten + 1), -np.inf if best else np.inf)
            chosen, found = (welfare.argmax(1) if best else welfare.argmin(1)), stands.any(1)
            sums[open[found]] = chosen[found]
            plan[t, open[found]] = _followed(trace, chosen)[found]
            slack, open, near = max(slack, near), open[~found], near + 1
        crops = np.asarray(crop(jnp.asarray(np.stack([waters(f, t) for f in carried], 1))))
        worth = crops + ten - plan[t].T + gain[:, np.arange(101), sums]
    return _lived(place, waters, plan, float(slack))


def _parts(gain: np.ndarray, ten: int, near: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which sums [states, sums] stand, and for each agent the token [states, sum in the end, sum so far] by which the
    most even parts got there; `gain` [n, states, sums]."""
    n, states, sums = gain.shape
    cost, trace = np.zeros((states, sums, 1), np.float32), []
    for i in range(n):
        padded = np.concatenate([gain[i], np.full((states, ten), -np.inf)], 1)
        reply = np.stack([padded[:, x : x + sums] - x for x in range(ten + 1)], 2)  # [state, sum of others, own]
        fits = reply >= reply.max(2, keepdims=True) - near - 1e-9
        new = np.full((states, sums, cost.shape[2] + ten), np.inf, np.float32)
        via = np.zeros(new.shape, np.int8)
        for x in range(ten + 1):
            good = np.pad(fits[:, : sums - x, x], ((0, 0), (x, 0)))
            tried = np.where(good[:, :, None], cost + np.float32(x * x), np.float32(np.inf))
            part = slice(x, x + cost.shape[2])
            better = tried < new[:, :, part]
            new[:, :, part] = np.where(better, tried, new[:, :, part])
            via[:, :, part] = np.where(better, x, via[:, :, part])
        cost = new
        trace.append(via)
    return np.isfinite(cost[:, np.arange(sums), np.arange(sums)]), trace


def _followed(trace: list[np.ndarray], sums: np.ndarray) -> np.ndarray:
    """[states, n] the tokens of each behind the chosen sums."""
    rows, left, out = np.arange(len(sums)), sums.copy(), []
    for via in reversed(trace):
        out.append(via[rows, sums, np.minimum(left, via.shape[2] - 1)].astype(int))
        left = left - out[-1]
    return np.stack(out[::-1], 1)


def _lived(place: Irrigation, waters: Waters, plan: np.ndarray, slack: float) -> Played:
    kept, after, carried = int(place.start), _after(place, plan.shape[2] * place.endowment), flows(place)
    given, water, path = [], [], []
    for t in range(place.horizon):
        path.append(kept)
        given.append(plan[t, kept])
        water.append(waters(carried[kept], t))
        kept = int(after[kept, given[-1].sum()])
    tokens, feet = np.array(given), np.array(water)
    income = (place.endowment - tokens + np.asarray(crop(jnp.asarray(feet)))).sum(0)
    return Played(tokens, feet, income, np.array(path), slack)


def bandit(place: Irrigation, takes: float) -> np.ndarray:
    """[n] incomes where the head takes so many units, and the others share the rest, and give as they are watered.

    Each below gives its duty times its water, of an equal part of the supply, and no more than the duty; the head gives
    it always.
    """
    n, duty, fair = place.agents, float(place.duty), float(place.supply) / place.agents
    carried, after, kept = flows(place), _after(place, n * place.endowment), int(place.start)
    waters = through_gates(place, lambda flow, round: [takes, *[max(flow - takes, 0) / (n - 1)] * (n - 1)])
    income = np.zeros(n)
    for t in range(place.horizon):
        feet = waters(carried[kept], t)
        given = np.round(duty * np.minimum(1, feet / SECONDS / fair))
        given[0] = duty
        income += place.endowment - given + np.asarray(crop(jnp.asarray(feet)))
        kept = int(after[kept, int(given.sum())])
    return income
