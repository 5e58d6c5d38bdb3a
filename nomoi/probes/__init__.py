"""Tests of minds: what was learned, told apart from what merely happened."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.probes.crossplay import crossplay as crossplay
    from nomoi.probes.crossplay import everyone as everyone
    from nomoi.probes.crossplay import matrix as matrix
    from nomoi.probes.crossplay import per_capita as per_capita
    from nomoi.probes.ego import ego as ego
    from nomoi.probes.ego import gaps as gaps
    from nomoi.probes.empirical import Empirical as Empirical
    from nomoi.probes.empirical import Inequality as Inequality
    from nomoi.probes.goods import Good as Good
    from nomoi.probes.goods import probe as probe
    from nomoi.probes.newcomers import behaviour as behaviour
    from nomoi.probes.newcomers import beliefs as beliefs
    from nomoi.probes.newcomers import lives as lives
    from nomoi.probes.norms import balanced as balanced
    from nomoi.probes.norms import judgement as judgement
    from nomoi.probes.scenarios import scenarios as scenarios
    from nomoi.probes.schelling import Diagram as Diagram
    from nomoi.probes.schelling import schelling as schelling
    from nomoi.probes.staged import probes as probes

page(__name__)
