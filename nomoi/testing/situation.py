"""Checks of a situation, governed or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from nomoi.core import Governed, Situation
from nomoi.core.settings import options
from nomoi.core.situation import Action
from nomoi.testing.common import (
    LONGEST,
    PATIENCE,
    Check,
    Life,
    Skip,
    Wrong,
    ask,
    brief,
    differences,
    glimpse,
    live,
    mismatches,
    random_action,
    shape,
)
from nomoi.testing.measured import measured


class Bench:
    """A situation under test, and what its checks share."""

    def __init__(self, situation: Situation):
        self.s, self.n, self.name = situation, situation.agents, situation.name
        self.key = jax.random.key(0)

    @cached_property
    def shapes(self) -> dict[str, Any]:
        return jax.eval_shape(lambda key: glimpse(key, self.s), self.key)

    @cached_property
    def life(self) -> Life:
        steps = min(self.s.horizon, LONGEST) + (PATIENCE if isinstance(self.s, Governed) else 0)
        return jax.tree.map(np.asarray, live(self.s, self.key, steps))

    def questions(self) -> dict[str, Callable[[], str]]:
        names = (
            "sizes", "actions", "reset and state", "observe", "outcome", "events", "measures", "asked", "strict types",
            "pure", "vmap", "ends", "finite", "stock", "conservation", "scene", "abilities", "impersonality", "chance",
        )  # fmt: skip
        return {name: getattr(self, "_" + name.replace(" ", "_")) for name in names}

    def run(self) -> list[Check]:
        """All checks; where not even the first two steps can be traced, only that."""
        first = ask("reset, step, observe", self._traces)
        return [first, *(ask(name, q) for name, q in self.questions().items())] if first.passed else [first]

    def _traces(self) -> str:
        return f"{self.name} is traced by jit ({len(jax.tree.leaves(self.shapes))} arrays in a step)."

    def _sizes(self) -> str:
        for what in ("agents", "horizon"):
            value = getattr(self.s, what)
            if not isinstance(value, int) or value < 1:
                raise Wrong(f"{self.name}.{what} is {value!r}; a whole number of at least 1 would be right.")
        return f"{self.n} agents, at most {self.s.horizon} steps."

    def _actions(self) -> str:
        if not self.s.actions:
            raise Wrong(f"{self.name}.actions is empty; at least one head, such as {{'move': 5}}, would be right.")
        for head, k in self.s.actions.items():
            if not isinstance(k, int) or k < 2:
                raise Wrong(f"head {head!r} of {self.name} has {k!r} choices; a whole number of at least 2 is right.")
        return ", ".join(f"{head}: {k} choices" for head, k in self.s.actions.items())

    def _reset_and_state(self) -> str:
        wrong = mismatches(self.shapes["reset"], self.shapes["state"])
        if wrong:
            raise Wrong(f"the state of {self.name} changes its type in a step ({wrong[0]}); it must stay the same.")
        return "a step keeps the state's structure, shapes and types."

    def _observe(self) -> str:
        seen = self.shapes["observe"]
        if not seen:
            raise Wrong(f"{self.name}.observe tells agents nothing; give them at least one feature in `senses`.")
        for name, value in seen.items():
            if not value.shape or value.shape[0] != self.n:
                raise Wrong(
                    f"{name!r} of {self.name}.observe is {shape(value)}; its first axis must be the agents, {self.n}."
                )
            if name != "view" and not (jnp.issubdtype(value.dtype, jnp.floating) and len(value.shape) == 2):
                raise Wrong(f"{name!r} of {self.name}.senses is {shape(value)}; features must be [n, k] floats.")
        wrong = mismatches(seen, self.shapes["observe later"])
        if wrong:
            raise Wrong(f"what {self.name} shows changes its type in a step ({wrong[0]}); it must stay the same.")
        return ", ".join(f"{name} {shape(value)}" for name, value in seen.items())

    def _outcome(self) -> str:
        out = self.shapes["outcome"]
        for what, axes, kind in (
            ("reward", (self.n,), jnp.floating),
            ("transfer", (self.n,), jnp.floating),
            ("done", (), jnp.bool_),
        ):
            value = getattr(out, what)
            if value.shape != axes or not jnp.issubdtype(value.dtype, kind):
                right = f"{list(axes)} {'bool' if kind is jnp.bool_ else 'float'}"
                raise Wrong(f"{what} in the outcome of {self.name} is {shape(value)}; {right} would be right.")
        if not isinstance(self.s, Governed) and self.life.outcome.transfer.any():
            raise Wrong(f"{self.name} pays transfers; only institutions do, so put it into the reward or a rule.")
        return "reward and transfer are [n] floats, done is one bool."

    def _measures(self) -> str:
        return measured(self.s)

    def _events(self) -> str:
        events, emits = self.shapes["outcome"].events, self.s.emits
        if set(events) != set(emits):
            extra, missing = sorted(set(events) - set(emits)), sorted(set(emits) - set(events))
            parts = [f"emits {e!r} and does not say so" for e in extra] + [
                f"says it emits {m!r} and does not" for m in missing
            ]
            raise Wrong(f"{self.name} {parts[0]}; `emits` and the outcome must name the same events.")
        for name, event in emits.items():
            axes = {"[n]": (self.n,), "[n, n]": (self.n, self.n)}[event.shape]
            value = events[name]
            if value.shape != axes:
                raise Wrong(f"event {name!r} of {self.name} is {shape(value)}; the vocabulary says {event.shape}.")
            if event.good and not jnp.issubdtype(value.dtype, jnp.floating):
                raise Wrong(f"event {name!r} of {self.name} is {value.dtype}; an amount must be float32 (use .astype).")
        return f"emits exactly what it says: {', '.join(emits) or 'nothing'}."

    def _asked(self) -> str:
        asked = self.shapes["asked"]
        if set(asked) != set(self.s.actions):
            raise Wrong(f"{self.name}.asked names {sorted(asked)}; it must name the heads, {sorted(self.s.actions)}.")
        for head, value in (asked | {"present": self.shapes["present"]}).items():
            if value.shape != (self.n,) or value.dtype != jnp.bool_:
                raise Wrong(f"{head!r} in asked or present of {self.name} is {shape(value)}; [{self.n}] bool is right.")
        return "says who is asked at every head, and who is present."

    def _strict_types(self) -> str:
        with jax.numpy_dtype_promotion("strict"):
            jax.eval_shape(lambda key: glimpse(key, self.s), self.key)
        return "no type is promoted silently."

    def _pure(self) -> str:
        # Traced twice: what is drawn from anywhere but the key shows up as another program or other constants.
        a, b = (jax.make_jaxpr(lambda key, _=i: glimpse(key, self.s))(self.key) for i in range(2))
        if str(a) != str(b) or differences(list(a.consts), list(b.consts)):
            raise Wrong(f"{self.name} gives two results for one random key; draw all chance from the key.")
        return "all chance comes from the key."

    def _vmap(self) -> str:
        keys = jax.random.split(self.key, 3)
        many = _many(self.s, keys)
        for i in range(3):
            wrong = differences(_single(self.s, keys[i]), jax.tree.map(lambda x, i=i: x[i], many), exact=False)
            if wrong:
                raise Wrong(f"{self.name} differs under vmap (in {wrong[0]}); write for one world, with no batch axis.")
        return "many worlds at once equal one by one."

    def _ends(self) -> str:
        life = self.life
        if life.alive[-1] and not life.outcome.done[-1]:
            if life.held[-PATIENCE:].all() and isinstance(self.s, Governed):
                raise Wrong(f"an institution on {self.name} convenes for ever; `holds` must become false.")
            if self.s.horizon > LONGEST:
                raise Skip(f"the horizon of {self.s.horizon} steps is too far to be played out here.")
            raise Wrong(
                f"{self.name} is not done after its horizon of {self.s.horizon} steps; set done at time >= horizon."
            )
        last = life.clock[int(np.argmax(life.outcome.done))]
        if last > self.s.horizon:
            raise Wrong(f"{self.name} ends after {last} steps, beyond its horizon of {self.s.horizon}.")
        return f"an episode of random play ends after {last} steps."

    def _finite(self) -> str:
        life = self.life
        after = life.alive & ~life.outcome.done  # what would be seen next is not shown once the episode is over
        seen = {f"observation {name!r}": fine | ~after for name, fine in life.finite.items()}
        got = {"reward": life.outcome.reward, "transfer": life.outcome.transfer} | life.outcome.events
        paid = {what: np.isfinite(x).reshape(len(x), -1).all(1) | ~life.alive for what, x in got.items()}
        for what, fine in (seen | paid).items():
            if not fine.all():
                raise Wrong(f"{what} of {self.name} is not finite at step {int(np.argmin(fine))} of random play.")
        return "all that is seen, paid and emitted is finite."

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

    def _conservation(self) -> str:
        events = self.life.outcome.events
        if not self.s.kinds or "harvest" not in events:
            raise Skip(f"{self.name} does not harvest from a stock.")
        got = events["harvest"]
        kind = events.get("kind", np.zeros_like(got, int))
        by_kind = np.stack([np.where(kind == k, got, 0).sum(1) for k in range(len(self.s.kinds))], 1)
        bad = ((by_kind > self.life.stock[:, 0] * (1 + 1e-5)).any(1) | (got < 0).any(1)) & self.life.alive
        if bad.any():
            t = int(np.argmax(bad))
            raise Wrong(
                f"{by_kind[t]} units were harvested from {self.name} at step {t}, of {self.life.stock[t, 0]}; "
                "nobody can take what is not there (let it grow after the harvest)."
            )
        return "nobody harvests more than there is."

    def _scene(self) -> str:
        scene = jax.eval_shape(lambda key: self.s.scene(self.s.reset(key)), self.key)
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
        state = jax.jit(lambda key: self.s.reset(key))(self.key)
        rows = [np.asarray(x) for x in jax.tree.leaves(state) if x.ndim and x.shape[0] == self.n]
        if self.n < 2 or "view" in self.shapes["observe"] or any((row != row[:1]).any() for row in rows):
            raise Skip(f"agents of {self.name} start in different places, so swapping them proves nothing.")
        for seed, shift in ((1, 1), (2, self.n - 1), (3, 1)):
            keys = jax.random.split(jax.random.key(seed))
            action, turn = random_action(keys[0], self.s), np.roll(np.arange(self.n), shift)
            a = _payoff(self.s, keys[1], state, action)[turn]
            b = _payoff(self.s, keys[1], state, {h: x[turn] for h, x in action.items()})
            if not np.allclose(a, b, 1e-5, 1e-6):
                roles = [m for m in options(type(self.s)) if np.shape(getattr(self.s, m))[:1] == (self.n,)]
                if roles or isinstance(self.s, Governed):
                    raise Skip(f"agents of {self.name} have roles ({', '.join(roles) or 'by rule'}).")
                raise Wrong(
                    f"{self.name} treats agents differently: swapping what they do does not swap what they get."
                )
        return "swapping what agents do swaps what they get."

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
def _single(situation: Situation, key: PRNGKeyArray) -> Any:
    return brief(key, situation)


@eqx.filter_jit
def _many(situation: Situation, keys: Key[Array, " many"]) -> Any:
    return jax.vmap(lambda key: brief(key, situation))(keys)


@eqx.filter_jit
def _payoff(situation: Situation, key: PRNGKeyArray, state: Any, action: Action) -> Any:
    return situation.step(key, state, action)[1].payoff
