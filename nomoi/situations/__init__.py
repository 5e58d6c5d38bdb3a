"""Situations: who meets over what, one a file."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.situations.allelopathic import Allelopathic as Allelopathic
    from nomoi.situations.archive import Archive as Archive
    from nomoi.situations.bazaar import Bazaar as Bazaar
    from nomoi.situations.berries import Berries as Berries
    from nomoi.situations.boycott import Boycott as Boycott
    from nomoi.situations.cleanup import Cleanup as Cleanup
    from nomoi.situations.commons import Commons as Commons
    from nomoi.situations.contribution import Contribution as Contribution
    from nomoi.situations.driving import Driving as Driving
    from nomoi.situations.errand import Errand as Errand
    from nomoi.situations.harvest import Harvest as Harvest
    from nomoi.situations.irrigation import Irrigation as Irrigation
    from nomoi.situations.laboratory import Laboratory as Laboratory
    from nomoi.situations.lake import Lake as Lake
    from nomoi.situations.lemons import Lemons as Lemons
    from nomoi.situations.lobster import Lobster as Lobster
    from nomoi.situations.matrix import Matrix as Matrix
    from nomoi.situations.moderation import Moderation as Moderation
    from nomoi.situations.mushrooms import Mushrooms as Mushrooms
    from nomoi.situations.offswitch import Offswitch as Offswitch
    from nomoi.situations.pool import Pool as Pool
    from nomoi.situations.reservations import Reservations as Reservations
    from nomoi.situations.signals import Signals as Signals
    from nomoi.situations.technique import Technique as Technique
    from nomoi.situations.vases import Vases as Vases
    from nomoi.situations.works import Works as Works

page(__name__)
