"""Proximal policy optimisation (Schulman et al. 2017), independent or with shared parameters (IPPO).

One loop for every situation: worlds, networks and updates are one compiled program.  All numbers are traced,
so a sweep over settings, seeds or institutions compiles once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, choose, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.learners.advantage import gae, judge
from nomoi.learners.batch import Batch, chosen, sample, split, stretch
from nomoi.learners.conscience import Conscience, Scrupulous, attentive, witness
from nomoi.learners.lives import Lives
from nomoi.learners.loss import loss
from nomoi.learners.nets import Net, Shape, frozen
from nomoi.learners.objectives import Objective, Own
from nomoi.learners.residents import Residents
from nomoi.measure.ledger import Tally

Mind = Net | Scrupulous
__all__ = ["PPO", "Residents", "Training"]


class Training(eqx.Module):
    """A training run between two updates."""

    mind: Any
    optimiser: Any
    lives: Lives
    carry: Array
    bore: Any  # what residents remember
    key: PRNGKeyArray
    update: Int[Array, ""]
    scruple: Any = ()  # the optimiser of the conscience


class PPO(Learner, Rule):
    """Independent PPO, a policy-gradient learner, with generalised advantage estimation.  Defaults are ours.

    With `residents` only the first agents learn, among others who follow a script; what is learned (`mind`) is
    theirs alone, while `act` answers for everybody.  With a `conscience` they guess from what is public whether others
    would punish, and wish to punish as those would.  With `only` all is frozen but the heads of one institution: so
    agents learn to propose and to sign what they learned to play under before (MOCA's second stage, Christoffersen et
    al. 2023).
    """

    objective: Objective = eqx.field(default_factory=Own)
    residents: Residents | None = None
    conscience: Conscience | None = None
    shared: bool = size(True, "whether all agents share one set of parameters")
    hidden: int = size(64, "units of the two hidden layers", "ours", low=1)
    filters: int = size(0, "filters of a 3 x 3 layer on the view; 0 is none", low=0)
    recurrent: bool = size(False, "whether a GRU carries memory from step to step")
    film: str = size(
        "", "the feature that gates the view (FiLM), such as altar.mind; empty is none", "ours, after Perez et al. 2018"
    )
    only: str = size("", "the institution whose heads alone still learn, such as contract; empty is all")
    worlds: int = size(64, "worlds side by side", "ours", low=1)
    steps: int = size(64, "steps between two updates", "ours", low=1)
    epochs: int = size(2, "passes over each batch", "ours", low=1)
    minibatches: int = size(8, "minibatches a pass", "ours", low=1)
    learning_rate: Float[Array, ""] = setting(1e-3, "learning rate at the start", "ours", "", 0)
    learning_rate_end: Float[Array, ""] = setting(2e-4, "and at the end (linear)", "ours", "", 0)
    gamma: Float[Array, ""] = setting(0.99, "discount", "ours", "", 0, 1)
    gae_lambda: Float[Array, ""] = setting(0.95, "lambda of the advantage estimator", "ours", "", 0, 1)
    clip_coef: Float[Array, ""] = setting(
        0.2, "how far the policy's ratio may move", "PPO (Schulman et al. 2017)", "", 0
    )
    value_coef: Float[Array, ""] = setting(0.5, "weight of the value loss", "ours", "", 0)
    entropy_coef: Float[Array, ""] = setting(0.01, "weight of the entropy at the start", "ours", "", 0)
    entropy_coef_end: Float[Array, ""] = setting(0.002, "and at the end (linear)", "ours", "", 0)
    seldom: Float[Array, ""] = setting(0.1, "least share of a head in the loss, however seldom asked", "ours", "", 0, 1)
    max_grad_norm: Float[Array, ""] = setting(0.5, "largest norm of a gradient", "ours", "", 0)
    scale: Float[Array, ""] = setting(0.1, "utilities are multiplied by this", "ours", "", 0)

    def init(self, key: PRNGKeyArray, situation: Situation) -> Mind:
        """A network; with one more leading axis [n] where parameters are not shared."""
        shape, conscience = Shape.of(situation), self.conscience
        shape = shape if conscience is None else attentive(shape, situation)

        def make(key: PRNGKeyArray) -> Mind:
            net = Net(key, shape, self.hidden, self.filters, self.recurrent, self.film)
            return net if conscience is None else conscience.form(jax.random.fold_in(key, 1), net)

        return make(key) if self.shared else eqx.filter_vmap(make)(jax.random.split(key, self.pupils(situation)))

    def start(self, mind: Mind, situation: Situation) -> Any:
        """What the learners remember, and beside it what residents remember where there are any."""
        own = mind.start(self.pupils(situation))
        return own if self.residents is None else (own, self.residents.script.start((), situation))

    def _apart(self, carry: Any) -> tuple[Array, Any]:
        return (carry, ()) if self.residents is None else carry

    def pupils(self, situation: Situation) -> int:
        """How many agents learn: the first so many, or all."""
        return situation.agents if self.residents is None else min(self.residents.pupils, situation.agents)

    def act(
        self, key: PRNGKeyArray, mind: Mind, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        own, bore = self._apart(carry)
        logits, _, own = self.think(mind, self._sensed(situation, seen, 0), own)
        answer, bore = self._all(jax.random.fold_in(key, 1), situation, seen, sample(key, logits), bore)
        return answer, own if self.residents is None else (own, bore)

    def _mine(self, situation: Situation, tree: Any, axis: int) -> Any:
        """The part of the learning agents; the agents are the axis `axis` of every leaf."""
        k = self.pupils(situation)
        return tree if k == situation.agents else jax.tree.map(lambda x: jax.lax.slice_in_dim(x, 0, k, axis=axis), tree)

    def _sensed(self, situation: Situation, told: Observation, axis: int) -> Observation:
        """What the learning agents are told."""
        mine = self._mine(situation, told, axis)
        return mine if self.residents is None else self.residents.blinded(situation, mine)

    def _all(
        self, key: PRNGKeyArray, situation: Situation, seen: Observation, action: dict[str, Array], bore: Any
    ) -> tuple[dict[str, Array], Any]:
        """Everybody's answers {head: [n]} in one world: those of the learners [k], and what the residents do."""
        if self.residents is None or self.pupils(situation) == situation.agents:
            return action, bore
        return self.residents.join(key, situation, seen, action, bore)

    def think(self, mind: Mind, told: Observation, carry: Array) -> tuple[dict[str, Array], Array, Array]:
        """Logits, values and memory of all agents; leaves are [..., n, ...]."""
        return self.each(lambda net, t, c: net(t, c), mind, carry.ndim - 2, told, carry)

    def each(self, f: Callable[..., Any], mind: Mind, lead: int, *trees: Any) -> Any:
        """f(mind, *trees) with each agent its own mind; leaves are [..., n, ...], with `lead` axes before n."""
        if self.shared:
            return f(mind, *trees)
        # the axis of agents comes first inside
        front = jax.tree.map(lambda x: jnp.moveaxis(x, lead, 0), trees)
        out = eqx.filter_vmap(f)(mind, *front)
        return jax.tree.map(lambda x: jnp.moveaxis(x, 0, lead), out)

    @property
    def batch(self) -> int:
        return self.worlds * self.steps

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: Mind | None = None) -> Training:
        """A run before its first update."""
        minds, worlds, rest = jax.random.split(key, 3)
        mind = self.init(minds, situation) if mind is None else mind
        lives = Lives.begin(worlds, situation, self.worlds)
        start = self._apart(self.start(mind, situation))
        carry, bore = jax.tree.map(lambda x: jnp.broadcast_to(x, (self.worlds, *x.shape)), start)
        first = self._optimiser(0.0).init if self.shared else jax.vmap(self._optimiser(0.0).init)
        state = first(eqx.filter(mind, eqx.is_array))
        self._sensed(situation, lives.told, 1)  # refuses what nobody senses
        scruple = () if self.conscience is None else self.conscience.begin(mind, self.shared)
        return Training(mind, state, lives, carry, bore, rest, jnp.zeros((), jnp.int32), scruple)

    def learn(self, situation: Situation, run: Training, updates: int, total: Int[Array, ""]) -> tuple[Training, Tally]:
        """`updates` more updates of a run of `total`; with the tally of the episodes that ended meanwhile."""

        def one(run: Training, _: None) -> tuple[Training, Tally]:
            progress = run.update / total
            return self._update(situation.at(progress), run, progress)

        run, tallies = jax.lax.scan(one, run, None, updates)
        return run, jax.tree.map(lambda x: x.sum(0), tallies)

    def mind(self, run: Training) -> Mind:
        return run.mind

    def _update(self, situation: Situation, run: Training, progress: Array) -> tuple[Training, Tally]:
        key, gather, shuffle = jax.random.split(run.key, 3)
        run, batch, tally = self._gather(situation, run, gather)
        public, batch = batch.public, dataclasses.replace(batch, public=())
        _, last, _ = self.think(run.mind, self._sensed(situation, run.lives.told, 1), run.carry)
        advantage, target = gae(batch, last, self.gamma, self.gae_lambda)
        mind, optimiser = self._improve(run.mind, run.optimiser, batch, advantage, target, shuffle, progress)
        if self.conscience is not None:
            own = jax.random.fold_in(shuffle, 1)
            mind, scruple = self.conscience.learn(mind, run.scruple, public, own, progress, self.shared)
            run = dataclasses.replace(run, scruple=scruple)
        changed = lambda r: (r.mind, r.optimiser, r.key, r.update)  # noqa: E731
        return eqx.tree_at(changed, run, (mind, optimiser, key, run.update + 1)), tally

    def _gather(self, situation: Situation, run: Training, key: PRNGKeyArray) -> tuple[Training, Batch, Tally]:
        start, began = self._apart(self.start(run.mind, situation))

        def tick(now: Any, t: Array) -> tuple[Any, Batch]:
            lives, carry, bore, tally = now
            told, before = lives.told, lives.worlds.state
            asked = jax.vmap(situation.asked)(before)
            mine = self._sensed(situation, told, 1)
            if self.conscience is not None:
                mine = self.each(lambda m, t: m.reflect(t), run.mind, 1, mine)
            logits, value, after = self.think(run.mind, mine, carry)
            own = jax.random.fold_in(key, t)
            answer = action = sample(own, logits)
            if self.residents is not None:
                keys = jax.random.split(jax.random.fold_in(own, 1), self.worlds)
                every = lambda k, s, a, b: self._all(k, situation, s, a, b)  # noqa: E731
                answer, bore = jax.vmap(every)(keys, told, action, bore)
            lives, lived, tally = lives.step(situation, self.objective, answer, tally)
            done = lived.done
            utility, asked = self._mine(situation, (lived.utility, asked), 1)
            awake = jnp.stack(list(asked.values())).any(0)
            public = ()
            if self.conscience is not None:
                public = witness(situation, before, told, lived.outcome)
                utility = utility + self.conscience.feel(mine, self._mine(situation, public, 1))
            batch = Batch(
                mine, action, {h: chosen(x, action[h])[0] for h, x in logits.items()}, value, utility * self.scale,
                jnp.broadcast_to(done[:, None], awake.shape), asked, awake, carry, public,
            )  # fmt: skip
            after = jnp.where(done[:, None, None], start, after)
            bore = jax.vmap(lambda d, b: choose(d, began, b))(done, bore)
            return (lives, after, bore, tally), batch

        first = (run.lives, run.carry, run.bore, Tally.empty(situation))
        (*now, tally), batch = jax.lax.scan(tick, first, jnp.arange(self.steps))
        return eqx.tree_at(lambda r: (r.lives, r.carry, r.bore), run, tuple(now)), batch, tally

    def _improve(
        self,
        mind: Mind,
        optimiser: Any,
        batch: Batch,
        advantage: Array,
        target: Array,
        key: PRNGKeyArray,
        progress: Array,
    ) -> tuple[Mind, Any]:
        rate = self.learning_rate + (self.learning_rate_end - self.learning_rate) * progress
        entropy = self.entropy_coef + (self.entropy_coef_end - self.entropy_coef) * progress
        step = self._optimiser(rate)

        def role(mind: Mind, optimiser: Any, data: Any, key: PRNGKeyArray) -> tuple[Mind, Any]:
            """Learn one set of parameters from data [L, B, ...]."""
            arrays, fixed = eqx.partition(mind, eqx.is_array)

            def minibatch(now: Any, part: Any) -> tuple[Any, None]:
                arrays, optimiser = now
                slope = jax.grad(lambda a: self._loss(eqx.combine(a, fixed), *part, entropy))(arrays)
                with jax.numpy_dtype_promotion("standard"):  # optax mixes its integer step count with floats
                    change, optimiser = step.update(slope, optimiser)
                return (optax.apply_updates(arrays, change), optimiser), None

            def epoch(now: Any, key: PRNGKeyArray) -> tuple[Any, None]:
                return jax.lax.scan(minibatch, now, split(key, data, self.minibatches))

            (arrays, optimiser), _ = jax.lax.scan(epoch, (arrays, optimiser), jax.random.split(key, self.epochs))
            return eqx.combine(arrays, fixed), optimiser

        # a recurrent network learns from whole stretches of T steps, a feed-forward one from single steps
        length = self.steps if self.recurrent else 1
        # who has parameters of its own judges its luck by its own: others may have a hundred times as much at stake
        judged: Any = lambda asked, advantage: judge(asked, advantage, self.seldom)  # noqa: E731
        judged = judged if self.shared else jax.vmap(judged, 2, 2)
        data = (batch, target, *judged(batch.asked, advantage))
        if self.shared:
            return role(mind, optimiser, stretch(data, length), key)
        per_agent = jax.tree.map(lambda x: jnp.moveaxis(x, 2, 0)[:, :, :, None], data)
        per_agent = jax.vmap(lambda d: stretch(d, length))(per_agent)
        keys = jax.random.split(key, advantage.shape[2])
        return eqx.filter_vmap(role)(mind, optimiser, per_agent, keys)

    def _loss(self, net: Mind, batch: Batch, target: Array, worth: Any, weight: Any, entropy: Array) -> Array:
        net = frozen(net, self.only) if self.only and isinstance(net, Net) else net
        return loss(net, batch, target, worth, weight, entropy, self.clip_coef, self.value_coef, self.recurrent)

    def __check_init__(self) -> None:
        if self.only and self.conscience is not None:
            raise Refusal(f"ppo.only is {self.only!r}, so all else is frozen; take the conscience away.")
        if (self.worlds * self.steps) % self.minibatches and not self.recurrent:
            raise Refusal(
                f"ppo.minibatches is {self.minibatches}, which does not divide the batch of "
                f"{self.worlds} worlds x {self.steps} steps; a divisor of {self.worlds * self.steps} would be right."
            )
        if self.recurrent and self.worlds % self.minibatches:
            raise Refusal(
                f"ppo.minibatches is {self.minibatches}, which does not divide the {self.worlds} worlds "
                "whose stretches a recurrent network learns from."
            )

    def _optimiser(self, rate: Any) -> optax.GradientTransformation:
        return optax.chain(
            optax.clip_by_global_norm(self.max_grad_norm), optax.scale_by_adam(eps=1e-5), optax.scale(-rate)
        )
