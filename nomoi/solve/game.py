"""Games in normal form: what solvers of one-shot games take."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from functools import cached_property

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.exact import tidy

LARGEST = 10_000_000  # payoffs; more is refused, because no solver here would end (ours)
PLAYERS = 32  # more than these and arrays of outcomes have more axes than NumPy's functions take
SIZES = (1e-100, 1e100)  # payoffs but 0 that can be solved: products of them must be numbers, too (ours)
# what a terminal would obey rather than show: controls, line ends, turns of direction, and halves of letters
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_HALVES = re.compile("[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True, eq=False)
class NormalForm:
    """A finite game: payoff [n, A_1, ..., A_n] (float64, player first); players may have unlike many actions.

    players, actions   names; `P1`, `P2`, ... and `1`, `2`, ... unless given

    Control characters are taken out of title and names.
    """

    payoff: np.ndarray
    title: str = "game"
    players: tuple[str, ...] = ()
    actions: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title) or "game")
        if isinstance(self.payoff, (list, tuple)):  # of which NumPy makes no array where they are many
            check_players(len(self.payoff), self.title)
        payoff = _numbers(self.payoff, self.title)
        n = payoff.shape[0]
        check_players(n, self.title)
        if n < 2:
            raise Refusal(f"{self.title} has {n} player; a game needs two or more.")
        if payoff.ndim != n + 1 or 0 in payoff.shape:
            raise Refusal(
                f"{self.title} has payoffs of shape {list(payoff.shape)}; for {n} players it must have {n} axes of "
                "actions after that of the players."
            )
        if payoff.size > LARGEST:
            raise Refusal(f"{self.title} has {payoff.size:,} payoffs, more than the {LARGEST:,} that can be solved.")
        payoff = payoff.copy()
        payoff.flags.writeable = False
        object.__setattr__(self, "payoff", payoff)
        for name in (*self.players, *(name for names in self.actions for name in names)):
            if _HALVES.search(name):
                raise Refusal(f"{self.title} has half a letter (a lone surrogate) in a name; leave it out.")
        players = tuple(map(plain, self.players)) or tuple(f"P{i + 1}" for i in range(n))
        actions = tuple(tuple(map(plain, names)) for names in self.actions)
        actions = actions or tuple(tuple(map(str, range(1, a + 1))) for a in payoff.shape[1:])
        if len(players) != n or tuple(map(len, actions)) != payoff.shape[1:]:
            raise Refusal(f"{self.title} names {len(players)} players and {list(map(len, actions))} actions for "
                          f"payoffs of shape {list(payoff.shape)}; names and payoffs must agree.")  # fmt: skip
        for whose, names in (("players", players), *zip((f"actions of {p}" for p in players), actions, strict=True)):
            if any(map(blank, names)):
                raise Refusal(f"{self.title} has an empty name among the {whose}; each needs one that can be seen, or "
                              "none of them has one.")  # fmt: skip
            if twice := [name for k, name in enumerate(names) if name in names[:k]]:
                raise Refusal(f"{self.title} has two {whose} called {twice[0]!r}; each needs a name of its own.")
        object.__setattr__(self, "players", players)
        object.__setattr__(self, "actions", actions)

    @property
    def n(self) -> int:
        """How many players."""
        return self.payoff.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many actions each player has."""
        return self.payoff.shape[1:]

    @property
    def range(self) -> float:
        """The largest payoff less the smallest (1 where all are equal): a scale, never a measure of what is equal."""
        return float(np.ptp(self.payoff)) or 1.0

    @cached_property
    def exact(self) -> np.ndarray:
        """[n, A_1, ..., A_n] payoffs to be compared by = and >: what differs by dust, of one player, is made equal."""
        return np.stack([tidy(p) for p in self.payoff])

    def solvable(self) -> None:
        """Refuse payoffs so large or so small that arithmetic with them fails."""
        size = np.abs(self.payoff[self.payoff != 0])
        if size.size and not (SIZES[0] <= size.min() and size.max() <= SIZES[1]):
            wrong = size.max() if size.max() > SIZES[1] else size.min()
            raise Refusal(f"{self.title} has a payoff of {wrong:.3g} in size; payoffs other than 0 must be from "
                          f"{SIZES[0]:g} to {SIZES[1]:g} to be solved: take another unit.")  # fmt: skip

    def values(self, mixed: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """For each player, what each of its actions [A_i] brings against the others' mixed strategies [A_j]."""
        out = []
        for i in range(self.n):
            left = self.payoff[i]
            for j in reversed(range(self.n)):
                if j != i:
                    left = np.tensordot(left, mixed[j], axes=(j, 0))
            out.append(left)
        return tuple(out)

    def regret(self, mixed: tuple[np.ndarray, ...]) -> float:
        """The most that any player could gain by another action: 0 in a Nash equilibrium."""
        return max(float(v.max() - v @ x) for v, x in zip(self.values(mixed), mixed, strict=True))

    def expected(self, mixed: tuple[np.ndarray, ...]) -> np.ndarray:
        """[n] expected payoffs under mixed strategies."""
        return np.array([v @ x for v, x in zip(self.values(mixed), mixed, strict=True)])

    def joint(self, distribution: np.ndarray) -> np.ndarray:
        """[n] expected payoffs under a distribution [A_1, ..., A_n] over outcomes."""
        return (self.payoff * distribution).reshape(self.n, -1).sum(1)


def check_players(n: int, where: str) -> None:
    """Refuse more players than there can be axes."""
    if n > PLAYERS:
        raise Refusal(f"{where} has {n} players; a game here has at most {PLAYERS}.")


def plain(name: str) -> str:
    """A name without the characters that a terminal would obey."""
    return _UNSEEN.sub("", re.sub(r"[\t\n\r]+", " ", name)).strip()


def blank(name: str) -> bool:
    """Whether nothing of a name can be seen: it is empty, or spaces, controls and letters without width alone."""
    return all(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") for letter in name)


def _numbers(payoff: object, title: str) -> np.ndarray:
    try:
        out = np.asarray(payoff, np.float64)
    except OverflowError:
        raise Refusal(f"{title} has a payoff that is too large for a number here.") from None
    except (TypeError, ValueError):
        raise Refusal(f"{title} has payoffs that make no table; each outcome needs one number a player.") from None
    if out.ndim < 2:
        raise Refusal(f"{title} has payoffs of {out.ndim} axes; they must be [player, action of 1, action of 2, ...].")
    if not np.isfinite(out).all():
        raise Refusal(f"{title} has a payoff that is not a finite number.")
    return out


def bimatrix(row: object, column: object, title: str = "game", **names: tuple) -> NormalForm:
    """A game of two from the row player's payoffs and the column player's, both [rows, columns]."""
    pair = _numbers(row, title), _numbers(column, title)
    if pair[0].shape != pair[1].shape:
        raise Refusal(f"{title} has payoffs of shape {list(pair[0].shape)} for the row player and "
                      f"{list(pair[1].shape)} for the column player; both must be [rows, columns].")  # fmt: skip
    return NormalForm(np.stack(pair), title, **names)


def symmetric(payoff: object, title: str = "game", actions: tuple[str, ...] = ()) -> NormalForm:
    """A symmetric game of two from what the row player gets [A, A]."""
    table = _numbers(payoff, title)
    return bimatrix(table, table.T, title, actions=(actions, actions) if actions else ())
