"""Bench: the members of a forum decide about its posts by rules that they passed, and by what was decided before."""

from __future__ import annotations

import itertools
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, choice, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.words import uniform
from nomoi.situations.moderation import bits
from nomoi.voices import aggregates

NONE, EVER = -1, 2**30  # no verdict, rule or precedent; a time after all others
NARROW = 10_000  # how much more a rule of one mark more weighs than a later one: more than are ever passed
DUST = 1e-6  # worth that is nothing: float dust


class Practice(eqx.Module):
    """What the bench goes by.

    rules      which [R] the class of posts (-1 none), verdict [R], since [R] the step from which it is in force,
               serial [R] 0 for the first that was passed
    precedent  [posts] the first verdict on a post that no rule covered, -1 none
    time []    steps so far
    """

    which: Int[Array, " R"]
    verdict: Int[Array, " R"]
    since: Int[Array, " R"]
    serial: Int[Array, " R"]
    precedent: Int[Array, " posts"]
    time: Int[Array, ""]


class Bench(Institution):
    """Members decide about posts: by rules over classes of posts, by precedents, and in what is left by a default.

    A class is all posts with one mark, or with two.  Before the first post, and again every `period` steps, a member
    drawn by lot proposes the rule that would bring it most, and it passes if more than `majority` of the members gain
    by it over all posts.  Of rules that cover a post the narrower prevails, then the later.  What none covers goes as
    the nearest precedent within `radius` marks; without one a panel makes it, or, where there are no precedents, the
    post is kept, or all are asked for their median (`gap`).  Members vote as they say they wish.  No rule, all asked:
    then it is the median of its members, and every other knob is off at its default.

    needs     post, verdict, appealed, wish: what moderation emits
    emits     bench.decision [n] the verdict (-1 where it did not hear the case); bench.judged [n], bench.decided
              [n], bench.lawful [n], bench.reversed [n] of the moderator; bench.passed [n] rules passed in play
    senses    bench.law [n, 4] the text on the present post, where `public`: of each verdict how strong the strongest
              rule for it is, and whether removal is barred; else 0
    memory    see Practice

    >>> from nomoi import govern
    >>> from nomoi.institutions.bench import Bench
    >>> from nomoi.situations.moderation import Moderation
    >>> govern(Moderation(), Bench()).actions
    {'verdict': 3, 'appeal': 2}
    """

    rules: int = size(6, "most rules that hold together; a later one ends the oldest", "ours", low=1, high=100)
    proposals: Int[Array, ""] = setting(40, "proposals before the first post; 0 is no rule", "ours", "", 0)
    majority: Float[Array, ""] = setting(0.5, "share of members of whom more must gain", "ours", "", 0, 1)
    gap: Array = choice("keep", ("keep", "ask"), "what holds where no rule and no precedent does", "ours")
    radius: Int[Array, ""] = setting(-1, "marks in which a precedent may differ; -1 is no precedents", "ours", "", -1)
    panel: Int[Array, ""] = setting(5, "members who make a precedent; 0 is all", "ours", "", 0)
    cases: Int[Array, ""] = setting(0, "cases heard before the first post", "ours", "", 0)
    rights: Bool[Array, ""] = setting(False, "whether a post with the third but last mark is never removed, unless it "
                                      "has the second", "ours")  # fmt: skip
    local: Bool[Array, ""] = setting(False, "whether the smallest group decides alone on posts with the last mark",
                                     "ours")  # fmt: skip
    noise: Float[Array, ""] = setting(0.0, "chance that a decision is drawn at random", "ours", "", 0, 1)
    period: Int[Array, ""] = setting(0, "steps from one meeting in play to the next; 0 is never", "ours", "steps", 0)
    delay: Int[Array, ""] = setting(0, "steps from passing a rule in play until it holds", "ours", "steps", 0)
    audit: Float[Array, ""] = setting(1.0, "chance that it hears a case unasked", "ours", "", 0, 1)
    petition: Float[Array, ""] = setting(0.1, "share of members whose appeals bring a case before it", "ours", "", 0, 1)
    binds: Bool[Array, ""] = setting(False, "whether members get what a reversed verdict would have brought", "ours")
    public: Bool[Array, ""] = setting(True, "whether the moderator is told the rules on the present post", "ours")

    @property
    def sentence(self) -> str:
        gap = "kept" if int(self.gap) == 0 else "decided by the median of all"
        rest = "go as the nearest precedent" if int(self.radius) >= 0 else f"are {gap}"
        rules = "rules that more than {:.0%} of members gain by" if int(self.proposals) else "no rule"
        return f"Members decide about posts by {rules.format(float(self.majority))}; other posts {rest}."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("post", "verdict", "appealed", "wish")

    def fits(self, situation: Situation) -> None:
        for what in ("posts", "said", "groups", "chances"):
            if not hasattr(situation.bare, what):
                raise Refusal(f"{self.name} decides about posts, and {situation.name} has no {what}; moderation has.")
        if situation.bare.marks < 3:  # type: ignore[attr-defined]
            raise Refusal(f"{self.name} takes posts of at least 3 marks, and moderation.marks is "
                          f"{situation.bare.marks}.")  # type: ignore[attr-defined]  # fmt: skip
        never = (self.majority >= 1) & ((self.proposals > 0) | (self.period > 0))
        if not isinstance(never, jax.core.Tracer) and np.any(never):
            raise Refusal(
                f"{self.name}.majority is 1, and more than all members can never gain by a rule; a share below 1 would "
                f"be right, or {self.name}.proposals = 0 and no period, for no rules."
            )

    def chance(self, situation: Situation) -> str:
        return "who proposes, who sits on a panel and what is heard"

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "decision": Event("decision", "[n]", "grade", "what the bench decided: 0 keep, 1 label, 2 remove; -1 none"),
            "judged": Event("judged", "[n]", "verdicts", "gave a verdict under the bench", True),
            "decided": Event("decided", "[n]", "cases", "whose verdict was heard", True),
            "lawful": Event("lawful", "[n]", "verdicts", "as the bench would decide, heard or not, noise apart", True),
            "reversed": Event("reversed", "[n]", "verdicts", "whose verdict was reversed", True),
            "passed": Event("passed", "[n]", "rules", "passed while play went on", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("agreement", "share", "of verdicts, those that the bench would give, heard or not",
                    lambda e: e.ratio("lawful", "judged"), ("lawful", "judged")),
        )  # fmt: skip

    # --- what it is made of -------------------------------------------------------------------------------------------

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Practice:
        none = jnp.full(self.rules, NONE, jnp.int32)
        blank = jnp.full(len(situation.posts), NONE, jnp.int32)
        empty = Practice(none, none, none, none, blank, jnp.zeros((), jnp.int32))
        voting, hearing = jax.random.split(key)
        said, here = situation.said(state, situation.posts), state.here

        def propose(k: Array, p: Practice) -> Practice:
            free = (p.serial < 0).any()
            return jax.lax.cond(
                free, lambda: self.propose(jax.random.fold_in(voting, k), p, situation, said, here, 0), lambda: p
            )

        def hear(k: Array, p: Practice) -> Practice:
            drawing, sitting = jax.random.split(jax.random.fold_in(hearing, k))
            return self.hear(sitting, p, situation, said, here, situation.following(drawing))[1]

        founded = jax.lax.fori_loop(0, self.proposals, propose, empty)
        return jax.lax.fori_loop(0, jnp.where(self.radius < 0, 0, self.cases), hear, founded)

    def code(self, practice: Practice, marks: int, time: Array | int) -> tuple[Array, Array]:
        """[posts] the verdict of the rules in force at a time (-1 none), and how strong they are (-1 none)."""
        holds = (practice.serial >= 0) & (practice.since <= time)
        strength = jnp.where(holds, jnp.asarray(wide(marks))[practice.which] * NARROW + practice.serial, NONE)
        strong = jnp.where(jnp.asarray(classes(marks))[practice.which], strength[:, None], NONE)  # [R, posts]
        top = strong.max(0)
        return jnp.where(top >= 0, practice.verdict[strong.argmax(0)], NONE), top

    def propose(
        self, key: PRNGKeyArray, practice: Practice, situation: Situation, said: Array, here: Array, since: Array | int
    ) -> Practice:
        """After one proposal: a rule more, if it passes.  said [posts, members]."""
        marks = situation.marks
        ruled, strength = self.code(practice, marks, EVER)
        now = jnp.where(ruled >= 0, ruled, self._default(said, here))
        often = situation.chances[:, None]
        stands = aggregates.worth_of(now, said)  # [posts, members]
        # where a rule over each class would be the strongest: a narrower one goes before it
        reach = jnp.asarray(classes(marks)) & (strength // NARROW <= jnp.asarray(wide(marks))[:, None])
        who = jnp.where(here, uniform(key, len(here)), -1.0).argmax()
        mine = often * (aggregates.worth(said[:, who][:, None])[..., 0] - stands[:, who][:, None])  # [posts, 3]
        brings = reach.astype(jnp.float32) @ mine  # [classes, 3]
        which, verdict = jnp.divmod(brings.argmax().astype(jnp.int32), 3)
        gain = often * (aggregates.worth_of(jnp.full_like(now, verdict), said) - stands)  # [posts, members]
        gains = jnp.where(reach[which], gain.T, 0.0).sum(1)  # [members]
        share = ((gains > DUST) & here).sum().astype(jnp.float32) / jnp.maximum(here.sum(), 1).astype(jnp.float32)
        passes = (brings.max() > DUST) & (share > self.majority)
        place = jnp.where((practice.serial < 0).any(), (practice.serial < 0).argmax(), practice.serial.argmin())
        put = lambda old, new: old.at[place].set(jnp.where(passes, new, old[place]).astype(jnp.int32))  # noqa: E731
        return Practice(
            put(practice.which, which), put(practice.verdict, verdict), put(practice.since, since),
            put(practice.serial, practice.serial.max() + 1), practice.precedent, practice.time,
        )  # fmt: skip

    def _default(self, said: Array, here: Array) -> Int[Array, " posts"]:
        asked = lambda: aggregates.middle(aggregates.wanted(said), here)  # noqa: E731
        return jax.lax.cond(self.gap == 0, lambda: jnp.zeros(len(said), jnp.int32), asked)

    def table(self, practice: Practice, situation: Situation, said: Array, here: Array) -> Int[Array, " posts"]:
        """What it would decide on every post now, noise and panels to come apart."""
        ruled, _ = self.code(practice, situation.marks, practice.time)
        known = practice.precedent >= 0
        far = jnp.where(known, jnp.asarray(apart(situation.marks)), EVER)  # [posts, posts]
        near = far.argmin(1)
        followed = jnp.where(far.min(1) <= self.radius, practice.precedent[near], self._default(said, here))
        decided = jnp.where(ruled >= 0, ruled, followed)
        smallest = here & jnp.asarray(situation.groups == situation.groups.max())
        its = aggregates.middle(aggregates.wanted(said), smallest)
        decided = jnp.where(self.local & situation.posts[:, -1] & smallest.any(), its, decided)
        return jnp.where(self.rights & jnp.asarray(protected(situation.marks)), jnp.minimum(decided, 1), decided)

    def hear(
        self, key: PRNGKeyArray, practice: Practice, situation: Situation, said: Array, here: Array, post: Array
    ) -> tuple[Int[Array, ""], Practice]:
        """What it decides about one post, and its practice then: a panel makes a precedent where there is none."""
        free = self.code(practice, situation.marks, practice.time)[0][post] < 0
        near = jnp.where(practice.precedent >= 0, jnp.asarray(apart(situation.marks))[post], EVER).min() <= self.radius
        new = free & ~near & (self.radius >= 0)
        lot = jnp.where(here, uniform(key, len(here)), 2.0)
        last = jnp.sort(lot)[jnp.clip(jnp.where(self.panel == 0, len(here), self.panel), 1, len(here)) - 1]
        sits = here & (lot <= last)
        made = aggregates.middle(aggregates.wanted(said[post]), sits)
        precedent = practice.precedent.at[post].set(jnp.where(new, made, practice.precedent[post]))
        after = eqx.tree_at(lambda p: p.precedent, practice, precedent)
        return self.table(after, situation, said, here)[post], after

    # --- in play ------------------------------------------------------------------------------------------------------

    def settle(
        self, key: PRNGKeyArray, memory: Practice, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Practice, State, Outcome]:  # fmt: skip
        hearing, erring, drawing, voting = jax.random.split(key, 4)
        said, here = situation.said(state, situation.posts), state.here
        post, verdict = outcome.events["post"][0], outcome.events["verdict"][0]
        standing = self.table(memory, situation, said, here)[post]
        lots = uniform(drawing, 2)
        called = outcome.events["appealed"].sum() >= jnp.maximum(self.petition * here.sum().astype(jnp.float32), DUST)
        heard = (lots[0] < self.audit) | called
        found, after = self.hear(hearing, memory, situation, said, here, post)
        lawful = verdict == jnp.where(heard, found, standing)
        decision = jnp.where(lots[1] < self.noise, jax.random.randint(erring, (), 0, 3), found)
        memory = jax.tree.map(lambda new, old: jnp.where(heard, new, old), after, memory)

        time = memory.time + 1
        due = (self.period > 0) & (time % jnp.maximum(self.period, 1) == 0)
        later = jax.lax.cond(
            due, lambda: self.propose(voting, memory, situation, said, here, time + self.delay), lambda: memory
        )
        passed = later.serial.max() > memory.serial.max()
        later = eqx.tree_at(lambda p: p.time, later, time)

        first = jnp.arange(situation.agents) == 0
        turned = heard & (decision != verdict)
        value = aggregates.worth(situation.wishes(state, situation.posts[post]))
        more = jnp.where(turned & self.binds & here, value[decision] - value[verdict], 0.0)
        facts = {"judged": first, "decided": first & heard, "lawful": first & lawful, "reversed": first & turned,
                 "passed": first & passed}  # fmt: skip
        outcome = outcome.pay(jnp.append(jnp.zeros(1), more), self, **facts)
        decided = jnp.where(heard, decision, NONE).astype(jnp.int32)
        return later, state, outcome.note(self, decision=jnp.full(situation.agents, decided))

    def inform(
        self, memory: Practice, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        marks = situation.marks
        text = jnp.where(self.public, self.text(memory, marks)[state.post], 0.0)
        return {"law": jnp.broadcast_to(text, (situation.agents, 4))}

    def text(self, practice: Practice, marks: int) -> Float[Array, "posts 4"]:
        """What the text in force says of every post: how strong the strongest rule for each verdict is (of two marks
        above one half, of one below), and whether its removal is barred."""
        holds = (practice.serial >= 0) & (practice.since <= practice.time)
        age = (practice.serial + 1).astype(jnp.float32) / (practice.serial.max() + 2).astype(jnp.float32)
        strength = (jnp.asarray(wide(marks) - 1, jnp.float32)[practice.which] + age) / 2
        cover = holds[:, None] & jnp.asarray(classes(marks))[practice.which]
        says = (practice.verdict[:, None] == np.arange(3)).astype(jnp.float32)  # [R, 3]
        said = jnp.where(cover[:, :, None], (strength[:, None] * says)[:, None], 0.0).max(0)
        barred = jnp.where(self.rights, jnp.asarray(protected(marks)), False)
        return jnp.concatenate([said, barred[:, None].astype(jnp.float32)], 1)


@lru_cache(maxsize=16)
def language(marks: int) -> tuple[tuple[int, ...], ...]:
    """The classes that a rule can name: posts with one mark, then posts with two."""
    return (*((i,) for i in range(marks)), *itertools.combinations(range(marks), 2))


@lru_cache(maxsize=16)
def classes(marks: int) -> Bool[np.ndarray, "classes posts"]:
    """Which posts are of each class."""
    posts = bits(marks)
    return np.stack([posts[:, list(c)].all(1) for c in language(marks)])


@lru_cache(maxsize=16)
def wide(marks: int) -> Int[np.ndarray, " classes"]:
    """How many marks each class names."""
    return np.array([len(c) for c in language(marks)], np.int32)


@lru_cache(maxsize=16)
def apart(marks: int) -> Int[np.ndarray, "posts posts"]:
    """In how many marks posts differ."""
    posts = bits(marks)
    return (posts[:, None] != posts[None]).sum(-1).astype(np.int32)


@lru_cache(maxsize=16)
def protected(marks: int) -> Bool[np.ndarray, " posts"]:
    """The posts that a right protects from removal."""
    posts = bits(marks)
    return posts[:, -3] & ~posts[:, 1]
