"""The command `topics`: missing topics made, differing ones reported (interface 1)."""

from typing import Final

from orderstream.settings import Settings
from orderstream.terminal import say, show_table
from orderstream.topics import created

COLUMNS: Final = ("topic", "partitions", "replicas", "min in sync", "cleanup", "")


async def make_topics(settings: Settings) -> bool:
    """Make what is missing and show all; whether they are as they must be. Raises `UnavailableError`."""
    made, state = await created(settings)
    rows = (
        (
            topic.name,
            topic.partitions,
            topic.replication,
            topic.config.get("min.insync.replicas"),
            topic.config.get("cleanup.policy"),
            "created" if topic.name in made else "was there",
        )
        for topic in state.topics.values()
    )
    show_table(COLUMNS, rows)
    for problem in state.problems:
        say(f"differs: {problem}")
    return not state.problems
