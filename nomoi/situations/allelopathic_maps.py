"""The maps of Allelopathic Harvest.  R, G, B are bushes, bearing that colour at first; H is a place for an altar.

Both are ours, drawn at random once: the published map is another, of as many bushes and as large.
"""

from __future__ import annotations

SMALL = """
.R..BBGGBG...G.
...GBBRB.R.R..B
RGR.B..RG....RR
..B....B.B..G.R
.G.B.RB...G..B.
...RRBR..G.BBB.
....G.......G.R
.R.G..HHH.BBR.R
..RB........G.B
.R..GBG....G.GG
GR.G.G.BBBR.GBG
R..G...BGG..R..
..R..B......R.R
.....G....G.B.R
.....R.....R...
"""

OPEN = """
G..GR..BG.G...R...GGG..R..B.R
..RR.....B......B.GG.B...GR..
.....B..R...GGB.R..BR.BR..R..
G..B..B..R......BG.B.....GRR.
..GB...RGGG..B..B.B.G.RBRRG.B
B...RGG.BG......BRGGGGB......
R.G.....B..BG.B.......RB.GG..
........B..B.BB....G...B..G.B
B.RGGRG..G.....G.BBB.G...R.B.
R.BG.RR..G..R.BG..G..R..R..R.
..B.RG..R..RR..R....RBR..G.GG
.B...R..GRGB..BR.GG..R.R..B..
.G.RR.BG....GBB...B...BBB.R.R
B..R..B...GBR..RGGBRB.GRBB...
.....B..............RGRGGBR..
......B..R...HHH.....G.GGBG..
R........B.......G.B..B.RB...
RB.BRRR.GRG.G.RB.....GBG.RBGB
.......G.........GB...B.....G
G..G.B..R..R...BR.R.B.B..R.GR
BB.BG.R.......RRB...BGR..BBB.
BR..G....R.RG..RR.G......G..R
..RGB......G...B....R.B....G.
R.G.G.....R.BR.R.....BG.RR..R
...G.GR..B.RB.R...R..GRG....G
R.G...B...B..RB..R...G...R..B
G.RG..BG..BR.GGRG......R.GBR.
......BR..BR..G.G...BB......R
.G.B.BG......RBRR..G.GB..G...
.GBR...GBRR.........G..GRBBB.
"""

MAPS = {"small": SMALL, "open": OPEN}

# Melting Pot's constants where they differ from the laptop's
_OPEN = {"map": "open", "agents": 16, "horizon": 2000, "extent": (9, 1, 5), "headings": True, "tempo": 1.0}

PRESETS = {
    "small": {},
    "open": _OPEN | {"graduated": True},
    "residents": _OPEN,  # punishing is left to institutions (Trivedi et al. 2024, code)
}
