"""Arrow's theorem by counting: all ways to make one ranking of three options, pair by pair, from people's rankings.

What each pair's order may depend on is that pair alone (independence), so a way is three tables, one a pair, from
who prefers which to which comes first.  Those are kept whose answer is a ranking whatever people think.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from nomoi.errors import Refusal

ORDERS = tuple(itertools.permutations(range(3)))
PAIRS = ((0, 1), (1, 2), (2, 0))
PEAKED = tuple(o for o in ORDERS if o[2] != 1)  # single-peaked on the line 0, 1, 2: the middle is nobody's last


@dataclasses.dataclass(frozen=True)
class Kept:
    """tried: how many ways there are;  kept: how many give a ranking always; of these dictators (someone's ranking),
    inverted (someone's turned around), constant (nobody's say), and others."""

    tried: int
    kept: int
    dictators: int
    inverted: int
    constant: int

    @property
    def others(self) -> int:
        return self.kept - self.dictators - self.inverted - self.constant


def survivors(voters: int, unanimity: bool = True, peaked: bool = False) -> Kept:
    """Count them all.  Without unanimity a pair may go against everybody; peaked: people agree on a line."""
    if voters not in (1, 2, 3):
        raise Refusal(f"all ways of {voters} voters are too many to count; 1 to 3 voters can be.")
    if voters == 3 and not unanimity:
        raise Refusal("without unanimity three voters have 16.8 million ways; count those of 1 or 2.")
    rankings = PEAKED if peaked else ORDERS
    # of each voter and pair, whether the first is preferred: bits that make a row of the pair's table
    says = np.array([[o.index(a) < o.index(b) for a, b in PAIRS] for o in rankings])  # [orders, pairs]
    profiles = np.array(list(itertools.product(range(len(rankings)), repeat=voters)))  # [profiles, voters]
    weights = 1 << np.arange(voters)
    rows = (says[profiles] * weights[None, :, None]).sum(1)  # [profiles, pairs]
    size = 1 << voters
    tables = (np.arange(1 << size)[:, None] >> np.arange(size)) & 1  # [ways of one pair, rows]
    if unanimity:
        tables = tables[(tables[:, 0] == 0) & (tables[:, -1] == 1)]
    # rows of a pair's table that no profile asks for would count one way several times
    asked = [np.unique(rows[:, k]) for k in range(3)]
    own = [np.unique(tables[:, asked[k]], axis=0) for k in range(3)]
    answers = [own[k][:, np.searchsorted(asked[k], rows[:, k])].astype(bool) for k in range(3)]
    a, b, c = answers
    # a > b > c > a or its reverse is no ranking
    alike_ab = a[:, None] == b[None]  # [ways, ways, profiles]
    kept = []
    for k in range(len(c)):
        circle = alike_ab & (b == c[k])[None]
        found = np.argwhere(~circle.any(-1))
        kept += [(int(i), int(j), k) for i, j in found]
    dictators = inverted = constant = 0
    for i, j, k in kept:
        answer = np.stack([a[i], b[j], c[k]], 1)  # [profiles, pairs]
        mine = [says[profiles[:, v]] for v in range(voters)]
        if any((answer == one).all() for one in mine):
            dictators += 1
        elif any((answer == ~one).all() for one in mine):
            inverted += 1
        elif (answer == answer[0]).all():
            constant += 1
    return Kept(len(a) * len(b) * len(c), len(kept), dictators, inverted, constant)
