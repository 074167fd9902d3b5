"""Several workers of one machine: kept alive, asked at one port, ended together."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from orderstream.settings import Settings
from orderstream.workers import merged
from tests import load
from tests.http_client import ask, port_of, until_ready, until_told
from tests.programs import run
from tests.worker import DEADLINE, Worker, caught_up, documents, environment, read, send, sequences, until

TOKEN = "open sesame!"
FIRST = b"""\
# HELP orderstream_messages_total Messages.
# TYPE orderstream_messages_total counter
orderstream_messages_total{dialect="wishlist"} 2.0
# HELP orderstream_batch_messages Messages in a batch.
# TYPE orderstream_batch_messages histogram
orderstream_batch_messages_bucket{le="+Inf"} 1.0
orderstream_batch_messages_count 1.0
orderstream_batch_messages_sum 2.0
"""
SECOND = FIRST.replace(b"2.0", b"3.0").replace(b"wishlist", b"other")


@asynccontextmanager
async def workers(settings: Settings, count: int = 2, **more: str) -> AsyncIterator[Worker]:
    """`orderstream run --workers`, not waited for; none of its processes is left at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orderstream", "run", "--workers", str(count), env=environment(settings, **more),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=2**24,
    )  # fmt: skip
    worker = Worker(process)
    try:
        yield worker
    finally:
        async with asyncio.timeout(DEADLINE):
            await worker.kill()  # returns when nobody holds its log open any more


def lines(of: Worker, event: str) -> list[dict[str, Any]]:
    return [line for line in of.log if line.get("event") == event]


def shares(of: Worker) -> dict[int, list[int]]:
    """The partitions that each worker was given last."""
    return {line["worker"]: line["partitions"] for line in lines(of, "partitions.assigned")}


def processes(of: Worker) -> list[int]:
    """Its children."""
    children = Path(f"/proc/{of.process.pid}/task/{of.process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


async def until_shared(of: Worker) -> None:
    """Wait until each has half of the partitions."""
    await until(lambda: sorted(map(len, shares(of).values())) == [6, 6], "the partitions are not shared")


async def test_one_of_two_that_is_killed_comes_back_and_nothing_is_lost(settings: Settings) -> None:
    messages = load.creates(6_000, keys=600)
    async with workers(settings) as both:
        port = await port_of(both)
        await until_shared(both)
        await send(settings, messages[:3_000])
        await until(lambda: len(lines(both, "batch.done")) >= 4, "no batches")
        os.kill(processes(both)[0], signal.SIGKILL)
        await send(settings, messages[3_000:])
        await until_told(port, "worker ")
        await until_ready(port)
        await caught_up(settings)
        code = await both.stop()

    assert (0, 1) == (code, len(lines(both, "worker.died")))
    assert {1: 6, 2: 6} == {number: len(share) for number, share in shares(both).items()}
    assert len(messages) == len(await documents(settings))
    assert {(1,)} == {
        tuple(dict.fromkeys(seen)) for seen in sequences(await read(settings, settings.topic_status)).values()
    }


async def test_one_port_answers_for_all(settings: Settings) -> None:
    async with workers(settings, http_token=TOKEN) as both:
        port = await port_of(both)
        await until_shared(both)
        await until_ready(port)
        (cause,) = await send(settings, load.creates(1, keys=1))
        await caught_up(settings)
        (document,) = await documents(settings)
        order = await ask(port, f"/orders/{document['_id']}/history", TOKEN)
        metrics, docs, alive = [await ask(port, path) for path in ("/metrics", "/docs", "/health/live")]
        assert 0 == await both.stop()

    assert [cause] == [event["cause"] for event in order.json["history"]]
    assert [200, 200, 200] == [told.status for told in (metrics, docs, alive)]
    counted = samples(metrics.body, "orderstream_messages_total")
    assert [1] == [one.value for one in counted if one.value]
    assert {"1", "2"} == {s.labels["worker"] for s in samples(metrics.body, "orderstream_batch_messages_count")}


def samples(text: bytes, name: str) -> Iterable[Any]:
    families = text_string_to_metric_families(text.decode())
    return [sample for family in families for sample in family.samples if sample.name == name]


async def test_a_worker_that_is_frozen_is_told(settings: Settings) -> None:
    async with workers(settings) as both:
        port = await port_of(both)
        await until_shared(both)
        frozen = processes(both)[1]
        os.kill(frozen, signal.SIGSTOP)
        try:
            await until_told(port, "it does not answer")
            alive = await ask(port, "/health/live")
        finally:
            os.kill(frozen, signal.SIGCONT)
        await until_ready(port)

    assert 200 == alive.status


async def test_workers_whose_keeper_is_killed_end_in_order(settings: Settings) -> None:
    async with workers(settings) as both:
        await until_shared(both)
        async with asyncio.timeout(DEADLINE):
            await both.kill()

    assert {1, 2} == {line["worker"] for line in lines(both, "worker.stopped")}


async def test_a_setting_that_no_worker_can_use_ends_all_with_one_line_each(settings: Settings) -> None:
    wrong = settings.model_copy(update={"kafka_security_protocol": "SSL", "kafka_ssl_cafile": Path("nothing.pem")})

    ran = await run(wrong, "run", "--workers", "2")

    assert 2 == ran.code
    assert {"orderstream: ORDERSTREAM_KAFKA_SSL_CAFILE: No such file or directory"} == set(ran.err.splitlines())


def test_metrics_of_several_workers_are_one_text_with_a_label_more() -> None:
    text = merged({1: FIRST.decode(), 2: SECOND.decode()})

    messages = samples(text, "orderstream_messages_total")
    assert [("1", "wishlist", 2), ("2", "other", 3)] == [
        (one.labels["worker"], one.labels["dialect"], one.value) for one in messages
    ]
    assert 1 == text.count(b"# TYPE orderstream_batch_messages histogram")
    assert [2, 3] == [one.value for one in samples(text, "orderstream_batch_messages_sum")]
