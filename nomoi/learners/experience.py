"""What villagers live through in one step of one world, and how their running means follow."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Outcome, Situation
from nomoi.core.situation import Action
from nomoi.learners.people import STAY, People, Plan, Told, head, like, taking

MEMORY = 0.3  # weight of the newest in running means of income, and of how rules are kept (ours)
HANDS_ON = 0.1  # the same of what watching brought, to who could watch (ours)
BETTER_DAYS = 0.35  # least share of the stock that is remembered (ours)


def live(
    told: Told, people: People, plan: Plan, action: Action, outcome: Outcome, utility: Float[Array, " n"],
    weights: Float[Array, " 4"], rate: Float[Array, ""], lots: Float[Array, "2 n"],
) -> People:  # fmt: skip
    """The people with all that a step taught them, before anybody imitates; `lots` are even on [0, 1)."""
    need = jnp.where(told("need", 1.0) > 0, told("need", 1.0), 1.0)
    lived, counts = experiences(told, people, plan, outcome, need)
    weights = weights * counts
    toward = (lived * weights[:, None]).sum(0) / jnp.maximum(weights.sum(), 1e-9)
    stock = perceived(told, lots[0])
    record = people.record
    if "worked" in outcome.events:
        record = record + 0.2 * (outcome.events["worked"] - record)
    return dataclasses.replace(
        people, lived=lived, record=record,
        trust=people.trust + rate * jnp.where(weights.sum() > 0, toward - people.trust, 0.0),
        kept=people.kept + MEMORY * (kept(told, people, outcome, lots[1]) - people.kept),
        earned=people.earned + MEMORY * (utility / need - people.earned),
        recall=jnp.maximum(people.recall + 0.02 * (stock - people.recall), BETTER_DAYS),
        coming=coming(told, people, action, outcome, utility), reach=reach(told.situation, people, action, outcome),
        **watching(told, people, action, outcome),
    )  # fmt: skip


def experiences(
    told: Told, people: People, plan: Plan, outcome: Outcome, need: Float[Array, " n"]
) -> tuple[Float[Array, "4 n"], Float[Array, " 4"]]:
    """EXPERIENCES, each in [0, 1], and which of them the situation has (1 or 0)."""
    events, none = outcome.events, jnp.zeros(told.n)
    wrong = {name.partition(".")[0]: x for name, x in events.items() if name.endswith(".wrong")}
    court, others = head(told.situation, "appeal").partition(".")[0], list(wrong.values())
    blamed = others[0] if others else none
    if court in wrong:
        blamed = jnp.where(told.force("appeal"), wrong[court], blamed)
    just = 1 - jnp.where(blamed > 0, jnp.clip(fines(told, outcome) / need, 0, 1), 0.0)

    deserved = (0.1 + people.record) / (like(told.situation) @ (0.1 + people.record))
    part = jnp.where(told("part") > 0, told("part"), 1.0)  # an equal one, where nothing deals it out or that is void
    due = jnp.clip(part / deserved, 0, 1)

    moved = next((x for name, x in events.items() if name.endswith(".moved")), none)
    content = plan.vote == STAY
    agreed = (content | (jnp.sign(moved) == (plan.vote - STAY).astype(jnp.float32))).astype(jnp.float32)
    met = jnp.where(told("due") > 0, agreed, people.lived[2])  # between two assemblies the last one counts
    heard = jnp.where(told.force("vote") & (told("void") == 0), met, content.astype(jnp.float32))

    enough = jnp.clip(events.get("harvest", none) / need, 0, 1)
    counts = [True, "worked" in events, bool(told.has("perceived")), bool(told.has("need"))]
    return jnp.stack([just, due, heard, enough]), jnp.array(counts, jnp.float32)


def fines(told: Told, outcome: Outcome) -> Float[Array, " n"]:
    """What each paid in fines."""
    return outcome.events.get(f"{told.has('price').partition('.')[0]}.paid", jnp.zeros(told.n))


def perceived(told: Told, lot: Float[Array, " n"]) -> Float[Array, " n"]:
    """The own ground's stock as it seems to each, a share of capacity: by a survey where there is one, else by what
    the catch tells, which they read less alike."""
    surveyed, apart = told.force("estimate"), jnp.sqrt(3.0) * (2 * lot - 1)  # with a spread of 1
    return jnp.where(surveyed, told("estimate"), told("perceived")) * jnp.exp(jnp.where(surveyed, 0.05, 0.3) * apart)


def kept(told: Told, people: People, outcome: Outcome, noise: Float[Array, " n"]) -> Float[Array, " n"]:
    """How well rules seem to be kept: as an institution says, else by how many of one's role did not defect."""
    if told.has("allowed") and told.has("seen"):
        seems = jnp.clip(told("seen") + 0.17 * (noise - 0.5), 0, 1)  # as it seems, with a spread of .05 (ours)
        return jnp.where(told.force("allowed"), seems, people.kept)
    if "defect" in outcome.events:
        return like(told.situation) @ (1 - jnp.clip(outcome.events["defect"], 0, 1))
    return people.kept


def watching(told: Told, people: People, action: Action, outcome: Outcome) -> dict[str, Float[Array, " n"]]:
    """What idling and watching brought those who could watch: the wage, less the effort."""
    full = head(told.situation, "watch")
    if not full:
        return {}
    title, none = full.partition(".")[0], jnp.zeros(told.n)
    brought = outcome.events.get(f"{title}.wage", none) - outcome.events.get(f"{title}.toil", none)
    could = jnp.where(told.option("watch", "paid", True), told("post", 1.0), 1 - told("stranger")) > 0
    learns = lambda did, old: jnp.where(could & did, old + HANDS_ON * (brought - old), old)  # noqa: E731
    did = action[full] == 1
    return {"idle": learns(~did, people.idle), "watching": learns(did, people.watching)}


def coming(
    told: Told, people: People, action: Action, outcome: Outcome, utility: Float[Array, " n"]
) -> Float[Array, " n"]:
    """What coming brings strangers, as they have seen it.

    Who came knows it, and puts down to it a fine that follows later; who did not hears of those who did, fines and all,
    and where nobody came looks at the catch.
    """
    if not told.has("outside"):
        return people.coming
    came = (action[taking(told.situation)[0]] > 0) & (told("stranger") > 0)
    some = came.astype(jnp.float32)
    heard = (utility * some).sum() / jnp.maximum(some.sum(), 1.0)
    looks = told("capacity") * (told("density", column=1) - told("cost"))
    worth = jnp.where(came, utility, jnp.where(some.sum() > 0, heard, looks))
    late = jnp.where(came, 0.0, 0.2 * fines(told, outcome))
    return people.coming + jnp.where(came, 0.2, 0.05) * (worth - people.coming) - late


def reach(situation: Situation, people: People, action: Action, outcome: Outcome) -> Float[Array, " n"]:
    """Units that the highest answer takes, by what the answers of this step took; unchanged where nobody took."""
    name, most = taking(situation)
    units = outcome.events.get("request", outcome.events.get("harvest", jnp.zeros(situation.agents)))
    answer = action[name].astype(jnp.float32)
    tried, same = (answer > 0).astype(jnp.float32), like(situation)
    seen = (same @ (tried * units / jnp.maximum(answer, 1.0))) / jnp.maximum(same @ tried, 1e-6) * most
    return jnp.where(same @ tried > 0, seen, people.reach)
