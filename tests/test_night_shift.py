"""From log and metrics alone a newcomer tells what is slow, who sends bad messages, which order is stuck and why."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from prometheus_client.parser import text_string_to_metric_families

from orderstream.commands import Headers
from orderstream.local.ports import HOST
from orderstream.settings import Settings
from tests import load
from tests.faults.proxy import Network
from tests.http_client import ask, port_of, until_told
from tests.test_stream import an_admin, lines, number_of, worked_on
from tests.test_waiting import an_update
from tests.worker import Sent, Worker, a_worker, caught_up, send

Labels: TypeAlias = frozenset[tuple[str, str]]

SLOW_SECONDS: Final = 0.5  # for each piece that goes to MongoDB or comes from it
BAD: Final = 25


class Metrics(dict[tuple[str, Labels], float]):
    """What Prometheus sees."""

    def by(self, label: str, name: str) -> Mapping[str, float]:
        """As `sum by (label) (name)`, without those that are 0."""
        sums: Counter[str] = Counter()
        for (one, labels), value in self.items():
            if one == f"orderstream_{name}" and value:
                sums[dict(labels)[label]] += value  # type: ignore[assignment]  # floats are counted too
        return sums


async def metrics(worker: Worker) -> Metrics:
    text = (await ask(await port_of(worker), "/metrics")).body.decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return Metrics({(one.name, frozenset(one.labels.items())): one.value for one in samples})


def slowest(seconds: Mapping[str, float]) -> str:
    return max(seconds, key=lambda step: seconds[step])


@asynccontextmanager
async def before_mongodb(settings: Settings) -> AsyncIterator[tuple[Network, str]]:
    """A network that can be made slow, and the URL that leads through it."""
    network, server = Network(), urlsplit(settings.mongo_url.get_secret_value())
    async with network.before(server.port or 27017) as port:
        yield network, f"mongodb://{HOST}:{port}/?directConnection=true"


async def test_a_slow_mongodb_shows_as_the_slowest_step(settings: Settings) -> None:
    async with before_mongodb(settings) as (network, url), a_worker(settings, mongo_url=url) as worker:
        await send(settings, load.creates(20, keys=1))
        await caught_up(settings)
        before = (await metrics(worker)).by("step", "step_seconds_sum")
        network.delay = SLOW_SECONDS
        await send(settings, load.creates(20, keys=1, seed=2))
        await caught_up(settings)
        network.delay = 0
        after = (await metrics(worker)).by("step", "step_seconds_sum")

    assert "write" == slowest({step: seconds - before.get(step, 0) for step, seconds in after.items()})
    assert "write" == slowest(lines(worker, "batch.done")[-1]["milliseconds"])


def bad_messages(tenant: str, correlation_id: str) -> Sequence[Sent]:
    """Of one producer, who sends a status that there is not."""
    headers: Headers = (
        ("dialect", b"wishlist"), ("tenant", tenant.encode()), ("message-type", b"order-create"),
        ("correlation-id", correlation_id.encode()),
    )  # fmt: skip
    value = json.dumps({"orderStatus": "FAX", "email": "jane@example.com"}).encode()
    return [Sent("create", b"k", value, headers)] * BAD


async def test_who_sends_bad_messages_is_told_by_dialect_code_tenant_and_correlation_id(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        await send(settings, [*load.creates(100, keys=6), *bad_messages("globex", "batch-17")])
        await caught_up(settings)
        await worker.saw("rejections.high")
        seen = await metrics(worker)

    told = lines(worker, "order.rejected")
    assert ({"wishlist": BAD}, {"FIELD_ENUM"}) == (
        seen.by("dialect", "rejections_total"),
        {*seen.by("code", "rejections_total")},
    )
    assert {("globex", "batch-17", "orderStatus"): BAD} == Counter(
        (line["tenant"], line["correlation_id"], line["paths"][0]) for line in told
    )
    assert ["wishlist"] == [line["dialect"] for line in lines(worker, "rejections.high")]
    assert "jane" not in json.dumps(worker.log)


async def test_a_partition_that_stands_is_told_with_what_waits_in_it_and_why(settings: Settings) -> None:
    await worked_on(settings, 30)
    number = number_of(await send(settings, load.creates(20, keys=1, seed=2)))
    async with an_admin(settings) as admin:
        await admin.delete_records({TopicPartition(settings.topic_create, number): RecordsToDelete(-1)})
    await send(settings, load.creates(7, keys=1, seed=3))
    async with a_worker(settings) as worker:
        await worker.saw("partition.stopped")
        await until_told(await port_of(worker), f"partition {number}: records from")
        seen = await metrics(worker)

    (told,) = lines(worker, "partition.stopped")
    assert {str(number)} == seen.by("partition", "partition_standing").keys()
    assert {settings.topic_create: 7} == seen.by("topic", "consumer_lag")
    assert 0 == seen["orderstream_ready", frozenset()]
    assert (settings.topic_create, number, "see `orderstream topics`") == (
        told["topic"],
        told["partition"],
        told["remedy"],
    )
    assert "are gone, and were not read" in told["reason"]


async def test_an_order_whose_create_does_not_come_is_told_by_its_update(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        (position,) = await send(settings, [an_update("A", "SHIPPED", correlation_id="c-9")])
        await worker.saw("order.parked")
        await caught_up(settings)
        seen = await metrics(worker)

    (told,) = lines(worker, "order.parked")
    assert 1 == seen["orderstream_parked_updates", frozenset()]
    assert position == f"{told['topic']}/{told['partition']}/{told['offset']}"
    assert ("wishlist", "acme", "c-9") == tuple(told[name] for name in ("dialect", "tenant", "correlation_id"))
