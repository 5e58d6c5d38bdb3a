"""What `nomoi solve` shows in the terminal: a game, its class, its equilibria and the choice between them."""

from __future__ import annotations

import numpy as np
from rich.markup import escape
from rich.table import Table

from nomoi.measure.statistics import number
from nomoi.report.terminal import console
from nomoi.solve.analysis import Analysis
from nomoi.solve.dilemma import words

WIDE = 8  # actions up to which the payoffs of two are printed
MANY = 30  # equilibria that are printed; JSON has all
YES = {True: "[green]yes[/green]", False: "[dim]no[/dim]"}


def show(found: Analysis) -> None:
    """The whole of it, as tables and sentences."""
    game = found.game
    console.print(f"[bold]{escape(game.title)}[/bold]  {escape(found.name)}", highlight=False)
    if game.n == 2 and max(game.shape) <= WIDE:
        _payoffs(found)
    _dilemma(found)
    _equilibria(found)
    for line in sentences(found):
        console.print(escape(line), highlight=False)
    for warning in (*found.equilibria.warnings, *found.notes):
        console.print(f"[yellow]{escape(warning)}[/yellow]", highlight=False)


def _payoffs(found: Analysis) -> None:
    game = found.game
    out = Table(show_edge=False, pad_edge=False)
    out.add_column(escape(f"{game.players[0]} \\ {game.players[1]}"), style="bold")
    for name in game.actions[1]:
        out.add_column(escape(name), justify="center")
    row, column = game.payoff.tolist()
    for i, name in enumerate(game.actions[0]):
        cells = [f"{_short(a)}, {_short(b)}" for a, b in zip(row[i], column[i], strict=True)]
        out.add_row(escape(name), *cells)
    console.print(out, "")


def _dilemma(found: Analysis) -> None:
    if found.labelling is None:
        return
    views, game = found.labelling.views, found.game
    who = ["both"] if found.symmetric else list(game.players)
    called = [names[k] for names, k in zip(game.actions, found.labelling.cooperate, strict=True)]
    title = f"social dilemma, if to cooperate is {' and '.join(dict.fromkeys(called))}"
    out = Table(title=escape(title), title_justify="left")
    out.add_column("")
    for name in who:
        out.add_column(escape(name), justify="right")
    rows = [
        ("R, S, T, P", [", ".join(_short(v) for v in (d.R, d.S, d.T, d.P)) for d in views]),
        ("R > P: both cooperating beats neither", [YES[d.coop_beats_defect] for d in views]),
        ("R > S: and beats being the only one", [YES[d.coop_beats_sucker] for d in views]),
        ("greed: T > R", [f"{YES[d.greed]} ({d.greed_strength:+.3g})" for d in views]),
        ("fear: P > S", [f"{YES[d.fear]} ({d.fear_strength:+.3g})" for d in views]),
        ("2R > T + S: and beats taking turns", [YES[d.turns_lose] for d in views]),
        ("[bold]dilemma[/bold]", [f"{YES[d.dilemma]}{_named(d.name)}" for d in views]),
    ]
    for label, cells in rows:
        out.add_row(label, *cells[: len(who)])
    console.print(out)


def _named(name: str | None) -> str:
    return f", {words(name)}" if name else ""


def _equilibria(found: Analysis) -> None:
    e, game = found.equilibria, found.game
    count = f"{len(e.points)} equilibri{'um' if len(e.points) == 1 else 'a'}"
    whole = "all" if e.complete else "not known to be all"
    out = Table(title=f"{count} ({whole}; {e.method}, {e.seconds * 1e3:.0f} ms)", title_justify="left")
    out.add_column("", justify="right")
    for name in game.players:
        out.add_column(escape(name), overflow="fold")
    for name in ("payoffs", "regret", "component"):
        out.add_column(name, justify="right")
    home = {k: g for g, group in enumerate(e.components) for k in group}
    for k, point in enumerate(e.points[:MANY]):
        mixed = [escape(strategy(x, names)) for x, names in zip(point, game.actions, strict=True)]
        mark = f"{e.certificates[k]:.0e}" if e.certificates[k] else "0"
        out.add_row(str(k + 1), *mixed, ", ".join(number(v) for v in e.payoffs[k]), mark, str(home[k] + 1))
    console.print(out)
    if len(e.points) > MANY:
        console.print(f"... and {len(e.points) - MANY} more; --json has all.", highlight=False)


def strategy(x: np.ndarray, names: tuple[str, ...]) -> str:
    """A mixed strategy in words: C, or 0.6 Bach + 0.4 Stravinsky."""
    used = [(v, name) for v, name in zip(x.tolist(), names, strict=True) if v > 0]
    return used[0][1] if len(used) == 1 else " + ".join(f"{number(v)} {name}" for v, name in used)


def sentences(found: Analysis) -> list[str]:
    """What is to be said beside the tables, a line each."""
    game, out = found.game, []
    if found.crowd:
        c = found.crowd
        lures = " and ".join(name for name, there in (("greed", c.greed), ("fear", c.fear)) if there) or "no lure"
        ends = ", ".join(map(str, c.equilibria))
        out.append(f"Social dilemma of {game.n}: {'yes' if c.dilemma else 'no'} ({lures}); nobody leaves where {ends} "
                   f"cooperate, best for all are {c.optimum}; the worst falls {number(c.loss)} short.")  # fmt: skip
    for edge in found.knife_edges():
        out.append(f"Knife's edge: {edge}; a small change of payoffs decides.")
    if len(found.equilibria.points) > 1:
        best = " and ".join(str(k + 1) for k in found.undominated[:MANY])
        one = len(found.undominated) == 1
        out.append(f"Payoff dominance: {best} {'dominates all others' if one else 'are not dominated'}.")
    name = lambda a: "(" + ", ".join(n[k] for n, k in zip(game.actions, a, strict=True)) + ")"  # noqa: E731
    for duel in found.duels[:MANY]:
        pair = f"{name(duel.first)} against {name(duel.second)}"
        losses = " against ".join(_short(v) for v in duel.losses)
        said = f"{name(duel.winner)} risk-dominates" if duel.winner else "a tie, neither risk-dominates"
        out.append(f"Risk dominance, {pair}: {said} (products of losses {losses}).")
    if found.welfare:
        low, high, fair = (found.welfare[aim] for aim in ("min", "max", "egalitarian"))
        line = f"Correlated equilibria: welfare from {number(low.welfare, 4)} to {number(high.welfare, 4)}"
        out.append(f"{line}; the worst off can have {number(float(fair.payoffs.min()), 4)}.")
    kind = found.kind
    r = f" (r = {number(kind.rho)}, harmony {number(kind.harmony)})" if np.isfinite(kind.rho) else ""
    idle = f"; {', '.join(kind.indifferent)} gets the same whatever happens" if kind.indifferent else ""
    out.append(f"Schelling's kind: {kind.name}{r}{idle}.")
    if found.place:
        out.append(f"Ordinal game: {found.place.name}, row {found.place.row + 1}, column {found.place.column + 1} of "
                   f"the periodic table; {found.place.layer}.")  # fmt: skip
    for title, shares in (("one population", found.one), ("two populations", found.two)):
        if shares:
            text = ", ".join(f"{number(share)} to ({end})" for end, share in shares.items())
            out.append(f"Basins of the replicator in {title}: {text}.")
    if game.shape == (2, 2) and not found.two and found.equilibria.degenerate is False:
        out.append("Basins of the replicator in two populations: none, orbits circle the mixed equilibrium.")
    return out


def _short(value: float) -> str:
    """A payoff; whole ones with all their digits, so that unlike ones look unlike."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e12 else f"{value:g}"
