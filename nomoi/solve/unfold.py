"""Unfolding: a situation, governed or not, as tensors: all states that can be reached, exactly.

Only what is finite and declared can be unfolded: a situation says in `lots`, `odds` and `by_lot` what it leaves to
chance, an institution in `chance` that it leaves nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation
from nomoi.core.situation import State
from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm
from nomoi.solve.markov import ENDS, Markov, answers_of, at

LARGEST = 5_000_000  # joint choices in all states together; more would not fit into a laptop's memory (ours)
Answers = dict[str, Any]  # head -> [k, n]
BATCH = 16384  # steps computed at once; one shape, so one compilation (ours)


def tabular(situation: Situation, limit: int = LARGEST, symmetric: bool = False) -> Markov:
    """Everything that can happen in a situation, from its first state on.

    A head that an agent is not asked multiplies nothing: it gets its choice 0.  With `symmetric` only profiles are
    unfolded in which one agent does a and all others b, which is all that a symmetric equilibrium needs, for any
    number of agents; the situation must then treat them alike.  Refuses what leaves undeclared things to chance, and
    what has more than `limit` joint choices.
    """
    declared(situation)
    heads = situation.actions
    frontier = _start(situation)
    place = {bytes(row): s for s, row in enumerate(_bytes(frontier))}
    parts: list[dict[str, np.ndarray]] = []
    layers, rows = [frontier], 0
    while count := len(jax.tree.leaves(frontier)[0]):
        asked, held = _over(lambda s: _asks(situation, s), frontier, count)
        choices = _choices(situation, heads, asked, symmetric)
        rows += float(choices.astype(float).prod(1).sum())
        if rows > limit:
            raise Refusal(
                f"{situation.name} has more than {limit:,} joint choices in the states that can be reached, too many "
                "to unfold; fewer agents, choices, steps or points of a stock, or symmetric=True, make it smaller."
            )
        part, after = _expand(situation, heads, frontier, asked, choices, symmetric)
        codes = _bytes(after)
        shape = part["prob"].shape
        goes = (part["prob"] > 0) & ~part["done"]
        found, kept, where = np.unique(codes[goes.ravel()], return_index=True, return_inverse=True)
        fresh = [k for k, code in enumerate(found) if bytes(code) not in place]
        place |= {bytes(found[k]): len(place) + j for j, k in enumerate(fresh)}
        index = np.array([place[bytes(code)] for code in found], np.int64)
        following = np.full(shape, ENDS, np.int64)
        following[goes] = index[where.ravel()] if len(found) else ENDS
        parts.append(part | {"next": following, "asked": asked, "held": held, "choices": choices})
        new = np.flatnonzero(goes.ravel())[kept[fresh]] if fresh else np.zeros(0, np.int64)
        frontier = jax.tree.map(lambda x, new=new: x[new], after)
        layers.append(frontier)
    join = lambda name, axis=0: np.concatenate([p[name] for p in parts], axis)  # noqa: E731
    choices = join("choices")
    markov = Markov(
        situation.name, heads, choices, np.concatenate([[0], np.cumsum(choices.prod(1))]), join("next"), join("prob"),
        join("payoff", 1), join("material", 1), join("asked"), join("held"),
        jax.tree.map(lambda *xs: np.concatenate(xs), *layers), symmetric,
    )  # fmt: skip
    if symmetric:
        _alike(markov, markov.payoff)
        return markov.with_payoffs(markov.payoff[:1], markov.material[:1])
    return markov


def repaid(markov: Markov, situation: Situation) -> Markov:
    """The same game with the payoffs of `situation`, which must move alike: say, under another rate of a levy."""
    batches = markov.once("batches", lambda: _kept(markov))
    parts = [jax.tree.map(np.asarray, _pay(situation, *batch)) for batch in batches]
    if not all(alike for _, _, alike in parts):
        raise Refusal(f"{situation.name} does not move as {markov.title} did when it was unfolded; unfold it anew.")
    payoff, material = (np.concatenate([p[k] for p in parts])[: len(markov.owner)].T for k in (0, 1))
    if markov.symmetric:
        payoff = np.ascontiguousarray(payoff)
        _alike(markov, payoff)
        payoff, material = payoff[:1], material[:1]
    # what is moved between agents is not material: one array then does for all games
    unmoved = np.array_equal(material, markov.material)
    return markov.with_payoffs(payoff.astype(float), markov.material if unmoved else material.astype(float))


def _kept(markov: Markov) -> list[tuple[State, Answers, Any, State, Any]]:
    """What `_pay` needs, batch by batch: states, answers, odds, next states, and whether there is a next state."""
    out = []
    for rows in _batches(len(markov.owner)):
        now, later = markov.owner[rows], markov.next[rows]
        state, follow = (jax.tree.map(lambda x, s=s: x[s], markov.states) for s in (now, later))
        there = (later != ENDS) & (markov.prob[rows] > 0)
        out.append((state, markov.answers(rows), markov.prob[rows].astype(np.float32), follow, there))
    return jax.tree.map(jnp.asarray, out)


def normal_form(situation: Situation) -> NormalForm:
    """A situation of one step as a game: expected payoffs with transfers, all heads of an agent as one choice."""
    declared(situation)
    heads, n = situation.actions, situation.agents
    start = _start(situation)
    asked, _ = _over(lambda s: _asks(situation, s), start, 1)
    choices = _choices(situation, heads, asked, False)
    shape = tuple(map(int, choices[0]))
    if n * choices[0].astype(float).prod() > LARGEST:
        raise Refusal(f"{situation.name} has more than {LARGEST:,} payoffs, too many for a game in normal form.")
    part, _ = _expand(situation, heads, start, asked, choices, False)
    if not (part["done"] | (part["prob"] == 0)).all():
        raise Refusal(
            f"{situation.name} does not end with its first step, so it is no game in normal form; unfold it with "
            "`tabular`, or give it a horizon of one step and no institution that convenes."
        )
    title = situation.name
    if situation.institutions:
        title += f" under {' and '.join(i.name for i in situation.institutions)}"
    names = tuple(f"agent {i}" for i in range(n))
    return NormalForm(
        part["payoff"].reshape(n, *shape), title, names, _labels({h: situation.choices[h] for h in heads}, asked[0])
    )


def declared(situation: Situation) -> None:
    """Refuse what leaves to chance something that nobody declares."""
    world = situation.bare
    if world.lots == 0:
        raise Refusal(
            f"{world.name} does not declare what a step leaves to chance, so it cannot be unfolded exactly; play it "
            "and measure instead, or give it `lots`, `odds` and `by_lot`."
        )
    for i in situation.institutions:
        if what := i.chance(world):
            raise Refusal(
                f"{world.name} under {i.name} cannot be unfolded exactly, because {i.name} leaves to chance {what}."
            )


def _choices(situation: Situation, heads: dict[str, int], asked: np.ndarray, symmetric: bool) -> np.ndarray:
    """[k, n] (symmetric: [k, 2]) among how many things each chooses, from asked [k, H, n]."""
    each = np.where(asked, np.array(list(heads.values()))[:, None], 1).prod(1)
    if not symmetric:
        return each
    if (asked != asked[..., :1]).any():
        raise Refusal(f"{situation.name} does not ask all agents the same, so it cannot be unfolded as symmetric.")
    return np.repeat(each[:, :1], 2, 1)


def _expand(
    situation: Situation, heads: dict[str, int], states: State, asked: np.ndarray, choices: np.ndarray, symmetric: bool
) -> tuple[dict[str, np.ndarray], State]:
    """Every joint choice in `states`: payoff, material [n, R], prob, done [R, L]; and the next states [R * L, ...]."""
    count = choices.prod(1)
    owner = np.repeat(np.arange(len(choices)), count)
    local = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    rows = jax.tree.map(lambda x: x[owner], states)
    action = answers_of(heads, asked[owner], choices[owner], local, symmetric)
    after, odds, done, reward, transfer = _over(lambda x: _steps(situation, *x), (rows, action), len(owner))
    prob = odds.astype(np.float64)
    if (prob < 0).any() or (np.abs(prob.sum(1) - 1) > 1e-5).any():
        raise Refusal(f"the odds of {situation.name} are not probabilities; they must be positive and sum to 1.")
    prob /= prob.sum(1, keepdims=True)
    expected = lambda x: np.einsum("rl,rln->nr", prob, x.astype(np.float64))  # noqa: E731
    material = expected(reward)
    part = {"payoff": material + expected(transfer), "material": material, "prob": prob, "done": done}
    return part, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), after)


def _start(situation: Situation) -> State:
    """The first state, as a batch of one."""
    return jax.tree.map(lambda x: np.asarray(x)[None], _reset(situation))


@eqx.filter_jit
def _reset(situation: Situation) -> State:
    return situation.reset(jax.random.key(0))


@eqx.filter_jit
def _steps(situation: Situation, states: State, action: Answers) -> Any:
    """Next states, odds, done, reward, transfer, each [B, L, ...]."""

    def one(state: State, action: Answers) -> Any:
        odds = situation.odds(state, action)
        after, out = jax.vmap(lambda lot: situation.by_lot(lot, state, action))(jnp.arange(len(odds)))
        return after, odds, out.done, out.reward, out.transfer

    return jax.vmap(one)(states, action)


@eqx.filter_jit
def _asks(situation: Situation, states: State) -> Any:
    """Who is asked which head [B, H, n], and whether an institution convenes [B]."""

    def one(state: State) -> Any:
        asked = situation.asked(state)
        return jnp.stack([asked[head] for head in situation.actions]), situation.held(state)

    return jax.vmap(one)(states)


@eqx.filter_jit
def _pay(situation: Situation, states: State, action: Answers, prob: Any, follow: State, there: Any) -> Any:
    """Expected payoff and material [B, n], and whether the next states are `follow` wherever `there` [B, L]."""

    def one(state: State, action: Answers, prob: Any, follow: State, there: Any) -> Any:
        odds = situation.odds(state, action)
        after, out = jax.vmap(lambda lot: situation.by_lot(lot, state, action))(jnp.arange(len(odds)))
        pairs = zip(jax.tree.leaves(after), jax.tree.leaves(follow), strict=True)
        same = jnp.stack([(a == b).reshape(len(there), -1).all(1) for a, b in pairs]).all(0)
        alike = (same | ~there).all() & (jnp.abs(odds - prob) < 1e-5).all() & (out.done | there | (prob == 0)).all()
        return odds @ (out.reward + out.transfer), odds @ out.reward, alike

    payoff, material, alike = jax.vmap(one)(states, action, prob, follow, there)
    return payoff, material, alike.all()


def _batches(count: int) -> Iterator[np.ndarray]:
    """Row numbers [BATCH] that cover `count` rows; the last batch is filled up with the last row."""
    for begin in range(0, count, BATCH):
        yield np.minimum(np.arange(begin, begin + BATCH), count - 1)


def _over(function: Callable[[Any], Any], data: Any, count: int) -> Any:
    """A batched function over `count` rows of `data`, in batches of one shape; leaves as NumPy arrays."""
    parts = [jax.tree.map(np.asarray, function(jax.tree.map(lambda x, r=rows: x[r], data))) for rows in _batches(count)]
    return jax.tree.map(lambda *xs: np.concatenate(xs)[:count], *parts)


def _bytes(states: State) -> np.ndarray:
    """[k] the states as bytes, equal where states are equal."""
    leaves = [np.asarray(x) for x in jax.tree.leaves(states)]
    k = len(leaves[0])
    flat = [x + x.dtype.type(0) if x.dtype.kind == "f" else x for x in leaves]  # 0.0 and -0.0 are one state
    raw = [np.frombuffer(x.tobytes(), np.uint8).reshape(k, x.itemsize * int(np.prod(x.shape[1:]))) for x in flat]
    joined = np.ascontiguousarray(np.concatenate(raw, 1))
    return joined.view(np.dtype((np.void, joined.shape[1]))).ravel()


def _alike(markov: Markov, payoff: np.ndarray) -> None:
    """Refuse as symmetric what pays agents [n, R] unlike who do the same."""
    far = lambda x: max(float(x.max(initial=0.0)), -float(x.min(initial=0.0)))  # noqa: E731
    dust = 1e-5 * max(far(payoff), 1.0)
    for mine, rows, (k, _) in markov.groups:
        paid = at(payoff, rows).reshape(len(payoff), len(mine), k, k)
        same = np.diagonal(paid, axis1=2, axis2=3)  # all do the same
        pairs = [(same[1:], same[:1]), (paid[2:], paid[1:2])]  # and those who do b alike are paid alike
        pairs += [(paid[1], paid[0].transpose(0, 2, 1))] if len(payoff) == 2 else []
        if any(far(a - b) > dust for a, b in pairs):
            raise Refusal(f"{markov.title} treats its agents differently, so it cannot be unfolded as symmetric.")


def _labels(choices: Mapping[str, Sequence[str]], asked: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """The names of each agent's choices, from asked [H, n]: the choice, or where several are asked, head by head."""
    out = []
    for mine in asked.T:
        own = {head: labels for (head, labels), there in zip(choices.items(), mine, strict=True) if there}
        if len(own) == 1:
            out.append(tuple(*own.values()))
        else:  # who is asked nothing does nothing
            each = itertools.product(*own.values())
            out.append(tuple(", ".join(f"{h} {c}" for h, c in zip(own, row, strict=True)) or "nothing" for row in each))
    return tuple(out)
