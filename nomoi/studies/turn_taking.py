"""Bach or Stravinsky: taking turns needs memory, or an institution that everyone can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from nomoi.measure.statistics import number
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial
from nomoi.solve.adaptive import simulate
from nomoi.solve.dynamics import mutating, path
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.solve.machines import Machine, all_memory_one, machine
from nomoi.solve.repeated import meet, tournament

GAME = bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]], "Bach or Stravinsky")  # the tutorial's
ALTERNATE = machine([0, 1], [[1, 1], [0, 0]], "by turns, whatever happens")
# until both have done the same it is left to a coin; then by turns, and to the coin again after a mismatch
OPENER = Machine(np.array([[0.5, 0.5], [1, 0], [0, 1]]), np.tile([[2, 0], [0, 1]], (3, 1, 1)), "opens with a coin")
COSTS = (0.0, 0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2.0)
ERRORS = (0.01, 0.05, 0.1)
SANCTIONS = (0.0, 0.25, 0.5, 0.75, 1.0, 2.0)
AGREEMENTS = (0.5, 0.7, 0.9, 1.0)
FOLLOW, REVERSE = 1, 2  # of the answers to a signal (see `signalled`)


@lru_cache
def _machines() -> tuple[list[Machine], np.ndarray, np.ndarray, np.ndarray]:
    """The 32 machines of memory one, payoffs [2, 32, 32], shares of turns [32, 32], and who is fair to itself [32]."""
    all32 = all_memory_one()
    turns = np.array([[meet(a, b).alternation() for b in all32] for a in all32])
    return all32, tournament(GAME, all32, all32).payoff, turns, np.diag(turns) > 0.99


def machines(key: None) -> Mapping[str, float]:
    """Counts over all pairs of the 32 machines, in the limit of means (no chance in it)."""
    _, (row, column), turns, fair = _machines()
    nash = (row >= row.max(0)) & (column >= column.max(1, keepdims=True))
    pays = lambda value: float((nash & (np.abs(row - value) < 1e-9)).sum())  # noqa: E731
    pair = meet(OPENER, OPENER)
    return {"alternate": float((turns > 0.99).sum()), "fair to itself": float(fair.sum()),
            "equilibria": float(nash.sum()), "equilibria (3, 2)": pays(3), "equilibria (2.5, 2.5)": pays(2.5),
            "equilibria (2, 3)": pays(2), "rounds to agree": pair.wait(np.eye(2)),
            "opener's payoff": float(GAME.joint(pair.outcomes())[0])}  # fmt: skip


def errors(key: None, errors: Sequence[float]) -> Mapping[str, float]:
    """Payoff of each where actions go wrong now and then (exact)."""
    out = {}
    for error in errors:
        out[f"memory, error {error:g}"] = float(GAME.joint(meet(OPENER, OPENER, error).outcomes()).mean())
        # both follow the same public signal: only what goes wrong in this round is lost
        out[f"signal, error {error:g}"] = float(GAME.joint(meet(ALTERNATE, ALTERNATE, error).outcomes()).mean())
    return out


def evolution(key: jax.Array, cost: float, fair: float, starts: int) -> Mapping[str, float]:
    """Two populations of the 32 machines, a state of which costs `cost`; a share `fair` begins as turn-takers.

    Replicator with rare mutation (0.001).  Payoffs are counted before the cost of states.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    all32, gross, turns, own = _machines()
    sizes = cost * np.array([m.size for m in all32])
    game = bimatrix(gross[0] - sizes[:, None], gross[1] - sizes)
    begin = []
    for _ in range(2):
        x = np.zeros((starts, 32))
        x[:, own], x[:, ~own] = (
            fair * rng.dirichlet(np.ones(8), starts),
            (1 - fair) * rng.dirichlet(np.ones(24), starts),
        )
        begin.append(x)
    x, y = (p[-1] for p in path(game, begin, 4_000, mutating(1e-3), single=True))
    pay = np.einsum("na,iab,nb->in", x, gross, y)
    return _told(np.einsum("na,ab,nb->n", x, turns, y), pay)


def signalled(game: NormalForm, agreement: float, sanction: float) -> NormalForm:
    """A game of two actions after each has seen a signal, 0 or 1: an answer is (action at 0, action at 1).

    The two see the same with chance `agreement` (1: public; 1/2: private coins); at signal s action s is appropriate,
    and whoever does another pays `sanction`.  Nothing is remembered.
    """
    answers = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    out = np.zeros((2, 4, 4))
    for s, t in np.ndindex(2, 2):
        chance = (agreement if s == t else 1 - agreement) / 2
        mine, theirs = answers[:, s], answers[:, t]
        out += chance * game.payoff[:, mine[:, None], theirs[None]]
        out[0] -= chance * sanction * (mine != s)[:, None]
        out[1] -= chance * sanction * (theirs != t)[None]
    return NormalForm(out, f"{game.title} after a signal")


def signal(
    key: jax.Array, agreement: float, sanction: float, unfair: bool, rounds: int, runs: int
) -> Mapping[str, float]:
    """Adaptive play of answers to the signal, begun anywhere or where all do what the first player likes (`unfair`).

    Memory 8, samples of 4, errors 0.1 (ours).  Payoffs are counted before sanctions.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    start = (0, 0) if unfair else None
    end = simulate(signalled(GAME, agreement, sanction), 8, 4, 0.1, rounds, runs, rng, start=start)[-1]
    pay = signalled(GAME, agreement, 0.0).payoff[:, end[:, 0], end[:, 1]]
    both = (end[:, 0] == end[:, 1]) & np.isin(end[:, 0], (FOLLOW, REVERSE))
    return _told(both * agreement, pay)


def _told(turns: np.ndarray, pay: np.ndarray) -> dict[str, float]:
    return {"turns": float(turns.mean()), "first": float(pay[0].mean()), "second": float(pay[1].mean()),
            "gap": float(np.abs(pay[0] - pay[1]).mean())}  # fmt: skip


def trials(size: str) -> Sequence[Trial]:
    runs = {"smoke": 20, "laptop": 400, "paper": 4_000}[size]
    starts, play = max(10, runs // 4), {"rounds": 60 if size == "smoke" else 600, "runs": runs}
    return [
        Computed("machines", machines, exact=True),
        Computed("errors", errors, {"errors": ERRORS}, exact=True),
        Computed("evolved from anywhere", evolution, {"cost": 0.0, "fair": 0.25, "starts": starts}),
        *(Computed(f"a state costs {c:g}", evolution, {"cost": c, "fair": 0.9, "starts": starts}) for c in COSTS),
        Computed("signal from the first", signal, {"agreement": 1.0, "sanction": 0.0, "unfair": False} | play),
        *(
            Computed(f"sanction {s:g}", signal, {"agreement": 1.0, "sanction": s, "unfair": True} | play)
            for s in SANCTIONS
        ),
        *(
            Computed(f"agreement {a:g}", signal, {"agreement": a, "sanction": 1.0, "unfair": True} | play)
            for a in AGREEMENTS[:-1]
        ),
    ]


def _ours(text: str, label: str, measure: str, kind: str = "ours", **bounds: Any) -> Claim:
    return Claim(text, "ours", of(label, measure), kind=kind, **bounds)


CLAIMS = [
    _ours("Turns are no accident: from anywhere, populations of machines take them less than pairs drawn blindly would "
          "(52 of 1024)", "evolved from anywhere", "turns", below=52 / 1024, unit="of rounds"),
    _ours("Once there, turns last while a state costs less than the second state brings (0.9 against 1)",
          "a state costs 0.9", "turns", above=0.9, unit="of rounds"),
    _ours("... and end where it costs more (1.5)", "a state costs 1.5", "turns", below=0.25, unit="of rounds"),
    _ours("... which leaves a gap between the two", "a state costs 1.5", "gap", above=0.75, unit="payoff"),
    _ours("An unfair convention outlives a signal that nobody enforces: turns are taken in less than half",
          "sanction 0", "turns", below=0.5, unit="of rounds"),
    _ours("Where another than the signalled action costs 1, the unfair convention becomes fair: 2.5 for the first",
          "sanction 1", "first", near=2.5, tolerance=0.1, unit="payoff"),
    _ours("Control: coins that each sees alone, enforced alike, bring no turns", "agreement 0.5", "turns", "control",
          below=0.1, unit="of rounds"),
]  # fmt: skip


def _counted(text: str, measure: str, unit: str = "") -> Reading:
    return Reading(text, "ours", of("machines", measure), unit=unit)


# Counts over all machines, and arithmetic on them, are mathematics, which the tests hold.
READINGS = [
    _counted("Pairs of memory-one machines, of 1024, that come to take turns", "alternate"),
    _counted("... of the 32 machines, those that take turns with themselves", "fair to itself"),
    _counted("Equilibria in the choice of a machine where the first gets its way", "equilibria (3, 2)"),
    _counted("... where the second does", "equilibria (2, 3)"),
    _counted("... where they take turns", "equilibria (2.5, 2.5)"),
    _counted("... all", "equilibria"),
    _counted("Identical machines that open with a coin agree after", "rounds to agree", "rounds"),
    _counted("... and then get each", "opener's payoff", "payoff"),
    Reading("What a public signal saves against memory, at 5 % errors", "ours",
            lambda r: r.late("errors", "signal, error 0.05") - r.late("errors", "memory, error 0.05"), unit="payoff"),
    Reading("Turns by a public signal that is there from the first (by symmetry half: two of four conventions)", "ours",
            of("signal from the first", "turns"), unit="of rounds"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    cost = {"begun with turns": (COSTS, np.stack([results.late(f"a state costs {c:g}", "turns") for c in COSTS], 1))}
    names = {f"sanction {s:g}": f"public signal, sanction {s:g}" for s in SANCTIONS}
    shown = {words: results.late(label, "turns") for label, words in names.items()}
    agree = [(a, f"agreement {a:g}" if a < 1 else "sanction 1") for a in AGREEMENTS]
    rows = [[f"{a:g}", *(number(results.late(label, m).mean()) for m in ("turns", "first", "second", "gap"))]
            for a, label in agree]  # fmt: skip
    wrong = [[f"{e:g}", *(number(results.late("errors", f"{w}, error {e:g}").mean()) for w in ("memory", "signal"))]
             for e in ERRORS]  # fmt: skip
    return [
        page.Figure("What memory may cost", figures.svg(figures.curves(
            cost, "share of rounds in which turns are taken", "Turns are lost where memory costs more than it brings",
            xlabel="cost of a machine's state (the second brings 1)")),
            "Two populations of the 32 machines with memory one, nine tenths of them turn-takers at first."),
        page.Figure("A signal instead of memory", figures.svg(figures.intervals(
            shown, "share of rounds in which turns are taken", "An enforced signal makes an unfair convention fair")),
            "Adaptive play, 600 rounds after a signal came up where all did what the first player likes."),
        page.Table("How public must it be?", ["both see the same", "turns", "first", "second", "gap"], rows,
                   "With a sanction of 1 on what is not appropriate; 0.5 is two private coins."),
        page.Table("Errors", ["of actions", "machines that open with a coin", "public signal"], wrong,
                   "Payoff of each, of 2.5 without errors; exact."),
    ]  # fmt: skip


STUDY = Study(
    "turn_taking",
    "Can two who want different things be fair: by memory, or by a signal that both see?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "Counts and errors are exact.  The experiments are designs of ours.",
    readings=READINGS,
)
