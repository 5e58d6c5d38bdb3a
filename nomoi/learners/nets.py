"""Networks: from what an agent is told to what it does and expects.

No `lax.conv`: inside a scan on a CPU it is a hundred times slower than the same layer as patches and one
product (jax-ml/jax#12868), so the convolution here is patches and a product.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core.situation import Observation
from nomoi.errors import Refusal, nearest
from nomoi.grid import bitplanes
from nomoi.learners.planes import weigh

Inputs = Sequence[tuple[str, int]]  # names of what goes into a layer, and how many numbers each is


class Shape(eqx.Module):
    """What goes into and comes out of a network, read off a situation."""

    planes: tuple[str, ...] = eqx.field(static=True)  # bits of a cell of the view; none where there is no view
    window: tuple[int, int] = eqx.field(static=True)
    features: tuple[tuple[str, int], ...] = eqx.field(static=True)  # other observations, each [n, k]
    heads: tuple[tuple[str, int], ...] = eqx.field(static=True)

    @classmethod
    def of(cls, situation: Situation) -> Shape:
        seen = outline(situation)
        view = seen.told.get("view")
        features = tuple((k, v.shape[-1]) for k, v in sorted(seen.told.items()) if k != "view")
        return cls(seen.planes, (0, 0) if view is None else view.shape[1:], features, tuple(situation.actions.items()))


def _dense(key: PRNGKeyArray, inputs: int, outputs: int, scale: float = 1.0) -> Float[Array, "inputs outputs"]:
    """He-normal weights: sqrt(2 / inputs) times `scale`."""
    return jax.random.normal(key, (inputs, outputs)) * (2 / max(inputs, 1)) ** 0.5 * scale


class Net(eqx.Module):
    """view planes (flat, or 3 x 3 patches) and features -> hidden -> (GRU) -> hidden -> heads and value.

    Works on any leading axes.  `carry` is [..., hidden] with a GRU and [..., 0] without.  With `film` the named feature
    scales and shifts the first hidden layer, unit by unit (FiLM, Perez et al. 2018), so that what is known of a rule
    decides which parts of the view count.
    """

    shape: Shape = eqx.field(static=True)
    hidden: int = eqx.field(static=True)
    filters: int = eqx.field(static=True)  # of the 3 x 3 layer; 0 is none
    recurrent: bool = eqx.field(static=True)
    film: str = eqx.field(static=True)  # empty is none
    conv: dict[str, Array]
    first: dict[str, Array]
    gate: dict[str, Array]
    second: dict[str, Array]
    gru: eqx.nn.GRUCell | None
    heads: dict[str, dict[str, Array]]
    value: dict[str, Array]

    def __init__(
        self, key: PRNGKeyArray, shape: Shape, hidden: int = 64, filters: int = 0, recurrent: bool = False,
        film: str = "",
    ):  # fmt: skip
        self.shape, self.hidden, self.filters, self.recurrent, self.film = shape, hidden, filters, recurrent, film
        keys = iter(jax.random.split(key, 6 + len(shape.heads)))
        rows, cols = shape.window
        cells = rows * cols * len(shape.planes)
        self.conv = {}
        if filters and cells:
            self.conv = {"w": _dense(next(keys), 9 * len(shape.planes), filters), "b": jnp.zeros(filters)}
            cells = (rows - 2) * (cols - 2) * filters
        features = sum(k for _, k in shape.features)
        self.first = {
            "view": _dense(next(keys), cells, hidden),
            # features are few beside the cells: scaled as if alone they drown nothing and are not drowned
            "told": _dense(next(keys), features, hidden, 0.5),
            "b": jnp.zeros(hidden),
        }
        self.gate = {}
        if film:
            widths = dict(shape.features)
            if film not in widths:
                raise Refusal(
                    f"ppo.film is {film!r}, and agents sense no such feature; {nearest(film, widths, 'feature')}"
                )
            one, other = jax.random.split(jax.random.fold_in(key, 1))
            self.gate = {
                "scale": _dense(one, widths[film], hidden, 0.5), "shift": _dense(other, widths[film], hidden, 0.5),
            }  # fmt: skip
        self.second = {"w": _dense(next(keys), hidden, hidden), "b": jnp.zeros(hidden)}
        self.gru = eqx.nn.GRUCell(hidden, hidden, key=next(keys)) if recurrent else None
        self.value = {"w": _dense(next(keys), hidden, 1, 0.1), "b": jnp.zeros(1)}
        self.heads = {h: {"w": _dense(next(keys), hidden, k, 0.01), "b": jnp.zeros(k)} for h, k in shape.heads}

    def start(self, *axes: int) -> Float[Array, "*axes hidden"]:
        return jnp.zeros((*axes, self.hidden if self.recurrent else 0))

    def __call__(self, told: Observation, carry: Array) -> tuple[dict[str, Array], Array, Array]:
        """-> (logits {head: [..., k]}, value [...], carry)."""
        lead = carry.shape[:-1]
        # inside, units come first and samples last: see `planes`
        hidden = jax.nn.relu(_layer(self.second, self._look(told, len(lead))))
        if self.gru is not None:
            carry = jax.vmap(self.gru)(hidden.T, carry.reshape(-1, self.hidden))
            hidden, carry = carry.T, carry.reshape(*lead, -1)
        ends = [self.value, *self.heads.values()]  # one product for all
        out = _layer({k: jnp.concatenate([p[k] for p in ends], -1) for k in ("w", "b")}, hidden)
        places = np.cumsum([1, *(p["b"].size for p in self.heads.values())])
        value, *logits = jnp.split(out, places[:-1])
        named = zip(self.heads, logits, strict=True)
        return {h: x.T.reshape(*lead, -1) for h, x in named}, value.reshape(lead), carry

    def _look(self, told: Observation, lead: int) -> Float[Array, "hidden samples"]:
        """The first hidden layer."""
        flat = {name: x.reshape(-1, *x.shape[lead:]) for name, x in told.items()}
        out = self.first["b"][:, None]
        if self.shape.planes and self.filters:
            rows, cols = self.shape.window
            planes = bitplanes(flat["view"], len(self.shape.planes))
            near = [planes[..., i : i + rows - 2, j : j + cols - 2, :] for i in range(3) for j in range(3)]
            patches = jax.nn.relu(jnp.concatenate(near, -1) @ self.conv["w"] + self.conv["b"])
            out = out + self.first["view"].T @ patches.reshape(len(patches), -1).T
        elif self.shape.planes:
            cells = flat["view"].reshape(len(flat["view"]), -1).T
            out = out + weigh(cells, self.first["view"].reshape(len(cells), len(self.shape.planes), self.hidden))
        if self.shape.features:
            out = out + self.first["told"].T @ jnp.concatenate([flat[name] for name, _ in self.shape.features], -1).T
        if self.film:
            known = flat[self.film].T
            out = out * (1 + self.gate["scale"].T @ known) + self.gate["shift"].T @ known
        return jax.nn.relu(out)


def _layer(weights: dict[str, Array], inputs: Float[Array, "k samples"]) -> Float[Array, "units samples"]:
    return weights["w"].T @ inputs + weights["b"][:, None]


def frozen(net: Net, institution: str) -> Net:
    """The network with nothing left to learn but the heads of an institution."""
    mine = [h for h in net.heads if h.startswith(f"{institution}.")]
    if not mine:
        raise Refusal(f"ppo.only is {institution!r}, which asks nothing here, so there is nothing to learn.")
    still = jax.lax.stop_gradient(net)
    return eqx.tree_at(lambda n: [n.heads[h] for h in mine], still, [net.heads[h] for h in mine])


def graft(old: Net, new: Net) -> Net:
    """`new` with all that `old` learned of what both know by name: planes, features and heads.

    What `old` never saw weighs nothing at first, so that the graft acts on what it knows; heads that it never answered
    stay as they are in `new`.  Works on networks of one kind and window, also where agents have one each.
    """
    kinds = [(n.shape.window, n.hidden, n.filters, n.recurrent, n.film, n.value["w"].shape) for n in (old, new)]
    if kinds[0] != kinds[1]:
        raise Refusal(
            "what was learned can go on only in a network of the same window, size and kind; "
            f"here window, units, filters, memory, gate and weights are {kinds[0]}, and {kinds[1]} are asked for."
        )
    rows, cols = new.shape.window
    planes = [[(name, 1) for name in n.shape.planes] for n in (old, new)]
    features = [n.shape.features for n in (old, new)]
    conv, first, gate = dict(old.conv), dict(old.first), dict(old.gate)
    if new.filters:
        conv["w"] = _rows(old.conv["w"], 9, *planes)
    else:
        first["view"] = _rows(old.first["view"], rows * cols, *planes)
    first["told"] = _rows(old.first["told"], 1, *features)
    gate = {name: _rows(w, 1, *([(f, k) for f, k in each if f == new.film] for each in features))
            for name, w in old.gate.items()}  # fmt: skip
    answers = dict(old.shape.heads)
    heads = {h: old.heads[h] if answers.get(h) == k else new.heads[h] for h, k in new.shape.heads}
    parts = lambda n: (n.conv, n.first, n.gate, n.second, n.gru, n.heads, n.value)  # noqa: E731
    whole = (conv, first, gate, old.second, old.gru, heads, old.value)
    return eqx.tree_at(parts, new, whole, is_leaf=lambda x: x is None)


def _rows(weights: Array, spots: int, before: Inputs, after: Inputs) -> Array:
    """Weights [..., spots * inputs, hidden] for the inputs `after` from those for the inputs `before`, by name."""
    lead, hidden = weights.shape[:-2], weights.shape[-1]
    weights = weights.reshape(*lead, spots, -1, hidden)
    ends = np.cumsum([0, *(width for _, width in before)])
    known = {named: slice(start, end) for named, start, end in zip(before, ends[:-1], ends[1:], strict=True)}
    blank = [jnp.zeros((*lead, spots, width, hidden)) for _, width in after]
    parts = [weights[..., known[n], :] if n in known else zero for n, zero in zip(after, blank, strict=True)]
    return jnp.concatenate(parts, -2).reshape(*lead, -1, hidden)
