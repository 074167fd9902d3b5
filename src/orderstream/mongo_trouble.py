"""MongoDB's refusals in words: the one place where PyMongo's errors become sentences."""

import re
from typing import Final

from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from orderstream.causes import Places, cause_in
from orderstream.trouble import UnavailableError

PLACES: Final = Places(
    address="ORDERSTREAM_MONGO_URL, and the members' names in rs.conf()",
    authority="option tlsCAFile in ORDERSTREAM_MONGO_URL",
    certificate="option tlsCertificateKeyFile in ORDERSTREAM_MONGO_URL",
    protocol="option tls in ORDERSTREAM_MONGO_URL",
)
GRANT: Final = "grant it: deploy/security/mongo-role.js has the role"
LOGIN: Final = "check user, password and authSource in ORDERSTREAM_MONGO_URL"
UNAUTHORIZED: Final = 13
WRONG_LOGIN: Final = 18
COMMAND: Final = re.compile(r"not authorized on \S+ to execute command \{ (\w+): \"([\w.-]+)\"")
ACTIONS: Final = {
    "aggregate": "find",
    "createIndexes": "createIndex",
    "delete": "remove",
    "findAndModify": "find, insert and update",
    "update": "insert and update",
}
"""What a command asks for, where that is not its name."""


def unavailable(error: PyMongoError) -> UnavailableError:
    """The error in words, none of its own: those may hold documents, addresses and credentials."""
    code = getattr(error, "code", None)
    if code == UNAUTHORIZED and "requires authentication" in str(error):
        return UnavailableError("mongo", "wants a user and a password", LOGIN)
    if code == UNAUTHORIZED:
        return UnavailableError("mongo", _refused(str(error)), GRANT)
    if code == WRONG_LOGIN:
        return UnavailableError("mongo", "refuses the user name or the password", LOGIN)
    if isinstance(error, ServerSelectionTimeoutError) and (cause := cause_in(str(error), PLACES)):
        return UnavailableError("mongo", *cause)
    return UnavailableError("mongo", short(error))


def _refused(text: str) -> str:
    """Of what the server says only the names of the command and of the collection."""
    if found := COMMAND.search(text):
        return f"does not let the user {ACTIONS.get(found[1], found[1])} on collection {found[2]}"
    return "does not let the user do what was asked of it"


def short(error: PyMongoError) -> str:
    """The kind of error without its text."""
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" ({code})" if code else "")
