"""What does a market rest on?  A bazaar in which goods can be taken and delivery withheld, under title, escrow, a
court."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from nomoi import govern
from nomoi.core import Institution
from nomoi.institutions.escrow import Escrow
from nomoi.institutions.fine import Fine
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.title import Title
from nomoi.markets import economies
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.bazaar import Bazaar
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form

DEMSETZ = "Demsetz 1967"
STACKS: Mapping[str, tuple[Institution, ...]] = {
    "nothing": (),
    "title": (Title(),),
    "escrow": (Escrow(),),
    "title and escrow": (Title(), Escrow()),
}
HEADS = ("price", "amount", "deliver", "take")
OFFERS = ((1, 3, 1, 0), (1, 7, 1, 0))  # Ann sells 0.75 of wine at 2/3, Bob buys it, both deliver, and nobody takes


def exact() -> np.ndarray:
    """[2] what the economy's equilibrium brings to Ann and to Bob."""
    return economies.named("edgeworth").equilibria()[0].utilities


@lru_cache
def _sizes() -> tuple[int, ...]:
    return tuple(Bazaar().actions[h] for h in HEADS)


def settled(key: None, under: str) -> Mapping[str, float]:
    """All pure equilibria of one day in the bazaar: whether the exact equilibrium is one of them, the most that anybody
    would gain by leaving it, and in the best of all, by who fares worst, how each fares against it."""
    game = normal_form(govern(Bazaar(), *STACKS[under]))
    at = tuple(int(np.ravel_multi_index(o, _sizes())) for o in OFFERS)
    whole = game.payoff[(slice(None), *at)]
    gain = max(float(game.payoff[0][:, at[1]].max() - whole[0]), float(game.payoff[1][at[0]].max() - whole[1]))
    found = pure(game)
    shares = np.array([game.payoff[:, a, b] / exact() for a, b in found])
    best = shares[shares.min(1).argmax()]
    return {
        "gain from leaving": gain,
        "equilibria": float(len(found)),
        "worst off in the best": float(best.min()),
        "Ann in the best": float(best[0]),
        "Bob in the best": float(best[1]),
        "off the exact utilities": float(np.abs(whole - exact()).max()),
    }


@jax.jit
def _paid(place, moves):
    state = place.reset(jax.random.key(0))
    return jax.vmap(lambda move: place.step(jax.random.key(0), state, move)[1].payoff)(moves)


def leaving(*under: Institution) -> float:
    """The most that anybody gains by leaving the exact equilibrium's offers alone, for one day."""
    every = np.indices(_sizes()).reshape(len(HEADS), -1)  # [heads, choices]
    most, place = -np.inf, govern(Bazaar(), *under)
    for who in (0, 1):
        moves = {h: np.repeat([[OFFERS[0][k], OFFERS[1][k]]], every.shape[1] + 1, 0) for k, h in enumerate(HEADS)}
        for k, h in enumerate(HEADS):
            moves[h][1:, who] = every[k]
        paid = np.asarray(_paid(place, {h: jnp.asarray(m, jnp.int32) for h, m in moves.items()}))[:, who]
        most = max(most, float(paid.max() - paid[0]))
    return most


def court(key: None, fines: Sequence[float]) -> Mapping[str, float]:
    """Title and a court that sees all: the gain from leaving the exact offers by the fine for a unit's worth
    withheld, and the
    least fine that holds them, by bisection."""
    rule = lambda rate: (Title(), Monitor(on="withheld", cost=0.0), Fine(on="monitor.caught", rate=float(rate)))  # noqa: E731
    low, high = 0.0, max(fines)
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if leaving(*rule(middle)) <= 1e-6 else (middle, high)
    return {**{f"gain at {f:g}": leaving(*rule(f)) for f in fines}, "least fine": high}


def guarded(key: None, costs: Sequence[float]) -> Mapping[str, float]:
    """What each gets under title and escrow beyond what it gets without, by the cost of guards to each."""
    bare = normal_form(Bazaar())
    war = bare.payoff[(slice(None), *pure(bare)[0])]
    gains = exact() - war
    return {
        "Ann gains": float(gains[0]),
        "Bob gains": float(gains[1]),
        "both gain": float(gains.sum()),
        **{f"both at {c:g}": float(gains.sum() - 2 * c) for c in costs},
    }


def trials(size: str) -> Sequence[Trial]:
    return [
        *(Computed(name, settled, {"under": name}, exact=True) for name in STACKS),
        Computed("title and court", court, {"fines": [0.0, 0.25, 0.5, 1.0, 2.0]}, exact=True),
        Computed("guards", guarded, {"costs": [0.0, 0.05, 0.1]}, exact=True),
    ]


def _is(label: str, measure: str):
    return lambda r: r.late(label, measure)


CLAIMS = [
    Claim(
        "Without property and contract the exact equilibrium of the economy is none of the bazaar: who leaves it gains",
        DEMSETZ,
        _is("nothing", "gain from leaving"),
        above=0.05,
        unit="utility",
        kind="ours",
    ),
    Claim(
        "... and in the best equilibrium there is, somebody has less than nine tenths of it",
        DEMSETZ,
        _is("nothing", "worst off in the best"),
        below=0.9,
        unit="of the exact utility",
        kind="ours",
    ),
    Claim(
        "Title alone does not bring it back",
        "ours",
        _is("title", "gain from leaving"),
        above=0.05,
        unit="utility",
        kind="ours",
    ),
    Claim("Escrow alone does not", "ours", _is("escrow", "gain from leaving"), above=0.05, unit="utility", kind="ours"),
    Claim(
        "Title and escrow do: nobody gains by leaving it",
        DEMSETZ,
        _is("title and escrow", "gain from leaving"),
        below=1e-5,
        unit="utility",
        kind="ours",
    ),
    Claim(
        "... and no other pure equilibrium gives both more",
        "Arrow 1951",
        _is("title and escrow", "worst off in the best"),
        near=1,
        tolerance=1e-4,
        unit="of the exact utility",
        kind="ours",
    ),
    Claim(
        "A court does as well as escrow where the fine is right: one of 1 for a unit's worth is enough",
        "Becker 1968",
        _is("title and court", "gain at 1"),
        below=1e-5,
        unit="utility",
        kind="ours",
    ),
    Claim(
        "Control: one of 0.25 is not",
        "ours",
        _is("title and court", "gain at 0.25"),
        above=0.001,
        unit="utility",
        kind="control",
    ),
    Claim(
        "Control: what the bazaar pays at the exact offers is what the economy says",
        "ours",
        _is("title and escrow", "off the exact utilities"),
        below=1e-6,
        unit="utility",
        kind="control",
    ),
    Claim(
        "Not all gain by property: Ann, who takes more than she loses, has less with it",
        "ours",
        _is("guards", "Ann gains"),
        below=0,
        unit="utility",
        kind="ours",
    ),
]

READINGS = [
    Reading(
        "The least fine that holds the exact offers",
        "ours",
        _is("title and court", "least fine"),
        unit="utility for a unit's worth",
    ),
    Reading("What Bob gains by title and escrow", "ours", _is("guards", "Bob gains"), unit="utility"),
    *(
        Reading(
            f"{name}: {who} in the best equilibrium",
            "ours",
            _is(name, f"{who} in the best"),
            unit="of the exact utility",
        )
        for name in STACKS
        for who in ("Ann", "Bob")
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    rows = [
        [name, *(float(results.late(name, m)[0]) for m in ("gain from leaving", "Ann in the best", "Bob in the best"))]
        for name in STACKS
    ]
    return [
        page.Table(
            "One day in the bazaar",
            ["under", "gain from leaving the exact offers", "Ann in the best", "Bob in the best"],
            rows,
            "The best equilibrium is that whose worst-off trader has the most; shares of the exact utility.",
        )
    ]


STUDY = Study(
    "property",
    "What does a market rest on, where goods can be taken and delivery withheld?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 1, "paper": 1},
    sections,
    "Two traders, the economy *edgeworth* on a grid of three prices and four amounts, all pure equilibria. Who "
    "takes seizes half of the "
    "other's goods and a fifth of that is lost (ours). One day: reputation and boycott, which need more, are not in "
    "it.",
    readings=READINGS,
)
