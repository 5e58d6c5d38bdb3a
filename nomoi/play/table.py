"""Table: one world lived in from the host, seat by seat.

>>> import nomoi
>>> from nomoi.play import Table
>>> table = Table(nomoi.Pool(agents=2), seed=7)
>>> for seat, told in table.ask().items():
...     table.answer(seat, {"request": told.asked["request"] // 4})
>>> table.step()
>>> table.outcome[1].reward
0.125
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Outcome, Situation
from nomoi.core import worlds as clock
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.core.situation import Action
from nomoi.errors import Refusal, nearest
from nomoi.play import digest
from nomoi.play.seats import Party, named, playing

EVERY = 10  # steps between two digests of the whole world (ours)


@dataclasses.dataclass(frozen=True)
class Told:
    """What one agent alone is told before a step.

    seen      {name: array}: its own observation, without an axis of agents
    asked     {head: number of choices}: the heads whose answer counts now; its choices are 0 .. number - 1
    present   whether it is in play
    step      steps of the episode so far, also those in which an institution convened
    """

    seat: int
    seen: dict[str, np.ndarray]
    asked: dict[str, int]
    present: bool
    step: int


@dataclasses.dataclass(frozen=True)
class Share:
    """What a step brought to one agent: reward, transfer (see `Outcome`), and {event: number, or [n] to each}."""

    reward: float
    transfer: float
    events: dict[str, Any]

    @property
    def payoff(self) -> float:
        """Both together, in the precision of the world."""
        return float(np.float32(self.reward) + np.float32(self.transfer))


class Seen(eqx.Module):
    """What comes to light between two steps, for all agents: [n, ...] of everything."""

    seen: dict[str, Array]
    present: Bool[Array, " n"]
    asked: dict[str, Bool[Array, " n"]]


class Table:
    """One world, stepped by the host when everybody who is asked has answered.

    A seat is an agent, by its number.  All are open at first: what they answer comes through `answer`.  `sit` puts
    somebody there.  What is not asked of a seat it may answer all the same, as learners do, and nothing hangs on it;
    where it does not, 0 is put down.

    A table at which one learner has all the seats lives through what `rollout(key_of(seed), situation, learner)` does,
    but for float dust.  `key` is the random key of the episode itself, where it is not to follow from the seed.

    episode   which one it is, from 1;  steps  of it so far, also those in which an institution convened
    over      whether the episode has ended; `renew` begins the next one
    outcome   {seat: Share} of the last step;  brought  the same for all at once, as the world gave it
    state     the whole state, for pictures and measures; no seat is told it
    log       what was played, as plain data (see `transcript`)
    """

    def __init__(self, situation: Situation, seed: int = 0, key: PRNGKeyArray | None = None):
        begun, self._minds, self._acting = jax.random.split(key_of(seed), 3)
        self.situation, self.seed, self.key = situation, seed, key
        self.heads, self.seats = dict(situation.actions), range(situation.agents)
        self._who: list[Any] = [None] * situation.agents
        self._parties: list[Party] = []
        self.log: list[dict[str, Any]] = []
        self.episode = self._lived = 0
        self._named: list[str] | None = None
        self._digest = ""
        self._open(jax.random.split(begun, 1)[0] if key is None else key)

    def _open(self, key: PRNGKeyArray) -> None:
        """Begin the episode of a key."""
        self._key, self.over, self.outcome = key, False, dict[int, Share]()
        self.brought: Outcome | None = None
        self.steps, self._answers = 0, dict[int, dict[str, int]]()
        self.state, self._turn, self._device = _begin(self.situation, key)
        self._host: Seen = digest.home(self._device)
        self.episode += 1
        self._digest = digest.of(self._digest, self.world)
        self.log.append({"episode": self.episode, "digest": self._digest})

    @property
    def turn(self) -> Int[Array, ""]:
        """How many steps the world itself has made."""
        return self._turn

    @property
    def world(self) -> Any:
        """All that the future of the world depends on: its state, its key and its clock."""
        return self.state, self._key, self._turn

    def sit(self, seat: int | str, who: Any, mind: Any = None) -> None:
        """Put somebody on a seat; or, by the name of a role, on all seats that have it.

        who   the name of a person (None: of nobody), for whom the host will `answer`; a function Told -> {head: choice}
              that is called when something is asked of the seat; or a learner or script, which acts by `mind`
              (default: one before any experience).  Seats of one learner and mind follow one call and one memory.
        """
        seats = playing(self.situation, seat) if isinstance(seat, str) else [self._seat(seat)]
        named(who)
        if isinstance(who, Learner):
            who = self._party(who, mind)
        elif mind is not None:
            raise Refusal(f"a mind belongs to a learner, and {named(who) or 'nobody'!r} at seat {seat} is none.")
        for i in seats:
            self._who[i] = who
            self._answers.pop(i, None)

    def _party(self, learner: Learner, given: Any) -> Party:
        for party in self._parties:
            if party.learner is learner and party.given is given:
                return party
        place = len(self._parties)
        key = jax.random.fold_in(self._minds, place) if place else self._minds
        mind = learner.init(key, self.situation) if given is None else given
        party = Party(place, learner, mind, given, self.situation)
        # refuses who cannot live here
        jax.eval_shape(lambda seen: party.act(self._acting, 0, seen)[0], self._device.seen)
        self._parties.append(party)
        return party

    def told(self, seat: int | str) -> Told:
        """What the agent of a seat alone is told now; copies, through which nobody else's can be reached."""
        i = self._seat(seat)
        seen = {name: np.array(x[i]) for name, x in self._host.seen.items()}
        return Told(i, seen, self._asked(i), bool(self._host.present[i]), self.steps)

    def _asked(self, seat: int) -> dict[str, int]:
        return {head: self.heads[head] for head, who in self._host.asked.items() if who[seat]}

    def ask(self) -> dict[int, Told]:
        """What every open seat is told, by seat; `asked` is empty where nothing is to be answered now."""
        self._goes_on()
        return {i: self.told(i) for i in self.seats if self._is_open(i)}

    def answer(self, seat: int | str, choices: Mapping[str, int]) -> None:
        """What an open seat answers, {head: choice}; it may think again until the step."""
        self._goes_on()
        seat = self._seat(seat)
        if not self._is_open(seat):
            raise Refusal(f"{self._of(seat)} answers by itself; sit({seat}, None) would open the seat.")
        self._take(seat, choices)

    def _take(self, seat: int, choices: Any) -> None:
        if not isinstance(choices, Mapping):
            raise Refusal(f"{self._of(seat)} answers {choices!r}; {{head: choice}} would be right.")
        taken = {}
        for head, choice in choices.items():
            if head not in self.heads:
                raise Refusal(f"{self._of(seat)} answers {head!r}; {nearest(str(head), self.heads, 'head')}")
            try:
                taken[head] = -1 if isinstance(choice, bool) else operator.index(choice)
            except TypeError:
                taken[head] = -1
            if not 0 <= taken[head] < self.heads[head]:
                right = f"a whole number from 0 to {self.heads[head] - 1}"
                raise Refusal(f"{self._of(seat)} answers {choice!r} to {head!r}; {right} would be right.")
        self._answers[seat] = self._answers.get(seat, {}) | taken

    def step(self) -> None:
        """One step of everybody at once, by what the open seats have answered and what the others choose.

        Refused while somebody has not answered what is asked; nothing has happened then.
        """
        self._goes_on()
        for i, who in enumerate(self._who):
            if callable(who) and self._lacking(i):
                self._take(i, who(self.told(i)))
            if not isinstance(who, Party) and (lacking := self._lacking(i)):
                head, most = lacking[0], self.heads[lacking[0]] - 1
                raise Refusal(f"{self._of(i)} has not answered {head!r}; a choice from 0 to {most} would be right.")
        rows: dict[str, Any] = {head: np.zeros(len(self.seats), np.int32) for head in self.heads}
        for i, choices in self._answers.items():
            for head, choice in choices.items():
                rows[head][i] = choice
        carried = [self._follow(party, rows) for party in self._parties]
        self.state, self._turn, self._device, outcome = _step(self.situation, self._key, self._turn, self.state, rows)
        self._host, brought = digest.home((self._device, outcome))
        for party, carry in zip(self._parties, carried, strict=True):
            party.carry = carry
        self.steps, self._lived, self._answers = self.steps + 1, self._lived + 1, {}
        self.over, self.brought = bool(brought.done), brought
        self.outcome = {i: _share(brought, i) for i in self.seats}
        self._write(rows, brought)

    def _follow(self, party: Party, rows: dict[str, np.ndarray]) -> Any:
        """Put down what a party chooses for its seats; gives what it would carry on."""
        mine = [i for i, who in enumerate(self._who) if who is party]
        if not mine:
            return party.carry
        chosen, carry = party.act(self._acting, self._lived, self._device.seen)
        for head, choices in digest.home(chosen).items():
            rows[head][mine] = own = choices[mine]
            if ((own < 0) | (own >= self.heads[head])).any():
                who, many = party.learner.name, self.heads[head]
                raise Refusal(f"{who} answers {own.tolist()} to {head!r}; 0 to {many - 1} would be right.")
        return carry

    def renew(self) -> None:
        """Begin the next episode, once this one is over; nobody remembers it but by their mind."""
        if not self.over:
            name = self.situation.name
            raise Refusal(f"the episode of {name} is not over after {self.steps} steps; play it to its end.")
        for party in self._parties:
            party.restart()
        self._open(clock.following(self._key))

    def _write(self, rows: dict[str, np.ndarray], brought: Outcome) -> None:
        whole = self.over or self.steps % EVERY == 0
        paid = np.asarray(brought.reward), np.asarray(brought.transfer)
        self._digest = digest.of(self._digest, rows, paid, self.world if whole else ())
        line: dict[str, Any] = {"step": self.steps, "answers": {head: row.tolist() for head, row in rows.items()}}
        line |= {"reward": paid[0].tolist(), "transfer": paid[1].tolist(), "done": self.over, "digest": self._digest}
        names = [self._name(i) for i in self.seats]
        if names != self._named:  # said when somebody has changed
            line, self._named = line | {"seats": names}, names
        self.log.append(line)

    def _seat(self, seat: int | str) -> int:
        if isinstance(seat, bool) or not isinstance(seat, (int, np.integer)) or seat not in self.seats:
            raise Refusal(f"there is no seat {seat!r}; those of {self.situation.name} are 0 to {len(self.seats) - 1}.")
        return int(seat)

    def _is_open(self, seat: int) -> bool:
        return self._who[seat] is None or isinstance(self._who[seat], str)

    def _lacking(self, seat: int) -> list[str]:
        return [head for head in self._asked(seat) if head not in self._answers.get(seat, {})]

    def _name(self, seat: int) -> str:
        who = self._who[seat]
        return named(who.learner if isinstance(who, Party) else who)

    def _of(self, seat: int) -> str:
        return f"seat {seat} ({self._name(seat)})" if self._name(seat) else f"seat {seat}"

    def _goes_on(self) -> None:
        if self.over:
            raise Refusal(f"the episode of {self.situation.name} is over; renew() begins the next one.")


def _share(brought: Outcome, i: int) -> Share:
    events = {name: float(x[i]) if x.ndim == 1 else np.array(x[i]) for name, x in brought.events.items()}
    return Share(float(brought.reward[i]), float(brought.transfer[i]), events)


def _light(situation: Situation, state: Any) -> Seen:
    return Seen(dict(situation.observe(state)), situation.present(state), situation.asked(state))


# Compiled once for each structure of a situation: settings are arrays, and may change freely.


@eqx.filter_jit
def _begin(situation: Situation, key: PRNGKeyArray) -> tuple[Any, Int[Array, ""], Seen]:
    state = situation.reset(key)
    return state, jnp.zeros((), jnp.int32), _light(situation, state)


@eqx.filter_jit
def _step(
    situation: Situation, key: PRNGKeyArray, turn: Int[Array, ""], state: Any, action: Action
) -> tuple[Any, Int[Array, ""], Seen, Outcome]:
    after, turn, outcome = clock.step(situation, key, turn, state, action)
    return after, turn, _light(situation, after), outcome
