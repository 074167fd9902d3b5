"""Topic ids and partition counts, asked of Kafka in a version of the request that aiokafka itself does not speak."""

import asyncio
from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any, Final, NamedTuple
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaError,
    NoError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from orderstream.kafka_trouble import Right, explained, refused, unavailable

ASK_SECONDS: Final = 10.0


class TopicIdentity(NamedTuple):
    """Which topic it is: one that is made again under the same name has another id."""

    id: str
    partitions: int


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]  # aiokafka has no types
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_TEXT: Final = CompactString("utf-8")


class _MetadataResponseV12(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("index", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("in_sync", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponseV12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        asked: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), name, {}) for name in self._topics]
        return request_struct_class(asked, False, False, {})  # noqa: FBT003  # as the protocol has it


async def topic_identities(connection: Mapping[str, Any], topics: Mapping[str, Right]) -> Mapping[str, TopicIdentity]:
    """Of those of the topics that there are, each with the right that we need there. Raises `UnavailableError`."""
    client = AIOKafkaClient(**connection)
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await client.bootstrap()
            response: Any = await client.send(client.get_random_node(), _MetadataRequest(topics))
    except (KafkaError, TimeoutError, OSError) as error:
        raise await explained(error, connection) from None
    finally:
        await client.close()
    answers = {name: for_code(error_code) for error_code, name, *_ in response.topics}
    if denied := {name: topics[name] for name, error in answers.items() if error is TopicAuthorizationFailedError}:
        raise refused(denied)
    return {
        name: TopicIdentity(str(id_), len(partitions))
        for _, name, id_, _, partitions, *_ in response.topics
        if _is_there(answers[name])
    }


def _is_there(error: type[KafkaError]) -> bool:
    if error in (NoError, UnknownTopicOrPartitionError):
        return error is NoError
    raise unavailable(error())
