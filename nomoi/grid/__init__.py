"""Kernel for all that is spatial: layouts, bodies, moves, beams, views, painting.  No game rules.

Every function states its contract and has a slow NumPy twin (tests/twins.py) compared under hypothesis.
"""

from nomoi.grid.beam import block, foremost, offsets, rays, reach, sweep
from nomoi.grid.body import Body, among, chance, draw, earlier, on, pick, rank, respawn, scatter, site, trodden, under
from nomoi.grid.frames import film, strip
from nomoi.grid.lanes import bitplanes
from nomoi.grid.layout import EAST, NORTH, SOUTH, WEST, Land
from nomoi.grid.move import turn, walk
from nomoi.grid.near import bearing, distance, neighbours
from nomoi.grid.scene import Extent, Goods, Scene
from nomoi.grid.still import Still, still, trace

__all__ = [
    "EAST",
    "NORTH",
    "SOUTH",
    "WEST",
    "Body",
    "Extent",
    "Goods",
    "Land",
    "Scene",
    "Still",
    "among",
    "bearing",
    "bitplanes",
    "block",
    "chance",
    "distance",
    "draw",
    "earlier",
    "film",
    "foremost",
    "neighbours",
    "offsets",
    "on",
    "pick",
    "rank",
    "rays",
    "reach",
    "respawn",
    "scatter",
    "site",
    "still",
    "strip",
    "sweep",
    "trace",
    "trodden",
    "turn",
    "under",
    "walk",
]  # fmt: skip
