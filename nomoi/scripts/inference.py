"""Bayesian inference of norms: which rule, or whose word, is enforced here (after Oldenburg & Zhi-Xuan 2024).

Each candidate says of every chance to sanction whether there is a violation.  Where it counts, violations are
sanctioned, and all else is spared, with probability `hit`.  All is exact and in logarithms.

>>> import jax.numpy as jnp
>>> from nomoi.scripts.inference import Inference
>>> mind = Inference(doubt=0.0)
>>> seen = mind.learn(mind.blank(2), taken=jnp.array([1.0, 1.0, 0.0]), passed=jnp.array([0.0, 0.0, 0.0]))
>>> [round(float(p), 2) for p in mind.posterior(seen)[:2]]  # somebody was struck whom only the first convicts
[0.9, 0.1]
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nomoi.core import setting
from nomoi.core.settings import Rule

NULLS = 2  # hypotheses under which no candidate counts: nobody is sanctioned; sanctions fall at random


def likelihood(
    verdict: Bool[Array, "*m K"], sanctioned: Bool[Array, "*m"], hit: float | Float[Array, ""]
) -> Float[Array, "*m K"]:
    """log P(what happened | candidate k counts), for each chance to sanction and each candidate."""
    agrees = verdict == sanctioned[..., None]
    return jnp.where(agrees, jnp.log(hit), jnp.log1p(-jnp.asarray(hit)))


def weigh(
    taken: Float[Array, "*m G"], passed: Float[Array, "*m G"], hit: float | Float[Array, ""]
) -> Float[Array, "*m H"]:
    """log P(counts | hypothesis): the sum of `likelihood` over chances that are known by their counts alone.

    taken, passed   chances that were taken and passed over: against anybody, then against whom each of the
                    K = G - 1 candidates convicts
    Returns K candidates and then the two hypotheses that none counts.
    """
    struck, spared, convicted, excused = taken[..., :1], passed[..., :1], taken[..., 1:], passed[..., 1:]
    agree = convicted + spared - excused
    agree = jnp.concatenate([agree, spared], -1)  # under "nobody is sanctioned" all should be spared
    yes, no = jnp.log(hit), jnp.log1p(-jnp.asarray(hit))
    known = agree * yes + (struck + spared - agree) * no
    return jnp.concatenate([known, (struck + spared) * jnp.log(0.5)], -1)


class Inference(Rule):
    """How evidence is weighed.  Evidence [..., H] is a sum of log-likelihoods, in which the past may fade."""

    hit: Float[Array, ""] = setting(0.9, "chance that a violation is sanctioned, and all else spared", "ours", "", 0, 1)
    forget: Float[Array, ""] = setting(1.0, "what each chance leaves of the evidence before it", "ours", "", 0, 1)
    doubt: Float[Array, ""] = setting(0.5, "prior probability that no candidate counts", "ours", "", 0, 1)

    def blank(self, candidates: int) -> Float[Array, " H"]:
        """No evidence yet."""
        return jnp.zeros(candidates + NULLS)

    def learn(
        self, evidence: Float[Array, "*m H"], taken: Float[Array, "*m G"], passed: Float[Array, "*m G"]
    ) -> Float[Array, "*m H"]:
        """Evidence after some more chances, which count as made at the same moment (see `weigh`)."""
        count = taken[..., :1] + passed[..., :1]
        return evidence * self.forget**count + weigh(taken, passed, self.hit)

    def prior(self, candidates: int) -> Float[Array, " H"]:
        """log P before any evidence: doubt is shared by the two nulls, the rest by the candidates."""
        one = jnp.log1p(-self.doubt) - jnp.log(float(candidates))
        none = jnp.log(self.doubt / NULLS)
        return jnp.concatenate([jnp.broadcast_to(one, candidates), jnp.broadcast_to(none, NULLS)])

    def posterior(self, evidence: Float[Array, "*m H"]) -> Float[Array, "*m H"]:
        """P(hypothesis | evidence): the candidates, then the two nulls."""
        return jax.nn.softmax(self.prior(evidence.shape[-1] - NULLS) + evidence)
