"""A legal system: the union of primary rules with rules of recognition, change and adjudication (Hart 1961).

Everything that happens to it stands in a log to which entries are only added, each with the hash of the one before;
the state is what replaying the log gives.  The three kinds of secondary rule are general knowledge of Hart's book;
how they are stored is ours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from nomoi.errors import Refusal, nearest
from nomoi.law.log import FIRST, Entry, complete, verified
from nomoi.law.rules import CANONS, Case, Rule, number, parsed, rule, short, whole


@dataclasses.dataclass(frozen=True)
class Judgment:
    """What the rules say of a case: a verdict (or "contradiction"), the rules cited, the share of the rules that
    apply which agree with it, and flags ("gap": no rule applies, so it is permitted)."""

    verdict: str
    cited: tuple[str, ...]
    confidence: float
    flags: tuple[str, ...] = ()

    @property
    def rightful(self) -> bool:
        """R of the boycott: whatever is not forbidden."""
        return self.verdict != "forbidden"


@dataclasses.dataclass(frozen=True)
class LegalSystem:
    """The state: who bears which role, every version of every rule, how many officials accept the ultimate rule of
    recognition, and the log that it is made of."""

    members: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]
    acceptance: float
    log: tuple[Entry, ...]

    @property
    def time(self) -> int:
        """When the last thing happened to it."""
        return self.log[-1].time

    @property
    def valid(self) -> bool:
        """Whether at least half of the officials accept its ultimate rule of recognition as their practice."""
        return self.acceptance >= 0.5

    @property
    def flags(self) -> tuple[str, ...]:
        """What is degenerate about it now."""
        locked = not any(r.kind == "change" and not _over(r, self.time) for r in self.rules)
        return (("entrenched",) if locked else ()) + (() if self.valid else ("not accepted",))

    def current(self, id: str) -> Rule:
        """The last version of a rule; refuses what is not there or no longer in force."""
        for r in reversed(self.rules):
            if r.id == id:
                if _over(r, self.time):
                    break
                return r
        raise Refusal(f"there is no rule {id!r} in force; {nearest(id, {r.id for r in self.rules}, 'rule')}")

    def recognised(self, candidate: Rule, time: int | None = None) -> bool:
        """Whether the rule was made by a source that a rule of recognition in force names, and stands in the log.

        The chain of rules of recognition that leads from there to the ultimate one must be in force too.
        """
        at = self.time if time is None else time
        logged = any(r.id == candidate.id for r in self.rules)
        return logged and self._sourced(candidate, at)

    def _sourced(self, candidate: Rule, at: int) -> bool:
        living = {r.id: r for r in self.rules if r.kind == "recognition" and r.in_force(at)}

        def rests(r: Rule | None) -> bool:
            return r is not None and (not r.under or rests(living.get(r.under)))

        if candidate.kind == "recognition" and not candidate.under:
            return candidate.id in living  # accepted, not validated
        return any(candidate.source in r.recognises and rests(r) for r in living.values())

    # --- what may be done to it -------------------------------------------------------------------------------

    def enact(self, new: Rule, actor: str, votes: Mapping[str, bool], time: int) -> LegalSystem:
        """A new rule; in force from its `start`."""
        return self.apply("enact", time, {"rule": _dated(new, time).data(), "actor": actor, "votes": dict(votes)})

    def amend(self, new: Rule, actor: str, votes: Mapping[str, bool], time: int) -> LegalSystem:
        """A new version of the rule with its id; the old one ends where the new one starts."""
        return self.apply("amend", time, {"rule": _dated(new, time).data(), "actor": actor, "votes": dict(votes)})

    def repeal(self, id: str, actor: str, votes: Mapping[str, bool], time: int) -> LegalSystem:
        """The rule ends now."""
        return self.apply("repeal", time, {"id": id, "actor": actor, "votes": dict(votes)})

    def accept(self, share: float, time: int) -> LegalSystem:
        """Record which share of officials accepts the ultimate rule of recognition."""
        return self.apply("accept", time, {"share": share})

    def apply(self, operation: str, time: int, content: Mapping[str, Any]) -> LegalSystem:
        """Do one operation, if somebody who may does it by the procedure; else a sentence, and nothing is logged."""
        if whole(time, "the time of an entry", 0) < self.time:
            raise Refusal(f"time {time} is before the last entry of the log, at {self.time}; entries are only added.")
        complete(operation, content)
        if operation == "accept":
            share = content.get("share")
            if not (number(share) and 0 <= share <= 1):  # type: ignore[operator]
                raise Refusal(f"the share that accepts is {share!r}; a number in [0, 1] would be right.")
            changed = dataclasses.replace(self, acceptance=float(share))  # type: ignore[arg-type]
        elif operation == "found":
            raise Refusal("a legal system is founded once; a second founding would be another system.")
        else:
            changed = dataclasses.replace(self, rules=self._changed(operation, time, content))
        entry = Entry.make(len(self.log), time, operation, content, self.log[-1].hash)
        out = dataclasses.replace(changed, log=(*self.log, entry))
        _check(out.rules, time)
        return out

    def _changed(self, operation: str, time: int, content: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules after an authorised operation."""
        if operation == "repeal":
            old, new = self.current(str(content.get("id"))), None
        else:
            new = rule(content.get("rule"))
            if new.enacted_at != time:
                raise Refusal(f"rule {new.id!r} says it was enacted at {new.enacted_at}, and it is {time}.")
            old = self.current(new.id) if operation == "amend" else None
            if old is None and any(r.id == new.id for r in self.rules):
                raise Refusal(f"there has been a rule {new.id!r} already; amend it, or give the new one another id.")
            if old is not None and old.kind != new.kind:
                raise Refusal(
                    f"rule {new.id!r} is a rule of {old.kind}; an amendment cannot make it one of {new.kind}."
                )
            if new.kind != "primary" and new.begins < time:
                raise Refusal(f"rule {new.id!r} of {new.kind} would be in force from {new.begins}, before {time}; only "
                              "primary rules can be made to reach back.")  # fmt: skip
        touched: Rule = new or old  # type: ignore[assignment]
        if touched.kind == "recognition" and not (old or touched).under:
            raise Refusal(f"nobody may {operation} the ultimate rule of recognition: it is accepted as a practice "
                          "(`accept`), and any other rests on it.")  # fmt: skip
        self._authorise(operation, touched.kind, str(content.get("actor")), content.get("votes"), time)
        if new is not None and not self._sourced(new, time):
            raise Refusal(
                f"no rule of recognition counts what comes from {new.source!r}, so {new.id!r} is no law here."
            )
        until = time if new is None else new.begins
        ended = tuple(r if old is None or r.id != old.id else _ended(r, until) for r in self.rules)
        return ended if new is None else (*ended, new)

    def _authorise(self, operation: str, kind: str, actor: str, votes: Any, time: int) -> None:
        """Refuse unless a rule of change grants the power, and its procedure was followed."""
        roles = dict(self.members)
        if actor not in roles:
            raise Refusal(f"{actor!r} is no member; {nearest(actor, roles, 'member')}")
        powers = [
            r for r in self.rules
            if r.kind == "change" and r.in_force(time) and operation in r.grants and kind in r.over
            and roles[actor] in r.holders and self.recognised(r, time)
        ]  # fmt: skip
        if not powers:
            raise Refusal(f"{actor} ({roles[actor]}) has no power to {operation} a {kind} rule: no rule of change "
                          "in force grants it.")  # fmt: skip
        if not isinstance(votes, Mapping) or not all(isinstance(v, bool) for v in votes.values()):
            raise Refusal(f"the votes are {short(votes)}; a member's name and true or false for each would be right.")
        if not any(_passed(r, roles, votes) for r in powers):
            r = powers[0]
            raise Refusal(f"the {operation} by {actor} has not passed: it needs {r.quorum:g} of the electorate to "
                          f"vote, and more than {r.majority:g} of the votes.")  # fmt: skip

    # --- judging ------------------------------------------------------------------------------------------------

    def applying(self, case: Case, time: int) -> list[Rule]:
        """The recognised primary rules in force at a time whose condition the case meets."""
        living = [r for r in self.rules if r.kind == "primary" and r.in_force(time)]
        return [r for r in living if r.condition.holds(case) and self.recognised(r, max(time, r.enacted_at))]

    def adjudicate(self, case: Case, time: int | None = None, judge: str = "") -> Judgment:
        """The verdict on a case at a time, by the canons of the rule of adjudication in force, in turn.

        By default: the higher rank, then the more specific condition, then the later enactment.  Where rules that
        forbid and rules that do not are still level, it is a contradiction.  A `judge` needs standing.
        """
        at = self.time if time is None else time
        courts = [r for r in self.rules if r.kind == "adjudication" and r.in_force(at) and self.recognised(r, at)]
        if judge:
            role = dict(self.members).get(judge)
            courts = [r for r in courts if role in r.holders]
            if not courts:
                raise Refusal(f"{judge} has no standing to judge: no rule of adjudication in force gives it.")
        found = self.applying(case, at)
        if not found:
            return Judgment("permitted", (), 0.0, ("gap",))
        order = courts[0].order if courts else CANONS
        top = found
        for canon in order:
            best = max(_weight(r, canon) for r in top)
            top = [r for r in top if _weight(r, canon) == best]
        verdicts = {r.verdict for r in top}
        cited = tuple(r.id for r in top)
        if "forbidden" in verdicts and len(verdicts) > 1:
            return Judgment("contradiction", cited, 0.0, ("contradiction",))
        verdict = min(verdicts, key=("forbidden", "obligatory", "permitted", "power").index)
        agree = sum((r.verdict == "forbidden") == (verdict == "forbidden") for r in found)
        return Judgment(verdict, cited, agree / len(found))


def _dated(new: Rule, time: int) -> Rule:
    """Enacted now; in force from now on, unless it says from when."""
    return dataclasses.replace(new, enacted_at=time, start=time if new.start is None else new.start)


def _ended(r: Rule, until: int) -> Rule:
    """The same rule, in force no longer than `until`."""
    sooner = until if r.end is None else min(r.end, until)
    return dataclasses.replace(r, end=max(r.begins, sooner))


def _over(r: Rule, time: int) -> bool:
    """Whether it will not be in force any more: it has ended, or was ended before it began."""
    return r.end is not None and r.end <= max(time, r.begins)


def _weight(r: Rule, canon: str) -> int:
    return {"rank": r.rank, "specificity": len(r.condition.clauses), "recency": r.enacted_at}[canon]


def _passed(r: Rule, roles: Mapping[str, str], votes: Mapping[str, bool]) -> bool:
    voters = [m for m, role in roles.items() if role in (r.electorate or r.holders)]
    cast = [votes[m] for m in voters if m in votes]
    return bool(cast) and len(cast) >= r.quorum * len(voters) and sum(cast) > r.majority * len(cast)


def _check(rules: Sequence[Rule], time: int) -> None:
    """Refuse rules of recognition that run in a circle, hang in the air, or end in more than one ultimate rule."""
    living = {r.id: r for r in rules if r.kind == "recognition" and not _over(r, time)}
    for r in living.values():
        seen, at = [r.id], r
        while at.under:
            if at.under in seen:
                raise Refusal(f"the rules of recognition run in a circle: {' rests on '.join([*seen, at.under])}.")
            if at.under not in living:
                raise Refusal(f"rule {at.id!r} rests on {at.under!r}, which is no rule of recognition in force.")
            at = living[at.under]
            seen.append(at.id)
    ultimate = [r.id for r in living.values() if not r.under]
    if len(ultimate) != 1:
        found = " and ".join(map(repr, ultimate)) or "none"
        raise Refusal(f"a legal system has one ultimate rule of recognition (with no `under`); here there is {found}.")


def found(members: Mapping[str, str], rules: Sequence[Rule], acceptance: float = 1.0, time: int = 0) -> LegalSystem:
    """A new legal system; its first rules need no procedure, but every one must be recognised."""
    return constitute(time, {"members": dict(members), "rules": [r.data() for r in rules], "acceptance": acceptance})


def constitute(time: int, content: Mapping[str, Any]) -> LegalSystem:
    """`found` from plain data: members, rules and acceptance."""
    complete("found", content)
    members, given, share = (content.get(name) for name in ("members", "rules", "acceptance"))
    if not isinstance(members, Mapping) or not all(
        isinstance(m, str) and isinstance(r, str) for m, r in members.items()
    ):
        raise Refusal(f"the members are {short(members)}; a name and a role for each would be right.")
    if not isinstance(given, (list, tuple)):
        raise Refusal(f"the rules are {short(given)}; a list of rules would be right.")
    rules = tuple(rule(r) for r in given)
    twice = [r.id for k, r in enumerate(rules) if r.id in [s.id for s in rules[:k]]]
    if twice:
        raise Refusal(f"two rules have the id {twice[0]!r}; every rule needs its own.")
    if not (number(share) and 0 <= share <= 1):  # type: ignore[operator]
        raise Refusal(f"the acceptance is {share!r}; a share in [0, 1] would be right.")
    _check(rules, whole(time, "the time of founding", 0))
    entry = Entry.make(0, time, "found", content, FIRST)
    out = LegalSystem(tuple(sorted(members.items())), rules, float(share), (entry,))  # type: ignore[arg-type]
    for r in rules:
        if not out._sourced(r, max(time, r.begins)):
            raise Refusal(f"no rule of recognition counts what comes from {r.source!r}, so {r.id!r} is no law here.")
    return out


def replay(log: Sequence[Entry]) -> LegalSystem:
    """The system that a log makes.  Refuses a log that was tampered with, in a sentence that says where."""
    if not log or log[0].operation != "found":
        raise Refusal("the log does not begin with the founding of a legal system.")
    out = None
    for entry in verified(log):
        content = parsed(entry.content, f"entry {entry.number} of the log")
        out = constitute(entry.time, content) if out is None else out.apply(entry.operation, entry.time, content)
    return out  # type: ignore[return-value]
