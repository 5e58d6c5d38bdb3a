"""Conscience: a private guess at what the others disapprove of, and the wish to punish as they would.

The classifier norm model (CNM) of Vinitsky et al. 2023.  Where a setting names the CNM re-implementation, it is by
others and in part quotes the paper.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Outcome, Situation, setting, size
from nomoi.core.settings import Rule
from nomoi.core.situation import Observation, State
from nomoi.errors import Refusal
from nomoi.learners.nets import Net, Shape

BLAME = "conscience"  # the feature that it adds to what an agent is told


class Public(eqx.Module):
    """What all can witness, with any leading axes before the agents.

    told          what an agent was told before the step
    chance        whether it could strike somebody
    disapproved   whether it fired: of the chances, those taken are disapproval and the others approval
    """

    told: Observation
    chance: Bool[Array, "*b"]
    disapproved: Bool[Array, "*b"]


def chance(situation: Situation, state: State) -> Bool[Array, " n"]:
    """Who is ready to strike and has somebody in the beam."""
    return situation.aim(state).any(1) & ~situation.held(state)


def witness(situation: Situation, before: State, told: Observation, outcome: Outcome) -> Public:
    """The public record of one step in each of W worlds: leaves are [W, n, ...]."""
    return Public(told, jax.vmap(lambda s: chance(situation, s))(before), outcome.events["shot"] > 0)


class Scrupulous(eqx.Module):
    """A network that is told, beside the rest, with what chance its judge expects disapproval."""

    net: Net
    judge: Net

    def start(self, *axes: int) -> Array:
        return self.net.start(*axes)

    def reflect(self, told: Observation) -> Observation:
        """What is told, with what the judge makes of it; the policy does not bend the judge."""
        return told | {BLAME: jax.lax.stop_gradient(jax.nn.sigmoid(logit(self.judge, told)))[..., None]}

    def __call__(self, told: Observation, carry: Array) -> tuple[dict[str, Array], Array, Array]:
        return self.net(told if BLAME in told else self.reflect(told), carry)


def logit(judge: Net, told: Observation) -> Float[Array, "*b"]:
    """Log-odds of disapproval: the one number that a network without heads puts out."""
    lead = told["view"].shape[:-2] if "view" in told else next(iter(told.values())).shape[:-1]
    return judge(told, judge.start(*lead))[1]


class Conscience(Rule):
    """Learns in private, from what is public, whether a chance to punish is taken, and feels accordingly.

    A chance to punish is a step in which an agent is ready to strike and has somebody in its beam.  Striking then is
    disapproval, not striking approval, and everybody witnesses which, and what the one with the chance was told (its
    view and features) before the step.  From this each agent trains its judge (binary cross-entropy, both classes with
    the same weight); with shared parameters there is one judge.  The judge's answer to what an agent itself is told
    goes into its policy, and when it strikes it feels pride x P(disapproval) - shame x P(approval), in units of reward.
    """

    hidden: int = size(64, "units of the two hidden layers of the judge", "CNM re-implementation", low=1)
    zaps: int = size(
        32, "disapprovals in a subsample, drawn with replacement", "CNM re-implementation, quoting the paper", low=1
    )
    calm: int = size(1024, "approvals in a subsample", "CNM re-implementation, quoting the paper", low=1)
    passes: int = size(16, "subsamples learned from between two updates", "ours, as many as PPO's minibatches", low=1)
    pride: Float[Array, ""] = setting(
        0.2, "gained for striking, times P(disapproval) (alpha)", "CNM re-implementation", "reward", 0
    )
    shame: Float[Array, ""] = setting(
        0.4, "lost for striking, times P(approval) (beta)", "CNM re-implementation", "reward", 0
    )
    weight: Float[Array, ""] = setting(0.01, "weight of the judge's loss", "CNM re-implementation", "", 0)
    learning_rate: Float[Array, ""] = setting(1e-3, "learning rate of the judge", "ours, as PPO's", "", 0)
    until: Float[Array, ""] = setting(
        0.5,
        "share of training after which the judge is frozen",
        "ours, after CNM re-implementation (1e8 steps)",
        "",
        0,
        1,
    )

    def form(self, key: PRNGKeyArray, net: Net) -> Scrupulous:
        """A mind with a judge that sees what the network sees, but for its own answer."""
        features = tuple(f for f in net.shape.features if f[0] != BLAME)
        return Scrupulous(net, Net(key, dataclasses.replace(net.shape, features=features, heads=()), self.hidden))

    def feel(self, told: Observation, public: Public) -> Float[Array, "*b"]:
        """Pride and shame of who struck when it could."""
        expected = told[BLAME][..., 0]
        felt = self.pride * expected - self.shame * (1 - expected)
        return jnp.where(public.chance & public.disapproved, felt, 0.0)

    def begin(self, mind: Any, shared: bool) -> Any:
        """The state of the judge's optimiser; with a leading axis [n] where parameters are not shared."""
        first, arrays = self._optimiser().init, eqx.filter(mind.judge, eqx.is_array)
        return first(arrays) if shared else jax.vmap(first)(arrays)

    def learn(
        self, mind: Any, state: Any, public: Public, key: PRNGKeyArray, progress: Array, shared: bool
    ) -> tuple[Any, Any]:
        """The judges learn, each on its own, and all from what everybody could witness."""
        learn = lambda m, s, k: self._learn(m, s, public, k, progress)  # noqa: E731
        if shared:
            return learn(mind, state, key)
        pupils = mind.judge.first["b"].shape[0]
        return eqx.filter_vmap(learn)(mind, state, jax.random.split(key, pupils))

    def _learn(
        self, mind: Scrupulous, state: Any, public: Public, key: PRNGKeyArray, progress: Array
    ) -> tuple[Scrupulous, Any]:
        """`passes` steps of one judge; none once it is frozen, or where nobody struck or everybody did."""
        lead = public.chance.ndim
        told = jax.tree.map(lambda x: x.reshape(-1, *x.shape[lead:]), public.told)
        taken, left = public.chance & public.disapproved, public.chance & ~public.disapproved
        # counts up to each row: the r-th row of a class is where its count first reaches r + 1
        counts = [jnp.cumsum(x.ravel().astype(jnp.int32)) for x in (taken, left)]
        awake = (progress < self.until) & (counts[0][-1] > 0) & (counts[1][-1] > 0)
        arrays, fixed = eqx.partition(mind.judge, eqx.is_array)
        step = self._optimiser()

        def drawn(key: PRNGKeyArray, count: Array, size: int) -> Observation:
            r = jax.random.randint(key, (size,), 0, jnp.maximum(count[-1], 1))
            rows = jnp.minimum(jnp.searchsorted(count, r + 1), count.shape[0] - 1)
            return jax.tree.map(lambda x: x[rows], told)

        def loss(arrays: Any, some: Observation, others: Observation) -> Array:
            judge = eqx.combine(arrays, fixed)
            missed, feared = jax.nn.softplus(-logit(judge, some)), jax.nn.softplus(logit(judge, others))
            return self.weight * (missed.mean() + feared.mean()) / 2

        def once(now: Any, key: PRNGKeyArray) -> tuple[Any, None]:
            arrays, state = now
            one, other = jax.random.split(key)
            slope = jax.grad(loss)(arrays, drawn(one, counts[0], self.zaps), drawn(other, counts[1], self.calm))
            with jax.numpy_dtype_promotion("standard"):  # optax mixes its integer step count with floats
                change, state = step.update(slope, state)
            return (optax.apply_updates(arrays, change), state), None

        new, _ = jax.lax.scan(once, (arrays, state), jax.random.split(key, self.passes))
        arrays, state = jax.tree.map(lambda a, b: jnp.where(awake, a, b), new, (arrays, state))
        return Scrupulous(mind.net, eqx.combine(arrays, fixed)), state

    def _optimiser(self) -> optax.GradientTransformation:
        return optax.chain(optax.scale_by_adam(eps=1e-5), optax.scale(-self.learning_rate))


def attentive(shape: Shape, situation: Situation) -> Shape:
    """The shape of a network that is told its judge's answer too."""
    for need in ("aim", "shot"):
        if need not in situation.offers:
            raise Refusal(f"a conscience learns from who strikes whom, and {situation.name} does not offer {need!r}.")
    return dataclasses.replace(shape, features=(*shape.features, (BLAME, 1)))
