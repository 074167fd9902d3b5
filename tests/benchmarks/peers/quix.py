# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "quixstreams[mongodb]==3.23.1",
# ]
# ///
"""Quix Streams with its MongoDB sink; with `exactly-once` also an event per message, in transactions."""

import os
import sys
import tempfile
from typing import Any
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.community.mongodb import MongoDBSink


def main(*, exactly_once: bool) -> None:
    commit_seconds = float(os.environ.get("COMMIT_SECONDS", "1"))
    application = Application(
        broker_address=_setting("KAFKA_BOOTSTRAP"),
        consumer_group=_setting("GROUP"),
        auto_offset_reset="earliest",
        commit_interval=commit_seconds,
        consumer_poll_timeout=min(0.1, commit_seconds),  # as long it does not commit when nothing more comes
        processing_guarantee="exactly-once" if exactly_once else "at-least-once",
        producer_extra_config={"linger.ms": 5},
        auto_create_topics=False,
        use_changelog_topics=False,
        state_dir=tempfile.mkdtemp(),
        loglevel="WARNING",
    )
    status = application.topic(_setting("TOPIC_STATUS"), value_serializer="json", key_serializer="str")
    for name, method in (("TOPIC_CREATE", "ReplaceOne"), ("TOPIC_UPDATE", "UpdateOne")):
        rows = application.dataframe(application.topic(_setting(name), value_deserializer="json"))
        rows.sink(_sink(method))
        if exactly_once:
            rows.apply(_event).to_topic(status, key=lambda event: event["id"])
    application.run()


def _setting(name: str) -> str:
    return os.environ[f"ORDERSTREAM_{name}"]


def _sink(method: Any) -> MongoDBSink:  # noqa: ANN401  # one of three words that the sink's type lists
    address = urlsplit(_setting("MONGO_URL"))
    return MongoDBSink(
        host=f"{address.hostname}", port=address.port or 27017, db=_setting("MONGO_DATABASE"), collection="orders",
        document_matcher=lambda item: {"_id": item.value["id"]}, update_method=method, w="majority", journal=True,
    )  # fmt: skip


def _event(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in ("id", "orderStatus", "paymentStatus")}


if __name__ == "__main__":
    main(exactly_once="exactly-once" in sys.argv[1:])
