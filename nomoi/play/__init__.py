"""One world lived in from the host, seat by seat: a table, its transcripts, and doors to other libraries."""

from typing import TYPE_CHECKING

from nomoi.core.pages import page

if TYPE_CHECKING:
    from nomoi.play.table import Share as Share
    from nomoi.play.table import Table as Table
    from nomoi.play.table import Told as Told
    from nomoi.play.transcript import Transcript as Transcript
    from nomoi.play.transcript import read as read
    from nomoi.play.transcript import replay as replay

page(__name__)
