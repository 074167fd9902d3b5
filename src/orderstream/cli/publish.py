"""The command `publish`: messages of files sent to the worker's topics, to one stored order if asked (interface 5)."""

from collections.abc import Mapping, Sequence
from typing import Final

from orderstream.cli.show import Target, the_order
from orderstream.commands import Kind
from orderstream.message_files import Located
from orderstream.messages import KINDS, Recipient, addressed
from orderstream.order import Order
from orderstream.producer import Answer, NotSent, publisher
from orderstream.settings import Settings
from orderstream.terminal import FailedError, printable, say

TOGETHER: Final = 500  # messages whose acknowledgements are awaited together


def topic_names(settings: Settings) -> Mapping[str, Kind]:
    """What `topic` may say in a file of messages: the kind, or the name that the topic has here."""
    return {**KINDS, settings.topic_create: Kind.CREATE, settings.topic_update: Kind.UPDATE}


def to_order(messages: Sequence[Located], order: Order) -> list[Located]:
    """The messages with the key and address of this order where they bring none. Raises `FailedError`."""
    to = recipient(order)
    sent = [each._replace(message=addressed(each.message, to)) for each in messages]
    for each in sent:
        if each.message.key is None:
            raise FailedError(f"{each}: the key of this order's create is no text; give the message its key")
        if to.key is not None and each.message.key != to.key.encode():
            say(f"{each}: its key is not that of the order's create; all messages of an order must have the same key")
    return sent


def recipient(order: Order) -> Recipient:
    """The order as its updates must name it."""
    return Recipient(order.dialect, order.tenant, str(order.refs["order_id"]), order.record_key)


async def publish(messages: Sequence[Located], settings: Settings, target: Target | None = None) -> None:
    """Send in order, to one stored order if there is a target, and show where each message stands.

    Raises `FailedError` when one could not be sent, and then tries no later ones, `UnavailableError` and
    `TopicsMissingError`.
    """
    if target is not None:
        messages = to_order(messages, await the_order(settings, target))
    async with publisher(settings) as to:
        for start in range(0, len(messages), TOGETHER):
            group = messages[start : start + TOGETHER]
            answers = await to.send([each.message for each in group])
            for each, answer in zip(group, answers, strict=True):
                _show(each, answer)
            failed = sum(isinstance(answer, NotSent) for answer in answers)
            if failed:
                raise FailedError(_failure(failed, len(messages) - start - len(group)))
    say(f"{len(messages)} sent; `orderstream tail` shows the events, each with the position of its message as `cause`")


def _show(each: Located, answer: Answer) -> None:
    if isinstance(answer, NotSent):
        say(f"{each} was not sent: {answer.reason}")
        return
    message = each.message
    what = [message.says("dialect") or "no dialect", message.says("operation") or message.kind.value]
    print(*map(printable, [answer, *what, each]), sep="  ", flush=True)


def _failure(failed: int, later: int) -> str:
    untried = f"; {later} later ones were not tried" if later else ""
    return f"{failed} could not be sent{untried}"
