"""Checks of an institution, on a situation that it fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PRNGKeyArray

from nomoi import catalogue
from nomoi.core import Governed, Institution, Polity, Situation, choose, govern, outline
from nomoi.core.settings import options
from nomoi.core.worlds import step
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.testing.common import PATIENCE, Check, Wrong, ask, card, glimpse, mismatches, random_action
from nomoi.testing.measured import measured
from nomoi.testing.situation import Bench

SHORT = 40  # steps: the horizon that checks ask of the situations they choose themselves


class Seat(Bench):
    """An institution under test: the last of those that govern a situation."""

    s: Governed

    def __init__(self, governed: Governed):
        super().__init__(governed)
        self.i = governed.institutions[-1]
        self.name = f"{governed.name} under {' and '.join(i.name for i in governed.institutions)}"

    def questions(self) -> dict[str, Any]:
        """Those of a situation that an institution could spoil, and its own."""
        all_ = super().questions()
        kept = (
            "asked", "observe", "outcome", "events", "measures", "strict types", "pure", "vmap", "ends", "finite",
            "chance",
        )  # fmt: skip
        return {name: all_[name] for name in kept} | {"identity": self._identity, "reward": self._reward}

    def run(self) -> Iterator[Check]:
        """First what can be said of the hooks one by one, before all of them run together."""
        own = {"names": self._names, "permit": self._permit, "memory": self._memory}
        well = True
        for name, question in own.items():
            yield (one := ask(name, question))
            well = well and one.passed is not False
        if well:
            yield from super().run()

    @cached_property
    def tale(self) -> Tale:
        steps = min(self.s.horizon, 500) + PATIENCE
        return jax.tree.map(np.asarray, watch(self.s, self.key, steps))

    def _names(self) -> str:
        heads, s = self.i.heads(self.s.situation), self.s.situation
        for word in (*heads, *self.i.emits, self.i.name):
            if "." in word:
                raise Wrong(
                    f"{self.i.name} says {word!r}; leave the dot out, govern puts the institution's name before it."
                )
        asked = jax.eval_shape(lambda key: self._found(key)[0], self.key)
        for head in jax.eval_shape(lambda m: self.i.asked(m, jnp.ones(s.agents, bool)), asked):
            if head not in heads:
                raise Wrong(
                    f"{self.i.name}.asked names the head {head!r}, which is not among its heads: {sorted(heads)}."
                )
        return f"heads {sorted(heads)}, events {sorted(self.i.emits)}."

    def _measures(self) -> str:
        return measured(self.s, self.i)

    def _found(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        state = self.s.reset(key)
        return state.memory[-1], state.world

    def _memory(self) -> str:
        def before_and_after(key: PRNGKeyArray) -> tuple[Any, Any]:
            memory, _ = self._found(key)
            situation, action = _without(self.s), random_action(key, self.s)
            own = {h: action[h] for h in situation.actions}
            state, outcome = situation.step(key, _bare(situation, self.s.reset(key)), own)
            world = state.world if situation.institutions else state
            let = {h: action[h] for h in self.s.situation.actions}
            return memory, self.i.settle(key, memory, self.s.situation, world, action, let, outcome)[0]

        wrong = mismatches(*jax.eval_shape(before_and_after, self.key))
        if wrong:
            raise Wrong(f"the memory of {self.i.name} changes in settle ({wrong[0]}); keep its structure and types.")
        return "the memory keeps its structure, shapes and types."

    def _permit(self) -> str:
        def before_and_after(key: PRNGKeyArray) -> tuple[Any, Any]:
            memory, world = self._found(key)
            action = random_action(key, self.s.situation)
            return action, self.i.permit(memory, self.s.situation, world, action)

        before, after = jax.eval_shape(before_and_after, self.key)
        wrong = mismatches(before, after)
        if wrong:
            raise Wrong(
                f"{self.i.name}.permit changes the kind of an action ({wrong[0]}); keep heads, shapes and types."
            )
        return "permit keeps the heads."

    def _identity(self) -> str:
        for what, same in self.tale.identity.items():
            if not same.all():
                t = int(np.argmin(same))
                raise Wrong(
                    f"with in_force false, {self.name} differs in {what} at step {t}; where it is not in force an "
                    "institution must change nothing, so keep its marks in new layers and let govern switch it."
                )
        return "where it is not in force, nothing changes, bit for bit in one program."

    def _reward(self) -> str:
        if not self.tale.reward.all():
            t = int(np.argmin(self.tale.reward))
            raise Wrong(
                f"{self.i.name} changes the reward at step {t}; pay through the transfer (outcome.pay) instead."
            )
        return "the reward stays what the world gave."


class Tale(eqx.Module):
    """A governed episode beside the same steps without the institution; every leaf is [T] bool.

    identity  what stayed the same while it was not in force;  reward  the reward in force was the world's own
    """

    identity: dict[str, Bool[Array, ...]]
    reward: Bool[Array, ...]


@eqx.filter_jit
def watch(governed: Governed, key: PRNGKeyArray, steps: int) -> Tale:
    """Both are computed in one program from the same state, so equality is exact and no float dust can pile up.

    From one program to another, as from a governed situation to a bare one, only equality within dust is promised.
    """
    off = eqx.tree_at(lambda g: g.institutions[-1].in_force, governed, jnp.array(False))
    before = _without(governed)
    born, playing, acting = jax.random.split(key, 3)

    def tick(carry: tuple[Polity, Polity, Array], t: Array) -> tuple[tuple[Polity, Polity, Array], Tale]:
        on_state, off_state, clock = carry
        at = (playing, clock)
        action = random_action(jax.random.fold_in(acting, t), governed)

        without, _, plain = step(before, *at, _bare(before, off_state), {h: action[h] for h in before.actions})
        off_next, _, idle = step(off, *at, off_state, action)
        identity = {
            "the world": _same(_bare(before, off_next), without),
            "the reward": _same(idle.reward, plain.reward),
            "the transfer": _same(idle.transfer, plain.transfer),
            "the end": _same(idle.done, plain.done),
            "the events": _same({e: idle.events[e] for e in plain.events}, plain.events),
            "its own memory": _same(off_next.memory[-1], off_state.memory[-1]),
            "what agents sense": _same(
                {k: off.senses(off_next)[k] for k in before.senses(without)}, before.senses(without)
            ),
            "what agents see": _same_view(off.scene(off_next), before.scene(without)),
        }

        own = {h: action[h] for h in governed.situation.actions}
        for i, m in zip(governed.institutions, on_state.memory, strict=True):
            own = choose(i.in_force, i.permit(m, governed.situation, on_state.world, own), own)
        held = governed.held(on_state)
        raw = step(governed.situation, *at, on_state.world, own)[2].reward
        on_next, later, outcome = step(governed, *at, on_state, action)
        reward = _same(outcome.reward, jnp.where(held, 0.0, raw))
        return (on_next, off_next, later), Tale(identity, reward)

    start = (governed.reset(born), off.reset(born), jnp.zeros((), jnp.int32))
    return jax.lax.scan(tick, start, jnp.arange(steps))[1]


def _without(governed: Governed) -> Situation:
    """The same situation without the last institution."""
    return govern(governed.situation, *governed.institutions[:-1])


def _bare(before: Situation, state: Polity) -> Any:
    """The state without the last institution's memory."""
    return Polity(state.world, state.memory[:-1], state.sittings) if before.institutions else state.world


def _same(a: Any, b: Any) -> Bool[Array, ""]:
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return jnp.array([_alike(x, y) for x, y in pairs]).all()


def _alike(x: Any, y: Any) -> Bool[Array, ""]:
    """Equal; floats within dust, since a compiler may fuse the same sum otherwise beside other sums."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.shape != y.shape or not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.array_equal(x, y)
    return jnp.allclose(x, y, rtol=1e-5, atol=1e-6, equal_nan=True)


def _same_view(new: Scene | None, old: Scene | None) -> Bool[Array, ""]:
    """Every plane of the old scene looks the same in the new one, whichever bit it has there."""
    if new is None or old is None:
        return jnp.array((new is None) == (old is None))
    if missing := set(old.planes) - set(new.planes):
        raise Wrong(f"the plane {min(missing)!r} is gone from the scene; `layers` must only add (scene.add).")
    a, b = new.view().astype(jnp.uint32), old.view().astype(jnp.uint32)
    bit = {name: ((a >> new.planes.index(name)) & 1, (b >> old.planes.index(name)) & 1) for name in old.planes}
    added = [(a >> new.planes.index(name)) & 1 for name in new.planes if name not in old.planes]
    return jnp.array([(x == y).all() for x, y in bit.values()] + [(x == 0).all() for x in added]).all()


def seats(institution: Institution, among: Iterable[Situation] = ()) -> list[Governed]:
    """The institution on one situation with a scene and on one without, as far as some fit.

    `among` is tried before the situations of the catalogue; where it does not fit alone, it is tried after each
    of the institutions of the catalogue.  Where it fits nowhere, raises `Wrong` with the refusals.
    """
    among = list(among)
    built_in = [] if among else [_short(cls) for cls in catalogue.situations().values()]
    others = [cls() for cls in catalogue.institutions().values() if cls is not type(institution)]
    found: dict[bool, Governed] = {}
    refused: list[str] = []
    for situation in (*among, *built_in):
        for before in ((), *((other,) for other in others)):
            try:
                governed = govern(situation, *before, institution)
                scene = outline(governed).scene
            except Refusal as refusal:
                refused += [] if before else [str(refusal)]
                continue
            assert isinstance(governed, Governed)
            found.setdefault(scene is not None, governed)
            break
    if not found:
        raise Wrong(f"{institution.name} fits no situation: {' '.join(refused)}")
    return list(found.values())


def _short(cls: type[Situation]) -> Situation:
    made = cls()
    return made.replace(horizon=min(made.horizon, SHORT)) if "horizon" in options(cls) else made


def words(governed: Governed) -> tuple[str, ...]:
    """What the card of the last institution must speak of."""
    i, s = governed.institutions[-1], governed.situation
    shapes = jax.eval_shape(lambda key: glimpse(key, governed), jax.random.key(0))
    memory = jax.tree.leaves(shapes["reset"].memory[-1])
    senses = [name for name in shapes["observe"] if name.startswith(f"{i.name}.")]
    told = {"needs": i.needs, "heads": i.heads(s), "emits": i.emits, "senses": senses, "memory": memory}
    return tuple(word for word, there in told.items() if there)


def check_institution(institution: Institution, among: Iterable[Situation] = ()) -> Iterator[Check]:
    """All checks, on every kind of situation that it fits; where these are several, a check's name says on which."""
    fits: list[Governed] = []

    def needs() -> str:
        fits.extend(seats(institution, among))
        return "; ".join(f"fits {Seat(g).name}" for g in fits) + "."

    yield ask("needs", needs)
    well = bool(fits)
    for governed in fits:
        for one in Seat(governed).run():
            yield one._replace(name=f"{one.name}, on {governed.name}") if len(fits) > 1 else one
            well = well and one.passed is not False
    if well:
        yield ask("card", lambda: card(type(institution), words(fits[0])))
