"""Foragers who see the whole field of the laboratory: what comes of simple ways to take, alone and as agreed."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.situations.laboratory import NEAR, Laboratory, State
from nomoi.situations.walkers import AHEAD, BACK, LEFT, RIGHT, STAY, ZAP

FAR = 1e6
STEPS = {AHEAD: (-1, 0), BACK: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}  # rows and columns, for who faces north
SLANT_STEPS = ((-1, 1), (1, 1), (1, -1), (-1, -1))  # as SLANTS has them
COST, HARM = 1.0, 2.0  # tokens, of who strikes and of who is struck (Janssen et al. 2010, software)


class Ways(eqx.Module):
    """How each of n forages.

    keep [n]    share of the own ground that must bear tokens for one to take any
    zone [n]    which of the strips of columns is one's own ground; -1 is the whole field
    last []     seconds before the end from which on all take what there is
    wait []     seconds that pass before anybody begins
    strike []   chance in a second that one strikes, where there is somebody to strike
    fear []     seconds for which who was struck takes nothing
    rule []     what was agreed to keep of one's ground: who takes below it is struck.  Without an agreement (a negative
                number) whoever has most is struck by those who have less
    """

    keep: Float[Array, " n"]
    zone: Int[Array, " n"]
    last: Float[Array, ""]
    wait: Float[Array, ""]
    strike: Float[Array, ""]
    fear: Float[Array, ""]
    rule: Float[Array, ""]


def greedy(n: int, wait: float = 0.0) -> Ways:
    """Everybody takes whatever is nearest, once some seconds have passed."""
    none = jnp.zeros(())
    return Ways(jnp.zeros(n), jnp.full(n, -1), none, jnp.float32(wait), none, none, jnp.float32(-1))


def grounds(place: Laboratory, zone: Int[Array, " n"]) -> Bool[Array, "n S"]:
    """The cells of each one's ground."""
    strip = np.tile(np.arange(place.side) * place.agents // place.side, place.side)
    return (zone[:, None] == strip) | (zone[:, None] < 0)


def share(ground: Bool[Array, "n S"], state: State) -> Float[Array, " n"]:
    """Of the cells of each one's ground, those that bear a token."""
    return (ground & state.tokens).sum(1, dtype=jnp.float32) / ground.sum(1, dtype=jnp.float32)


def moves(key: PRNGKeyArray, place: Laboratory, ways: Ways, state: State, idle: Bool[Array, " n"]) -> Int[Array, " n"]:
    """What each does now: collect where it stands on a token that it will take, else a step to the nearest one."""
    n, land, total = place.agents, place.land, len(place.land.sites)
    ground, second = grounds(place, ways.zone), state.time / place.speed
    late = second >= place.horizon / place.speed - ways.last
    dense = share(ground, state) >= ways.keep
    willing = (dense | late) & (second >= ways.wait) & ~idle
    goal = ground & state.tokens & willing[:, None]

    row, col = np.divmod(land.sites, land.width)
    at = jnp.stack(jnp.divmod(state.body.cell, land.width), 1)
    gaps = jnp.stack([row - at[:, :1], col - at[:, 1:]], -1)  # [n, S, 2]
    lots = grid.chance(grid.draw(key, lots=n * (total + 8))["lots"]).reshape(n, -1)  # of several as near one is drawn
    far = jnp.where(goal, _far(place, gaps) + 0.5 * lots[:, 8:], FAR)
    gap = gaps[np.arange(n), far.argmin(1)]

    slants = range(ZAP + 1 + place.collecting, ZAP + 5 + place.collecting) if place.diagonals else ()
    answers, steps = np.array([*STEPS, *slants]), np.array([*STEPS.values(), *SLANT_STEPS][: 4 + len(slants)])
    best = (_far(place, gap[:, None] - steps) + 0.5 * lots[:, : len(steps)]).argmin(1)
    here = (gap == 0).all(1)
    there = jnp.where(here, ZAP + 1 if place.collecting else STAY, jnp.asarray(answers, jnp.int32)[best])
    return jnp.where(goal.any(1), there, STAY).astype(jnp.int32)


def _far(place: Laboratory, gaps: Int[Array, "*k 2"]) -> Float[Array, "*k"]:
    """How many moves it takes."""
    steps = abs(gaps)
    return (steps.max(-1) if place.diagonals else steps.sum(-1)).astype(jnp.float32)


def struck(key: PRNGKeyArray, place: Laboratory, ways: Ways, state: State, broke: Bool[Array, " n"]) -> Array:
    """[n, n] whom (column) each (row) strikes in this step; `broke` who broke the agreement lately."""
    n = place.agents
    most = (state.got[None, :] == state.got.max()) & (state.got[:, None] < state.got.max())
    whom = jnp.where(ways.rule < 0, most, broke[None, :] & ~np.eye(n, dtype=bool))
    one = whom & (whom.cumsum(1, dtype=jnp.int32) == 1)  # of several the first
    return one & (grid.chance(grid.draw(key, strike=n)["strike"])[:, None] < ways.strike / place.speed)


class Lived(eqx.Module):
    """tokens [n] that each gathered, net [n] of what strikes cost; strikes [] of all; empty [] seconds until the field
    was bare, at most all; left [] tokens at the end."""

    tokens: Float[Array, " n"]
    net: Float[Array, " n"]
    strikes: Float[Array, ""]
    empty: Float[Array, ""]
    left: Float[Array, ""]


def live(key: PRNGKeyArray, place: Laboratory, ways: Ways) -> Lived:
    """An episode of those ways."""
    n, zone = place.agents, jnp.arange(place.agents)

    def tick(now: tuple[State, Array, Array, Array], t: Array) -> tuple[tuple[State, Array, Array, Array], Array]:
        state, fear, broke, paid = now
        at = jax.random.fold_in(key, t)
        hits = struck(jax.random.fold_in(at, 2), place, ways, state, broke)
        idle = (fear > 0) | hits.any(1)  # striking takes a move
        after, outcome = place.step(at, state, {"move": moves(jax.random.fold_in(at, 1), place, ways, state, idle)})
        ground = grounds(place, jnp.where(ways.rule < 0, -1, zone))
        agreed = share(ground, state) >= ways.rule
        late = state.time / place.speed >= place.horizon / place.speed - ways.last
        takes = outcome.events["harvest"] > 0
        home = (ground & grid.on(grid.site(place.land, after.body), len(place.land.sites))).any(1)
        breaks = takes & ~(agreed & home) & ~late
        broke = jnp.where(hits.any(0), False, broke | breaks)
        fear = jnp.where(hits.any(0), jnp.round(ways.fear * place.speed), jnp.maximum(fear - 1, 0))
        paid = paid + COST * hits.sum(1, dtype=jnp.float32) + HARM * hits.sum(0, dtype=jnp.float32)
        return (after, fear, broke, paid), jnp.stack([after.tokens.any(), hits.any()]).astype(jnp.float32)

    first = (place.reset(key), jnp.zeros(n), jnp.zeros(n, bool), jnp.zeros(n))
    (state, _, _, paid), seen = jax.lax.scan(tick, first, jnp.arange(place.horizon))
    return Lived(state.got, state.got - paid, seen[:, 1].sum(), seen[:, 0].sum() / place.speed, place.stock(state)[0])


def central(key: PRNGKeyArray, place: Laboratory, keep: Float[Array, ""], enclosed: Bool[Array, ""]) -> Array:
    """[] tokens that a hand gathers that is everywhere at once: in each second what is beyond `keep` of the cells,
    drawn at random, or those with most neighbours first; in the last second all."""
    land, total = place.land, len(place.land.sites)

    def second(tokens: Array, t: Array) -> tuple[Array, Array]:
        draw = grid.draw(jax.random.fold_in(key, t), grow=total, pick=total)
        tokens = place.grow(tokens, draw["grow"])
        near = grid.neighbours(land, tokens, NEAR).astype(jnp.float32)
        order = jnp.where(tokens, grid.chance(draw["pick"]) + jnp.where(enclosed, near, 0.0), -1.0)
        many = jnp.maximum(tokens.sum(dtype=jnp.int32) - jnp.floor(keep * total).astype(jnp.int32), 0)
        least = jnp.append(jnp.sort(order)[::-1], -2.0)[many]
        left = tokens & (order <= least)
        return left, (tokens & ~left).sum(dtype=jnp.float32)

    tokens, got = jax.lax.scan(second, place.reset(key).tokens, jnp.arange(place.horizon // place.speed))
    return got.sum() + tokens.sum(dtype=jnp.float32)


def bare(key: PRNGKeyArray, place: Laboratory) -> Float[Array, " seconds"]:
    """Tokens after each second where nobody takes any."""

    def second(tokens: Array, t: Array) -> tuple[Array, Array]:
        bits = grid.draw(jax.random.fold_in(key, t), grow=len(place.land.sites))["grow"]
        tokens = place.grow(tokens, bits)
        return tokens, tokens.sum(dtype=jnp.float32)

    return jax.lax.scan(second, place.reset(key).tokens, jnp.arange(place.horizon // place.speed))[1]
