"""Models of whole populations: formulas, and simulations held against them.

Two of them are called Village: that of `arrows`, and that of `labour`.
"""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.populations.archives import Digital as Digital
    from nomoi.populations.groups import Groups as Groups
    from nomoi.populations.imitation import Imitation as Imitation
    from nomoi.populations.labour import Factory as Factory
    from nomoi.populations.niche import Niche as Niche
    from nomoi.populations.polities import Polity as Polity
    from nomoi.populations.practice import Practice as Practice
    from nomoi.populations.punishment import Punishment as Punishment
    from nomoi.populations.selective import Cheap as Cheap
    from nomoi.populations.selective import Cue as Cue
    from nomoi.populations.selective import Cumulative as Cumulative
    from nomoi.populations.shocks import History as History
    from nomoi.populations.silly import Community as Community
    from nomoi.populations.third_party import Commons as Commons
    from nomoi.populations.third_party import Descent as Descent
    from nomoi.populations.transitions import Colony as Colony
    from nomoi.populations.transitions import Policing as Policing

page(__name__)
