"""Bodies: where each agent stands, which way it faces, and whether it is out of play."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray, Shaped, UInt, UInt32

from nomoi.grid.layout import Land
from nomoi.grid.words import words

# Up to so many agents, comparing all pairs is faster than looking on the map who stands where (ours, measured).
FEW = 24


class Body(eqx.Module):
    """cell [n] flat index; facing [n] 0 north, 1 east, 2 south, 3 west; out [n] steps left out of play."""

    cell: Int[Array, " n"]
    facing: Int[Array, " n"]
    out: Int[Array, " n"]

    @property
    def here(self) -> Bool[Array, " n"]:
        """Who is in play."""
        return self.out == 0


def draw(key: PRNGKeyArray, **counts: int) -> dict[str, UInt32[Array, "_"]]:  # noqa: F821
    """All the random bits of one step in a single draw: name -> [count] uniform 32-bit words."""
    bits = words(key, sum(counts.values()))
    ends = np.cumsum(list(counts.values()))
    return {name: bits[end - k : end] for (name, k), end in zip(counts.items(), ends, strict=True)}


def chance(bits: UInt32[Array, "*k"]) -> Array:
    """Uniform numbers in [0, 1), float32, from random words."""
    return (bits >> 8).astype(jnp.float32) * jnp.float32(2**-24)


def pick(bits: UInt32[Array, "*k"], options: int) -> Int[Array, "*k"]:
    """Uniform integers in 0..options-1 from random words (bias below options / 2**32)."""
    return (bits % jnp.uint32(options)).astype(jnp.int32)


def rank(bits: UInt32[Array, " n"]) -> Int[Array, " n"]:
    """A uniformly random order of n agents: the place of each, 0 first."""
    return earlier(bits).sum(0, dtype=jnp.int32)


def earlier(bits: UInt32[Array, " n"]) -> Bool[Array, "n n"]:
    """[i, j]: i comes before j in the random order; equal words fall back on the index."""
    index = np.arange(bits.shape[0])
    return (bits[:, None] < bits[None, :]) | ((bits[:, None] == bits[None, :]) & (index[:, None] < index[None, :]))


def among(bits: UInt32[Array, "*k"], places: Bool[Array, " S"]) -> Int[Array, "*k"]:
    """For each word one of the `places`, each equally likely (up to the bias of `pick`); S if there is none."""
    total, count = places.shape[0], jnp.cumsum(places, dtype=jnp.int32)
    nth = jnp.full(total, total, jnp.int32)  # where the k-th place is
    nth = nth.at[jnp.where(places, count - 1, total)].set(np.arange(total, dtype=np.int32), mode="drop")
    chosen = bits % jnp.maximum(count[-1], 1).astype(jnp.uint32)
    return nth.at[chosen.astype(jnp.int32)].get(mode="promise_in_bounds")


def scatter(bits: UInt32[Array, " bits"], cells: np.ndarray) -> Int[Array, " n"]:
    """n different cells, every ordered choice equally likely (up to the bias of `pick`).

    Floyd's sampling without replacement, then a random order; needs no sort over the cells.
    """
    n = bits.shape[0] // 2
    low = len(cells) - n  # the k-th draw is among the first low + k + 1 cells, and gives way to the last of these
    index, last = np.arange(n), np.arange(low, len(cells), dtype=np.int32)
    tried = (bits[:n] % (last + 1).astype(np.uint32)).astype(jnp.int32)
    # It gives way where an earlier draw tried the same, or was the one that gave way to it; those are followed back
    # by doubling strides, so that the program grows with the logarithm of n.
    way = ((tried[:, None] == tried[None, :]) & (index[None, :] < index[:, None])).any(1)
    back = jnp.where(tried >= low, tried - low, index)
    for _ in range((n - 1).bit_length()):
        way, back = way | way[back], back[back]
    return jnp.asarray(cells, jnp.int32)[jnp.where(way, last, tried)[rank(bits[n:])]]


def respawn(body: Body, bits: UInt32[Array, " n"], cells: np.ndarray) -> Body:
    """Count the steps out of play down; whoever is due returns on a random cell of `cells`, facing north.

    One that draws a taken cell tries again next step.  Of two that draw the same cell, the lower index enters.
    """
    index = np.arange(bits.shape[0], dtype=np.int32)
    due, entry = body.out == 1, jnp.asarray(cells, jnp.int32)[pick(bits, len(cells))]
    # Of those who stand on a cell and those who are due there, each with its index, the ones who stand come first.
    wants = jnp.where(body.here, body.cell, jnp.where(due, entry, -1))
    first = (wants == entry[:, None]) & (body.here | (index < index[:, None]))
    back = due & ~first.any(1)
    out = jnp.where(due, jnp.where(back, 0, 1), jnp.maximum(body.out - 1, 0))
    return Body(jnp.where(back, entry, body.cell), jnp.where(back, 0, body.facing), out)


def standing(land: Land, body: Body, values: UInt[Array, " n"] | None = None) -> UInt[Array, " _"]:
    """[cells + 1] the value of the body in play on each cell, 0 for none; without values its index, and n for none.

    Nobody stands on the last one, which is off the map.
    """
    n = body.cell.shape[0]
    index = np.arange(n, dtype=np.min_scalar_type(n))
    values, none = (index, n) if values is None else (values, 0)
    where = jnp.where(body.here, body.cell, land.cells)
    return jnp.full(land.cells + 1, none, values.dtype).at[where].set(values).at[land.cells].set(none)


def site(land: Land, body: Body) -> Int[Array, " n"]:
    """The site each agent stands on, or the number of sites where there is none or the agent is out of play."""
    return jnp.where(body.here, jnp.asarray(land.site_of)[body.cell], len(land.sites))


def under(values: Shaped[Array | np.ndarray, " S"], sites: Int[Array, " n"]) -> Shaped[Array, " n"]:
    """The value at each agent's site; false or 0 where it stands on none."""
    padded = jnp.append(values, jnp.zeros(1, values.dtype))
    return padded.at[sites].get(mode="promise_in_bounds")


def on(sites: Int[Array, " n"], total: int) -> Bool[Array, "n S"]:
    """[i, s]: agent i stands on site s."""
    return sites[:, None] == np.arange(total, dtype=np.int32)


def trodden(sites: Int[Array, " n"], total: int) -> Bool[Array, " S"]:
    """[s]: somebody stands on site s."""
    if len(sites) <= FEW:
        return on(sites, total).any(0)
    return jnp.zeros(total + 1, bool).at[sites].set(True, mode="promise_in_bounds")[:total]
