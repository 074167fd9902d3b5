"""Mistakes to plant in the worker, its store and its group, each as small as it could be made by accident."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import pytest

import orderstream.batch
from orderstream.announcements import Announcements
from orderstream.answers import Decided, NotLookedUpError, Write
from orderstream.batch import _Batch
from orderstream.commands import Command, Kind, Record
from orderstream.ledger import Progress, entered, tidied
from orderstream.order import Decision, Order, Position
from orderstream.orders_at_hand import known
from orderstream.outcomes import Outcome
from orderstream.parking import Changes, Mark, Parked, Parking
from orderstream.patience import Patience
from orderstream.pipeline import Lane, _LostError
from orderstream.ports import Fence, Written
from orderstream.settlement import Settlement, Trial
from orderstream.waiting import WaitingUpdates
from tests.fakes import MemoryOrders
from tests.histories.group import Group

Patch: TypeAlias = pytest.MonkeyPatch


def the_ledger_is_not_asked(patch: Patch) -> None:
    patch.setattr(orderstream.batch, "known", lambda *_: None)


def only_the_first_order_found_is_asked(patch: Patch) -> None:
    patch.setattr(orderstream.batch, "known", lambda command, found: known(command, found[:1]))


def what_changes_nothing_is_not_entered(patch: Patch) -> None:
    _enter_all_but(patch, "unchanged")


def what_is_refused_is_not_entered(patch: Patch) -> None:
    _enter_all_but(patch, "rejected")


def _enter_all_but(patch: Patch, outcome: str) -> None:
    def wrong(command: Command, order: Order, decided: Outcome, at: Position | None) -> tuple[Order, Decision]:
        after, decision = entered(command, order, decided, at)
        decisions = order.ledger.decisions if decision.outcome == outcome else after.ledger.decisions
        return after._replace(ledger=after.ledger._replace(decisions=decisions)), decision

    patch.setattr(orderstream.batch, "entered", wrong)


def a_write_is_not_guarded(patch: Patch) -> None:
    _guard_if(patch, lambda before, stored: False)  # noqa: ARG005  # whatever they are


def a_write_is_guarded_by_the_revision(patch: Patch) -> None:
    _guard_if(patch, lambda before, stored: before is None or before.revision != stored.revision)


def _guard_if(patch: Patch, differs: Callable[[Order | None, Order], bool]) -> None:
    store = MemoryOrders._store

    def wrong(self: MemoryOrders, write: Write) -> bool | str:
        stored = next((order for order in self.all if order.id == write.after.id), None)
        if stored is None or differs(write.before, stored):
            return store(self, write)
        return store(self, write._replace(before=stored))

    patch.setattr(MemoryOrders, "_store", wrong)


def earlier_events_are_not_published_first(patch: Patch) -> None:
    patch.setattr(Announcements, "_earlier", lambda *_: set())


def an_update_that_waited_counts_from_its_own_place(patch: Patch) -> None:
    patch.setattr(orderstream.batch, "entered", lambda command, order, outcome, _: entered(command, order, outcome))


def a_batch_counts_as_finished_before_it_is_published(patch: Patch) -> None:
    publish = Lane._publish

    async def wrong(self: Lane, decided: Decided) -> None:
        self._advance(decided.answers)
        await publish(self, decided)

    patch.setattr(Lane, "_publish", wrong)


def a_batch_is_published_before_it_is_written(patch: Patch) -> None:
    write = Settlement._write

    async def wrong(self: Settlement, decided: Decided, trial: Trial) -> Written:
        rejected = [answer for answer in decided.answers if answer.verdict == "rejected"]
        await self._around.outputs.publish(decided.events, rejected)
        return await write(self, decided, trial)

    patch.setattr(Settlement, "_write", wrong)


def marks_are_removed_before_their_offset_is_kept(patch: Patch) -> None:
    forget = WaitingUpdates.forget
    patch.setattr(WaitingUpdates, "forget", lambda self, _: forget(self, {}))


def marks_are_not_told_at_an_assignment(patch: Patch) -> None:
    load = WaitingUpdates.load

    async def wrong(self: WaitingUpdates) -> None:
        await load(self)
        self.tell(self.untold)

    patch.setattr(WaitingUpdates, "load", wrong)


def an_update_that_is_taken_along_leaves_no_mark(patch: Patch) -> None:
    patch.setattr(orderstream.batch, "mark_of", lambda *_: None)


def an_update_that_expires_leaves_no_mark(patch: Patch) -> None:
    settle = Parking.settle

    def wrong(self: Parking, position: Position, order_id: str | None, mark: Mark | None) -> None:
        settle(self, position, order_id, mark if order_id else None)

    patch.setattr(Parking, "settle", wrong)


def the_fence_holds_nobody_back(patch: Patch) -> None:
    write = MemoryOrders.write_fenced

    async def wrong(self: MemoryOrders, fence: Fence, writes: Sequence[Write], waits: Changes) -> Written:
        return await write(self, fence._replace(epoch=self._epochs[fence.lane]), writes, waits)

    patch.setattr(MemoryOrders, "write_fenced", wrong)


def orders_and_what_waited_for_them_are_two_writes(patch: Patch) -> None:
    fenced = Settlement._write_fenced

    async def wrong(self: Settlement, writes: Sequence[Write], waits: Changes) -> Written:
        written = await self._around.orders.write(writes, alone=True)
        return await fenced(self, (), waits) if written.done else written

    patch.setattr(Settlement, "_write_fenced", wrong)


def what_waits_is_loaded_before_the_fence_is_raised(patch: Patch) -> None:
    async def wrong(self: Lane) -> None:
        await self._parked.load()
        await self._parked.raise_fence()
        if not await self._around.group.confirms(self.finished):
            raise _LostError

    patch.setattr(Lane, "_open", wrong)


def the_group_is_not_asked_after_the_fence_is_raised(patch: Patch) -> None:
    async def wrong(self: Lane) -> None:
        await self._parked.raise_fence()
        await self._parked.load()

    patch.setattr(Lane, "_open", wrong)


def the_group_takes_a_commit_from_anybody(patch: Patch) -> None:
    patch.setattr(Group, "owns", lambda *_: True)


def a_lane_that_is_fenced_ends(patch: Patch) -> None:
    right = Lane._open

    async def wrong(self: Lane) -> None:
        if self._parked.fence.epoch:
            raise _LostError
        await right(self)

    patch.setattr(Lane, "_open", wrong)


def an_update_that_waits_is_decided_without_asking_the_ledger(patch: Patch) -> None:
    take = _Batch._take

    def wrong(self: _Batch, record: Record, command: Command, at: Position) -> None:
        with pytest.MonkeyPatch.context() as meanwhile:
            the_ledger_is_not_asked(meanwhile)
            take(self, record, command, at)

    patch.setattr(_Batch, "_take", wrong)


def what_waits_is_taken_along_though_it_is_still_to_come(patch: Patch) -> None:
    patch.setattr(orderstream.batch, "_to_come", lambda items, _: {item.record.position for item in items})


def what_waits_is_taken_along_in_any_order(patch: Patch) -> None:
    def wrong(self: Parking, order: Order) -> Parked | None:
        waiting = {position for key in order.lookup_keys for position in self._by_key.get(key, ())}
        return self._parked[max(waiting, key=lambda position: position.offset)] if waiting else None

    patch.setattr(Parking, "next_for", wrong)


def nothing_is_taken_along_at_a_create_that_is_found_decided(patch: Patch) -> None:
    along = _Batch._take_along

    def wrong(self: _Batch, order_id: str, at: Position) -> None:
        is_new = (
            all(decision.position != at for decision in self._orders.stored[order_id].ledger.decisions)
            if order_id in self._orders.stored
            else True
        )
        if is_new or at.topic != Kind.CREATE:
            along(self, order_id, at)

    patch.setattr(_Batch, "_take_along", wrong)


def each_portion_of_what_waits_tells_all_before_it_again(patch: Patch) -> None:
    progress = Settlement._progress

    async def wrong(self: Settlement, stored: Sequence[Order], trial: Trial) -> Progress:
        return replace(await progress(self, stored, trial), told=None)

    patch.setattr(Settlement, "_progress", wrong)


def a_create_is_decided_without_being_looked_up(patch: Patch) -> None:
    guard = _Batch._guard

    def wrong(self: _Batch, command: Command, found: Sequence[Order]) -> None:
        try:
            guard(self, command, found)
        except NotLookedUpError:
            return

    patch.setattr(_Batch, "_guard", wrong)


def an_update_expires_while_creates_are_unread(patch: Patch) -> None:
    async def wrong(*_: object) -> bool:
        return True

    patch.setattr(Patience, "_is_due", wrong)


def an_update_expires_without_a_last_look(patch: Patch) -> None:
    def wrong(self: _Batch) -> None:
        for record, command, _ in self._about.expired:
            if self._parking.get(record.position):
                self._give_up(record, command, "too late")

    patch.setattr(_Batch, "expire", wrong)


def what_was_dropped_leaves_no_floor(patch: Patch) -> None:
    def wrong(before: Order | None, after: Order, progress: Progress) -> Order:
        order = tidied(before, after, progress)
        return order._replace(ledger=order.ledger._replace(dropped={}))

    patch.setattr(orderstream.batch, "tidied", wrong)


def a_pause_of_the_process_is_not_noticed(patch: Patch) -> None:
    patch.setattr("orderstream.settlement.SILENCE_SECONDS", 1e9)


def a_pause_is_not_noticed_and_what_was_dropped_leaves_no_floor(patch: Patch) -> None:
    a_pause_of_the_process_is_not_noticed(patch)
    what_was_dropped_leaves_no_floor(patch)


def decisions_are_dropped_before_their_offset_is_kept(patch: Patch) -> None:
    patch.setattr(Progress, "is_over", Progress.is_out)


def a_batch_is_not_cut_where_a_key_changes_hands(patch: Patch) -> None:
    patch.setattr(_Batch, "_beware", lambda *_: None)


PLANTED: Final[Sequence[Callable[[Patch], None]]] = [
    one
    for name, one in tuple(globals().items())
    if name.startswith(("a_", "an_", "the_", "what_", "only_", "earlier_", "marks_", "nothing_", "decisions_"))
]
