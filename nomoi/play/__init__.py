"""One world lived in from the host, seat by seat: a table, its transcripts, and doors to other libraries."""

from nomoi.play.table import Share, Table, Told
from nomoi.play.transcript import Transcript, read, replay

__all__ = ["Share", "Table", "Told", "Transcript", "read", "replay"]
