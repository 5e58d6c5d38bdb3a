"""Agents that speak: language models at a table, behind any endpoint of the usual chat protocol."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.speak.desk import Desk as Desk
    from nomoi.speak.desk import desk as desk
    from nomoi.speak.session import Played as Played
    from nomoi.speak.session import play as play
    from nomoi.speak.speaker import Speaker as Speaker

page(__name__)
