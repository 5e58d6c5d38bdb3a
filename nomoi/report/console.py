"""The terminal that nomoi prints on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from nomoi.errors import printable


class Plain(Console):
    """A console that no text commands: control characters are left out, and :words: stay words.

    What comes from files (titles, labels, paths) is escaped besides, so that it is not read as markup.
    """

    def __init__(self, **options: Any):
        super().__init__(emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for part in super().render(renderable, options):
            yield part if part.control else Segment(printable(part.text), part.style)


console = Plain()
