"""Checks of what a situation means, beyond shapes and types: stock, sight, abilities, roles, chance."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core.situation import Action
from nomoi.errors import Refusal
from nomoi.institutions.units import units
from nomoi.testing.common import Life, Skip, Wrong, differences, mismatches, random_action, shape


class Sense:
    """What a situation under test promises of its world; `Bench` says what it needs for that."""

    s: Situation
    n: int
    name: str
    key: PRNGKeyArray
    shapes: dict[str, Any]
    life: Life

    def _stock(self) -> str:
        if not self.s.kinds:
            raise Skip(f"{self.name} holds no stock in common.")
        top, stock = np.asarray(jax.jit(lambda: self.s.capacity())()), self.life.stock
        if stock.shape[2:] != (len(self.s.kinds),) or top.shape != (len(self.s.kinds),):
            raise Wrong(f"stock and capacity of {self.name} must be [{len(self.s.kinds)}], one number a kind.")
        bad = ((stock < 0) | (stock > top * (1 + 1e-5)) | np.isnan(stock)).any((1, 2)) & self.life.alive
        if bad.any():
            t = int(np.argmax(bad))
            raise Wrong(f"the stock of {self.name} is {stock[t, 1]} at step {t}; it must lie between 0 and {top}.")
        return f"the stock stays between 0 and {top.tolist()}."

    def _units(self) -> str:
        try:
            of = units(self.s)
        except Refusal as refusal:
            raise Wrong(str(refusal)) from None
        rows = list(zip(self.s.roles, of.tolist(), strict=False))
        apart = [role for role, row in rows if row != dict(rows)[role]]
        if apart:
            raise Wrong(
                f"agents of {self.name} who have the role {apart[0]!r} are of different units, or some of "
                "them of none; name them apart in `roles`, since agents of one role must be interchangeable."
            )
        strangers = int((of.sum(1) == 0).sum())
        return f"{of.shape[1]} with {', '.join(f'{k:g}' for k in of.sum(0))} members, and {strangers} strangers."

    def _conservation(self) -> str:
        events = self.life.outcome.events
        if not self.s.kinds or "harvest" not in events:
            raise Skip(f"{self.name} does not harvest from a stock.")
        got = events["harvest"]
        before, kind = self.life.stock[:, 0], events.get("kind")
        if kind is None:  # it does not say which kinds are taken, so only all together can be compared
            before, kind = before.sum(1, keepdims=True), np.zeros_like(got, int)
        by_kind = np.stack([np.where(kind == k, got, 0).sum(1) for k in range(before.shape[1])], 1)
        bad = ((by_kind > before * (1 + 1e-5)).any(1) | (got < 0).any(1)) & self.life.alive
        if bad.any():
            t = int(np.argmax(bad))
            raise Wrong(
                f"{by_kind[t]} units were harvested from {self.name} at step {t}, of {before[t]}; "
                "nobody can take what is not there (let it grow after the harvest)."
            )
        return "nobody harvests more than there is."

    def _scene(self) -> str:
        scene = outline(self.s).scene
        if scene is None:
            raise Skip(f"there is nothing to look at in {self.name}.")
        if len(scene.planes) > 32:
            raise Wrong(f"the scene of {self.name} has {len(scene.planes)} planes; a view holds at most 32.")
        view, right = self.shapes["observe"].get("view"), (self.n, *scene.extent.shape)
        if view is None or view.shape != right or not jnp.issubdtype(view.dtype, jnp.unsignedinteger):
            got = "missing" if view is None else shape(view)
            raise Wrong(f"the view of {self.name} is {got}; {list(right)} of an unsigned type would be right.")
        for name, layer in scene.sites.items():
            if layer.shape not in ((len(scene.land.sites),), (self.n, len(scene.land.sites))):
                raise Wrong(f"site layer {name!r} of {self.name} is {shape(layer)}; it must be [sites] or [n, sites].")
        for name, layer in scene.bodies.items():
            if layer.shape not in ((self.n,), (self.n, self.n)):
                raise Wrong(f"body layer {name!r} of {self.name} is {shape(layer)}; it must be [n] or [n, n].")
        return f"{len(scene.planes)} planes: {', '.join(scene.planes)}."

    def _abilities(self) -> str:
        offers = self.s.offers & {"aim", "remove"}
        if not offers:
            raise Skip(f"{self.name} has neither a beam nor a way to take agents out of play.")
        who = jnp.arange(self.n) == self.n - 1

        def probe(key: PRNGKeyArray) -> Any:
            state, three, none = self.s.reset(key), jnp.array(3, jnp.int32), jnp.array(0, jnp.int32)
            aim = self.s.aim(state) if "aim" in offers else None
            if "remove" not in offers:
                return state, aim, state, state, who, who
            gone, same = self.s.remove(state, who, three), self.s.remove(state, who, none)
            return state, aim, gone, same, self.s.present(state), self.s.present(gone)

        state, aim, gone, same, present, remaining = jax.jit(probe)(self.key)
        square = "aim" not in offers or (aim.shape == (self.n, self.n) and aim.dtype == jnp.bool_)
        if not square or ("aim" in offers and jnp.diagonal(aim).any()):
            raise Wrong(f"aim of {self.name} must be [n, n] bool, and nobody aims at itself.")
        if "remove" in offers:
            if mismatches(state, gone) or (remaining != present & ~who).any():
                raise Wrong(f"{self.name}.remove must make exactly those it removes absent, and keep the state's type.")
            if differences(state, same):
                raise Wrong(f"{self.name}.remove for 0 steps must change nothing.")
        return f"offers {' and '.join(sorted(offers))}."

    def _impersonality(self) -> str:
        roles = self.s.roles
        if len(roles) != self.n or not all(isinstance(role, str) for role in roles):
            raise Wrong(f"the roles of {self.name} are {roles!r}; a name for each of {self.n} agents would be right.")
        state = jax.jit(lambda key: self.s.reset(key))(self.key)
        rows = [np.asarray(x) for x in jax.tree.leaves(state) if x.ndim and x.shape[0] == self.n]
        alike = [[i for i in range(self.n) if roles[i] == role] for role in dict.fromkeys(roles)]
        if max(map(len, alike)) < 2:
            raise Skip(f"no two agents of {self.name} have one role.")
        if "view" in self.shapes["observe"] or any((row[who] != row[who[0]]).any() for row in rows for who in alike):
            raise Skip(f"agents of {self.name} start in different places, so swapping them proves nothing.")
        for seed, shift in ((1, 1), (2, -1), (3, 1)):
            keys = jax.random.split(jax.random.key(seed), 32)
            action, turn = random_action(keys[0], self.s), np.arange(self.n)
            for who in alike:
                turn[who] = np.roll(who, shift)
            a, b = (
                _payoffs(self.s, keys, state, action),
                _payoffs(self.s, keys, state, {h: x[turn] for h, x in action.items()}),
            )
            if (a != a[0]).any():
                raise Skip(f"{self.name} draws what agents get, so swapping them in one draw proves nothing.")
            if not np.allclose(a[0][turn], b[0], 1e-5, 1e-6):
                if self.s.institutions:
                    raise Skip(f"agents of {self.name} have roles by rule.")
                raise Wrong(
                    f"{self.name} treats agents of one role differently: swapping what they do does not swap what they "
                    "get; name those whose place differs in `roles`."
                )
        return "within a role, swapping what agents do swaps what they get."

    def _chance(self) -> str:
        if self.s.lots == 0:
            raise Skip(f"{self.name} does not declare what a step leaves to chance, so it cannot be unfolded.")
        first, drawn, by_lot, odds = jax.tree.map(np.asarray, _fates(self.s, jax.random.split(self.key, 8)))
        if differences(first, jax.tree.map(lambda x: np.broadcast_to(x[:1], x.shape), first), exact=False):
            raise Wrong(f"{self.name} begins differently under different keys; where `lots` are declared, it must not.")
        if odds.shape[1] != self.s.lots or (odds < 0).any() or (np.abs(odds.sum(1) - 1) > 1e-5).any():
            raise Wrong(f"the odds of {self.name} must be {self.s.lots} probabilities that sum to 1, as `lots` says.")
        for t, row in enumerate(odds):
            fates = [jax.tree.map(lambda x, lot=lot, t=t: x[t, lot], by_lot) for lot in np.flatnonzero(row)]
            for k in range(8):
                fate = jax.tree.map(lambda x, k=k, t=t: x[t, k], drawn)
                if all(differences(fate, other, exact=False) for other in fates):
                    raise Wrong(
                        f"step {t} of {self.name} has an outcome that is none of its declared lots ({len(row)}); "
                        "`lots`, `odds` and `by_lot` must cover all that `step` draws from its key."
                    )
        return f"{self.s.lots} outcomes of chance, and `step` draws no other."


@eqx.filter_jit
def _fates(situation: Situation, keys: Key[Array, " many"]) -> Any:
    """What is seen at first under each key [K]; what four steps [T] bring under each key [T, K], and by lot [T, L]."""

    def told(after: tuple[Any, Any]) -> Any:
        return situation.observe(after[0]), after[1]

    def tick(state: Any, t: Array) -> tuple[Any, Any]:
        action = random_action(jax.random.fold_in(keys[0], t), situation)
        odds = situation.odds(state, action)
        drawn = jax.vmap(lambda key: told(situation.step(key, state, action)))(keys)
        by_lot = jax.vmap(lambda lot: told(situation.by_lot(lot, state, action)))(jnp.arange(len(odds)))
        return situation.step(keys[1], state, action)[0], (drawn, by_lot, odds)

    first = jax.vmap(lambda key: situation.observe(situation.reset(key)))(keys)
    return first, *jax.lax.scan(tick, situation.reset(keys[0]), jnp.arange(4))[1]


@eqx.filter_jit
def _payoffs(situation: Situation, keys: Key[Array, " many"], state: Any, action: Action) -> Any:
    """What agents get [K, n] under each key; what they may expect, where all chance is declared."""
    if situation.lots > 1:
        odds = situation.odds(state, action)
        each = jax.vmap(lambda lot: situation.by_lot(lot, state, action)[1].payoff)(jnp.arange(len(odds)))
        return jnp.broadcast_to(odds @ each, (len(keys), situation.agents))
    return jax.vmap(lambda key: situation.step(key, state, action)[1].payoff)(keys)
