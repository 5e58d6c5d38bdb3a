"""Moving: turns and steps relative to the body, with conflicts resolved fairly."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from nomoi.grid.body import FEW, Body, rank, standing
from nomoi.grid.lanes import once
from nomoi.grid.layout import Land


def turn(body: Body, quarter: Int[Array, " n"]) -> Body:
    """Turn right by `quarter` [n] quarter turns (-1 is left); who is out of play does not turn."""
    return Body(body.cell, jnp.where(body.here, (body.facing + quarter) % 4, body.facing), body.out)


def walk(
    land: Land, body: Body, go: Bool[Array, " n"], quarter: Int[Array, " n"], order: UInt32[Array, " n"],
    slant: Bool[Array, " n"] | None = None,
) -> Body:  # fmt: skip
    """Step one cell, `quarter` right turns away from ahead (1 is a step to the right), without turning.

    Where `slant`, the step goes on to the cell at its right, between two of the four ways (quarter 0: ahead and right).

    Agents move one after the other in a random order drawn from `order` [n] (Melting Pot's rule): a move
    succeeds when its cell is neither wall nor taken at that moment.  So nobody shares a cell, nobody swaps,
    and of several contenders for a free cell each is equally likely to get it.
    """
    heading = (body.facing + quarter) % 4
    ways = land.ahead if slant is None else np.concatenate([land.ahead, land.slant], 1)
    way = heading if slant is None else heading + jnp.where(slant, 4, 0)
    target = jnp.asarray(ways).at[body.cell, way].get(mode="promise_in_bounds")
    go = go & body.here & ~jnp.asarray(land.walls)[target]
    if len(order) <= FEW:
        return Body(_in_turn(body, go, target, order), body.facing, body.out)
    cell = _at_once(land, body, go, target, order, ways)
    return Body(cell, body.facing, body.out)


def _in_turn(body: Body, go: Array, target: Array, order: Array) -> Int[Array, " n"]:
    """Where each is in the end, one move after the other."""
    place = rank(order)
    cell = jnp.where(body.here, body.cell, -1)
    for k in range(len(order)):
        mine = (place == k) & go
        want = jnp.where(mine, target, -2).max()
        cell = jnp.where(mine & ~(cell == want).any(), target, cell)
    return once(jnp.where(body.here, cell, body.cell))


def _at_once(land: Land, body: Body, go: Array, target: Array, order: Array, ways: np.ndarray) -> Int[Array, " n"]:
    """The same for many, by looking at the cell that each wants and at those around it, from where others may want it.

    What keeps an agent from moving is decided by those before it alone, so the only answer that keeps to the rule is
    reached after as many rounds as the longest queue is long, whatever is supposed at first.
    """
    n = len(order)  # whoever can step to a cell can be stepped to from there, so `ways` also leads to all rivals
    around = jnp.concatenate([target[:, None], jnp.asarray(ways).at[target].get(mode="promise_in_bounds")], 1)
    who = standing(land, body).at[around].get(mode="promise_in_bounds").astype(jnp.int32)  # [n, 1 + ways]

    def of(values: Array) -> Array:
        return jnp.append(values, jnp.zeros(1, values.dtype)).at[who].get(mode="promise_in_bounds")

    word, mine = of(order), order[:, None]
    before = ((word < mine) | ((word == mine) & (who < np.arange(n)[:, None]))) & of(go)
    taken, leaves, rivals = who[:, 0] < n, before[:, 0], before[:, 1:] & (of(target)[:, 1:] == target[:, None])

    free = go & ~(taken & ~leaves)

    def round(now: tuple[Array, Array]) -> tuple[Array, Array]:
        went = of(now[0])
        return free & ~(taken & ~went[:, 0]) & ~(rivals & went[:, 1:]).any(1), now[0]

    went, _ = jax.lax.while_loop(lambda now: (now[0] != now[1]).any(), round, round((free, free)))
    return jnp.where(went, target, body.cell)
