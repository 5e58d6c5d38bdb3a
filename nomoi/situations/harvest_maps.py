"""Maps and set-ups of Commons Harvest.

Letters: W wall, space floor, P spawn, Q inner spawn, H, J, K altars, I tile closed to some roles, and apples by kind
(zone): R red, B blue, G green, A where the zones do not matter.  The Melting Pot maps are theirs cell for cell; which
patch belongs to which zone follows the tutorial (top red, middle blue, bottom green).
"""

LEGEND = {"A": "apple", "R": "red", "B": "blue", "G": "green"}

SMALL = """
WWWWWWWWWWWWWWWWW
W               W
W  R    B    G  W
W RRR  BBB  GGG W
WRRRRR BBB GGGGGW
W RRR  BBB  GGG W
W  R    B    G  W
W               W
W      HHH      W
WPPPPPPPPPPPPPPPW
WWWWWWWWWWWWWWWWW
"""

OPEN = """
WWWWWWWWWWWWWWWWWWWWWWWW
WRRR    B      B    RRRW
WRR    BBB    BBB    RRW
WR    BBBBB  BBBBB    RW
W      BBB    BBB      W
W       B      B       W
W  G                G  W
W GGG  Q        Q  GGG W
WGGGGG            GGGGGW
W GGG              GGG W
W  G                G  W
W                      W
W                      W
W                      W
W  PPPPPPPPPPPPPPPPPP  W
W PPPPPPPPPPPPPPPPPPPP W
WPPPPPPPPPPPPPPPPPPPPPPW
WWWWWWWWWWWWWWWWWWWWWWWW
"""

# the altar commons at full size: Melting Pot's open map with an altar in the middle, which is ours
ORCHARD = OPEN.replace("WGGGGG            GGGGGW", "WGGGGG    HHHH    GGGGGW")

CLOSED = """
WWWWWWWWWWWWWWWWWWWWWWWW
WRRR    B  WW  B    RRRW
WRR    BBB WW BBB    RRW
WR    BBBBBWWBBBBB    RW
W      BBB WW BBB      W
W       B  WW  B       W
W  G       WW       G  W
W GGG  Q   WW   Q  GGG W
WGGGGG     WW     GGGGGW
W GGG  WWWWWWWWWW  GGG W
W  G       WW       G  W
WWWWWWWWWW WW WWWWWWWWWW
W          WW          W
W  WWWWWWWWWWWWWWWWWW  W
W  PPPPPPPPPPPPPPPPPP  W
W PPPPPPPPPPPPPPPPPPPP W
WPPPPPPPPPPPPPPPPPPPPPPW
WWWWWWWWWWWWWWWWWWWWWWWW
"""

PARTNERSHIP = """
WWWWWWWWWWWWWWWWWWWWWWWW
WRRR    B  II  B    RRRW
WRR    BBB II BBB    RRW
WR    BBBBBIIBBBBB    RW
W      BBB II BBB      W
W       B  II  B       W
W  G       II       G  W
W GGG  Q   WW   Q  GGG W
WGGGGG     II     GGGGGW
W GGG  WWWWWWWWWW  GGG W
W  G       WW       G  W
WWWWWWWWWW WW WWWWWWWWWW
W          WW          W
W  WWWWWWWWWWWWWWWWWW  W
W  PPPPPPPPPPPPPPPPPP  W
W PPPPPPPPPPPPPPPPPPPP W
WPPPPPPPPPPPPPPPPPPPPPPW
WWWWWWWWWWWWWWWWWWWWWWWW
"""

# the small map with places for three altars (ours)
ALTARS = SMALL.replace("W      HHH      W", "W   H   J   K   W")

# four kinds side by side, so that a place tells nothing of the kind that grows there (ours)
MIXED = """
WWWWWWWWWWWWWWW
WPPPPPPPPPPPPPW
W  A R   G B  W
W B G A R A R W
W R A B G B G W
W  G B   R A  W
W      H      W
W  B G   A R  W
W A R B G R G W
W G B A R B A W
W  R A   G B  W
WPPPPPPPPPPPPPW
WWWWWWWWWWWWWWW
"""

MAPS = {
    "small": SMALL, "open": OPEN, "orchard": ORCHARD, "closed": CLOSED, "partnership": PARTNERSHIP, "altars": ALTARS,
    "mixed": MIXED,
}  # fmt: skip

_MELTING_POT = {
    "agents": 7, "horizon": 1000, "extent": (9, 1, 5), "headings": True, "compass": False, "lottery": 0.0,
}  # fmt: skip
_OPEN = _MELTING_POT | {"map": "open", "regrowth": (0, 0.0025, 0.005, 0.025), "exile": 4}
_ROOMS = _MELTING_POT | {"regrowth": (0, 0.001, 0.005, 0.025), "beam": (4, 1), "cooldown": 1, "exile": 100}

PRESETS = {
    "small": {},
    "open": _OPEN,
    "orchard": _OPEN | {"map": "orchard", "headings": False, "compass": True, "exile": 0},
    "closed": _ROOMS | {"map": "closed"},
    "partnership": _ROOMS | {"map": "partnership"},
}
