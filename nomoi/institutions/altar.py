"""Altar: an institution that classifies behaviour, and shows its content at a place (Trivedi et al. 2024)."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.layout import STEP

HIDDEN, PLACE, BROADCAST, DISTRACTOR, STALE = range(5)
LONG = 99  # steps: an age at which nothing is fresh any more


class Record(eqx.Module):
    """What the altar remembers.  K is the number of kinds; content k < K permits kind k, K forbids all.

    content [], locked [K]         the rule in force and the kinds that may not become it
    verdict, trace, age [n]        of each agent's last taking: was it a violation, which kind (K none), how long ago
    read, since [n]                content each agent last read (K + 1 never), and how long ago
    here [n], decoy []             who stands at the altar; what a distractor or stale altar shows
    """

    content: Int[Array, ""]
    locked: Bool[Array, " K"]
    verdict: Bool[Array, " n"]
    trace: Int[Array, " n"]
    age: Int[Array, " n"]
    read: Int[Array, " n"]
    since: Int[Array, " n"]
    here: Bool[Array, " n"]
    decoy: Int[Array, ""]


class Altar(Institution):
    """Says which kind of stock may be taken now; all other taking is a violation.

    The permitted kind changes when its stock falls below `threshold` of its capacity: the next is drawn among
    the kinds that are not locked, in proportion to their stock; a locked kind recovers at `recovery`.  When all
    are locked, everything is forbidden.  The altar pays and punishes nobody: it classifies, and whoever carries
    a violation shows it for `span` steps, so that others can act on it.

    Dilemma it addresses: punishing what one dislikes and punishing what is wrong look alike unless all can
    know what is wrong.  `display` decides who knows: nobody (hidden), whoever stands at the place drawn H (place),
    everybody (broadcast), or readers of a false altar: random content (distractor), or the first for ever (stale).
    Where there is no land, everybody stands at the altar.

    needs     events harvest and kind; stock
    emits     altar.violation [n] units taken against the rule; altar.violator [n] carries a violation now;
              altar.visit [n] arrivals; altar.right [n] steps in which the content held in mind is the true one;
              altar.ban [n] steps in which everything is forbidden
    senses    altar.mind [n, K + 10]: content last read (K + 2, one-hot: kinds, ban, never); read within 3 and
              within 10 steps; at the altar; the own visible trace as one knows it (permitted, prohibited, unknown;
              with raw sight its kind, K); age of the reading / 50, age of the trace / span
              altar.bearing [n, 2], where there is land: how far ahead and right the altar is, in tens of cells
    layers    altar (ground); on sites and on others' traces, relative to what the viewer last read: permitted,
              prohibited, unknown; with `sight` = raw, the kinds themselves
    memory    see Record
    """

    threshold: Float[Array, ""] = setting(0.4, "a kind below this share of its capacity is locked", "trial", "", 0, 1)
    recovery: Float[Array, ""] = setting(0.6, "a locked kind is free again at this share", "trial", "", 0, 1)
    span: Int[Array, ""] = setting(20, "steps for which a taking stays visible and punishable", "trial", "steps", 0, 98)
    display: Int[Array, ""] = choice(
        "place", ("hidden", "place", "broadcast", "distractor", "stale"), "who can read it"
    )
    distance: Int[Array, ""] = setting(2, "how near (in king's moves) one must come to read it", "trial", "cells", 0)
    sticky: Bool[Array, ""] = setting(True, "a later legal taking does not launder a violation", "trial")
    amnesty: Bool[Array, ""] = setting(True, "when the content changes, all verdicts and traces are erased", "trial")
    sight: str = size("relative", "relative (permitted, prohibited, unknown to the viewer) or raw (the kinds)", "trial")

    def __check_init__(self) -> None:
        if self.sight not in ("relative", "raw"):
            raise Refusal(f"altar.sight is {self.sight!r}; 'relative' or 'raw' would be right.")

    @property
    def sentence(self) -> str:
        knows = (
            "nobody can read it",
            "it can be read only at the altar",
            "everybody reads it at any time",
            "the altar shows something else at random",
            "the altar shows the first one for ever",
        )[int(self.display)]
        return f"One kind may be taken at a time, another when its stock runs low; {knows}."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("harvest", "kind", "stock")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "violation": Event("violation", "[n]", "units", "taken against the rule", True),
            "violator": Event("violator", "[n]", "steps", "carried a visible violation", True),
            "visit": Event("visit", "[n]", "visits", "arrived at the altar", True),
            "right": Event("right", "[n]", "steps", "held the true content in mind", True),
            "ban": Event("ban", "[n]", "steps", "lived under a ban on everything", True),
        }

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Record:
        n, k = situation.agents, len(situation.kinds)
        scene = situation.scene(state)
        if scene is not None and not scene.land.mask("H").any():
            raise Refusal(f"altar needs a place drawn H on the map, and {scene.land.name} has none.")
        content = jax.random.randint(key, (), 0, k)
        never = jnp.full(n, LONG, jnp.int32)
        nobody = jnp.zeros(n, bool)
        record = Record(
            content, jnp.zeros(k, bool), nobody, jnp.full(n, k, jnp.int32), never,
            jnp.full(n, k + 1, jnp.int32), never, nobody, content,
        )  # fmt: skip
        return self._read(record, situation, state)

    def settle(
        self, key: PRNGKeyArray, memory: Record, situation: Situation, state: State, action: Action, outcome: Outcome
    ) -> tuple[Record, State, Outcome]:
        k = len(situation.kinds)
        taken, kind = outcome.events["harvest"], outcome.events["kind"]
        wrong = (taken > 0) & (kind != memory.content)
        memory = self._judge(memory, taken > 0, wrong, kind)
        violator = memory.verdict & (memory.age <= self.span)
        if "zap" in outcome.events:
            memory = _clear(memory, (outcome.events["zap"] > 0).any(0), k)

        draws = jax.random.uniform(key, (3,))
        memory = self._rule(memory, situation.stock(state), situation.capacity(), draws)
        before = memory.here
        memory = self._read(memory, situation, state)

        n = situation.agents
        facts = {
            "violation": jnp.where(wrong, taken, 0.0),
            "violator": violator,
            "visit": memory.here & ~before,
            "right": memory.read == memory.content,
            "ban": jnp.broadcast_to(memory.content == k, (n,)),
        }
        facts = {f"{self.name}__{name}": value.astype(jnp.float32) for name, value in facts.items()}
        return memory, state, outcome.pay(jnp.zeros(n), **facts)

    def _judge(self, m: Record, took: Array, wrong: Array, kind: Array) -> Record:
        """Verdicts are given at the moment of taking, so that a later switch makes nobody guilty."""
        older = jnp.minimum(m.age + 1, LONG)
        carried = self.sticky & m.verdict & (m.age < self.span) & ~wrong
        fresh = took & ~carried
        return eqx.tree_at(
            lambda r: (r.verdict, r.trace, r.age),
            m,
            (jnp.where(fresh, wrong, m.verdict), jnp.where(fresh, kind, m.trace), jnp.where(fresh, 0, older)),
        )

    def _rule(self, m: Record, stock: Array, capacity: Array, draws: Array) -> Record:
        """Lock, unlock, and redraw the content where the kind it permits is locked."""
        k = len(stock)
        locked = (stock < self.threshold * capacity) | (m.locked & (stock < self.recovery * capacity))
        redraw = jnp.append(locked, True)[m.content]
        weight = jnp.cumsum(jnp.where(locked, 0.0, stock))
        drawn = jnp.where(weight[-1] > 0, (draws[0] * weight[-1] >= weight).sum(), k)
        content = jnp.where(redraw, jnp.minimum(drawn, k), m.content).astype(jnp.int32)
        # a distractor redraws among the kinds about every 15 steps (the tempo of a true one, trial)
        random = jnp.minimum((draws[1] * k).astype(jnp.int32), k - 1)
        renew = (self.display == DISTRACTOR) & (draws[2] < 1 / 15)
        decoy = jnp.where(renew, random, m.decoy)
        switched = content != m.content
        m = eqx.tree_at(lambda r: (r.content, r.locked, r.decoy), m, (content, locked, decoy))
        return _clear(m, self.amnesty & switched, k)

    def _read(self, m: Record, situation: Situation, state: State) -> Record:
        n = situation.agents
        near = jnp.ones(n, bool) & situation.present(state)
        scene = situation.scene(state)
        if scene is not None:
            steps = jnp.asarray(_distance(scene.land.mask("H"), scene.land.height, scene.land.width))
            near = near & (steps[scene.body.cell] <= self.distance)
        false = (self.display == DISTRACTOR) | (self.display == STALE)
        shown = jnp.where(false, m.decoy, m.content)
        reads = jnp.where(self.display == BROADCAST, True, near & (self.display != HIDDEN))
        read = jnp.where(reads, shown, m.read)
        since = jnp.where(reads, 0, jnp.minimum(m.since + 1, LONG))
        return eqx.tree_at(lambda r: (r.read, r.since, r.here), m, (read, since, near))

    def layers(self, memory: Record, scene: Scene) -> Scene:
        if scene.goods is None:
            return scene
        k = len(memory.locked)
        kinds, read, trace = np.arange(k), memory.read[:, None], memory.trace
        fresh = (memory.age <= self.span) & (trace < k)
        ground = {self.name: scene.land.mask("H")}
        if self.sight == "raw":
            labels = {f"{self.name}.kind.{j}": jnp.asarray(kinds == j) for j in range(k)}
            bodies = {f"{self.name}.trace.{j}": fresh & (trace == j) for j in range(k)}
            return scene.add(ground, labels=labels, bodies=bodies)

        def words(legal: Array) -> dict[str, Array]:
            """Layers that say, in each viewer's eyes, whether what is legal to it [n, _] may be taken."""
            known = jnp.broadcast_to(read <= k, legal.shape)
            return {"permitted": legal, "prohibited": known & ~legal, "unknown": ~known}

        return scene.add(
            ground,
            labels={f"{self.name}.{word}": layer for word, layer in words(kinds == read).items()},
            bodies={f"{self.name}.trace.{word}": fresh & layer for word, layer in words(trace == read).items()},
        )

    def inform(
        self, memory: Record, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        k = len(situation.kinds)
        mind = memory.read[:, None] == np.arange(k + 2)
        flags = jnp.stack([memory.since <= 3, memory.since <= 10, memory.here & (self.display != HIDDEN)], -1)
        own = (memory.age <= self.span) & (memory.trace < k)
        if self.sight == "raw":
            trace = own[:, None] & (memory.trace[:, None] == np.arange(k))
        else:
            known, legal = memory.read <= k, memory.trace == memory.read
            trace = own[:, None] & jnp.stack([legal, known & ~legal, ~known], -1)
        ages = jnp.stack([memory.since / 50, memory.age / jnp.maximum(self.span, 1)], -1)
        bits = jnp.concatenate([mind, flags, trace], -1).astype(jnp.float32)
        news = {"mind": jnp.concatenate([bits, jnp.minimum(ages, 2.0)], -1)}
        return news if scene is None else news | {"bearing": _bearing(scene)}


def _bearing(scene: Scene) -> Float[Array, "n 2"]:
    """How far ahead and how far right the altar's middle is, in tens of cells."""
    middle = np.stack(np.divmod(np.flatnonzero(scene.land.mask("H")), scene.land.width)).mean(1)
    row, col = jnp.divmod(scene.body.cell, scene.land.width)
    down, over = float(middle[0]) - row.astype(jnp.float32), float(middle[1]) - col.astype(jnp.float32)
    ahead = jnp.asarray(STEP, jnp.float32)[scene.body.facing]
    right = jnp.asarray(np.roll(STEP, -1, 0), jnp.float32)[scene.body.facing]
    steps = [down * way[:, 0] + over * way[:, 1] for way in (ahead, right)]
    return jnp.where(scene.body.here[:, None], jnp.stack(steps, -1) / 10, 0.0)


def _clear(m: Record, who: Bool[Array, "*n"], kinds: int) -> Record:
    """Verdict and trace of `who` are erased."""
    return eqx.tree_at(
        lambda r: (r.verdict, r.trace, r.age),
        m,
        (m.verdict & ~who, jnp.where(who, kinds, m.trace), jnp.where(who, LONG, m.age)),
    )


def _distance(place: np.ndarray, height: int, width: int) -> np.ndarray:
    """[cells] king's moves from each cell to the nearest cell of `place`."""
    row, col = np.divmod(np.arange(height * width), width)
    at = np.flatnonzero(place)
    return np.maximum(abs(row[:, None] - row[at]), abs(col[:, None] - col[at])).min(1).astype(np.int32)
