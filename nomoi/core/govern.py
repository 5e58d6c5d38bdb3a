"""govern(situation, *institutions): a situation under rules is again a situation."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core.events import Event
from nomoi.core.institution import Institution, Memory
from nomoi.core.measure import Measure, declared
from nomoi.core.recast import Recast
from nomoi.core.situation import Action, Observation, Outcome, Situation, State
from nomoi.errors import Refusal, nearest
from nomoi.grid.scene import Scene


class Polity(eqx.Module):
    """State of a governed situation: the world, what each institution remembers, and how often it convened."""

    world: Any
    memory: tuple[Any, ...]
    sittings: Int[Array, ""]


def choose(test: Bool[Array, ""], new: Any, old: Any) -> Any:
    """`new` where `test` holds, else `old`, leaf by leaf."""
    return jax.tree.map(lambda a, b: a if a is b else jnp.where(test, a, b), new, old)


class Governed(Recast):
    """A situation under institutions, which act in the order they were given.

    The world receives the same random key governed or not, and each institution folds its own key in from
    its name, so runs under different rules are paired seed by seed.
    """

    institutions: tuple[Institution, ...] = ()

    def inner(self, state: Polity) -> State:
        return state.world

    @property
    def bare(self) -> Situation:
        return self.situation

    @property
    def actions(self) -> dict[str, int]:
        asked = {f"{i.name}.{h}": k for i in self.institutions for h, k in i.heads(self.situation).items()}
        return self.situation.actions | asked

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        added = {f"{i.name}.{h}": c for i in self.institutions for h, c in i.choices(self.situation).items()}
        return self.situation.choices | added

    def words(self, seen: Mapping[str, Any], role: str) -> str:
        """What the world tells, and then each institution in force; one that is not tells nothing but zeros."""
        told: list[str] = [self.situation.words({k: v for k, v in seen.items() if "." not in k}, role)]
        for i in self.institutions:
            own = {k.removeprefix(f"{i.name}."): v for k, v in seen.items() if k.startswith(f"{i.name}.")}
            if own and np.all(i.in_force):
                told.append(i.words(self.situation, own))
        return "\n".join(filter(None, told))

    @property
    def emits(self) -> dict[str, Event]:
        added = {f"{i.name}.{e}": _titled(event, i) for i in self.institutions for e, event in i.emits.items()}
        return self.situation.emits | added

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (*self.situation.measures, *(m for i in self.institutions for m in declared(i)))

    @property
    def offers(self) -> frozenset[str]:
        return self.situation.offers | frozenset(self.emits)

    def reset(self, key: PRNGKeyArray) -> Polity:
        world = self.situation.reset(key)
        memory = tuple(i.found(_own(key, i), self.situation, world) for i in self.institutions)
        return Polity(world, memory, jnp.zeros((), jnp.int32))

    def held(self, state: Polity) -> Bool[Array, ""]:
        able = [self._holds(i, m) for i, m in self._acting(state) if type(i).holds is not Institution.holds]
        return jnp.array(able).any() if able else jnp.array(False)

    def _acting(self, state: Polity) -> list[tuple[Institution, Memory]]:
        """The institutions as they act now, with what each remembers: those that a later one annuls are `annulled`."""
        every = list(zip(self.institutions, state.memory, strict=True))
        judges = [(k, j, m) for k, (j, m) in enumerate(every) if type(j).annuls is not Institution.annuls]
        out = []
        for place, (i, m) in enumerate(every):
            for k, judge, mind in judges:
                if k > place:
                    i = choose(judge.in_force & judge.annuls(mind, i), i.annulled, i)
            out.append((i, m))
        return out

    def _holds(self, institution: Institution, memory: Memory) -> Bool[Array, ""]:
        return institution.holds(memory) & institution.in_force

    @property
    def lots(self) -> int:
        """Those of the world; not declared where an institution leaves something to chance as well."""
        return 0 if any(i.chance(self.situation) for i in self.institutions) else self.situation.lots

    def odds(self, state: Polity, action: Action) -> Float[Array, " lots"]:
        return self.situation.odds(state.world, self._permitted(state, action))

    def step(self, key: PRNGKeyArray, state: Polity, action: Action) -> tuple[Polity, Outcome]:
        return self._turn(key, state, action, lambda own: self.situation.step(key, state.world, own))

    def by_lot(self, lot: Int[Array, ""], state: Polity, action: Action) -> tuple[Polity, Outcome]:
        key = jax.random.key(0)  # nothing depends on it, or `lots` would be 0
        return self._turn(key, state, action, lambda own: self.situation.by_lot(lot, state.world, own))

    def _turn(
        self, key: PRNGKeyArray, state: Polity, action: Action, play: Callable[[Action], tuple[State, Outcome]]
    ) -> tuple[Polity, Outcome]:
        """A step in which the world does what `play` says."""
        held, allowed = self.held(state), self._permitted(state, action)
        world, outcome = self._world_step(state, held, play(allowed))
        memory = []
        for i, m in self._acting(state):
            # While one institution convenes, the others' clocks stand still too.
            acts = i.in_force & (~held | self._holds(i, m))
            # The clock stands still while they convene, so sittings tell those steps apart; a step of play gets
            # the key it would have had without any, and so what is drawn in it stays paired too.
            own = _own(key, i, jnp.where(held, state.sittings + 1, 0))
            new, after, settled = i.settle(own, m, self.situation, world, action, allowed, outcome)
            memory.append(choose(acts, new, m))
            world = choose(acts, after, world)
            outcome = _settled(acts, _booked(settled, outcome), outcome)
        return Polity(world, tuple(memory), state.sittings + held.astype(jnp.int32)), outcome

    def _permitted(self, state: Polity, action: Action) -> Action:
        """What of the agents' answers reaches the world."""
        own = {h: action[h] for h in self.situation.actions}
        for i, m in self._acting(state):
            own = choose(i.in_force, i.permit(m, self.situation, state.world, own), own)
        return own

    def _world_step(self, state: Polity, held: Bool[Array, ""], played: tuple[State, Outcome]) -> tuple[State, Outcome]:
        """The world after what was played, or, while an institution convenes, as it was."""
        world, outcome = played
        if all(type(i).holds is Institution.holds for i in self.institutions):
            return world, outcome  # nobody ever convenes
        nothing = jax.tree.map(jnp.zeros_like, outcome)
        return choose(~held, world, state.world), choose(~held, outcome, nothing)

    def scene(self, state: Polity) -> Scene | None:
        scene = self.situation.scene(state.world)
        if scene is None:
            return None
        for i, m in self._acting(state):
            scene = scene.veil(i.layers(m, scene), i.in_force)
        return scene

    def senses(self, state: Polity) -> Observation:
        return self._informed(state, self.scene(state), self.situation.senses(state.world))

    def observe(self, state: Polity) -> Observation:
        scene = self.scene(state)
        seen = {} if scene is None else {"view": scene.view()}
        return seen | self._informed(state, scene, self.situation.senses(state.world))

    def _informed(self, state: Polity, scene: Scene | None, told: Observation) -> Observation:
        for i, m in self._acting(state):
            news = i.inform(m, self.situation, state.world, scene, told)
            told = told | {f"{i.name}.{k}": jnp.where(i.in_force, v, jnp.zeros_like(v)) for k, v in news.items()}
        return told

    def present(self, state: Polity) -> Bool[Array, " n"]:
        return self.situation.present(state.world)

    def asked(self, state: Polity) -> dict[str, Bool[Array, " n"]]:
        present, held = self.present(state), self.held(state)
        out = {h: a & ~held for h, a in self.situation.asked(state.world).items()}
        for i, m in self._acting(state):
            heads = dict.fromkeys(i.heads(self.situation), present)
            acts = i.in_force & (~held | self._holds(i, m))
            out |= {f"{i.name}.{h}": a & acts for h, a in (heads | i.asked(m, present)).items()}
        return out

    def aim(self, state: Polity) -> Bool[Array, "n n"]:
        return self.situation.aim(state.world)

    def remove(self, state: Polity, who: Bool[Array, " n"], steps: Int[Array, ""]) -> Polity:
        return Polity(self.situation.remove(state.world, who, steps), state.memory, state.sittings)

    def at(self, progress: Float[Array, ""]) -> Governed:
        return Governed(self.situation.at(progress), tuple(i.at(progress) for i in self.institutions))


def _titled(event: Event, institution: Institution) -> Event:
    """The event of an institution; a title of its own leaves no room for short names."""
    return event if institution.untitled else dataclasses.replace(event, short="")


def _own(key: PRNGKeyArray, institution: Institution, sitting: Int[Array, ""] | int = 0) -> PRNGKeyArray:
    """The key of an institution, made of the world's key and its name; each `sitting` has another.

    The words of the key are changed by arithmetic alone (one to one, so that different keys stay different)
    because `fold_in` would take longer than most institutions take to act.  What is drawn from keys that differ
    in any bit is independent, by the design of the generator.
    """
    words = jax.random.key_data(key)
    salt = hashlib.blake2b(institution.name.encode(), digest_size=4 * words.shape[-1]).digest()
    odd = jnp.uint32(0x9E3779B9)
    words = (words + odd * jnp.asarray(sitting).astype(jnp.uint32)) ^ np.frombuffer(salt, "<u4").astype(np.uint32)
    return jax.random.wrap_key_data(words, impl=jax.random.key_impl(key))


def _settled(acts: Bool[Array, ""], new: Outcome, old: Outcome) -> Outcome:
    """`new` where the institution acts; elsewhere `old`, with its added events at zero."""
    blank = {name: jnp.zeros_like(new.events[name]) for name in new.events if name not in old.events}
    return choose(acts, new, dataclasses.replace(old, events=old.events | blank))


def _booked(new: Outcome, old: Outcome) -> Outcome:
    """`new`, in which an institution has paid, with what it paid entered into the accounts of `old`."""
    if new.transfer is old.transfer:  # it pays nothing, ever
        return dataclasses.replace(new, moved=old.moved, made=old.made, burnt=old.burnt)
    paid = new.transfer - old.transfer
    # What is shared out evenly does not add up to the last bit.  What is within rounding of nothing, beside what is at
    # stake in this step and one unit of reward, is nothing: it would grow into a sum over thousands of steps.
    stake = 1 + (jnp.abs(old.reward) + jnp.abs(old.transfer) + jnp.abs(paid)).sum()
    dust = 4 * paid.size * np.finfo(np.float32).eps * stake
    given, taken = jnp.maximum(paid, 0.0).sum(), jnp.maximum(-paid, 0.0).sum()
    moved = jnp.minimum(given, taken)
    net = jnp.where(jnp.abs(given - taken) > dust, given - taken, 0.0)
    return dataclasses.replace(
        new,
        moved=old.moved + jnp.where(moved > dust, moved, 0.0),
        made=old.made + jnp.maximum(net, 0.0),
        burnt=old.burnt + jnp.maximum(-net, 0.0),
    )


def govern(situation: Situation, *institutions: Institution) -> Situation:
    """Put institutions on a situation.

    `govern(s)` is `s`; `govern(govern(s, a), b)` equals `govern(s, a, b)`.  Refuses, in a sentence that names
    both, an institution that needs what the situation (with the institutions before it) does not offer, and
    two institutions of one name.
    """
    if not institutions:
        return situation
    if isinstance(situation, Governed):
        return govern(situation.situation, *situation.institutions, *institutions)
    twice = [n for n, k in Counter(i.name for i in institutions).items() if k > 1]
    if twice:
        raise Refusal(f"two institutions are called {twice[0]!r}; give one of them another title.")
    for place, institution in enumerate(institutions):
        before = Governed(situation, institutions[:place]) if place else situation
        for need in institution.needs:
            if need not in before.offers:
                raise Refusal(
                    f"{institution.name} needs {need!r}, which {situation.name}"
                    f"{' with what governs it so far' if place else ''} does not offer; "
                    + nearest(
                        need,
                        before.offers,
                        called=f"{type(institution).__name__.lower()}(on={{}})"
                        * (getattr(institution, "on", "") == need),
                        instead=[e for e, event in before.emits.items() if event.good],
                        later={f"{i.name}.{e}": i.name for i in institutions[place + 1 :] for e in i.emits},
                    )
                )
        if situation.agents < institution.least:
            few = f"{institution.least} agents, and {situation.name} has {situation.agents}"
            raise Refusal(f"{institution.name} needs at least {few}.")
        institution.fits(before)
    return Governed(situation, tuple(institutions))
