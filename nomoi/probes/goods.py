"""What kind of good something is, by intervention: private, club, common-pool or public (Ostrom & Ostrom 1977).

Two questions are asked of what one person, i, benefits.  *Rivalry*: let i take one unit more, with every barrier lifted
and the others' ways as they are: sigma is what the others lose for each unit that i gains.  *Exclusion*: put the
barriers up: beta is the share of i's benefit that they keep from i, and kappa what they cost for each unit that they
keep from people of i's role.  A good is rival from sigma = 1/2 on, and excludable from beta = 1/2 on where kappa is
below 1 (ours).  So the kind is one of a situation, its institutions and its state together, and of nothing less.

The good is what is harvested; where nothing is, and people give to what all gain by, it is what they have of that, and
what they keep for themselves is not counted (one who keeps more takes nothing out of it); else it is the reward.

Being idle is not exclusion: who does not fish has no fish, though nobody could keep him out.  Where no institution can
bar anybody, a good is not excludable.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Institution, Situation, govern
from nomoi.core.learner import Learner
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.measure.evaluate import episodes

HALF = 0.5  # of sigma and of beta, from which on a good is rival, and excludable (ours)
DUST = 1e-5  # of what is at stake: what sums of float32 may be off by (ours)
MOST = 1_000_000  # steps, and worlds (ours)
LESS, MORE, IDLE = range(3)
GIFTS = {"given", "shirked"}  # events of a situation in which people give to what all gain by
KINDS = {(True, True): "private", (False, True): "club", (True, False): "common-pool", (False, False): "public"}


@dataclasses.dataclass(frozen=True)
class Good:
    """What was found, of one person.

    gain, harm  what i gained by one unit more, and the others lost together
    benefit     what i has then, barriers lifted;  kept  what they keep from i
    idle        what goes where i does nothing; not a number where the good is given
    kappa       what the barriers cost for each unit they keep from i's role; infinite where there are none
    """

    gain: float
    harm: float
    benefit: float
    kept: float
    idle: float
    kappa: float

    @property
    def dust(self) -> float:
        """What is nothing beside what is at stake."""
        return DUST * max(abs(self.benefit), abs(self.gain), abs(self.harm), 1e-9)

    @property
    def sigma(self) -> float:
        """What the others lose for each unit that i gains; not a number where i gains nothing: then no ratio is due."""
        return self.harm / self.gain if self.gain > self.dust else math.nan

    @property
    def beta(self) -> float:
        """The share of i's benefit that the barriers keep from i; not a number where there is no benefit."""
        return self.kept / self.benefit if self.benefit > self.dust else math.nan

    @property
    def rival(self) -> bool | None:
        """None where one cannot tell: i gains nothing, and others are harmed."""
        if math.isnan(self.sigma):
            return None if self.harm > self.dust else False
        return self.sigma >= HALF - 1e-6

    @property
    def excludable(self) -> bool:
        return self.beta >= HALF - 1e-6 and self.kappa < 1

    @property
    def kind(self) -> str:
        """One of KINDS, or "undecided" where rivalry is."""
        return "undecided" if self.rival is None else KINDS[self.rival, self.excludable]

    def data(self) -> dict[str, Any]:
        """As plain data for JSON, which knows no infinity."""
        found = dataclasses.asdict(self) | {"sigma": self.sigma, "beta": self.beta}
        return {k: v if math.isfinite(v) else None for k, v in found.items()} | {"kind": self.kind}


def barrier(institution: Institution) -> bool:
    """Whether it can bar anybody: it lets not all that is tried through to the world."""
    return type(institution).permit is not Institution.permit


def lifted(situation: Situation) -> Situation:
    """The situation with every barrier out of force."""
    stack = situation.institutions
    return govern(situation.bare, *(i.replace(in_force=False) if barrier(i) else i for i in stack))


def given(situation: Situation) -> bool:
    """Whether its good is made of what people give, and not harvested."""
    return "harvest" not in situation.emits and set(situation.emits) >= GIFTS


def whom(situation: Situation) -> int:
    """Of whom it is asked unless that is said: the last stranger where there are any, else the first agent."""
    strangers = [i for i, role in enumerate(situation.roles) if role == "stranger"]
    return strangers[-1] if strangers else 0


class Intervened(Learner):
    """All act by `who`, but agent `agent` lives by `less`, by `more` or idle, answering 0 to every head of the world.

    Where `less` is none it is `who` too; where `more` is none it is that, and one choice further at the first head in
    the first step (who chose the last one takes one less before, so that there is room).
    """

    who: Learner
    less: Learner | None
    more: Learner | None
    agent: Int[Array, ""]
    what: Int[Array, ""]

    def start(self, mind: Any, situation: Situation) -> Any:
        return jnp.int32(0), tuple(one.start((), situation) if one else () for one in (self.who, self.less, self.more))

    def act(self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any) -> Any:
        time, (one, before, after) = carry
        usual, one = self.who.act(key, (), situation, seen, one)
        if self.less:
            less, before = self.less.act(key, (), situation, seen, before)
        else:
            less = usual if self.more else self._notch(situation, usual, time, 0)
        if self.more:
            more, after = self.more.act(key, (), situation, seen, after)
        else:
            more = self._notch(situation, less, time, 1)
        here = jnp.arange(situation.agents) == self.agent
        mine = {h: jnp.stack([less[h], more[h], jnp.zeros_like(less[h])])[self.what] for h in situation.bare.actions}
        action = usual | {h: jnp.where(here, own, usual[h]) for h, own in mine.items()}
        return action, (time + 1, (one, before, after))

    def _notch(self, situation: Situation, usual: Action, time: Array, more: int) -> Action:
        """The usual, and in the first step, at the first head, so many choices more; there is room for one."""
        head, choices = next(iter(situation.actions.items()))
        room = jnp.minimum(usual[head], choices - 2) + more
        return usual | {head: jnp.where(time == 0, room, usual[head])}


def probe(
    key: PRNGKeyArray, situation: Situation, who: Learner, agent: int | None = None, steps: int = 0, worlds: int = 64,
    less: Learner | None = None, more: Learner | None = None,
) -> Good:  # fmt: skip
    """What kind of good there is to agent `agent` (see `whom`), as the situation is governed, among others who act by
    the script `who`; over `steps` (default: one horizon) from where episodes begin, in `worlds` worlds, the same ones
    whatever i does.  The good is as above; never what institutions move.

    less, more   scripts by which i lives from beginning to end; by default as the others, and with one notch more at
                 the first head in the first step; of a good that is given, the other way round, as that notch is kept
    """
    for one in (who, less, more):
        if one and one.batch:
            raise Refusal(f"{one.name} learns, and ways are held fixed here; a script would be right.")
    n, agent = situation.agents, whom(situation) if agent is None else agent
    if n < 2:
        raise Refusal(f"{situation.name} has one agent, and rivals are at least two.")
    if not 0 <= agent < n:
        raise Refusal(f"there is no agent {agent} among the {n} of {situation.name}; 0 to {n - 1} are.")
    if steps < 0 or worlds < 1:
        raise Refusal(f"{steps} steps in {worlds} worlds; one world and one step (0 is a horizon) are the least.")
    if steps > MOST or worlds > MOST:
        raise Refusal(f"{steps} steps in {worlds} worlds; {MOST:,} of each are the most.")

    def live(place: Situation, what: int) -> tuple[Any, Any]:
        return _lived(key, place, who, less, more, jnp.int32(agent), jnp.int32(what), steps, worlds)

    free, barred = lifted(situation), None
    low, high = (MORE, LESS) if given(situation.bare) and not less and not more else (LESS, MORE)
    if any(barrier(i) and bool(np.asarray(i.in_force)) for i in situation.institutions):
        barred = live(situation, high)
    first, further, idle = (live(free, what)[0] for what in (low, high, IDLE))
    if given(situation.bare):  # where to answer 0 may be to give all
        idle = idle * math.nan
    return judge(agent, first, further, idle, [role == situation.roles[agent] for role in situation.roles], barred)


def judge(agent: int, less: Any, more: Any, idle: Any, role: Any, barred: tuple[Any, Any] | None = None) -> Good:
    """From what all get [n] where i takes less, more, or nothing, with barriers lifted; `role` [n] who is of i's.

    barred   what all get where i takes more and the barriers are up, and what these cost; None where there are none
    """
    less, more, idle = (np.asarray(x, float) for x in (less, more, idle))
    kept, kappa, others = 0.0, math.inf, np.arange(len(less)) != agent
    if barred is not None:
        gone = more - np.asarray(barred[0], float)
        kept, withheld = float(gone[agent]), float(np.maximum(gone, 0)[np.asarray(role, bool)].sum())
        kappa = float(barred[1]) / withheld if withheld > 0 else math.inf
    return Good(
        gain=float(more[agent] - less[agent]), harm=float((less - more)[others].sum()), benefit=float(more[agent]),
        kept=kept, idle=float(more[agent] - idle[agent]), kappa=kappa,
    )  # fmt: skip


@eqx.filter_jit
def _lived(
    key: PRNGKeyArray, situation: Situation, who: Learner, less: Learner | None, more: Learner | None, agent: Array,
    what: Array, steps: int, worlds: int,
) -> tuple[Float[Array, " n"], Float[Array, ""]]:  # fmt: skip
    """What each had of the good, and what the barriers cost all together: means over worlds."""
    played = episodes(key, situation, Intervened(who, less, more, agent, what), ((),), worlds, steps)
    bills = [f"{i.name}.cost" for i in situation.institutions if barrier(i)]
    cost = sum((played.events[b].sum(-1).mean() for b in bills if b in played.events), jnp.zeros(()))
    good = played.reward - played.events["shirked"] if given(situation.bare) else played.events.get(
        "harvest", played.reward)  # fmt: skip
    return good.mean(0), cost
