"""Kafka's rights: what `deploy/security/kafka-acls.sh` grants, given and taken away one by one."""

import os
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from orderstream.settings import Settings
from tests.worker import environment

SCRIPT: Final = Path(__file__).parents[2] / "deploy" / "security" / "kafka-acls.sh"
RESOURCES: Final = {"topic": 2, "group": 3}
OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
LITERAL: Final = 3
ALLOW: Final = 3


class Acl(NamedTuple):
    """One right."""

    principal: str
    operation: str
    resource: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} {self.resource} {self.name}"

    @property
    def on_the_wire(self) -> tuple[int, str, int, str, str, int, int]:
        """As Kafka's requests have it."""
        where = (RESOURCES[self.resource], self.name, LITERAL)
        return *where, self.principal, "*", OPERATIONS[self.operation], ALLOW


def written(settings: Settings, user: str) -> list[Acl]:
    """What the script grants this user: run as it is, with a tool in its way that only tells its arguments."""
    with TemporaryDirectory() as folder:
        tool = Path(folder, "kafka-acls.sh")
        tool.write_text('#!/bin/sh\necho "$@"\n')
        tool.chmod(0o755)
        environ = {**environment(settings), "PATH": f"{folder}:{os.environ['PATH']}"}
        ran = subprocess.run(["sh", SCRIPT, "--bootstrap-server", "x"], env=environ, capture_output=True, check=True)
    acls = [acl for line in ran.stdout.decode().splitlines() for acl in _understood(line.split())]
    return [acl for acl in acls if acl.principal == f"User:{user}"]


def _understood(arguments: list[str]) -> Iterator[Acl]:
    """As Kafka's own tool does: every operation on every resource."""
    parser = ArgumentParser(allow_abbrev=False)
    for name in ("bootstrap-server", "allow-principal"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("operation", *RESOURCES):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("--add", action="store_true", required=True)
    told = parser.parse_args(arguments)
    for resource in RESOURCES:
        for name in getattr(told, resource):
            yield from (Acl(told.allow_principal, operation, resource, name) for operation in told.operation)


async def grant(bootstrap: str, acls: Iterable[Acl]) -> None:
    """Give these rights; *bootstrap* is where everything is allowed."""
    await _each(bootstrap, CreateAclsRequest, acls)


async def revoke(bootstrap: str, acls: Iterable[Acl]) -> None:
    """Take them away again."""
    await _each(bootstrap, DeleteAclsRequest, acls)


async def _each(
    bootstrap: str, request: type[CreateAclsRequest] | type[DeleteAclsRequest], acls: Iterable[Acl]
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for acl in acls:
            response = await admin._send_request(request(*acl.on_the_wire))
            errors = response.filter_responses if request is DeleteAclsRequest else response.creation_responses
            assert [0] == [error[0] for error in errors]
    finally:
        await admin.close()
