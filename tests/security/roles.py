"""MongoDB's rights: the roles of `deploy/security/mongo-role.js`, for a database of a test's own."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.security.servers import PASSWORD, SecureMongo

SCRIPT: Final = Path(__file__).parents[2] / "deploy" / "security" / "mongo-role.js"
CREATE: Final = re.compile(r"^db\.createRole\((\{.*?\n\})\);$", re.DOTALL | re.MULTILINE)


class Action(NamedTuple):
    """One right."""

    action: str
    collection: str

    def __str__(self) -> str:
        return f"{self.action} on collection {self.collection}"


def written() -> Mapping[str, Mapping[str, Any]]:
    """The script's roles by their names, as `db.createRole` takes them."""
    roles = [json.loads(found) for found in CREATE.findall(SCRIPT.read_text())]
    return {role["role"]: role for role in roles}


def actions(role: str) -> list[Action]:
    """What a role of the script allows."""
    privileges = written()[role]["privileges"]
    return [Action(action, one["resource"]["collection"]) for one in privileges for action in one["actions"]]


async def a_user(mongo: SecureMongo, database: str, role: str, without: Action | None = None) -> str:
    """The URL of a new user with this role in this database, where one action of it is left out."""
    granted = [_lessened(one, database, without) for one in written()[role]["privileges"]]
    async with mongo.administrator() as client:
        await client[database].command({"createRole": role, "privileges": granted, "roles": written()[role]["roles"]})
        roles = [{"role": role, "db": database}]
        await client.admin.command({"createUser": database, "pwd": PASSWORD, "roles": roles})
    return mongo.url(database)


def _lessened(privilege: Mapping[str, Any], database: str, without: Action | None) -> Mapping[str, Any]:
    collection = privilege["resource"]["collection"]
    kept: Sequence[str] = [action for action in privilege["actions"] if (action, collection) != without]
    return {"resource": {"db": database, "collection": collection}, "actions": kept}
