"""The command `tail`: status events as they come, without a consumer group (interface 5)."""

import logging
import time
from typing import Final

import orjson

from orderstream.consumer import following
from orderstream.events import Received, Sequences, StatusEvent, Unreadable, events
from orderstream.settings import Settings
from orderstream.status_event import rfc_3339
from orderstream.terminal import changed, console, printable, say, short_name

AWAY_SECONDS: Final = 10.0  # between two lines about it


class _Away(logging.Handler):
    """Tells that Kafka does not answer, which a consumer bears in silence."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._said = -AWAY_SECONDS

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # its text is the library's own
        if time.monotonic() - self._said > AWAY_SECONDS:
            self._said = time.monotonic()
            say("Kafka does not answer; waiting for it")


async def tail(settings: Settings, *, from_start: bool, as_json: bool, dialect: str | None, tenant: str | None) -> None:
    """Show each new event on a line, for ever. Raises `UnavailableError` and `TopicsMissingError`."""
    async with following(settings, settings.topic_status, from_start=from_start) as records:
        logging.getLogger("aiokafka").addHandler(_Away())
        say(f"waiting for events on {settings.topic_status}; Ctrl-C ends")
        async for received in events(records, Sequences()):
            if isinstance(received, Unreadable):
                say(f"{received.position} is no status event: {received.reason}")
            elif dialect in (None, received.event.dialect) and tenant in (None, received.event.tenant):
                _show(received, as_json=as_json)


def _show(received: Received, *, as_json: bool) -> None:
    event, missing = received.event, received.missing
    if missing:
        say(f"order {event.order_id}: {len(missing)} events before sequence {event.sequence} are missing")
    if as_json:
        print(orjson.dumps(orjson.loads(received.value)).decode(), flush=True)  # on one line, whoever wrote it
    else:
        console().print(line(event), soft_wrap=True)


def line(event: StatusEvent) -> str:
    """The event for people."""
    owner = f"{event.dialect}/{event.tenant}" if event.tenant else event.dialect
    told = (f"#{event.sequence}", event.type, changed(event.before, event.after))
    parts = (rfc_3339(event.time), owner, short_name(event.refs), *told, event.cause)
    return "  ".join(printable(part) for part in parts if part)
