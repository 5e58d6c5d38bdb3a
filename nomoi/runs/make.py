"""make: what the store lacks is made, parents first, and results are the records by label."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

from nomoi.errors import Missing, Refusal
from nomoi.runs import code, programs
from nomoi.runs.claims import Results
from nomoi.runs.engine import Interrupted, Progress, Tell, stackable
from nomoi.runs.hands import Hand, Hands, hands
from nomoi.runs.record import Record
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained
from nomoi.runs.trial import Run, Trial, as_curve
from nomoi.runs.trials import Scripted

LANES = 128  # the most runs that are stacked on a GPU (ours)
ENDING = ("Ending: what is being trained is saved first; a worker that compiles ends with that, or after ten seconds "
          "where it is another process.")  # fmt: skip
WAIT = 0.2  # seconds between two looks at runs that another process is at (ours)


@dataclasses.dataclass(frozen=True)
class Made:
    """What came of it: results, how many runs were made now, and what a reader must know of old records."""

    results: Results
    fresh: int
    remarks: tuple[str, ...]


def check(trials: Sequence[Trial]) -> None:
    """Refuse, in a sentence, what would fail only after long work."""
    twice = [label for label, count in Counter(t.label for t in trials).items() if count > 1]
    if twice:
        raise Refusal(f"{twice[0]!r} is the label of two trials; give one of them another.")
    by_label = {t.label: t for t in trials}
    for trial in trials:
        above, line = trial, [trial.label]
        while above.parent in by_label:
            above = by_label[above.parent]
            if above.label in line:
                raise Refusal(f"{trial.label!r} goes on from {trial.parent!r}, and that from it.")
            line.append(above.label)
    for trial in trials:
        trial.check(by_label)


def make(
    store: Store, trials: Sequence[Trial], seeds: Sequence[int], tell: Tell = lambda _: None, *,
    on: str = "", workers: int | None = None, lanes: int | None = None, old: bool = False,
) -> Made:  # fmt: skip
    """A record of every trial and seed: those on disk are read, the others are made or go on from where they stopped.

    on, workers  who makes them, and how many at a time (see `hands.hands`)
    old          whether records that other code made are used where there are no others

    `tell` hears of every chunk of a training (from several threads, one at a time).  Raises Interrupted, with nothing
    lost, when the keyboard does.
    """
    programs.keep()
    programs.single()
    work = _Work(store, tell, hands(on, workers, tell), lanes, old)
    if store.outdated():
        work.remark(f"{len(store.outdated())} records in {store.root} have format 1, which does not say what code made "
                    "them; they are not used, and can be deleted.")  # fmt: skip
    records: dict[str, tuple[Record, ...]] = {}
    aged = set[str]()
    waiting = list(trials)
    while waiting:
        ready = [t for t in waiting if not t.parent or t.parent in records]
        for t in ready:
            if t.parent in work.missing:
                work.missing[t.label], records[t.label] = work.missing[t.parent], ()
        ready = [t for t in ready if t.label not in records]
        runs = {t.label: _runs(t, seeds, records.get(t.parent, ())) for t in ready}
        kept = {label: used for label in runs if old and (used := _old(store, runs[label]))}
        aged |= {*kept, *(t.label for t in ready if t.parent in aged)}
        records |= kept | work.done({label: some for label, some in runs.items() if label not in kept})
        waiting = [t for t in waiting if t.label not in records]
    exact = frozenset(t.label for t in trials if t.exact)
    if aged:
        work.remark(f"Old records, which other code made, stand for {', '.join(map(repr, sorted(aged)))}.")
    for why in dict.fromkeys(work.missing.values()):
        labels = [repr(label) for label, because in work.missing.items() if because == why]
        work.remark(f"{', '.join(labels)} {'are' if len(labels) > 1 else 'is'} not tested: {why}")
    results = Results({t.label: records[t.label] for t in trials}, exact, frozenset(aged), work.missing)
    return Made(results, work.fresh, tuple(work.remarks))


def _runs(trial: Trial, seeds: Sequence[int], parents: Sequence[Record]) -> list[Run]:
    """The runs of a trial, with their parents; one that is exact is the parent of every seed."""
    if trial.exact:
        return [Run(trial, None, tuple(parents))]
    if len(parents) < len(seeds):
        return [Run(trial, seed, tuple(parents)) for seed in seeds]
    others = lambda k: (*parents[:k], *parents[k + 1 :]) if trial.crossed else ()  # noqa: E731
    return [Run(trial, seed, (parents[k], *others(k))) for k, seed in enumerate(seeds)]


def _old(store: Store, runs: Sequence[Run]) -> tuple[Record, ...]:
    """The newest records of all these runs that one and the same other code made; none where fresh ones are there."""
    if all(store.get(r.asked) for r in runs):
        return ()
    found = [{code.digest(r.facts["code"]): r for r in reversed(store.old(run.asked))} for run in runs]
    common = [stamp for stamp in reversed(found[0]) if all(stamp in f for f in found)]
    return tuple(f[common[0]] for f in found) if common else ()


class _Work:
    """Runs that are missing, made by this process and by whoever else is at the same store."""

    def __init__(self, store: Store, tell: Tell, hands: Callable[[], Hands], lanes: int | None, old: bool):
        self.store, self._tell, self._speaking = store, tell, threading.Lock()
        self.lanes, self.old = lanes, old
        self._hands = hands
        self.stop, self.fresh, self.remarks = threading.Event(), 0, list[str]()
        self.missing: dict[str, str] = {}  # label -> which data are not on this machine
        self._taking = threading.Lock()

    def tell(self, progress: Progress | str) -> None:
        with self._speaking:
            self._tell(progress)

    @cached_property
    def hands(self) -> Hands:
        return self._hands()

    def remark(self, said: str) -> None:
        self.remarks.append(said)
        self.tell(said)

    def done(self, runs: Mapping[str, Sequence[Run]]) -> dict[str, tuple[Record, ...]]:
        """The records of all these runs, by label."""
        every = [run for some in runs.values() for run in some]
        found = {run: self.store.get(run.asked) for run in every}
        missing = [run for run in every if not found[run]]
        for run, record in found.items():
            if record:
                self.store.tidy(run.asked)
                self._read(run, record)
        self._outdated(missing)
        training = sorted((r for r in missing if isinstance(r.trial, Trained)), key=lambda r: r.seed or 0)
        records = {run: record for run, record in found.items() if record}
        if training:  # who plays by a script is compiled and lived beside, on cores that are left
            scripts = [run for run in missing if isinstance(run.trial, Scripted)]
            self._train(_Queue(self, training, records), _Queue(self, scripts, records))
        if rest := [r for r in missing if r not in records and r.trial.label not in self.missing]:
            queue = _Queue(self, rest, records)
            if self.hands.far:
                self._side_by_side(lambda hand: self._rest(hand, queue))
            else:  # in the thread that the keyboard interrupts: nothing else stops a computation
                with self.hands.hand(self.store, self.tell, self.stop) as hand:
                    self._rest(hand, queue)
        return {label: () if label in self.missing else tuple(records[run] for run in some)
                for label, some in runs.items()}  # fmt: skip

    def _read(self, run: Run, record: Record) -> None:
        if isinstance(run.trial, Trained):
            self.tell(Progress(run.trial.label, run.seed, run.trial.length, run.trial.length, record.late()))

    def _outdated(self, missing: Sequence[Run]) -> None:
        """Say which runs are there already, but were made by other code, and what it costs to make them again."""
        stale = [(run, old[0]) for run in missing if (old := self.store.old(run.asked))]
        if not stale:
            return
        files = sorted({name for _, r in stale for name in code.changed(r.facts["code"])})
        shown = ", ".join(files[:4]) + (f" and {len(files) - 4} more files" if len(files) > 4 else "")
        seconds = sum(float(r.facts.get("wall_seconds", 0)) for _, r in stale)
        many = f"{len(stale)} runs that are" if len(stale) > 1 else "one run that is"
        self.tell(f"{many} here already {'were' if len(stale) > 1 else 'was'} made by other code ({shown} changed "
                  f"{code.since(r for _, r in stale)}), and made again: that took {seconds:.3g} s of a worker; "
                  + ("--old uses them." if not self.old else "--old uses them only where there is one of every seed.")
                    )  # fmt: skip

    def stacks(self, runs: Sequence[Run]) -> dict[Any, int]:
        """How many runs of each sort are trained as one: one on a CPU, on a GPU all in equal parts."""
        many = Counter(stackable(run) for run in runs if isinstance(run.trial, Trained))
        return {
            sort: self.lanes or (-(-n // -(-n // LANES)) if n and self.hands.gpu else 1) for sort, n in many.items()
        }

    def _train(self, queue: _Queue, scripts: _Queue) -> None:
        first = queue.waiting[0].trial
        assert isinstance(first, Trained)
        self.tell(Progress(first.label, queue.waiting[0].seed, 0, first.length, {}))  # compiling takes a while

        def train(hand: Hand) -> None:
            while taken := queue.take():
                group, held = taken
                with held:
                    made = hand.train(group, queue.lanes(group[0]))
                    for run, (curve, arrays, facts) in zip(group, made, strict=True):
                        queue.records[run] = self._put(run, curve, arrays, facts)
            self._rest(hand, scripts)

        self._side_by_side(train)

    def _side_by_side(self, does: Callable[[Hand], None]) -> None:
        """Let all hands do it; the first thing that goes wrong is what goes wrong."""

        def work() -> None:
            try:
                with self.hands.hand(self.store, self.tell, self.stop) as hand:
                    does(hand)
            except BaseException:
                self.stop.set()  # the others save what they have, and stop
                raise

        with ThreadPoolExecutor(self.hands.workers) as pool:
            futures = [pool.submit(work) for _ in range(self.hands.workers)]
            try:
                wait(futures)
            except KeyboardInterrupt:
                self.stop.set()
                self.tell(ENDING)
        errors = [e for e in (f.exception() for f in futures) if e]
        for error in sorted(errors, key=lambda e: isinstance(e, (Interrupted, KeyboardInterrupt))):
            raise Interrupted if isinstance(error, KeyboardInterrupt) else error
        if self.stop.is_set():
            raise Interrupted

    def _rest(self, hand: Hand, queue: _Queue) -> None:
        """The runs that do not train, one after the other."""
        while not self.stop.is_set() and (taken := queue.take()):
            (run,), held = taken
            with held:
                try:
                    queue.records[run] = self._put(run, *hand.make(run))
                    self.tell(Progress(run.trial.label, run.seed, 1, 1, {}))
                except Missing as missing:
                    self.missing[run.trial.label] = str(missing)

    def _put(self, run: Run, made: Any, arrays: Any, facts: Mapping[str, Any]) -> Record:
        with self._taking:
            self.fresh += 1
        try:
            curve = as_curve(made)
        except (AttributeError, TypeError, ValueError):
            curve = {}
        if not curve:
            raise Refusal(f"{run.trial.label!r} gave {made!r}; a table of measures and numbers would be right.")
        return self.store.put(run.asked, curve, arrays, run.files(), **run.facts(), **facts)


class _Queue:
    """Runs that wait to be made, shared by threads, and through the store's locks by processes."""

    def __init__(self, work: _Work, runs: list[Run], records: dict[Run, Record]):
        self.work, self.waiting, self.records = work, runs, records
        self.lock, self.stacks = threading.Lock(), work.stacks(runs)

    def lanes(self, run: Run) -> int:
        """How many runs train together with this one."""
        return self.stacks[stackable(run)] if isinstance(run.trial, Trained) else 1

    def take(self) -> tuple[list[Run], contextlib.ExitStack] | None:
        """Some runs that can be stacked, with what holds them; None when none is left.

        What another process is at is passed over; where nothing else is left, it is waited for.
        """
        while self.waiting:
            with self.lock:
                held, group = contextlib.ExitStack(), list[Run]()
                for run in list(self.waiting):
                    alike = not group or stackable(run) == stackable(group[0])
                    if alike and self._hold(run, held):
                        group.append(run)
                        if len(group) == self.lanes(group[0]):
                            break
                if group:
                    return group, held
            if self.waiting and self.work.stop.wait(WAIT):
                raise Interrupted
        return None

    def _hold(self, run: Run, held: contextlib.ExitStack) -> bool:
        """Whether the run is ours to make now; it no longer waits then, nor if it is found to be made."""
        store, claim = self.work.store, contextlib.ExitStack()
        if not claim.enter_context(store.claim(run.asked)):
            claim.close()
            return False
        self.waiting.remove(run)
        found = store.get(run.asked)
        if found:
            claim.close()
            self.records[run] = found
            self.work._read(run, found)
            return False
        held.enter_context(claim)
        return True
