"""All that can be said of a game at once: what `nomoi solve` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve import basins, correlated, crowds, dilemma, dominance, nash, ordinal, price, taxonomy
from nomoi.solve.elimination import Reduced, eliminate
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import pure

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 200_000  # entries of the linear programme up to which correlated equilibria are looked for unasked (ours)
FEW = 50  # pure equilibria up to which each two are compared (ours)


@dataclasses.dataclass(frozen=True)
class Analysis:
    """A game's class, equilibria and the choice between them; parts that do not apply are None or empty.

    labelling    of a 2 x 2 game, the actions that are called to cooperate, and both players' dilemmas
    dilemmas     how many of the four labellings make a dilemma for both
    place        of a 2 x 2 game without ties, its place among the ordinal games
    crowd        of a symmetric game of three or more with two actions, its dilemma, equilibria and price of anarchy
    reduced      what iterated strict dominance leaves
    reached      the best sum of payoffs, where it lies, and how much of it each equilibrium reaches
    undominated  numbers of the equilibria that no other payoff-dominates
    duels        risk dominance between strict equilibria
    welfare      least, most, and egalitarian welfare of correlated equilibria
    one, two     basins of the replicator in one and in two populations
    notes        how to read the payoffs; what could not be found, and why
    """

    game: NormalForm
    symmetric: bool
    labelling: dilemma.Labelling | None
    dilemmas: int
    place: ordinal.Place | None
    crowd: crowds.Test | None
    kind: taxonomy.Kind
    equilibria: nash.Equilibria
    reduced: Reduced
    reached: price.Reached
    undominated: tuple[int, ...]
    duels: tuple[dominance.Duel, ...]
    welfare: dict[str, correlated.Correlated]
    one: dict[str, float]
    two: dict[str, float]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The class in a few words."""
        if self.labelling and self.labelling.name:
            return dilemma.words(self.labelling.name)
        if self.place:
            return self.place.name
        return "x".join(map(str, self.game.shape)) + " game"

    def knife_edges(self) -> tuple[str, ...]:
        """What a small change of a payoff would decide, of a symmetric 2 x 2 game."""
        return self.labelling.views[0].knife_edges if self.labelling and self.symmetric else ()

    def outcome(self, actions: Sequence[int]) -> str:
        """An outcome by its actions' names: (free, low)."""
        return "(" + ", ".join(n[k] for n, k in zip(self.game.actions, actions, strict=True)) + ")"

    def frame(self) -> pa.Table:
        """The equilibria as a table of Arrow: one row for each action of each player in each.

        share      how often the player takes the action;  payoff  what the player gets
        deviation  the most anybody could gain by leaving, as a share of what is at stake
        """
        import pyarrow as pa

        e, game = self.equilibria, self.game
        told = [
            (k + 1, player, action, float(share), float(e.payoffs[k, i]), float(e.certificates[k]))
            for k, point in enumerate(e.points)
            for i, (player, actions, shares) in enumerate(zip(game.players, game.actions, point, strict=True))
            for action, share in zip(actions, shares, strict=True)
        ]
        kinds = (pa.int64(), pa.string(), pa.string(), pa.float64(), pa.float64(), pa.float64())
        names = ("equilibrium", "player", "action", "share", "payoff", "deviation")
        columns = zip(*told, strict=True) if told else [()] * len(names)
        return pa.table({n: pa.array(c, kind) for n, c, kind in zip(names, columns, kinds, strict=True)})

    def data(self) -> dict[str, Any]:
        """As plain data for JSON, which knows no NaN."""
        e, game = self.equilibria, self.game
        return _plain({
            "title": game.title, "players": game.players, "actions": game.actions, "class": self.name,
            "symmetric": self.symmetric,
            "dilemma": self.labelling and {
                "cooperate": [names[k] for names, k in zip(game.actions, self.labelling.cooperate, strict=True)],
                "both": self.labelling.dilemma, "labellings": self.dilemmas,
                "players": [dataclasses.asdict(v) | {"dilemma": v.dilemma, "strict": v.strict}
                            for v in self.labelling.views],
            },
            "knife_edges": self.knife_edges(),
            "ordinal": self.place and dataclasses.asdict(self.place),
            "crowd": self.crowd and dataclasses.asdict(self.crowd) | {"dilemma": self.crowd.dilemma},
            "schelling": dataclasses.asdict(self.kind),
            "equilibria": {
                "points": e.points, "payoffs": e.payoffs, "certificates": e.certificates, "components": e.components,
                "complete": e.complete, "degenerate": e.degenerate, "method": e.method, "warnings": e.warnings,
            },
            "dominance": {
                "solved": self.reduced.solved,
                "left": [[names[k] for k in mine] for names, mine in zip(game.actions, self.reduced.kept, strict=True)],
                "steps": [{"player": game.players[s.player], "action": game.actions[s.player][s.action],
                           "by": {game.actions[s.player][k]: share for k, share in s.by.items()}}
                          for s in self.reduced.steps],
            },
            "welfare": {
                "best": self.reached.best, "at": [[n[k] for n, k in zip(game.actions, a, strict=True)]
                                                  for a in self.reached.at],
                "equilibria": self.reached.sums, "shares": self.reached.shares or None,
                "price_of_anarchy": self.reached.anarchy, "price_of_stability": self.reached.stability,
                "no_shares_because": self.reached.why,
            },
            "payoff_undominated": self.undominated,
            "risk_dominance": [dataclasses.asdict(d) for d in self.duels],
            "correlated": {k: {"welfare": c.welfare, "payoffs": c.payoffs, "distribution": c.distribution,
                               "certificate": c.certificate} for k, c in self.welfare.items()},
            "basins": {"one_population": self.one, "two_populations": self.two},
            "notes": self.notes,
        })  # fmt: skip


def analyse(game: NormalForm, method: str = "auto", said: Sequence[str] = ()) -> Analysis:
    """Everything that applies to the game; see Analysis.  `said` are notes of whoever made the game."""
    game.solvable()
    equal, square = dilemma.symmetric(game), game.shape == (2, 2)
    found = nash.solve(game, method)
    left = found.reduced or eliminate(game)
    duels = dominance.risk_dominance(game) if game.n == 2 and len(pure(game)) <= FEW else ()
    welfare, notes = {}, tuple(said)
    if correlated.size(game) <= MOST:
        try:
            welfare = {aim: correlated.solve(game, aim) for aim in correlated.OBJECTIVES}
        except Refusal as refusal:
            notes += (str(refusal)[:1].upper() + str(refusal)[1:],)
    return Analysis(
        game, equal, dilemma.best_labelling(game) if square else None,
        sum(one.dilemma for one in dilemma.labellings(game)) if square else 0,
        ordinal.locate(game) if square and ordinal.strict(game) else None,
        crowds.test(many) if (many := crowds.read(game)) and game.n > 2 else None,
        taxonomy.kind(game), found, left, price.reached(game, found.payoffs),
        tuple(dominance.payoff_dominant(found.payoffs)), duels, welfare,
        basins.one_population(game) if square and equal else {},
        basins.two_populations(game) if square else basins.decided(left), notes,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
