"""A learner of one's own, in one file: it learns how often to give each answer, and looks at nothing.

Who looks finds in `act` what `situation.observe` told: `seen` is {name: [n, k]} of features, and where there is land
`seen["view"]` [n, rows, columns], whose bits are planes.  A network takes them apart first:

    from nomoi.core import outline
    from nomoi.grid import bitplanes
    planes = bitplanes(seen["view"], len(outline(situation).planes))  # [n, rows, columns, planes] of 0 and 1

`nomoi show learner` says what is called when, with which shapes.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.learners.batch import sample
from nomoi.learners.lives import Lives
from nomoi.learners.objectives import Objective, Own
from nomoi.measure.ledger import Tally

Mind = dict[str, Float[Array, "n k"]]  # for each head, how much each agent prefers each choice


class Life(eqx.Module):
    """A run between two updates: all from which it can go on."""

    mind: Mind
    lives: Lives
    key: PRNGKeyArray
    time: Int[Array, ""]


class Bandit(Learner, Rule):
    """REINFORCE (Williams 1992) on single steps: preferences h, answers drawn with chances p = softmax(h).

    After a step that was worth u to an agent, h moves by learning_rate (u - b) (1[chosen] - p) for each head that was
    asked, averaged over the worlds side by side; b is what the step was worth in the mean of these worlds.  What comes
    later is not credited to an answer, so it learns what is best at once, not what is best in the end.
    """

    objective: Objective = eqx.field(default_factory=Own)
    worlds: int = size(32, "worlds side by side", "ours", low=2)
    steps: int = size(16, "steps between two updates", "ours", low=1)
    learning_rate: Float[Array, ""] = setting(0.5, "how far preferences move", "ours", "", 0)

    def init(self, key: PRNGKeyArray, situation: Situation) -> Mind:
        return {head: jnp.zeros((situation.agents, k)) for head, k in situation.actions.items()}

    def act(self, key: PRNGKeyArray, mind: Mind, situation: Situation, seen: Any, carry: Any) -> Any:
        return sample(key, mind), carry  # one draw for each head and agent

    @property
    def batch(self) -> int:
        return self.worlds * self.steps

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: Mind | None = None) -> Life:
        mind = self.init(key, situation) if mind is None else mind
        return Life(mind, Lives.begin(key, situation, self.worlds), key, jnp.zeros((), jnp.int32))

    def learn(self, situation: Situation, run: Life, updates: int, total: Int[Array, ""]) -> tuple[Life, Tally]:
        def step(now: tuple[Life, Tally], _: None) -> tuple[tuple[Life, Tally], None]:
            run, tally = now
            place = situation.at(run.time // self.steps / total)  # rules may be phased in
            asked = jax.vmap(place.asked)(run.lives.worlds.state)
            wide = {head: jnp.broadcast_to(h, (self.worlds, *h.shape)) for head, h in run.mind.items()}
            action = sample(jax.random.fold_in(run.key, run.time), wide)
            lives, lived, tally = run.lives.step(place, self.objective, action, tally)
            luck = lived.utility - lived.utility.mean(0)
            mind = {}
            for head, h in run.mind.items():
                drawn = jax.nn.one_hot(action[head], h.shape[1]) - jax.nn.softmax(h)
                mind[head] = h + self.learning_rate * (jnp.where(asked[head], luck, 0.0)[..., None] * drawn).mean(0)
            return (Life(mind, lives, run.key, run.time + 1), tally), None

        return jax.lax.scan(step, (run, Tally.empty(situation)), None, updates * self.steps)[0]

    def mind(self, run: Life) -> Mind:
        return run.mind


if __name__ == "__main__":
    import nomoi
    from nomoi.measure.measures import measures

    learner, dilemma = Bandit(), nomoi.Matrix()
    for place in (dilemma, nomoi.govern(dilemma, nomoi.Levy(on="defect", rate=3.0))):
        run = learner.begin(jax.random.key(0), place)
        run, tally = learner.learn(place, run, 20, jnp.int32(20))
        defection = tally.means()[list(measures(place)).index("defection")]
        print(f"{float(defection):.2f}")  # 0.98, and 0.02 under the levy
