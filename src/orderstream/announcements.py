"""The events that a batch publishes (pure; design 3)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple

from orderstream.ledger import Progress
from orderstream.order import Order
from orderstream.status_event import Event, Repeat, event_of


class _Said(NamedTuple):
    """An event to be published, as `event_of` takes it."""

    sequence: int
    trace: str | None = None
    again: Repeat | None = None


class Announcements:
    """Each order's events in their order, earlier ones that may not be out before them; one for each repeat."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said: dict[str, list[_Said]] = defaultdict(list)  # by order

    def say(
        self, order_id: str, sequences: Iterable[int], *, trace: str | None = None, again: Repeat | None = None
    ) -> None:
        """Publish these events of an order."""
        self._said[order_id] += (_Said(sequence, trace, again) for sequence in sequences)

    def events(self, orders: Mapping[str, Order]) -> Iterator[Event]:
        """All of them, of *orders* as the batch leaves them."""
        for id_, said in self._said.items():
            if not said:
                continue
            order, wanted = orders[id_], {one.sequence for one in said}
            unsure = self._earlier(order, max(wanted)) - wanted
            earlier = (_Said(sequence, again="earlier-unacknowledged") for sequence in unsure)
            for one in sorted((*said, *earlier), key=itemgetter(0)):
                yield event_of(order, *one)

    def _earlier(self, order: Order, last: int) -> set[int]:
        entries = (entry for entry in order.ledger.decisions if entry.outcome == "applied")
        unsure = (entry for entry in entries if not self._progress.is_out(entry.counts_from or entry.position))
        return {sequence for entry in unsure for sequence in entry.sequences if sequence < last}
