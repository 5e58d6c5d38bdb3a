"""The central nouns: Situation, Outcome, Institution, and how they compose."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.core.events import VOCABULARY as VOCABULARY
    from nomoi.core.events import Event as Event
    from nomoi.core.events import counted as counted
    from nomoi.core.events import unit_of as unit_of
    from nomoi.core.events import vocabulary as vocabulary
    from nomoi.core.govern import Governed as Governed
    from nomoi.core.govern import Polity as Polity
    from nomoi.core.govern import choose as choose
    from nomoi.core.govern import govern as govern
    from nomoi.core.institution import Institution as Institution
    from nomoi.core.measure import Measure as Measure
    from nomoi.core.option import options as options
    from nomoi.core.outline import outline as outline
    from nomoi.core.settings import Rule as Rule
    from nomoi.core.settings import build as build
    from nomoi.core.settings import choice as choice
    from nomoi.core.settings import describe as describe
    from nomoi.core.settings import setting as setting
    from nomoi.core.settings import size as size
    from nomoi.core.situation import Outcome as Outcome
    from nomoi.core.situation import Situation as Situation

page(__name__)
