"""Votes on statements: who agreed with what, and what is known of the statements and of the people."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True, eq=False)
class Votes:
    """What people said of statements that others had written, as Polis and its like ask them.

    cast        [people, statements] 1 agree, -1 disagree, 0 pass; NaN where one was not asked or did not answer
    people      [people] how the file calls them;  xid  what the host called them, where the file tells
    statements  [statements] their ids;  texts  what they say, by id
    out         [statements] moderated out, or about the conversation itself (meta): votes on them place nobody
    groups      [people] ids of groups that came with the votes, -1 for nobody's; None where there are none
    remarks     what a reader of the numbers must know of the files
    """

    cast: np.ndarray
    people: tuple[str, ...]
    statements: tuple[str, ...]
    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    out: np.ndarray = None  # type: ignore[assignment]
    groups: np.ndarray | None = None
    xid: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()
    title: str = "votes"

    def __post_init__(self) -> None:
        cast = np.asarray(self.cast, float)
        if cast.shape != (len(self.people), len(self.statements)):
            asked = f"{len(self.people)} people and {len(self.statements)} statements"
            raise Refusal(
                f"votes of {asked} are a table of {cast.shape}; a row a person, a column a statement is right."
            )
        if not np.isin(cast[~np.isnan(cast)], (-1, 0, 1)).all():
            raise Refusal("a vote is none of 1 (agree), 0 (pass) and -1 (disagree); leave unseen ones NaN.")
        object.__setattr__(self, "cast", cast)
        out = np.zeros(len(self.statements), bool) if self.out is None else np.asarray(self.out, bool)
        object.__setattr__(self, "out", out)
        if self.groups is not None:
            object.__setattr__(self, "groups", np.asarray(self.groups, int))

    @property
    def seen(self) -> np.ndarray:
        """[people, statements] whether there is an answer; a pass is one."""
        return ~np.isnan(self.cast)

    @property
    def counts(self) -> np.ndarray:
        """[people] answers of each, moderated statements included: what decides whether somebody is placed."""
        return self.seen.sum(1)

    def of(self, people: np.ndarray) -> Votes:
        """The votes of some people (indices or a mask)."""
        index = np.arange(len(self.people))[people]
        return dataclasses.replace(
            self, cast=self.cast[index], people=tuple(self.people[k] for k in index),
            groups=None if self.groups is None else self.groups[index],
            xid=None if self.xid is None else tuple(self.xid[k] for k in index),
        )  # fmt: skip

    def grouped(self, groups: np.ndarray | None, remarks: tuple[str, ...] = ()) -> Votes:
        """The same votes with other groups."""
        return dataclasses.replace(self, groups=groups, remarks=self.remarks + remarks)
