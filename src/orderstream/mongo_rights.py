"""What the worker's MongoDB user must be allowed, compared with what MongoDB says it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from orderstream.mongo_trouble import GRANT
from orderstream.trouble import UnavailableError

Privileges: TypeAlias = Sequence[Mapping[str, Any]]

NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "orders": ("find", "insert", "update", "createIndex"),
    "waiting": ("find", "insert", "update", "remove", "createIndex"),
    "worker": ("find", "insert", "update"),
}
"""Actions by collection."""


async def check_rights(admin: Any, database: str) -> None:  # noqa: ANN401  # a database of either driver
    """Raises `UnavailableError` with all that the user lacks; a server that knows no users grants everything."""
    asked = await admin.command({"connectionStatus": 1, "showPrivileges": True})
    user = asked["authInfo"]
    lacking = _missing(user["authenticatedUserPrivileges"], database)
    if user["authenticatedUsers"] and lacking:
        raise UnavailableError("mongo", f"does not let the user {'; nor '.join(lacking)}", GRANT)


def _missing(privileges: Privileges, database: str) -> list[str]:
    told = []
    for collection, actions in NEEDED.items():
        allowed = set(_allowed(privileges, database, collection))
        if lacking := [action for action in actions if action not in allowed]:
            told.append(f"{', '.join(lacking)} on collection {collection}")
    return told


def _allowed(privileges: Privileges, database: str, collection: str) -> Iterable[str]:
    for privilege in privileges:
        if _covers(privilege["resource"], database, collection):
            yield from privilege["actions"]


def _covers(resource: Mapping[str, Any], database: str, collection: str) -> bool:
    """As MongoDB has it: an empty name stands for all."""
    if resource.get("anyResource"):
        return True
    return resource.get("db") in ("", database) and resource.get("collection") in ("", collection)
