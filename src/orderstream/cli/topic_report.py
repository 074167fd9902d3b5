"""The command `topics`: missing topics made, differing ones reported (interface 1)."""

from typing import Final

from orderstream.checkpoint import Judgement, name_of
from orderstream.cli.show import stored_orders
from orderstream.ledger import Partition
from orderstream.settings import Settings
from orderstream.stream import Stream
from orderstream.terminal import say, show_table
from orderstream.topics import created
from orderstream.trouble import UnavailableError

COLUMNS: Final = ("topic", "partitions", "replicas", "min in sync", "cleanup", "")


async def make_topics(settings: Settings) -> bool:
    """Make what is missing and show all; whether they are as they must be. Raises `UnavailableError`."""
    made, state = await created(settings)
    rows = (
        (
            topic.name,
            topic.partitions,
            topic.replication,
            topic.config and topic.config.get("min.insync.replicas"),
            topic.config and topic.config.get("cleanup.policy"),
            "created" if topic.name in made else "was there",
        )
        for topic in state.topics.values()
    )
    show_table(COLUMNS, rows)
    for problem in state.problems:
        say(f"differs: {problem}")
    return not state.problems


async def check_stream(settings: Settings, *, adopt: bool) -> bool:
    """Tell which partitions are not what the worker has read, and adopt them if asked to; whether all go on.

    Raises `UnavailableError`, of MongoDB only if it is needed.
    """
    try:
        return await _check_stream(settings, adopt=adopt)
    except UnavailableError as error:
        if adopt or error.system != "mongo":
            raise
        say("MongoDB does not answer: whether these are the topics that were read before is not checked")
        return True


async def _check_stream(settings: Settings, *, adopt: bool) -> bool:
    async with stored_orders(settings) as orders:
        stream = Stream(settings, orders.checkpoints)
        wrong = {partition: one for partition, one in (await stream.judged()).items() if one.problem}
        if wrong and adopt:
            await stream.adopt(wrong)
    for partition in sorted(wrong):
        say(_told(partition, wrong[partition], adopt=adopt))
    if wrong and not adopt:
        say("the worker leaves them alone until `orderstream topics --adopt` takes them as they are")
    return adopt or not wrong


def _told(partition: Partition, judgement: Judgement, *, adopt: bool) -> str:
    (topic, number), checkpoint = partition, judgement.checkpoint
    known = f", known as {name_of(topic, checkpoint.life)}" if checkpoint.life > 1 else ""
    becomes = "adopted" if adopt else "if adopted"
    return f"{topic}/{number}: {judgement.problem}; {becomes}: read from {checkpoint.offset} on{known}"
