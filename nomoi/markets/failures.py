"""Where markets fail, one assumption at a time: what is lost, computed by solving, beside the formula that says so.

Losses are surplus in units of money where utilities are quasi-linear (then equivalent variation is the same), else the
equivalent variation: by how much, as a share, one would have to be poorer at the better prices to be as badly off.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy
from nomoi.markets.reading import economy
from nomoi.measure.statistics import paired


@dataclasses.dataclass(frozen=True)
class Loss:
    """computed   what the market loses against the optimum, by solving both;  formula   in closed form
    mended        what is left of it under the institution that theory names, by solving again
    """

    computed: float
    formula: float
    mended: float

    def data(self) -> dict[str, float]:
        return {"loss": self.computed, "formula": self.formula, "mended": self.mended}


def _best(function, low: float, high: float) -> float:
    """Where a concave function is largest."""
    return float(
        minimize_scalar(lambda x: -function(x), bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    )


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (np.isfinite(value) and value > 0):
            raise Refusal(f"{name} is {value:g}; a number above 0 would be right.")


def _short(best: float, reached: float) -> float:
    """By how much less is reached than the best; rounding is no loss."""
    return float(paired([best], [reached])[0])


def externality(harm: float = 0.5) -> Loss:
    """Good y is worth 2y - y^2/2 to who uses it, costs y^2/2, and harms others by harm x y: loss harm^2 / 4, and none
    under a levy of `harm` a unit (Pigou 1920)."""
    _positive(harm=harm, **{"2 less the harm": 2 - harm})
    own = lambda y: 2 * y - y**2  # noqa: E731
    social = lambda y: own(y) - harm * y  # noqa: E731
    best = social(_best(social, 0, 4))
    levied = _best(lambda y: own(y) - harm * y, 0, 4)
    return Loss(_short(best, social(_best(own, 0, 4))), harm**2 / 4, _short(best, social(levied)))


def power(firms: int = 1, top: float = 10.0, cost: float = 2.0, slope: float = 1.0) -> Loss:
    """Cournot: firms choose amounts where price = top - slope x all, each at cost: loss (top - cost)^2 / (2 slope
    (firms + 1)^2), and none under a subsidy of (top - cost) / firms a unit."""
    _positive(firms=firms, slope=slope, **{"top less cost": top - cost})
    most = (top - cost) / slope

    def welfare(total: float) -> float:
        return quad(lambda q: top - slope * q - cost, 0, total)[0]

    def plays(subsidy: float) -> float:
        """What all make where each best answers the others, who make as much as it does."""
        reply = lambda others: _best(lambda q: (top - slope * (q + others) - cost + subsidy) * q, 0, 4 * most)  # noqa: E731
        return firms * float(brentq(lambda q: reply((firms - 1) * q) - q, 0, 2 * most, xtol=1e-14))

    best = welfare(most)
    return Loss(
        _short(best, welfare(plays(0.0))),
        (top - cost) ** 2 / (2 * slope * (firms + 1) ** 2),
        _short(best, welfare(plays((top - cost) / firms))),
    )


def returns(fixed: float = 4.0, top: float = 10.0, cost: float = 2.0, slope: float = 1.0) -> Loss:
    """A fixed cost makes price = marginal cost a loss of `fixed` to the firm; a price that pays for all of it sells too
    little.  With price cost + m the firm breaks even where m (top - cost - m) / slope = fixed, and m^2 / (2 slope) is
    lost;
    nothing is where all pay the fixed cost together and then cost a unit (Hotelling 1938)."""
    _positive(fixed=fixed, slope=slope, **{"top less cost": top - cost})
    wide = top - cost
    if fixed * slope > wide**2 / 4:
        raise Refusal(f"no price pays for a fixed cost of {fixed:g}; one up to {wide**2 / 4 / slope:g} would be right.")
    surplus = lambda total: quad(lambda q: top - slope * q - cost, 0, total)[0] - fixed  # noqa: E731
    margin = brentq(lambda m: m * (wide - m) / slope - fixed, 0, wide / 2, xtol=1e-14)
    m = (wide - np.sqrt(wide**2 - 4 * fixed * slope)) / 2
    best = surplus(wide / slope)
    paid, free = surplus((wide - margin) / slope), surplus(_best(surplus, 0, wide / slope))
    return Loss(_short(best, paid), m**2 / (2 * slope), _short(best, free))


def states(risk: float) -> Economy:
    """Two farmers, two equally likely kinds of weather, and a harvest of 1 +- risk that falls to one where it fails
    to the
    other: corn in each weather is a good by itself (Arrow 1964)."""
    _positive(risk=risk, **{"1 less the risk": 1 - risk})
    u = {"family": "cobb_douglas", "shares": [0.5, 0.5]}
    rows = [{"utility": u, "endowment": [1 + risk, 1 - risk]}, {"utility": u, "endowment": [1 - risk, 1 + risk]}]
    return economy({"goods": ["corn if wet", "corn if dry"], "consumers": rows}, "missing markets")


def missing(risk: float = 0.6) -> Loss:
    """Without a market for what depends on the weather all eat what they have: with logarithms of corn that is worth
    sqrt(1 - risk^2) of a sure harvest; none is lost where one security is traded."""
    e = states(risk)
    found = e.equilibria()[0]
    u, m = e.consumers[0].utility, float(e.incomes(found.prices)[0])
    needed = lambda x: float(u.value(x)) * float(u.nest.cost(found.prices))  # type: ignore[attr-defined]  # noqa: E731
    alone, traded = (_short(1.0, needed(x) / m) for x in (e.endowments[0], found.allocation[0]))
    return Loss(alone, 1 - float(np.sqrt(1 - risk**2)), traded)


def lemons(worth: float = 1.5, cost: float = 0.0) -> Loss:
    """Sellers know the quality, even between 0 and 1 and as much worth to them; buyers value it `worth` times as much,
    and see none (Akerlof 1970).  Below 2 nobody sells but the worst, and (worth - 1) / 2 is lost.

    `mended` is what is left where each may prove its quality at a `cost`: nothing if that is 0 (Grossman 1981), else
    what `disclosed` says (Jovanovic 1982).
    """
    _positive(**{"worth less 1": worth - 1})
    price = worth
    for _ in range(100_000):  # buyers pay what is worth, on average, what is offered at the last price
        sold = min(price, 1.0)
        after = worth * quad(lambda q: q, 0, sold)[0] / sold
        if abs(after - price) < 1e-12 or after < 1e-12:
            break
        price = after
    lost = quad(lambda q: (worth - 1) * q, min(price, 1.0), 1)[0]
    return Loss(lost, (worth - 1) / 2 if worth < 2 else 0.0, _proven(worth, cost))


def _proven(worth: float, cost: float) -> float:
    """What is lost where sellers prove their quality if that pays: rounds of answers to the last price of the rest."""
    if not (np.isfinite(cost) and cost >= 0):
        raise Refusal(f"the cost of a proof is {cost:g}; a number of 0 or more would be right.")
    price = worth / 2  # of what is not proven
    for _ in range(100_000):
        # q is proven where worth q - cost beats both the price of the rest and keeping it; else sold where price > q
        least = min(max((price + cost) / worth, cost / (worth - 1)), 1.0)
        sold = min(price, least)
        after = worth * quad(lambda q: q, 0, sold)[0] / sold if sold > 0 else 0.0
        if abs(after - price) < 1e-12 or after < 1e-12:
            price = after
            break
        price = after
    least = min(max((price + cost) / worth, cost / (worth - 1)), 1.0)
    kept = quad(lambda q: (worth - 1) * q, min(price, least), least)[0]
    return kept + cost * (1 - least)


def disclosed(worth: float, cost: float) -> float:
    """The same in closed form.  With a worth below 2 those above cost / (worth - 1) prove their quality and the others
    keep theirs: cost - cost^2 / (2 (worth - 1)) is lost.  Above 2 all was sold anyway, and those above 2 cost / worth
    spend the cost for nothing but a better price (Jovanovic 1982)."""
    if worth < 2:
        c = min(cost, worth - 1)
        return c - c**2 / (2 * (worth - 1))
    return cost * max(1 - 2 * cost / worth, 0.0)


def kinds(worth: float = 1.9, count: int = 2000) -> tuple[float, int]:
    """Lemons of `count` kinds, at the middles of equal parts of 0 to 1: what is lost, and how many kinds are sold.

    The worst j are sold where worth x their mean is at least the best of them: j <= 1 / (2 - worth).  So the market for
    the last few stays, and what is lost comes near the formula with the square of their number only.
    """
    _positive(count=count, **{"worth less 1": worth - 1})
    quality = (np.arange(count) + 0.5) / count
    price = worth
    while True:
        offered = quality[quality <= price * (1 + 1e-12)]  # who is indifferent sells
        after = worth * float(offered.mean()) if len(offered) else 0.0
        if after == price:
            return float(((worth - 1) * quality[len(offered) :]).sum() / count), len(offered)
        price = after


def wedge(tax: float = 1.0, top: float = 10.0, slope: float = 1.0, cost: float = 2.0, rise: float = 1.0) -> Loss:
    """A tax between what buyers pay and sellers get loses tax^2 / (2 (slope + rise)); a sum that depends on nothing
    that
    anybody does brings the same revenue and loses nothing."""
    _positive(tax=tax, slope=slope, rise=rise, **{"top less cost and tax": top - cost - tax})
    gap = lambda q: top - slope * q - cost - rise * q  # noqa: E731
    sold = lambda t: float(brentq(lambda q: gap(q) - t, 0, top / slope, xtol=1e-14))  # noqa: E731
    lost = lambda t: quad(gap, sold(t), sold(0.0))[0]  # noqa: E731
    return Loss(lost(tax), tax**2 / (2 * (slope + rise)), lost(0.0))


def rationing(
    cut: float = 1.0, top: float = 10.0, slope: float = 1.0, cost: float = 2.0, rise: float = 1.0, lot: bool = False
) -> Loss:
    """A price held `cut` below where the market clears: sellers sell cut / rise less.

    Lost is (slope + rise) (cut / rise)^2 / 2 if those get it who value it most.  By `lot` among all who would buy at
    that price, slope x (wanted - sold) x sold / 2 is lost beside.  None where the price is free again.
    """
    _positive(cut=cut, slope=slope, rise=rise, **{"top less cost": top - cost})
    price = _cleared(top, slope, cost, rise)[1]
    sold, wanted = (price - cut - cost) / rise, (top - price + cut) / slope
    formula = (slope + rise) * (cut / rise) ** 2 / 2 + lot * slope * (wanted - sold) * sold / 2
    return _held(price - cut, formula, top, slope, cost, rise, lot)


def floor(
    lift: float = 1.0, top: float = 10.0, slope: float = 1.0, cost: float = 2.0, rise: float = 1.0, lot: bool = False
) -> Loss:
    """A price held `lift` above where the market clears, as a least wage is: buyers buy lift / slope less.

    Lost is (slope + rise) (lift / slope)^2 / 2 if those sell who do so at the least cost.  By `lot` among all who would
    sell at that price, rise x (offered - sold) x sold / 2 is lost beside.  None where the price is free again.
    """
    _positive(lift=lift, slope=slope, rise=rise, **{"top less cost": top - cost})
    price = _cleared(top, slope, cost, rise)[1]
    sold, offered = (top - price - lift) / slope, (price + lift - cost) / rise
    formula = (slope + rise) * (lift / slope) ** 2 / 2 + lot * rise * (offered - sold) * sold / 2
    return _held(price + lift, formula, top, slope, cost, rise, lot)


def _cleared(top: float, slope: float, cost: float, rise: float) -> tuple[float, float]:
    """The amount and the price at which a market with straight lines clears."""
    amount = float(brentq(lambda q: top - slope * q - cost - rise * q, 0, top / slope, xtol=1e-14))
    return amount, cost + rise * amount


def _held(price: float, formula: float, top: float, slope: float, cost: float, rise: float, lot: bool) -> Loss:
    """What is lost where a price is held, by integrals of worth and cost over who trades; and where it is free."""
    worth, costs = (lambda q: top - slope * q), (lambda q: cost + rise * q)

    def surplus(p: float) -> float:
        """At price p: the short side trades; of the long side those to whom it matters most, or some by lot."""
        buy = float(brentq(lambda q: worth(q) - p, -2 * top / slope, 2 * top / slope, xtol=1e-14))
        sell = float(brentq(lambda q: costs(q) - p, -2 * top / rise, 2 * top / rise, xtol=1e-14))
        traded = min(buy, sell)
        if traded < 0:
            raise Refusal(f"at a price held at {p:g} nothing is sold; one nearer to the market's would be right.")
        over = lambda f, q: quad(f, 0, q)[0] / q if q > 0 else 0.0  # noqa: E731
        return traded * (over(worth, buy if lot else traded) - over(costs, sell if lot else traded))

    amount, free = _cleared(top, slope, cost, rise)
    best = quad(lambda q: worth(q) - costs(q), 0, amount)[0]
    return Loss(_short(best, surplus(price)), formula, _short(best, surplus(free)))
