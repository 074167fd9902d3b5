"""What servers refuse is told in words of ours, without a word of the library's text."""

from typing import Any

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from orderstream import kafka_trouble, mongo_trouble
from orderstream.mongo_rights import NEEDED, check_rights
from orderstream.trouble import UnavailableError

ALL = sorted({action for actions in NEEDED.values() for action in actions})


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TopicAuthorizationFailedError({"b", "a"}), "does not let the user Read topic a; nor Read topic b"),
        (GroupAuthorizationFailedError("g"), "does not let the user Read consumer group g"),
        (ClusterAuthorizationFailedError(), "does not let the user Read any topic"),
        (KafkaError("with a secret"), "KafkaError"),
    ],
)
def test_kafka(error: KafkaError, told: str) -> None:
    assert told == kafka_trouble.unavailable(error, "Read").reason


def refusal(command: str) -> PyMongoError:
    return OperationFailure(f"not authorized on orders to execute command {{ {command}, $db: 'secret' }}", 13)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refusal('delete: "waiting", deletes: [ "secret" ]'), "does not let the user remove on collection waiting"),
        (refusal('getMore: 123, collection: "secret"'), "does not let the user do what was asked of it"),
        (ServerSelectionTimeoutError("secret: timed out"), "does not answer in time"),
        (ServerSelectionTimeoutError("secret"), "ServerSelectionTimeoutError"),
        (OperationFailure("secret", 91), "OperationFailure (91)"),
    ],
)
def test_mongodb(error: PyMongoError, told: str) -> None:
    assert told == mongo_trouble.unavailable(error).reason


class Asked:
    """A server with a user who has these rights."""

    def __init__(self, privileges: list[dict[str, Any]], users: list[str]) -> None:
        self._answer = {"authInfo": {"authenticatedUsers": users, "authenticatedUserPrivileges": privileges}}

    async def command(self, _: object) -> object:
        return self._answer


@pytest.mark.parametrize(
    "resource",
    [{"anyResource": True}, {"db": "", "collection": ""}, {"db": "mine", "collection": ""}],
    ids=["everything", "every database", "the database"],
)
async def test_wider_rights_in_mongodb_are_enough(resource: dict[str, Any]) -> None:
    await check_rights(Asked([{"resource": resource, "actions": ALL}], ["somebody"]), "mine")


async def test_a_mongodb_without_users_grants_everything() -> None:
    await check_rights(Asked([], []), "mine")


@pytest.mark.parametrize("resource", [{"db": "other", "collection": ""}, {"cluster": True}])
async def test_rights_on_something_else_do_not_count(resource: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match="find, insert, update on collection worker"):
        await check_rights(Asked([{"resource": resource, "actions": ALL}], ["somebody"]), "mine")
