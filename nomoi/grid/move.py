"""Moving: turns and steps relative to the body, with conflicts resolved fairly."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

from nomoi.grid.body import Body, rank
from nomoi.grid.layout import Land


def turn(body: Body, quarter: Int[Array, " n"]) -> Body:
    """Turn right by `quarter` [n] quarter turns (-1 is left); who is out of play does not turn."""
    return Body(body.cell, jnp.where(body.here, (body.facing + quarter) % 4, body.facing), body.out)


def walk(land: Land, body: Body, go: Bool[Array, " n"], quarter: Int[Array, " n"], order: UInt32[Array, " n"]) -> Body:
    """Step one cell, `quarter` right turns away from ahead (1 is a step to the right), without turning.

    Agents move one after the other in a random order drawn from `order` [n] (Melting Pot's rule): a move
    succeeds when its cell is neither wall nor taken at that moment.  So nobody shares a cell, nobody swaps,
    and of several contenders for a free cell each is equally likely to get it.
    """
    heading = (body.facing + quarter) % 4
    target = jnp.asarray(land.ahead)[body.cell, heading]
    go = go & body.here & ~jnp.asarray(land.walls)[target]
    place = rank(order)
    cell = jnp.where(body.here, body.cell, -1)
    for k in range(body.cell.shape[0]):
        mine = (place == k) & go
        want = jnp.where(mine, target, -2).max()
        cell = jnp.where(mine & ~(cell == want).any(), target, cell)
    return Body(jnp.where(body.here, cell, body.cell), body.facing, body.out)
