"""What `nomoi solve` does with a situation: it is unfolded, and solved as the game that it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.markup import escape

from nomoi.core import Institution, Situation, govern
from nomoi.core.settings import changed
from nomoi.errors import Refusal
from nomoi.measure.statistics import number
from nomoi.play.called import called
from nomoi.report.console import console
from nomoi.runs import regimes
from nomoi.situations.matrix import Matrix
from nomoi.solve.game import NormalForm
from nomoi.solve.subgame import Solution, backward, planner
from nomoi.solve.unfold import LARGEST, normal_form, tabular


def place(word: str, under: str, set: Sequence[str], map: str | None) -> tuple[Situation, NormalForm | None]:
    """The situation that is meant, governed; and the game of the file that it is from, which has names for things."""
    source = regimes.source(word)
    if source and len(dict.fromkeys(source.shape)) > 1:
        many = " and ".join(str(k) for k in dict.fromkeys(source.shape))
        raise Refusal(f"{word} has players with {many} choices, and only where all have equally many can a game be "
                      "governed or set; without --under and --set it is solved as it is.")  # fmt: skip
    options = regimes.settings(set)
    bare = regimes.place(word, map, options)
    regime = regimes.parse(under, under, options)
    regimes.check_overrides(options, [regime], ["situation"])
    return govern(bare, *regime.institutions), source


def game(situation: Situation, source: NormalForm | None = None) -> NormalForm | None:
    """The game in normal form that it is, if everything is over after one step and nobody convenes before."""
    alone = not any(i.heads(situation.bare) for i in situation.institutions)
    if situation.horizon > 1 or not alone:
        return None
    made, names = normal_form(situation), called(situation, source)
    title = " under ".join(filter(None, (source.title if source else situation.name, _rules(situation))))
    return dataclasses.replace(made, title=title, players=names, actions=source.actions if source else made.actions)


def _written(institution: Institution) -> str:
    """An institution with the options that are not the default's, as a person would type it."""
    told = ",".join(f"{name}={value}" for name, value in changed(institution).items())
    return type(institution).__name__.lower() + (f"({told})" if told else "")


def _rules(situation: Situation) -> str:
    return " + ".join(map(_written, situation.institutions))


def notes(situation: Situation, source: NormalForm | None = None) -> list[str]:
    """What must be known to read what is said: which choices are defection."""
    out, bare = [], situation.bare
    if isinstance(bare, Matrix) and any("defect" in i.needs for i in situation.institutions):
        labels = (source.actions if source else (bare.choices["choose"],) * bare.agents)[0]
        out.append(f"To defect is to choose {' or '.join(labels[bare.defect :])} (situation.defect={bare.defect}).")
    return out


def net(situation: Situation) -> list[str]:
    """Of a table under institutions, that all of it is after transfers."""
    after = f"Payoffs, and sums of them, are after transfers: net of what is paid and got under {_rules(situation)}."
    return [after] if situation.institutions else []


def solve(
    situation: Situation, limit: int = LARGEST, source: NormalForm | None = None, without: bool = False
) -> dict[str, Any]:
    """A subgame-perfect equilibrium, by backward induction, as plain data; of at most `limit` joint choices.

    path     the most probable course of events: step by step, who answers what to which head it is asked
    told     the same in words, a line a step
    without  where asked for, what is had without those institutions that convene, as under a contract that none signs
    """
    markov = tabular(situation, limit)
    found, agents = backward(markov), called(situation, source)
    path = _path(found, agents)
    labels = {head: (told,) * len(agents) for head, told in situation.choices.items()}
    if source:
        labels["choose"] = source.actions
    out = {
        "title": source.title if source else situation.name, "under": list(map(_written, situation.institutions)),
        "agents": list(agents), "states": markov.size, "joint_choices": len(markov.owner),
        "values": found.start.tolist(), "welfare": found.welfare, "planner": planner(markov),
        "deviation": found.deviation, "path": path, "told": [_told(situation, agents, labels, step) for step in path],
        "notes": [*notes(situation, source), *_counted(situation)],
    }  # fmt: skip
    rest = [i for i in situation.institutions if type(i).holds is Institution.holds]
    if without and len(rest) < len(situation.institutions):
        alone = backward(tabular(govern(situation.bare, *rest), limit))
        gone = [i.name for i in situation.institutions if i not in rest]
        out["without"] = {"institutions": gone, "values": alone.start.tolist(), "welfare": alone.welfare}
    return out


def _counted(situation: Situation) -> list[str]:
    said = "What each gets is after transfers, what all get together before them."
    return [said] if situation.institutions else []


def _path(found: Solution, agents: Sequence[str]) -> list[dict[str, dict[str, int]]]:
    m, out, s = found.markov, [], 0
    for step in found.path():
        asked = dict(zip(m.heads, m.asked[s], strict=True))
        out.append({agents[i]: {h: int(step[h][i]) for h in step if asked[h][i]} for i in range(m.agents)})
        row = m.first[s] + int(np.argmax(found.weight[m.first[s] : m.first[s + 1]]))
        s = int(m.next[row, np.argmax(m.prob[row])])
    return [{who: said for who, said in step.items() if said} for step in out]


def _told(
    situation: Situation, agents: Sequence[str], labels: Mapping[str, Sequence[Sequence[str]]],
    step: Mapping[str, Mapping[str, int]],
) -> str:  # fmt: skip
    """A step in words: to the world's only question just a choice that has a name, to an institution's what one did."""
    rules, several = {i.name: i for i in situation.institutions}, len(situation.bare.actions) > 1
    parts = []
    for who, said in step.items():
        for head, answer in said.items():
            label, (owner, _, own) = labels[head][agents.index(who)][answer], head.rpartition(".")
            if owner in rules:
                parts.append(f"{who} {rules[owner].answered(situation.bare, own, label)}")
            else:
                bare = not several and not label[:1].isdigit()  # an amount by itself says not of what
                parts.append(f"{who}: {label if bare else f'{head} {label}'}")
    return "; ".join(parts) or "nobody is asked anything"


def show(found: dict[str, Any]) -> None:
    """The solution in sentences."""
    say = lambda text: console.print(escape(text), highlight=False)  # noqa: E731
    under = f" under {' + '.join(found['under'])}" if found["under"] else ""
    say(f"{found['title']}{under}: {found['states']:,} states, {found['joint_choices']:,} joint choices in them.")
    gets = lambda values: ", ".join(f"{w} {number(v)}" for w, v in zip(found["agents"], values, strict=True))  # noqa: E731
    say(f"In a subgame-perfect equilibrium they get: {gets(found['values'])}.")
    say(f"All together: {number(found['welfare'])}; the most that they could have: {number(found['planner'])}.")
    if rest := found.get("without"):
        say(f"Without {' and '.join(rest['institutions'])} they would get: {gets(rest['values'])}; all together: "
            f"{number(rest['welfare'])}.")  # fmt: skip
    say(f"Nobody gains more than {found['deviation']:.1g} by departing once, in any state.")
    for k, told in enumerate(found["told"]):
        say(f"Step {k + 1}, most probably: {told}.")
    for note in found["notes"]:
        say(note)
