"""What goes wrong: small named faults. Each leaves the servers running and as many workers as there were."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias

from tests.faults import brokers
from tests.faults.cluster import Cluster
from tests.faults.proxy import Network

LONGER_THAN_A_SESSION: Final = 14.0  # seconds; the worker's session is 10
STEPS: Final = ("decode", "load", "decide", "write", "publish", "finish", "commit")

Run: TypeAlias = Callable[[Cluster, Network, Random], Awaitable[None]]
Kind: TypeAlias = Literal["worker", "clean", "kafka", "mongo", "network"]


class Fault(NamedTuple):
    """A fault, and what it is done to; after a *clean* one nothing may be repeated."""

    kind: Kind
    run: Run
    fails: bool = False  # whether the worker rightly says that it is at fault itself


async def _kill_at(cluster: Cluster, _: Network, chance: Random, *, step: str) -> None:
    await cluster.stop(await cluster.take(chance))
    doomed = await cluster.doomed(f"{step}:{chance.randint(1, 4)}:kill")
    await cluster.falls(doomed)
    await cluster.start()


async def _kill_at_every_step(cluster: Cluster, _: Network, chance: Random) -> None:
    for steps in (STEPS[:3], STEPS[3:]):
        doomed = [await cluster.doomed(f"{step}:{chance.randint(1, 3)}:kill") for step in steps]
        await asyncio.gather(*(cluster.falls(worker) for worker in doomed))


async def _freeze_at(cluster: Cluster, _: Network, chance: Random, *, step: str) -> None:
    await cluster.stop(await cluster.take(chance))
    frozen = await cluster.doomed(f"{step}:{chance.randint(1, 4)}:stop")
    await cluster.freezes(frozen)
    await asyncio.sleep(LONGER_THAN_A_SESSION)
    frozen.process.send_signal(signal.SIGCONT)
    cluster.give_back(frozen)


async def _raise_at(cluster: Cluster, _: Network, chance: Random, *, step: str) -> None:
    await cluster.stop(await cluster.take(chance))
    failing = await cluster.doomed(f"{step}:{chance.randint(1, 4)}:raise")
    await asyncio.sleep(5)
    cluster.give_back(failing)


async def _kill(cluster: Cluster, _: Network, chance: Random) -> None:
    for _time in range(2):
        await (await cluster.take(chance)).kill()
        await asyncio.sleep(chance.uniform(0, 3))
        await cluster.start()
        await asyncio.sleep(chance.uniform(1, 4))


async def _kill_all(cluster: Cluster, _: Network, chance: Random) -> None:
    victims = [await cluster.take(chance) for _worker in cluster.workers]
    await asyncio.gather(*(worker.kill() for worker in victims))
    await asyncio.gather(*(cluster.start() for _worker in victims))


async def _freeze(cluster: Cluster, _: Network, chance: Random, *, seconds: float) -> None:
    frozen = await cluster.take(chance)
    frozen.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    frozen.process.send_signal(signal.SIGCONT)
    cluster.give_back(frozen)


async def _restart_all(cluster: Cluster, _: Network, __: Random) -> None:
    for worker in cluster.workers:
        await cluster.stop(worker)
        fresh = await cluster.start()
        await fresh.saw("partitions.assigned")


async def _come_and_go(cluster: Cluster, _: Network, chance: Random) -> None:
    for _time in range(3):
        visitor = await cluster.start()
        await visitor.saw("partitions.assigned")
        await asyncio.sleep(chance.uniform(0, 2))
        await cluster.stop(visitor)


async def _kill_leader(cluster: Cluster, _: Network, chance: Random) -> None:
    topic = chance.choice(brokers.topics(cluster.settings))
    index = await brokers.leader(cluster.settings, topic, chance.randrange(brokers.PARTITIONS))
    await _kill_broker(cluster, index, chance)


async def _kill_coordinator(cluster: Cluster, _: Network, chance: Random) -> None:
    await _kill_broker(cluster, await brokers.coordinator(cluster.settings), chance)


async def _kill_broker(cluster: Cluster, index: int, chance: Random) -> None:
    cluster.kafka.kill(index)
    await asyncio.sleep(chance.uniform(1, 8))
    await cluster.kafka.restart(index)


async def _kill_all_brokers(cluster: Cluster, _: Network, __: Random) -> None:
    everyone = range(len(cluster.kafka.brokers))
    for index in everyone:
        cluster.kafka.kill(index)
    await asyncio.gather(*(cluster.kafka.restart(index) for index in everyone))


async def _freeze_broker(cluster: Cluster, _: Network, chance: Random) -> None:
    index = await brokers.coordinator(cluster.settings)
    cluster.kafka.suspend(index)
    await asyncio.sleep(chance.uniform(5, 12))
    cluster.kafka.resume(index)


async def _kill_primary(cluster: Cluster, _: Network, chance: Random) -> None:
    index = await cluster.mongo.primary()
    cluster.mongo.kill(index)
    await asyncio.sleep(chance.uniform(1, 8))
    await cluster.mongo.restart(index)


async def _step_down(cluster: Cluster, _: Network, __: Random) -> None:
    await cluster.mongo.step_down()
    await asyncio.sleep(5)


async def _freeze_primary(cluster: Cluster, _: Network, chance: Random) -> None:
    index = await cluster.mongo.primary()
    cluster.mongo.suspend(index)
    await asyncio.sleep(chance.uniform(6, 12))
    cluster.mongo.resume(index)


async def _roll_back(cluster: Cluster, _: Network, chance: Random) -> None:
    """What the primary wrote without a majority is undone."""
    primary = await cluster.mongo.primary()
    others = [index for index in range(len(cluster.mongo.members)) if index != primary]
    for index in others:
        cluster.mongo.kill(index)
    await asyncio.sleep(chance.uniform(0.5, 2.5))
    cluster.mongo.kill(primary)
    await asyncio.gather(*(cluster.mongo.restart(index) for index in others))
    await asyncio.sleep(1)
    await cluster.mongo.restart(primary)


async def _slow(_: Cluster, network: Network, chance: Random) -> None:
    network.delay = chance.uniform(0.02, 0.1)
    await asyncio.sleep(12)
    network.delay = 0.0


async def _cut(_: Cluster, network: Network, chance: Random) -> None:
    for _time in range(5):
        network.cut()
        await asyncio.sleep(chance.uniform(1, 3))


async def _silence(_: Cluster, network: Network, chance: Random) -> None:
    network.passes.clear()
    await asyncio.sleep(chance.choice([3.0, LONGER_THAN_A_SESSION]))
    network.passes.set()


FAULTS: Final[Mapping[str, Fault]] = {
    **{f"kill at {step}": Fault("worker", partial(_kill_at, step=step)) for step in STEPS},
    **{f"freeze at {step}": Fault("worker", partial(_freeze_at, step=step)) for step in ("load", "write", "publish")},
    **{
        f"raise at {step}": Fault("worker", partial(_raise_at, step=step), fails=True)
        for step in ("decide", "write", "publish")
    },
    "kill at every step": Fault("worker", _kill_at_every_step),
    "kill": Fault("worker", _kill),
    "kill all": Fault("worker", _kill_all),
    "freeze 5 s": Fault("worker", partial(_freeze, seconds=5.0)),
    "freeze beyond the session": Fault("worker", partial(_freeze, seconds=LONGER_THAN_A_SESSION)),
    "restart all": Fault("clean", _restart_all),
    "come and go": Fault("clean", _come_and_go),
    "kill leader": Fault("kafka", _kill_leader),
    "kill coordinator": Fault("kafka", _kill_coordinator),
    "kill all brokers": Fault("kafka", _kill_all_brokers),
    "freeze coordinator": Fault("kafka", _freeze_broker),
    "kill primary": Fault("mongo", _kill_primary),
    "step down": Fault("mongo", _step_down),
    "freeze primary": Fault("mongo", _freeze_primary),
    "roll back": Fault("mongo", _roll_back),
    "slow network": Fault("network", _slow),
    "cut network": Fault("network", _cut),
    "silent network": Fault("network", _silence),
}
