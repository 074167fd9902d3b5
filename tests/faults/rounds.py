"""A round: workers under load, faults, and the checker's verdict on what is left."""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from pydantic import SecretStr

from orderstream.local import LocalServers
from orderstream.local.ports import HOST
from orderstream.settings import Settings, read_settings
from tests.faults import brokers, dump
from tests.faults.checker import Verdict, judged
from tests.faults.cluster import Cluster
from tests.faults.history import History
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.nemesis import FAULTS, Fault, Kind
from tests.faults.proxy import Network, before_kafka
from tests.faults.sender import send
from tests.worker import caught_up

RATE: Final = 100.0  # messages per second
ORPHANED: Final = 0.005  # of the messages of some rounds
PARK_SECONDS: Final = 20.0  # in these; longer than a create can be late while the brokers are well
LOAD_SECONDS: Final = 300.0  # then it is the suite itself that is stuck
QUIET_SECONDS: Final = 3.0  # of load before and after the faults
DONE_SECONDS: Final = 60.0  # after the faults everything must be done

WITH: Final[dict[Kind, tuple[Kind, ...]]] = {  # what may happen in the same round
    "worker": ("worker", "kafka", "mongo", "network"),
    "clean": ("clean",),
    "kafka": ("worker", "kafka", "mongo"),
    "mongo": ("worker", "kafka", "mongo"),
    "network": ("worker",),  # a proxied worker knows one mongod only
}


class Plan(NamedTuple):
    """What a round does."""

    seed: int
    workers: int
    faults: tuple[str, ...]
    at_once: bool = False  # else one after the other
    orphaned: float = 0.0  # share of updates whose create never comes; they wait for PARK_SECONDS only

    @property
    def parts(self) -> list[Fault]:
        """The faults themselves."""
        return [FAULTS[name] for name in self.faults]


class Outcome(NamedTuple):
    """What came of a round."""

    plan: Plan
    verdict: Verdict
    violations: list[str]
    seconds: float


def planned(seed: int) -> Plan:
    """The round of this seed: two faults that can go together, often at once."""
    chance = Random(seed)
    kind = chance.choice(sorted(WITH))
    kinds = (kind, chance.choice(WITH[kind]))
    return Plan(
        seed,
        workers=chance.choice([2, 3]),
        faults=(_some_fault(kinds[0], chance), _some_fault(kinds[1], chance)),
        at_once=("worker" in kinds or len(set(kinds)) > 1) and chance.random() < 0.5,
        orphaned=ORPHANED if "kafka" not in kinds and chance.random() < 0.2 else 0.0,
    )


def _some_fault(kind: Kind, chance: Random) -> str:
    return chance.choice([name for name, fault in FAULTS.items() if fault.kind == kind])


async def play(servers: LocalServers, plan: Plan, evidence: Path) -> Outcome:
    """One round on running servers, which run afterwards; what speaks for a violation is left in *evidence*."""
    settings, began = _settings(servers, plan), time.monotonic()
    await brokers.make_topics(settings)
    ledger = Ledger(_file(evidence, plan, "ledger.jsonl"))
    try:
        async with _cluster(servers, settings, plan) as (cluster, network):
            await _under_load(cluster, network, settings, plan, ledger)
            violations = await _finish(cluster, settings, plan)
        may_repeat = any(fault.kind != "clean" for fault in plan.parts)
        history = await dump.history(settings, ledger, cluster.all, may_repeat=may_repeat)
    finally:
        ledger.close()
        await dump.drop_database(settings)
        await brokers.remove_topics(settings)
    verdict = judged(history)
    outcome = Outcome(plan, verdict, [*violations, *verdict.violations], time.monotonic() - began)
    _keep(outcome, history, evidence)
    return outcome


def _file(evidence: Path, plan: Plan, name: str) -> Path:
    evidence.mkdir(parents=True, exist_ok=True)
    return evidence / f"{plan.seed}.{name}"


def _keep(outcome: Outcome, history: History, evidence: Path) -> None:
    """What is needed to find out why; of a round without violations nothing."""
    if outcome.violations:
        _file(evidence, outcome.plan, "history.pickle").write_bytes(pickle.dumps(history))
        _file(evidence, outcome.plan, "violations.txt").write_text("\n".join(outcome.violations))
    else:
        _file(evidence, outcome.plan, "ledger.jsonl").unlink()


def _settings(servers: LocalServers, plan: Plan) -> Settings:
    name = f"round-{plan.seed}-{int(time.time())}"
    return read_settings({
        "ORDERSTREAM_KAFKA_BOOTSTRAP": servers.kafka.bootstrap,
        "ORDERSTREAM_MONGO_URL": servers.mongo.url,
        "ORDERSTREAM_MONGO_DATABASE": name,
        "ORDERSTREAM_GROUP": name,
        "ORDERSTREAM_TOPIC_CREATE": f"create-{name}",
        "ORDERSTREAM_TOPIC_UPDATE": f"update-{name}",
        "ORDERSTREAM_TOPIC_STATUS": f"status-{name}",
        "ORDERSTREAM_TOPIC_REJECTED": f"rejected-{name}",
        "ORDERSTREAM_HTTP_PORT": "0",
        **({"ORDERSTREAM_PARK_SECONDS": str(PARK_SECONDS)} if plan.orphaned else {}),
    })  # fmt: skip


@asynccontextmanager
async def _cluster(servers: LocalServers, settings: Settings, plan: Plan) -> AsyncIterator[tuple[Cluster, Network]]:
    network = Network()
    async with AsyncExitStack() as stack:
        if any(fault.kind == "network" for fault in plan.parts):
            settings = await stack.enter_async_context(_proxied(servers, settings, network))
        cluster = Cluster(servers, settings, plan.workers)
        try:
            await asyncio.gather(*(cluster.start() for _ in range(plan.workers)))
            await asyncio.gather(*(worker.saw("partitions.assigned") for worker in cluster.workers))
            yield cluster, network
        finally:
            await cluster.close()
            await cluster.heal_servers()


@asynccontextmanager
async def _proxied(servers: LocalServers, settings: Settings, network: Network) -> AsyncIterator[Settings]:
    """The settings of workers that reach the servers through the network of the round."""
    primary = servers.mongo.ports[await servers.mongo.primary()]
    ports = [ports.client for ports in servers.kafka.ports]
    async with before_kafka(network, ports) as bootstrap, network.before(primary) as mongo:
        url = f"mongodb://{HOST}:{mongo}/?directConnection=true"
        yield settings.model_copy(update={"kafka_bootstrap": bootstrap, "mongo_url": SecretStr(url)})


async def _under_load(cluster: Cluster, network: Network, settings: Settings, plan: Plan, ledger: Ledger) -> None:
    """Send, and let things go wrong meanwhile."""
    enough, chance = asyncio.Event(), Random(plan.seed)
    async with asyncio.timeout(LOAD_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(send(settings, Load(plan.seed, orphaned=plan.orphaned), ledger, RATE, enough))
        await asyncio.sleep(QUIET_SECONDS)
        runs = [fault.run(cluster, network, chance) for fault in plan.parts]
        if plan.at_once:
            await asyncio.gather(*runs)
        else:
            for run in runs:
                await run
        await cluster.heal()
        await asyncio.sleep(QUIET_SECONDS)
        enough.set()


async def _finish(cluster: Cluster, settings: Settings, plan: Plan) -> list[str]:
    """Wait until everything is done, stop the workers; gives what they did wrong."""
    violations = []
    try:
        async with asyncio.timeout(DONE_SECONDS):
            await caught_up(settings, DONE_SECONDS)
            while await dump.still_waiting(settings):
                await asyncio.sleep(0.2)
    except TimeoutError:
        violations.append(f"not everything was done {DONE_SECONDS:.0f} s after the faults")
    await cluster.end()
    return [*violations, *cluster.surprises, *_complaints(cluster, plan)]


def _complaints(cluster: Cluster, plan: Plan) -> Sequence[str]:
    """Lines by which workers say that they are at fault themselves."""
    is_planted = any(fault.fails for fault in plan.parts)
    telling = {"partition.stopped", "partition.unreadable", "worker.failed"} | (
        set() if is_planted else {"batch.failed"}
    )
    return [f"a worker said {line}" for worker in cluster.all for line in worker.log if line.get("event") in telling]
