"""Altar: an institution that classifies behaviour, and shows its content at a place (Trivedi et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, choice, counted, outline, setting, size
from nomoi.core.measure import compliance
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene, bearing, distance
from nomoi.grid.words import uniform
from nomoi.institutions.marks import LONG, Marks, judged, marked

PERMITTED = 0
SOON = 50  # steps within which a change counts as read; ours
HIDDEN, PLACE, BROADCAST, DISTRACTOR, STALE = range(5)
BOTH, GOODS, DEEDS = range(3)


class Record(eqx.Module):
    """What the altar remembers.  K is the number of kinds; content k < K names kind k, K forbids all.

    content [], locked [K]         the rule in force and the kinds that may not become it
    marks                          what was last judged of each agent
    read, since [n]                content each agent last read (K + 1 never), and how long ago
    here [n], decoy []             who stands at the altar; what a distractor or stale altar shows
    heard []                       whether anybody has read since the content changed
    changed [], time []            when it last changed; steps so far
    """

    content: Int[Array, ""]
    locked: Bool[Array, " K"]
    marks: Marks
    read: Int[Array, " n"]
    since: Int[Array, " n"]
    here: Bool[Array, " n"]
    decoy: Int[Array, ""]
    heard: Bool[Array, ""]
    changed: Int[Array, ""]
    time: Int[Array, ""]


class Altar(Institution):
    """Says which kind may be taken now (or, with `names` = forbidden, which may not); the rest is a violation.

    The kind it names changes when its stock falls below `threshold` of its capacity: the next is drawn among
    the kinds that are not locked, in proportion to their stock; a locked kind recovers at `recovery`.  When all
    are locked, everything is forbidden.  With `term` it changes every so many steps instead.  The altar pays and
    punishes nobody: it classifies, and whoever carries a violation shows it for `span` steps, so that others can
    act on it.  What it judges is the event `on`, whose kind is the event `of`: takings, or colours worn.

    Dilemma it addresses: punishing what one dislikes and punishing what is wrong look alike unless all can
    know what is wrong.  `display` decides who knows: nobody (hidden), whoever stands at the place drawn H (place),
    everybody (broadcast), or readers of a false altar: random content (distractor), or the first for ever (stale).
    Where there is no land, everybody stands at the altar.

    needs     the events `on` and `of`; stock
    emits     altar.violation [n] units against the rule; altar.violator [n] carried a violation when beams struck;
              altar.marked [n] carries one after the step;
              altar.visit [n] arrivals; altar.right [n] steps in which the content held in mind is the true one;
              altar.ban [n] steps in which everything is forbidden
              altar.switch [n] changes of the content; altar.heard [n] those that anybody read within 50 steps
    senses    altar.mind [n, K + 10]: content last read (K + 2, one-hot: kinds, ban, never); read within 3 and
              within 10 steps; at the altar; the own visible trace as one knows it (permitted, prohibited, unknown;
              with raw sight, or both, its kind, K); age of the reading / 50, age of the trace / span
              altar.bearing [n, 2], where there is land: how far ahead and right the altar is, in tens of cells
    layers    altar (ground); on sites and on others' traces, relative to what the viewer last read: permitted,
              prohibited, unknown; with `sight` = raw, the kinds themselves, or both.  With `labels` = goods others'
              traces are not seen, with `labels` = deeds the kinds of goods are not (relative: all are unknown)
    memory    see Record
    """

    threshold: Float[Array, ""] = setting(0.4, "a kind below this share of its capacity is locked", "ours", "", 0, 1)
    recovery: Float[Array, ""] = setting(0.6, "a locked kind is free again at this share", "ours", "", 0, 1)
    span: Int[Array, ""] = setting(20, "steps for which a taking stays visible and punishable", "ours", "steps", 0, 98)
    on: str = size("harvest", "the event that is judged")
    of: str = size("kind", "the event that says of which kind it was")
    names: Int[Array, ""] = choice(
        "permitted",
        ("permitted", "forbidden"),
        "what the kind it names is",
        'the tutorial (Hadfield et al. 2024), "Altared Environments"',
    )
    content: Int[Array, ""] = setting(-1, "the kind it names first, counted from 0; -1 is drawn", "ours", "", -1)
    then: Int[Array, ""] = setting(-1, "the kind it names once its first term is over; -1 is drawn", "ours", "", -1)
    never: Int[Array, ""] = setting(-1, "a kind that is never drawn; -1 is none", "ours", "", -1)
    term: Int[Array, ""] = setting(0, "steps after which the content is drawn anew; 0 is by stock", "ours", "steps", 0)
    grace: Int[Array, ""] = setting(0, "first steps of an episode in which nothing is judged", "ours", "steps", 0)
    place: str = size("H", "the letter of its place on the map")
    display: Int[Array, ""] = choice(
        "place", ("hidden", "place", "broadcast", "distractor", "stale"), "who can read it"
    )
    distance: Int[Array, ""] = setting(2, "how near (in king's moves) one must come to read it", "ours", "cells", 0)
    sticky: Bool[Array, ""] = setting(True, "a later legal taking does not launder a violation", "ours")
    amnesty: Bool[Array, ""] = setting(True, "when the content changes, all verdicts and traces are erased", "ours")
    labels: Int[Array, ""] = choice(
        "both", ("both", "goods", "deeds"), "what a view tells the kind of: goods, what others last took, or both"
    )
    sight: str = size(
        "relative", "relative (permitted, prohibited, unknown to the viewer), raw (the kinds), or both", "ours"
    )

    def __check_init__(self) -> None:
        if len(self.place) != 1:
            raise Refusal(f"altar.place is {self.place!r}; one letter of the map, such as H, would be right.")
        if self.sight not in ("relative", "raw", "both"):
            raise Refusal(f"altar.sight is {self.sight!r}; 'relative', 'raw' or 'both' would be right.")

    @property
    def sentence(self) -> str:
        knows = (
            "nobody can read it",
            "it can be read only at the altar",
            "everybody reads it at any time",
            "the altar shows something else at random",
            "the altar shows the first one for ever",
        )[int(self.display)]
        what = "is forbidden" if int(self.names) else "may be taken"
        tempo = f"every {int(self.term)} steps" if int(self.term) else "when its stock runs low"
        return f"One kind {what} at a time, another {tempo}; {knows}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, self.of, "stock")

    def fits(self, situation: Situation) -> None:
        scene = outline(situation.bare).scene
        if scene is not None and not scene.land.mask(self.place).any():
            where = f"{scene.land.name} of {situation.name}"
            raise Refusal(f"{self.name} needs a place drawn {self.place} on the map, and {where} has none.")
        for option, kind in (("content", self.content), ("then", self.then), ("never", self.never)):
            if not isinstance(kind, jax.core.Tracer) and int(kind) >= len(situation.kinds):
                kinds = ", ".join(f"{k} {name}" for k, name in enumerate(situation.kinds))
                raise Refusal(f"altar.{option} is {int(kind)}, and {situation.name} has the kinds {kinds}.")
        on, of = situation.emits.get(self.on), situation.emits.get(self.of)
        if not (on and on.good and on.shape == "[n]"):
            raise Refusal(f"altar.on is {self.on!r}, which in {situation.name} is not an amount of each agent's doing.")
        if not of or of.good:
            raise Refusal(f"altar.of is {self.of!r}, which in {situation.name} does not say of which kind a thing is.")

    @property
    def emits(self) -> dict[str, Event]:
        return judged("the rule", counted(self.on)) | {
            "visit": Event("visit", "[n]", "visits", "arrived at the altar", True),
            "right": Event("right", "[n]", "steps", "held the true content in mind", True),
            "ban": Event("ban", "[n]", "steps", "lived under a ban on everything", True),
            "switch": Event("switch", "[n]", "changes", "lived through a change of the content", True),
            "heard": Event("heard", "[n]", "changes", "of a content that somebody read within 50 steps", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            compliance(self.name, short="compliance"),
            Measure("visits", "/100 steps", f"arrivals at the {self.name}, an agent",
                    lambda e: 100 * e.share("visit"), ("visit",), ("visit",), short="visits"),
            Measure("informed", "share", "agent-time with the true content in mind",
                    lambda e: e.share("right"), ("right",), ("right",), short="informed"),
            Measure("heard", "share", f"of the changes of the {self.name}, those that somebody read within 50 steps",
                    lambda e: e.ratio("heard", "switch"), ("heard", "switch"), ("switch",), short="heard"),
            Measure("ban", "share", "steps in which everything was forbidden",
                    lambda e: e.share("ban"), ("ban",), short="ban"),
            Measure("violations", "/1000 steps", "steps in the wrong colour, of 1000 steps in play",
                    lambda e: 1000 * e.ratio("violation", "worn"), ("violation", "worn"), alike=True,
                    short="violations"),
            marked(f"the {self.name}"),
        )  # fmt: skip

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Record:
        n, k = situation.agents, len(situation.kinds)
        drawn = jax.random.randint(key, (), 0, k)
        others = jax.random.randint(jax.random.fold_in(key, 1), (), 0, max(k - 1, 1))  # those that may be drawn
        drawn = jnp.where(self.never >= 0, jnp.where(others >= self.never, others + 1, others), drawn)
        content = jnp.where(self.content >= 0, self.content, drawn)
        never, nobody = jnp.full(n, LONG, jnp.int32), jnp.zeros(n, bool)
        record = Record(
            content, jnp.zeros(k, bool), Marks.blank(n, k), jnp.full(n, k + 1, jnp.int32), never, nobody, content,
            jnp.array(True), jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32),
        )  # fmt: skip
        return self._read(record, situation, state)

    def settle(
        self, key: PRNGKeyArray, memory: Record, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Record, State, Outcome]:  # fmt: skip
        k = len(situation.kinds)
        amount, kind = outcome.events[self.on], outcome.events[self.of]
        did = (amount > 0) & (memory.time >= self.grace)
        wrong = did & ~self._legal(memory.content, kind, k)
        marks = memory.marks.judge(did, wrong, kind, self.span, self.sticky)
        violator = marks.guilty(self.span)
        if "zap" in outcome.events:
            marks = marks.clear((outcome.events["zap"] > 0).any(0))
        memory = eqx.tree_at(lambda r: (r.marks, r.time), memory, (marks, memory.time + 1))

        draws = uniform(key, 3)
        memory = self._rule(memory, situation.stock(state), situation.capacity(), draws)
        before, changed = memory.here, memory.changed == memory.time
        memory = self._read(memory, situation, state)
        true = (self.display == PLACE) | (self.display == BROADCAST)
        read = (memory.here & (memory.since == 0)).any() & true
        news = read & ~memory.heard & (memory.time - memory.changed <= SOON)
        memory = eqx.tree_at(lambda r: r.heard, memory, memory.heard | read)

        n = situation.agents
        facts = {
            "violation": jnp.where(wrong, amount, 0.0),
            "violator": violator,
            "marked": memory.marks.guilty(self.span),
            "visit": memory.here & ~before,
            "right": memory.read == memory.content,
            "ban": jnp.broadcast_to(memory.content == k, (n,)),
            "switch": jnp.broadcast_to(changed, (n,)),
            "heard": jnp.broadcast_to(news, (n,)),
        }
        return memory, state, outcome.note(self, **facts)

    def _legal(self, content: Array, kind: Array, kinds: int) -> Array:
        """Whether a kind is legal under a content; no kind is where everything is forbidden."""
        named = content == kind
        return jnp.where(self.names == PERMITTED, named, ~named & (content != kinds))

    def _rule(self, m: Record, stock: Array, capacity: Array, draws: Array) -> Record:
        """Lock, unlock, and redraw the content where the kind it permits is locked, or its term is over."""
        k, timed = len(stock), self.term > 0
        short = (stock < self.threshold * capacity) | (m.locked & (stock < self.recovery * capacity))
        locked = short & ~timed
        over = m.time % jnp.maximum(self.term, 1) == 0
        redraw = jnp.where(timed, over, jnp.append(locked, True)[m.content])
        out = locked | (jnp.arange(k) == self.never)
        weight = jnp.cumsum(jnp.where(out, 0.0, jnp.where(timed, jnp.ones_like(stock), stock)))
        drawn = jnp.where(weight[-1] > 0, (draws[0] * weight[-1] >= weight).sum(), k)
        drawn = jnp.where(timed & (self.then >= 0), self.then, drawn)
        content = jnp.where(redraw, jnp.minimum(drawn, k), m.content).astype(jnp.int32)
        # a distractor redraws among the kinds about every 15 steps (the tempo of a true one in `Harvest`)
        random = jnp.minimum((draws[1] * k).astype(jnp.int32), k - 1)
        renew = (self.display == DISTRACTOR) & (draws[2] < 1 / 15)
        decoy = jnp.where(renew, random, m.decoy)
        switched = content != m.content
        marks = m.marks.clear(self.amnesty & switched)
        heard, changed = m.heard & ~switched, jnp.where(switched, m.time, m.changed)
        return eqx.tree_at(
            lambda r: (r.content, r.locked, r.decoy, r.marks, r.heard, r.changed), m,
            (content, locked, decoy, marks, heard, changed),
        )  # fmt: skip

    def _read(self, m: Record, situation: Situation, state: State) -> Record:
        n = situation.agents
        near = jnp.ones(n, bool) & situation.present(state)
        scene = situation.scene(state)
        if scene is not None:
            steps = jnp.asarray(distance(scene.land, self.place))
            near = near & (steps[scene.body.cell] <= self.distance)
        false = (self.display == DISTRACTOR) | (self.display == STALE)
        shown = jnp.where(false, m.decoy, m.content)
        reads = jnp.where(self.display == BROADCAST, True, near & (self.display != HIDDEN))
        read = jnp.where(reads, shown, m.read)
        since = jnp.where(reads, 0, jnp.minimum(m.since + 1, LONG))
        return eqx.tree_at(lambda r: (r.read, r.since, r.here), m, (read, since, near))

    def board(self, situation: Situation) -> tuple[str, ...]:
        line = ("only {} is allowed", "{} is forbidden")[int(self.names)]
        lines = [*(line.format(kind) for kind in situation.kinds), "everything is forbidden"]
        way = ("hidden: ", "", "", "at random: ", "unchanged: ")[int(self.display)]
        return tuple(way + text for text in lines)

    def posted(self, memory: Record) -> Int[Array, ""]:
        return jnp.where((self.display == DISTRACTOR) | (self.display == STALE), memory.decoy, memory.content)

    def layers(self, memory: Record, scene: Scene) -> Scene:
        if scene.goods is None:
            return scene
        k = len(memory.locked)
        kinds, read, trace = jnp.arange(k), memory.read[:, None], memory.marks.trace
        fresh = memory.marks.visible(self.span) & (self.labels != GOODS)
        told = self.labels != DEEDS
        ground = {self.name: scene.land.mask(self.place)}
        if self.sight != "relative":
            labels = {f"{self.name}.kind.{j}": told & (kinds == j) for j in range(k)}
            bodies = {f"{self.name}.trace.{j}": fresh & (trace == j) for j in range(k)}
            scene = scene.add(ground, labels=labels, bodies=bodies)
        if self.sight == "raw":
            return scene

        def words(legal: Array, told: Array) -> dict[str, Array]:
            """Layers that say, in each viewer's eyes, whether what is legal to it [n, _] may be taken."""
            known = jnp.broadcast_to(told & (read <= k), legal.shape)
            return {"permitted": known & legal, "prohibited": known & ~legal, "unknown": ~known}

        return scene.add(
            ground,
            labels={f"{self.name}.{word}": layer for word, layer in words(self._legal(read, kinds, k), told).items()},
            bodies={
                f"{self.name}.trace.{word}": fresh & layer
                for word, layer in words(self._legal(read, trace, k), jnp.array(True)).items()
            },
        )

    def inform(
        self, memory: Record, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        k = len(situation.kinds)
        mind = memory.read[:, None] == np.arange(k + 2)
        flags = jnp.stack([memory.since <= 3, memory.since <= 10, memory.here & (self.display != HIDDEN)], -1)
        marks, own = memory.marks, memory.marks.visible(self.span)
        if self.sight != "relative":
            trace = own[:, None] & (marks.trace[:, None] == np.arange(k))
        else:
            known, legal = memory.read <= k, self._legal(memory.read, marks.trace, k)
            trace = own[:, None] & jnp.stack([known & legal, known & ~legal, ~known], -1)
        ages = jnp.stack([memory.since / 50, marks.age / jnp.maximum(self.span, 1)], -1)
        bits = jnp.concatenate([mind, flags, trace], -1).astype(jnp.float32)
        news = {"mind": jnp.concatenate([bits, jnp.minimum(ages, 2.0)], -1)}
        return news if scene is None else news | {"bearing": bearing(scene.land, scene.body, self.place)}

    def words(self, situation: Situation, seen: Mapping[str, np.ndarray]) -> str:
        kinds, mind = situation.kinds, np.asarray(seen["mind"])
        k = len(kinds)
        read, trace = int(mind[: k + 2].argmax()), mind[k + 5 : -2]
        says = "is forbidden" if int(self.names) else "alone may be taken"
        told = [*(f"{kind} {says}" for kind in kinds), "nothing may be taken", ""][read]
        out = [f"The altar, as you last read it, says: {told}." if told else "You have not read the altar yet."]
        if trace.any():
            words = kinds if self.sight == "raw" else ("permitted", "prohibited", "of a kind you know nothing about")
            out.append(f"Others can see what you last took: it was {words[int(trace.argmax())]}.")
        if "bearing" in seen:
            ahead, right = (number(10 * x) for x in seen["bearing"])
            out.append(f"The altar is {ahead} cells ahead of you and {right} to the right.")
        return " ".join(out)
