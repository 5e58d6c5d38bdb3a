"""Scenarios: what has been learned among people never met (Melting Pot: Leibo et al. 2021).

Focal agents act by a learned mind among a background of scripts that took no part in training.  In *resident* mode the
focal agents are the majority and must bear a few strangers; in *visitor* mode one alone must fit in with the customs
of the place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core.learner import Learner
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal, nearest
from nomoi.measure.evaluate import episodes
from nomoi.probes.crossplay import everyone, per_capita
from nomoi.scripts.fixed import Forager, Mixed, Random

BACKGROUNDS: dict[str, Learner] = {
    "random": Random(),
    "greedy": Forager(),
    "restrained": Forager(spare=3),  # harvests the last apples of no patch
    "obedient": Forager(heed=True),
}


def scenarios(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any, backgrounds: Sequence[str] = (),
    reference: str = "random", strangers: int = 0, worlds: int = 16,
) -> Mapping[str, float]:  # fmt: skip
    """Payoff of a focal agent in an episode, by scenario: {"resident.greedy": ..., "visitor.greedy": ...}.

    backgrounds   names of BACKGROUNDS; none is all that can live in the situation
    strangers     how many of the background there are in resident mode; 0 is a third of all, at least one (ours)
    reference     who else is put in the focal slots, as "resident.greedy.random"; empty is nobody
    The same random worlds for all.  The focal agents are the first ones.
    """
    n = situation.agents
    strangers = strangers or max(1, n // 3)
    if not 0 < strangers < n:
        raise Refusal(f"{strangers} strangers leave no focal agent of the {n} in {situation.name}; ask for fewer.")
    for name in (*backgrounds, *((reference,) if reference else ())):
        if name not in BACKGROUNDS:
            raise Refusal(f"there is no background {name!r}; {nearest(name, BACKGROUNDS, 'background')}")
        _lives(situation, name)
    names = tuple(backgrounds) or tuple(name for name in BACKGROUNDS if _fits(situation, name))
    crowd = tuple(BACKGROUNDS[name] for name in names)
    crew = (everyone(situation, learner, n - strangers), *((BACKGROUNDS[reference],) if reference else ()))
    out: dict[str, float] = {}
    for mode, focal in (("resident", n - strangers), ("visitor", 1)):
        for k, name in enumerate(names):
            for who, suffix in enumerate(("", f".{reference}") if reference else ("",)):
                now, there, first = jnp.int32(who), jnp.int32(k), jnp.int32(focal)
                found = _lived(key, situation, crew, crowd, mind, now, there, first, worlds)
                out[f"{mode}.{name}{suffix}"] = float(found)
    return out


class OneOf(Learner):
    """Everybody follows the learner at the place `which`.  A mind is a tuple with one for each, and so is what is
    carried; all are asked in every step, so that one program serves every choice."""

    learners: tuple[Learner, ...]
    which: Int[Array, ""]

    def start(self, mind: Any, situation: Situation) -> Any:
        return tuple(one.start(m, situation) for one, m in zip(self.learners, mind, strict=True))

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        acts = [one.act(key, m, situation, seen, c) for one, m, c in zip(self.learners, mind, carry, strict=True)]
        action = {h: jnp.stack([a[h] for a, _ in acts])[self.which] for h in situation.actions}
        return action, tuple(c for _, c in acts)


@eqx.filter_jit
def _lived(
    key: PRNGKeyArray, situation: Situation, crew: tuple[Learner, ...], crowd: tuple[Learner, ...], mind: Any,
    who: Int[Array, ""], background: Int[Array, ""], focal: Int[Array, ""], worlds: int,
) -> Float[Array, ""]:  # fmt: skip
    learner = Mixed(OneOf(crew, who), OneOf(crowd, background), focal)
    minds = ((mind, *((),) * (len(crew) - 1)), ((),) * len(crowd))
    played = episodes(key, situation, learner, minds, worlds)
    return per_capita(played.reward + played.transfer, focal)


def _lives(situation: Situation, name: str) -> None:
    """Refuses a background that cannot live in the situation."""
    act = BACKGROUNDS[name].act
    jax.eval_shape(lambda seen: act(jax.random.key(0), (), situation, seen, ())[0], outline(situation).told)


def _fits(situation: Situation, name: str) -> bool:
    try:
        _lives(situation, name)
    except Refusal:
        return False
    return True
