"""A measure of one's own, in one file: try `python measure.py` and `nomoi check` on it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, govern


class Gauge(Institution):
    """Somebody writes down how much of what people wanted of the commons they did not get, and changes nothing.

    Scarcity is felt before it is seen: while the stock still looks well, more and more wishes go unmet.  The event
    `unmet` is measured by its sum without a word said about it; what a sum does not tell is declared in `measures`.
    Under another title, `Gauge(title="log")`, the two are called *log.unmet* and *log.scarcity*.

    needs     the events request and harvest
    emits     gauge.unmet [n] units that one wanted and did not get
    memory    none

    >>> from nomoi.measure.measures import measures
    >>> from nomoi.situations.pool import Pool
    >>> measures(govern(Pool(), Gauge()))["gauge.scarcity"].meaning
    'of all that was wanted, what nobody got'
    """

    @property
    def needs(self) -> tuple[str, ...]:
        return ("request", "harvest")

    @property
    def emits(self) -> dict[str, Event]:
        return {"unmet": Event("unmet", "[n]", "units", "wanted and not got", True)}

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure(
                "scarcity", "share", "of all that was wanted, what nobody got",
                of=lambda episode: episode.ratio("unmet", "request"), needs=("unmet", "request"), alike=True,
            ),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        return ""

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: Any, tried: Any, action: Any,
        outcome: Outcome,
    ) -> tuple[Any, Any, Outcome]:  # fmt: skip
        unmet = jnp.maximum(outcome.events["request"] - outcome.events["harvest"], 0.0)
        return memory, state, outcome.note(self, unmet=unmet)


def main() -> None:
    """Prints all that is measured where people fish at random."""
    from nomoi.measure.evaluate import evaluate
    from nomoi.measure.measures import measures
    from nomoi.scripts.fixed import Random
    from nomoi.situations.pool import Pool

    fishery = govern(Pool(agents=3), Gauge())
    values = jax.jit(lambda key: evaluate(key, fishery, Random()))(jax.random.key(0))
    for (name, m), value in zip(measures(fishery).items(), values, strict=True):
        print(f"{name:16} {float(value):8.3f} {m.unit:12} {m.meaning}")


if __name__ == "__main__":
    main()
