"""What `nomoi solve` does with a situation: it is unfolded, and solved as the game that it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.markup import escape

from nomoi.core import Situation, govern
from nomoi.measure.statistics import number
from nomoi.report.console import console
from nomoi.runs import regimes
from nomoi.solve.game import NormalForm
from nomoi.solve.subgame import Solution, backward, planner
from nomoi.solve.unfold import LARGEST, normal_form, tabular


def place(word: str, under: str, set: Sequence[str]) -> Situation:
    """The situation that is meant, governed."""
    options = regimes.settings(set)
    bare = regimes.place(word, None, options)
    regime = regimes.parse(under, under, options)
    regimes.check_overrides(options, [regime], ["situation"])
    return govern(bare, *regime.institutions)


def game(situation: Situation) -> NormalForm | None:
    """The game in normal form that it is, if everything is over after one step and nobody convenes before."""
    alone = not any(i.heads(situation.bare) for i in situation.institutions)
    return normal_form(situation) if situation.horizon == 1 and alone else None


def solve(situation: Situation, limit: int = LARGEST) -> dict[str, Any]:
    """A subgame-perfect equilibrium, by backward induction, as plain data; of at most `limit` joint choices.

    path   the most probable course of events: step by step, who answers what to which head it is asked
    """
    markov = tabular(situation, limit)
    found = backward(markov)
    return {
        "title": situation.name, "under": [i.name for i in situation.institutions], "agents": _called(situation),
        "states": markov.size, "joint_choices": len(markov.owner), "values": found.start.tolist(),
        "welfare": found.welfare, "planner": planner(markov), "deviation": found.deviation,
        "path": _path(found, _called(situation)),
    }  # fmt: skip


def _called(situation: Situation) -> list[str]:
    """What each agent is called: its role, and its number where several have it."""
    roles = situation.roles
    return [role if roles.count(role) == 1 else f"{role} {i}" for i, role in enumerate(roles)]


def _path(found: Solution, agents: Sequence[str]) -> list[dict[str, dict[str, int]]]:
    m, out, s = found.markov, [], 0
    for step in found.path():
        asked = dict(zip(m.heads, m.asked[s], strict=True))
        out.append({agents[i]: {h: int(step[h][i]) for h in step if asked[h][i]} for i in range(m.agents)})
        row = m.first[s] + int(np.argmax(found.weight[m.first[s] : m.first[s + 1]]))
        s = int(m.next[row, np.argmax(m.prob[row])])
    return [{who: said for who, said in step.items() if said} for step in out]


def show(found: dict[str, Any]) -> None:
    """The solution in sentences."""
    say = lambda text: console.print(escape(text), highlight=False)  # noqa: E731
    under = f" under {' and '.join(found['under'])}" if found["under"] else ""
    say(f"{found['title']}{under}: {found['states']:,} states, {found['joint_choices']:,} joint choices in them.")
    gets = ", ".join(f"{who} {number(v)}" for who, v in zip(found["agents"], found["values"], strict=True))
    say(f"In a subgame-perfect equilibrium they get: {gets}.")
    say(f"All together: {number(found['welfare'])}; the most that they could have: {number(found['planner'])}.")
    say(f"Nobody gains more than {found['deviation']:.1g} by departing once, in any state.")
    for k, step in enumerate(found["path"]):
        told = "; ".join(f"{who}: {', '.join(f'{h} {a}' for h, a in said.items())}" for who, said in step.items())
        say(f"Step {k + 1}, most probably: {told or 'nobody is asked anything'}.")
    if any(found["path"]):
        say("Answers are numbered from 0, in the order in which `nomoi show` tells them.")
