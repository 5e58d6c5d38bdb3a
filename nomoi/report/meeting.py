"""`nomoi meet`: runs, scripts and people's own agents, everyone with everyone, under any institutions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from nomoi.core import Situation, govern
from nomoi.core.keys import key_of
from nomoi.errors import Refusal, like, nearest
from nomoi.measure.statistics import Estimate
from nomoi.probes.meeting import Guest, Meeting, meet
from nomoi.probes.scenarios import BACKGROUNDS
from nomoi.report import panels, terminal
from nomoi.report.console import console
from nomoi.runs import regimes
from nomoi.runs.code import current
from nomoi.runs.record import Record
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained, learned
from nomoi.runs.trial import trial_of
from nomoi.solve.finite import rare_mutation
from nomoi.solve.game import symmetric

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Meetings:
    """A meeting under each regime, by its label."""

    situation: Situation
    worlds: int
    size: int
    beta: float
    found: dict[str, Meeting]

    def data(self) -> dict[str, Any]:
        """As plain data."""

        def one(met: Meeting) -> dict[str, Any]:
            rows = range(len(met.guests))
            shares = self.shares(met)
            return {
                "guests": met.guests,
                "held out": met.held_out,
                "focal": met.focal,
                "payoff": [[met.cell(r, c).data() for c in range(len(met.backgrounds))] for r in rows],
                "among guests": [met.score(r).data() for r in rows],
                "among those held out": [met.score(r, True).data() for r in rows] if met.held_out else [],
                "share of a population": [s.data() for s in shares],
            }

        told = {"situation": self.situation.name, "worlds": self.worlds, "population": self.size, "beta": self.beta}
        return told | {"under": {label: one(met) for label, met in self.found.items()}}

    def shares(self, met: Meeting) -> list[Estimate]:
        """Of a population, by guest; nothing where a single guest came."""
        return met.shares(self.size, self.beta) if len(met.guests) > 1 else []


def meetings(
    situation: Situation | str, who: Sequence[str], among: Sequence[str] = (), under: Sequence[str] = (), *,
    map: str | None = None, set: Sequence[str] = (), focal: int = 0, worlds: int = 32, size: int = 50,
    beta: float = 0.1, out: str | Path = "runs", old: bool = False,
) -> Meetings:  # fmt: skip
    """Let guests meet in a situation under each regime.

    who    guests, as texts: a record's name, a script such as forager(spare=3) or restrained, FILE.py:Mine
    among  company that is held out: texts of the same kind
    The others as in `nomoi.probes.meeting.meet` and `Meeting.shares`; `old` lets minds of other code come.
    """
    options = regimes.settings(set)
    place = regimes.place(situation, map, options)
    chosen = regimes.asked(under, options)
    if not who:
        raise Refusal("nobody comes to the meeting; name guests with --who: a run, a script, FILE.py:Mine.")
    rare_mutation(symmetric(np.eye(2)), size, beta, "moran")  # refuses what no population has before anybody plays
    found = {}
    for regime in chosen:
        here = govern(place, *regime.institutions)
        guests, others = ([guest(text, here, Path(out), old) for text in texts] for texts in (who, among))
        with terminal.counted(regime.label, len(guests) * len((*guests, *others))) as tell:
            found[regime.label] = meet(key_of(0), here, guests, others, focal, worlds, tell)
    return Meetings(place, worlds, size, beta, found)


def guest(text: str, place: Situation, out: Path, old: bool) -> Guest:
    """Who a text names: one of the known backgrounds, a record, or a player."""
    name = text.strip()
    if name in BACKGROUNDS:
        return Guest(name, BACKGROUNDS[name])
    if (record := named(name, out)) is not None:
        return of_record(record, old)
    try:
        player = regimes.player(name)
    except Refusal as refusal:
        if ".py" in name:
            raise Refusal(f"{name!r} names no guest: {refusal}") from None
        if like(name, BACKGROUNDS):
            raise Refusal(f"{name!r} names no guest; {nearest(name, BACKGROUNDS)}") from None
        known = f"known are {', '.join(BACKGROUNDS)}, the records that `nomoi runs --out {out}` lists, and players"
        raise Refusal(f"{name!r} names no guest: {refusal} ({known})") from None
    if player.batch:
        raise Refusal(f"{name} learns, and has learned nothing yet; train it with `nomoi compare {place.name} --who "
                      f"{name}`, and name the run.")  # fmt: skip
    return Guest(name, player, player.init(key_of(0), place))


def named(name: str, out: Path) -> Record | None:
    """The record of which this is the beginning of the name, if there is one."""
    letters = name.replace("-", "")
    if not letters or not all(c in "0123456789abcdef" for c in letters) or not out.is_dir():
        return None
    return Store(out).pick(name)


def of_record(record: Record, old: bool) -> Guest:
    """What a training run learned, as a guest; `old` lets one come that other code made."""
    current(record, old, "lets what it learned come to the world as it is now")
    trial = trial_of(record)
    if not isinstance(trial, Trained):
        raise Refusal(f"in the record {record.id} nothing was learned: it is {record.kind}; trained runs can come.")
    seed = "" if record.seed is None else f", seed {record.seed}"
    under = f" under {record.label}"
    return Guest(f"{record.id[:6]} ({record.label}{seed})", trial.learner, learned(record, trial),
                 f"{trial.situation.name}{under}")  # fmt: skip


def marks(met: Meeting) -> list[str]:
    """The columns in short: guests by number, and those held out by letter."""
    return [*(str(k + 1) for k in range(len(met.guests))), *(chr(ord("a") + k) for k in range(len(met.held_out)))]


def pictures(found: Meetings) -> list[Figure]:
    """Each regime's table: numbers are payoffs, colours how much better a row does than the column's mean."""
    return [_picture(found, label, met) for label, met in found.found.items()]


def _picture(found: Meetings, label: str, met: Meeting) -> Figure:
    means, short = met.payoff.mean(2), marks(met)
    text = [[met.cell(r, c).text() for c in range(means.shape[1])] for r in range(means.shape[0])]
    title = f"{found.situation.name}, {label}: {met.focal} of {met.agents} agents"
    out = "\n".join(
        f"{mark}  {name}, held out" for mark, name in zip(short[len(met.guests) :], met.held_out, strict=True)
    )
    figure = panels.heat(title, f"among\n{out}".strip(), "who", short,
                         [f"{mark}  {name}" for mark, name in zip(short, met.guests, strict=False)],
                         means - means.mean(0), text, "against the mean of the column (reward)")  # fmt: skip
    wide, high = figure.get_size_inches()
    figure.set_size_inches(max(wide, 6.0), max(high, 3.2) + 0.2 * len(met.held_out))  # room for what is said beside it
    if met.held_out:
        figure.axes[0].axvline(len(met.guests) - 0.5, color="#24282f", linewidth=1.5)
    return figure


def show(found: Meetings, as_json: bool = False) -> None:
    """Print it: ranking first, then who got what among whom."""
    if as_json:
        print(json.dumps(found.data(), indent=1, allow_nan=False))
        return
    for label, met in found.found.items():
        shares = found.shares(met)
        ranking = Table(show_edge=False, pad_edge=False, title=escape(label), title_justify="left")
        columns = ["", "who", "among guests"]
        columns += ["held out"] if met.held_out else []
        columns += ["share"] if shares else []
        for name in columns:
            ranking.add_column(name, justify="left" if name == "who" else "right", overflow="fold")
        for r in sorted(range(len(met.guests)), key=lambda r: -met.score(r).mean):
            cells = [str(r + 1), met.guests[r], _cell(met.score(r))]
            cells += [_cell(met.score(r, True))] if met.held_out else []
            cells += [_share(shares[r])] if shares else []
            ranking.add_row(*map(escape, cells))
        console.print(ranking)
        console.print()
        console.print(_among(met))
        console.print()
    for line in sentences(found):
        console.print(escape(line), highlight=False)


def _cell(value: Estimate, digits: int = 3) -> str:
    return f"{value.text(digits)} {value.interval(digits)}".strip()


def _share(value: Estimate) -> str:
    return f"{value.mean:.2f} [{value.low:.2f}, {value.high:.2f}]"


def _among(met: Meeting) -> Table:
    """Rows by number, columns by number: what each got among each; one's own kind in brackets.

    Where names would leave numbers no room, rows have the marks alone; the ranking has the names of guests.
    """
    table, short = Table(show_edge=False, pad_edge=False), marks(met)
    names = [f"{mark} {name}" + ", held out" * (c >= len(met.guests))
             for c, (mark, name) in enumerate(zip(short, met.backgrounds, strict=True))]  # fmt: skip
    roomy = max(map(len, names)) + 10 * len(met.guests) <= console.width
    table.add_column("among", overflow="fold")
    for r in range(len(met.guests)):
        table.add_column(str(r + 1), justify="right")
    for c, told in enumerate(names if roomy else short):
        if c == len(met.guests):
            table.add_section()
        numbers = [met.cell(r, c).text() for r in range(len(met.guests))]
        table.add_row(escape(told), *(f"({x})" if r == c else x for r, x in enumerate(numbers)))
    return table


def sentences(found: Meetings) -> list[str]:
    """What a reader must know before believing the tables."""
    met = next(iter(found.found.values()))
    out = [
        f"Reward of a focal agent in an episode, transfers included: {met.focal} of {met.agents} agents act as "
        f"one guest, the rest as the other, in the same {found.worlds} worlds. Square brackets are 95 % intervals over "
        "worlds, for these minds; other trainings may differ more. In the second table guests are columns, by their "
        "numbers; round brackets: among their own kind."
    ]
    if len(met.guests) > 1:
        out.append(
            f"Share: of time, that a Moran population of {found.size} with rare mutants is of that kind, if pairs are "
            f"worth what the table says (strength {found.beta:g} for one standard deviation of it)."
        )
    if met.held_out:
        who = ", ".join(
            f"{mark} {name}" for mark, name in zip(marks(met)[len(met.guests) :], met.held_out, strict=True)
        )
        out.append(f"Held out: company that is no guest itself, so that nobody can win by being adapted to it: {who}.")
    return out
