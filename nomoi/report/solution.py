"""What `nomoi solve` shows in the terminal: a game, its class, its equilibria and the choice between them."""

from __future__ import annotations

import numpy as np
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from nomoi.measure.statistics import number
from nomoi.report.terminal import console
from nomoi.solve import crowds
from nomoi.solve.analysis import Analysis
from nomoi.solve.dilemma import words

WIDE = 8  # actions up to which the payoffs of two are printed
PLACES = 3  # outcomes that are named where several are best (ours)
MANY = 30  # equilibria that are printed; JSON has all
UNBOUND = 100_000  # letters of a terminal in which a table has all the room that it can use (ours)
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


def _put(out: Table) -> None:
    """A table; or, where the terminal is too narrow for its longest words, a line for each of its rows."""
    if Measurement.get(console, console.options.update_width(UNBOUND), out).minimum <= console.width:
        console.print(out)
        return
    heads = [str(column.header) for column in out.columns]
    for line in filter(None, (out.title, heads[0])):
        console.print(line, highlight=False)
    for first, *cells in zip(*(column.cells for column in out.columns), strict=True):
        told = "; ".join(f"{head} {cell}" for head, cell in zip(heads[1:], cells, strict=True))
        console.print(f"{first}: {told}", highlight=False)


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
    _put(out)
    console.print()


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
    _put(out)


def _named(name: str | None) -> str:
    return f", {words(name)}" if name else ""


def _equilibria(found: Analysis) -> None:
    e, game, shares = found.equilibria, found.game, found.reached.shares
    count = f"{len(e.points)} equilibri{'um' if len(e.points) == 1 else 'a'}"
    whole = "all" if e.complete else "not known to be all"
    out = Table(title=f"{count} ({whole}; {e.method}, {max(e.seconds, 0.001):.3f} s)", title_justify="left")
    out.add_column("", justify="right")
    for name in game.players:
        out.add_column(escape(name), overflow="fold")
    several = len(set(e.components)) < len(e.points)  # else each is a component of its own
    for name in ("payoffs", "together", "regret", *["component"] * several):
        out.add_column(name, justify="right")
    home = {k: g for g, group in enumerate(e.components) for k in group}
    for k, point in enumerate(e.points[:MANY]):
        mixed = [escape(strategy(x, names)) for x, names in zip(point, game.actions, strict=True)]
        mark = f"{e.certificates[k]:.0e}" if e.certificates[k] else "0"
        both = number(found.reached.sums[k]) + (f" ({_percent(shares[k])})" if shares else "")
        group = [str(home[k] + 1)] * several
        out.add_row(str(k + 1), *mixed, ", ".join(number(v) for v in e.payoffs[k]), both, mark, *group)
    _put(out)
    if len(e.points) > MANY:
        console.print(f"... and {len(e.points) - MANY} more; --json has all.", highlight=False)


def _percent(share: float) -> str:
    return f"{number(100 * share)} %"


def strategy(x: np.ndarray, names: tuple[str, ...]) -> str:
    """A mixed strategy in words: C, or 0.6 Bach + 0.4 Stravinsky."""
    used = [(v, name) for v, name in zip(x.tolist(), names, strict=True) if v > 0]
    return used[0][1] if len(used) == 1 else " + ".join(f"{number(v)} {name}" for v, name in used)


def sentences(found: Analysis) -> list[str]:
    """What is to be said beside the tables, a line each."""
    game, out, name = found.game, [*_dominance(found), *_reached(found)], found.outcome
    if found.crowd:
        out.append(_crowd(found, found.crowd))
    for edge in found.knife_edges():
        out.append(f"Knife's edge: {edge}; a small change of payoffs decides.")
    if len(found.equilibria.points) > 1:
        best = " and ".join(str(k + 1) for k in found.undominated[:MANY])
        one = len(found.undominated) == 1
        out.append(f"Payoff dominance: {best} {'dominates all others' if one else 'are not dominated'}.")
    for duel in found.duels[:MANY]:
        pair = f"{name(duel.first)} against {name(duel.second)}"
        losses = " against ".join(_short(v) for v in duel.losses)
        said = f"{name(duel.winner)} risk-dominates" if duel.winner else "a tie, neither risk-dominates"
        out.append(f"Risk dominance, {pair}: {said} (products of losses {losses}).")
    if found.welfare:
        low, high, fair = (found.welfare[aim] for aim in ("min", "max", "egalitarian"))
        same = np.isclose(low.welfare, high.welfare, rtol=1e-9, atol=1e-12 * game.range)
        sums = f"only {number(high.welfare, 4)}" if same else (
            f"from {number(low.welfare, 4)} to {number(high.welfare, 4)}")  # fmt: skip
        out.append("Where a mediator advises each in private (correlated equilibria), they can get "
                   f"{sums} together; the worst off can have {number(float(fair.payoffs.min()), 4)}.")  # fmt: skip
    kind = found.kind
    r = f", mean correlation of payoffs r = {number(kind.rho)}" if game.n > 2 else ""
    scale = f" (harmony {number(kind.harmony)}; -1 is pure conflict, 1 common interest{r})"
    idle = f"; {', '.join(kind.indifferent)} gets the same whatever happens" if kind.indifferent else ""
    out.append(f"Schelling's kind of game: {kind.name}{scale if np.isfinite(kind.rho) else ''}{idle}.")
    if found.place:
        out.append(f"Ordinal game: {found.place.name}, row {found.place.row + 1}, column {found.place.column + 1} of "
                   f"the periodic table; {found.place.layer}.")  # fmt: skip
    return out + _basins(found)


def _dominance(found: Analysis) -> list[str]:
    """Which actions iterated strict dominance takes out, in order."""
    game, left = found.game, found.reduced
    if not left.steps:
        return []
    gone = []
    for step in left.steps[:MANY]:
        names = game.actions[step.player]
        by = " + ".join(names[k] if share == 1 else f"{number(share)} {names[k]}" for k, share in step.by.items())
        gone.append(f"{game.players[step.player]}'s {names[step.action]} (by {by})")
    more = f" and {len(left.steps) - MANY} more" if len(left.steps) > MANY else ""
    if left.solved:
        end = f"{found.outcome([mine[0] for mine in left.kept])} is left, so it is the only equilibrium"
    else:
        parts = zip(game.players, game.actions, left.kept, strict=True)
        end = "left are " + "; ".join(f"{who}: {_few([names[k] for k in mine])}" for who, names, mine in parts)
    return [f"Iterated strict dominance takes out, one after the other, {', '.join(gone)}{more}; {end}."]


def _few(names: list[str]) -> str:
    return ", ".join(names[:WIDE]) + (f" and {len(names) - WIDE} more" if len(names) > WIDE else "")


def _reached(found: Analysis) -> list[str]:
    """The best sum, and how much of it is reached."""
    r, e, game = found.reached, found.equilibria, found.game
    more = len(r.at) - PLACES
    if len(r.at) == game.payoff[0].size:
        return [f"Together they get {number(r.best)}, whatever happens."]
    where = " or ".join(map(found.outcome, r.at[:PLACES])) + (f", and {more} others" if more > 0 else "")
    out = [f"Best together: {number(r.best)} at {where}."]
    if not r.sums:
        return out
    worst, best = int(np.argmin(r.sums)), int(np.argmax(r.sums))
    among = "" if e.complete else " of those found"
    if r.shares and len(r.shares) == 1:
        out.append(f"The equilibrium{among} reaches {_percent(r.shares[0])} of it.")
    elif r.shares:
        out.append(f"The worst equilibrium{among} ({worst + 1}) reaches {_percent(r.shares[worst])} of it, the best "
                   f"({best + 1}) {_percent(r.shares[best])}.")  # fmt: skip
    else:
        out.append(f"Shares of it make no sense, since {r.why}; the worst equilibrium{among} ({worst + 1}) falls "
                   f"{number(r.best - r.sums[worst])} short of it.")  # fmt: skip
    if not np.isnan(r.anarchy):
        over = (
            "sum of the {} equilibrium over the best sum" if r.best < 0 else "best sum over that of the {} equilibrium"
        )
        prices = (("anarchy", "worst", r.anarchy), ("stability", "best", r.stability))
        said = (f"of {name} {number(v) if np.isfinite(v) else 'without bound'} ({over.format(which)})"
                for name, which, v in prices)  # fmt: skip
        out.append(f"Price {', '.join(said)}.")
    return [" ".join(out)]


def _crowd(found: Analysis, c: crowds.Test) -> str:
    """The dilemma of many: what is meant by to cooperate, why one leaves it, and what is lost by that."""
    game = found.game
    good, bad = (" and ".join(dict.fromkeys(names[k] for names in game.actions)) for k in (0, 1))
    lures = [said for said, there in ((f"greed (where all others choose {good}, {bad} pays more)", c.greed),
                                      (f"fear (where no other does, {bad} pays more)", c.fear)) if there]  # fmt: skip
    why = f", by {' and '.join(lures)}" if lures else ""
    ends = " or ".join(map(str, c.equilibria))
    return (f"Social dilemma of {game.n}, if to cooperate is {good}: {'yes' if c.dilemma else 'no'}{why}. Nobody gains "
            f"by changing alone where {ends} of {game.n} choose {good}; the sum is greatest where {c.optimum} do, and "
            f"the worst pure equilibrium falls {number(c.loss)} short of that.")  # fmt: skip


def _basins(found: Analysis) -> list[str]:
    """Where the replicator leads from which share of starts, or why that is not said."""
    game, out, square = found.game, [], found.game.shape == (2, 2)
    for title, shares in (("one population", found.one), ("two populations", found.two)):
        if shares:
            text = ", ".join(f"{number(share)} to ({end})" for end, share in shares.items())
            why = "" if square else ", since what is strictly dominated dies out"
            out.append(f"Basins of the replicator in {title}: {text}{why}.")
    if square and not found.two and found.equilibria.degenerate is False:
        out.append("Basins of the replicator in two populations: none, orbits circle the mixed equilibrium.")
    elif square and not found.two:
        out.append("Basins of the replicator in two populations: not computed, since choices tie.")
    elif game.n > 2 and found.reduced.solved:
        end = found.outcome([mine[0] for mine in found.reduced.kept])
        out.append(f"The replicator leads to {end} from every start in which all choices are used, since what is "
                   "strictly dominated dies out.")  # fmt: skip
    elif not square and not found.two:
        out.append("Basins of the replicator: not computed; they have a closed form for 2 x 2 games alone.")
    return out


def _short(value: float) -> str:
    """A payoff; whole ones with all their digits, so that unlike ones look unlike."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e12 else f"{value:g}"
