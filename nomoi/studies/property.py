"""What does a market rest on?  A bazaar in which goods can be taken and delivery withheld, under title, escrow, fines,
courts, boycotts and contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi import govern
from nomoi.core import Institution, Situation
from nomoi.institutions.contract import Contract
from nomoi.institutions.court import Court
from nomoi.institutions.escrow import Escrow
from nomoi.institutions.fine import Fine
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.ostracism import Ostracism
from nomoi.institutions.title import Title
from nomoi.markets import economies
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.bazaar import Bazaar
from nomoi.solve import subgame
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form, tabular

DEMSETZ = "Demsetz 1967"
STACKS: Mapping[str, tuple[Institution, ...]] = {
    "nothing": (),
    "title": (Title(),),
    "escrow": (Escrow(),),
    "title and escrow": (Title(), Escrow()),
}
HEADS = ("price", "amount", "deliver", "take")
OFFERS = np.array([[1, 3, 1, 0], [1, 7, 1, 0]])  # Ann sells 0.75 of wine at 2/3, Bob buys it, both deliver, none takes


@lru_cache
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


def _moves(who: int) -> np.ndarray:
    """[choices + 1, 2, heads] the exact offers; then all else that one may choose, the other keeping to its offer."""
    every = np.indices(_sizes()).reshape(len(HEADS), -1).T
    out = np.repeat(OFFERS[None], len(every) + 1, 0)
    out[1:, who] = every
    return out


@eqx.filter_jit
def _two_days(place: Situation, moves, appeal):
    """[choices, 2 days, 2] payoffs of a first day on which `moves` are made, and of one with the exact offers."""
    others = {h: jnp.stack([jnp.zeros(2, jnp.int32), jnp.broadcast_to(appeal, (2,))]) for h in place.actions}

    def lived(move):
        days = jnp.stack([move, jnp.asarray(OFFERS, jnp.int32)])
        chosen = others | {h: days[:, :, k] for k, h in enumerate(HEADS)}
        key = jax.random.key(0)  # courts are asked both right and wrong, and nothing else is left to chance

        def day(state, action):
            state, outcome = place.step(key, state, action)
            return state, outcome.payoff

        return jax.lax.scan(day, place.reset(key), chosen)[1]

    return jax.vmap(lived)(moves)


def leaving(*under: Institution, another: float = 0.0) -> float:
    """The most that anybody gains by leaving the exact offers on one day, where another day comes with that chance, on
    which all keep to them (or are kept from them).  Whoever is accused then appeals, or all do not, as is better."""
    most, place = -np.inf, govern(Bazaar(horizon=3), *under)
    chances = [(1.0, place)]
    for k, one in enumerate(under):
        if isinstance(one, Court):  # both that it is right and that it is wrong, each as often as it happens
            sure = [govern(Bazaar(horizon=3), *under[:k], one.replace(right=r), *under[k + 1 :]) for r in (0.0, 1.0)]
            chances = [(1 - float(one.right), sure[0]), (float(one.right), sure[1])]
    for who in (0, 1):
        moves = jnp.asarray(_moves(who), jnp.int32)
        for appeal in (0, 1) if len(chances) > 1 else (0,):
            first, second = np.zeros(len(moves)), np.zeros(len(moves))
            for chance, one_place in chances:
                paid = np.asarray(_two_days(one_place, moves, jnp.int32(appeal)))[:, :, who]
                first, second = first + chance * paid[:, 0], second + chance * paid[:, 1]
            worth = first + another * second
            most = max(most, float(worth.max() - worth[0]))
    return most


def _least(holds, high: float) -> float:
    """The least number up to `high` at which something holds that holds from there on, by bisection."""
    low = 0.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def watched(rate: float) -> tuple[Institution, ...]:
    """Title, somebody who sees whatever is withheld, and a fine for it."""
    return Title(), Monitor(on="withheld", cost=0.0), Fine(on="monitor.caught", rate=rate)


def heard(rate: float, right: float) -> tuple[Institution, ...]:
    """The same with a court between, where who is accused may appeal the next day; the fine goes by its convictions."""
    return Title(), Monitor(on="withheld", cost=0.0), Court(right=right), Fine(rate=rate)


def fined(key: None, fines: Sequence[float]) -> Mapping[str, float]:
    """The gain from leaving the exact offers by the fine for a unit's worth withheld, and the least that holds them."""
    least = _least(lambda rate: leaving(*watched(rate)) <= 1e-6, 2.0)
    return {**{f"gain at {f:g}": leaving(*watched(f)) for f in fines}, "least fine": least}


def tried(key: None, rights: Sequence[float]) -> Mapping[str, float]:
    """The least fine after a court, by how often it is right."""
    least = {r: _least(lambda rate, r=r: leaving(*heard(rate, r), another=1.0) <= 1e-6, 4.0) for r in rights}
    return {f"least fine at {r:g}": f for r, f in least.items()}


def shunned(key: None, chances: Sequence[float]) -> Mapping[str, float]:
    """Whoever withholds is kept out of the market for a day: the gain, by the chance that there is another day."""
    gain = {c: leaving(Title(), Ostracism(spell=1), another=c) for c in chances}
    least = _least(lambda c: leaving(Title(), Ostracism(spell=1), another=c) <= 1e-6, 1.0)
    return {**{f"gain at {c:g}": g for c, g in gain.items()}, "least chance": least}


def agreed(key: None, price: float) -> Mapping[str, float]:
    """Two contracts that Ann may propose and Bob must sign before the day: that who takes pays `price` for a unit's
    worth, and that who withholds does.  By backward induction, with the best equilibrium of each day that follows."""
    terms = {"low": price, "high": price, "levels": 1, "voters": 0, "imposed": 0.0}
    peace = Contract(on="taken", to="whom", title="peace", **terms)
    delivery = Contract(on="withheld", title="delivery", **terms)
    markov = tabular(govern(Bazaar(), peace, delivery))
    found = subgame.backward(markov)
    value = found.value[:, 0]
    bound = np.stack([m.bound for m in markov.states.memory])  # [contracts, states]
    ends = {tuple(map(bool, b)): found.value[:, k] for k, b in enumerate(bound.T) if not markov.held[k]}
    own = [b for b, v in ends.items() if np.allclose(v, value, atol=1e-9)]
    return {
        "Ann": float(value[0]),
        "Bob": float(value[1]),
        "falls short": float(exact().sum() - value.sum()),
        "peace is signed": float(own[0][0]),
        "delivery is signed": float(own[0][1]),
        "Ann under both": float(ends[True, True][0]),
        "Bob under both": float(ends[True, True][1]),
    }


def guarded(key: None) -> Mapping[str, float]:
    """What each gets under title and escrow beyond what it gets without; and what both may cost until they are not
    worth it: guards where they eat up what both gain, a fee where the exact offers are left."""
    bare = normal_form(Bazaar())
    war = bare.payoff[(slice(None), *pure(bare)[0])]
    gains = exact() - war
    fee = _least(lambda f: leaving(Title(), Escrow(fee=f)) > 1e-6, 1.0)
    return {
        "Ann gains": float(gains[0]),
        "Bob gains": float(gains[1]),
        "both gain": float(gains.sum()),
        "guards may cost each": float(gains.sum() / 2),
        "largest fee": fee,
    }


def trials(size: str) -> Sequence[Trial]:
    return [
        *(Computed(name, settled, {"under": name}, exact=True) for name in STACKS),
        Computed("fine", fined, {"fines": [0.0, 0.25, 0.5, 1.0, 2.0]}, exact=True),
        Computed("court", tried, {"rights": [0.9, 0.5]}, exact=True),
        Computed("boycott", shunned, {"chances": [0.0, 0.25, 0.5, 0.9]}, exact=True),
        Computed("contracts", agreed, {"price": 1.0}, exact=True),
        Computed("guards", guarded, {}, exact=True),
    ]


U = "utility"
CLAIMS = [
    Claim(
        "Title and escrow bring the exact equilibrium back: nobody gains by leaving its offers",
        DEMSETZ,
        of("title and escrow", "gain from leaving"),
        below=1e-5,
        unit=U,
        kind="ours",
    ),
    Claim(
        "So does title with a fine of what was withheld (1 for a unit's worth), where somebody sees all",
        "Becker 1968",
        of("fine", "gain at 1"),
        below=1e-5,
        unit=U,
        kind="ours",
    ),
    Claim("Control: one of 0.25 does not", "ours", of("fine", "gain at 0.25"), above=0.001, unit=U, kind="control"),
    Claim(
        "A court in which who is accused may appeal, right nine times of ten, needs no larger fine than none",
        "Becker 1968",
        lambda r: r.late("court", "least fine at 0.9") - r.late("fine", "least fine"),
        below=0.01,
        unit="utility for a unit's worth",
        kind="ours",
    ),
    Claim(
        "So does title with a boycott of one day, where another day comes with a chance of 0.9",
        "Greif 1993",
        of("boycott", "gain at 0.9"),
        below=1e-5,
        unit=U,
        kind="ours",
    ),
    Claim(
        "Control, as first stated: where it comes with a chance of 0.5, it does not",
        "ours",
        of("boycott", "gain at 0.5"),
        above=0.001,
        unit=U,
        kind="control",
    ),
    Claim(
        "Control, stated after that: where it comes with a chance of 0.25, it does not",
        "ours",
        of("boycott", "gain at 0.25"),
        above=0.001,
        unit=U,
        kind="control",
    ),
    Claim(
        "Not all gain by property: Ann, who takes more than she loses, has less with it",
        "ours",
        of("guards", "Ann gains"),
        below=0,
        unit=U,
        kind="ours",
    ),
    Claim(
        "Contracts that both must sign do not bring it back: what is agreed on falls short of it",
        "ours",
        of("contracts", "falls short"),
        above=0.05,
        unit=U,
        kind="ours",
    ),
    Claim(
        "... as one is signed, that goods be delivered, and Ann does not propose the other, that none be taken",
        "ours",
        lambda r: r.late("contracts", "delivery is signed") - r.late("contracts", "peace is signed"),
        near=1,
        tolerance=0.5,
        kind="ours",
    ),
]

READINGS = [
    *(
        Reading(f"{name}: gained by who leaves the exact offers", DEMSETZ, of(name, "gain from leaving"), unit=U)
        for name in ("nothing", "title", "escrow")
    ),
    Reading(
        "The least fine that holds the exact offers",
        "ours",
        of("fine", "least fine"),
        unit="utility for a unit's worth",
    ),
    Reading(
        "... after a court that is right half of the time",
        "ours",
        of("court", "least fine at 0.5"),
        unit="utility for a unit's worth",
    ),
    Reading("The least chance of another day at which a boycott holds them", "ours", of("boycott", "least chance")),
    Reading("... gained by who leaves them on a day that is known to be the last", "ours", of("boycott", "gain at 0"),
            unit=U),
    Reading("What Bob gains by title and escrow", "ours", of("guards", "Bob gains"), unit=U),
    Reading("What guards may cost each a day until they eat up what both gain", "ours",
            of("guards", "guards may cost each"), unit=U),
    Reading("The fee for a unit at which an escrow is left", "ours", of("guards", "largest fee"), unit="utility/unit"),
    Reading("What Ann has by the contract that is signed", "ours", of("contracts", "Ann"), unit=U),
    Reading("... and under both contracts, which she does not propose", "ours", of("contracts", "Ann under both"),
            unit=U),
    Reading(
        "Title and escrow: the worst off in the best equilibrium (1, as the exact one is Pareto optimal)",
        "Arrow 1951",
        of("title and escrow", "worst off in the best"),
        unit="of the exact utility",
    ),
    Reading("How far the bazaar's pay at the exact offers is from the economy's utilities", "ours",
            of("title and escrow", "off the exact utilities"), unit=U),
]  # fmt: skip

FALSE_IF = [
    ["title and escrow", "one of two traders, who set the price together, could ask for more: market power"],
    ["a fine of 1", "what is kept back is worth more to who keeps it than its price"],
    ["a court", "an appeal pays for who is guilty, so that fewer are convicted"],
    ["a boycott", "a day in the market is worth less, discounted, than what can be kept back in one"],
    [
        "the control at 0.5",
        "a day is worth more than we thought, twice what can be kept back: it is (see the least "
        "chance below), and so this control fails",
    ],
    ["not all gain", "whoever has more to lose than to take is everybody"],
    ["contracts", "who gains by taking is paid, or threatened, enough to sign it away"],
]


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    rows = [
        [name, *(float(results.late(name, m)[0]) for m in ("gain from leaving", "Ann in the best", "Bob in the best"))]
        for name in STACKS
    ]
    one = lambda label, m: float(results.late(label, m)[0])  # noqa: E731
    costs = [
        ["title", one("guards", "guards may cost each"), "utility a day, of each", "guards eat up what both gain"],
        ["escrow", one("guards", "largest fee"), "utility for a unit", "the exact offers are left"],
        ["monitor", one("guards", "guards may cost each"), "utility a day, of each", "it eats up what both gain"],
        ["fine", 0.0, "where all keep to the offers nobody pays it", "never"],
        ["court", 0.0, "where all keep to the offers nobody appeals", "never"],
        ["boycott", 0.0, "where all keep to the offers nobody is kept out", "never"],
    ]
    return [
        page.Table("What would make a claim false", ["claim", "it is false where"], FALSE_IF),
        page.Table(
            "One day in the bazaar",
            ["under", "gain from leaving the exact offers", "Ann in the best", "Bob in the best"],
            rows,
            "The best equilibrium is that whose worst-off trader has the most; shares of the exact utility.",
        ),
        page.Table("What it may cost", ["institution", "at most", "unit", "beyond which"], costs),
    ]


STUDY = Study(
    "property",
    "What does a market rest on, where goods can be taken and delivery withheld?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 1, "paper": 1},
    sections,
    "Two traders, the economy *edgeworth* on a grid of three prices and four amounts, all pure equilibria. Who takes "
    "seizes half of the other's goods and a fifth of that is lost (ours). That neither title nor escrow alone is "
    "enough follows from what each forbids, and gets no verdict. Boycotts and courts act on the next day.",
    readings=READINGS,
)
