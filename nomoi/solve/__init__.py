"""Exact answers: situations unfolded into tensors, and solvers that take nothing else."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.solve.analysis import Analysis as Analysis
    from nomoi.solve.analysis import analyse as analyse
    from nomoi.solve.correlated import Correlated as Correlated
    from nomoi.solve.crowds import Crowd as Crowd
    from nomoi.solve.dilemma import Dilemma as Dilemma
    from nomoi.solve.dilemma import classify as classify
    from nomoi.solve.formats import find as find
    from nomoi.solve.game import NormalForm as NormalForm
    from nomoi.solve.game import bimatrix as bimatrix
    from nomoi.solve.game import symmetric as symmetric
    from nomoi.solve.games import GAMES as GAMES
    from nomoi.solve.interest import least_fine as least_fine
    from nomoi.solve.interest import least_transfer as least_transfer
    from nomoi.solve.interest import self_interest as self_interest
    from nomoi.solve.markov import Markov as Markov
    from nomoi.solve.nash import Equilibria as Equilibria
    from nomoi.solve.subgame import Solution as Solution
    from nomoi.solve.subgame import backward as backward
    from nomoi.solve.subgame import markov_perfect as markov_perfect
    from nomoi.solve.subgame import planner as planner
    from nomoi.solve.unfold import normal_form as normal_form
    from nomoi.solve.unfold import tabular as tabular

page(__name__)
