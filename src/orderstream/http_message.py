"""HTTP messages: a request taken apart, an answer put together, errors as problem details (RFC 9457)."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson

MOST_PARAMETERS = 10


class ProblemError(Exception):
    """Why a request is not answered as it was meant; the text is for whoever sent it."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


class Request(NamedTuple):
    """What the application needs of a request."""

    method: str
    path: tuple[str, ...]  # between the slashes, decoded one by one: an encoded slash divides nothing
    query: bytes
    authorization: bytes | None

    def parameters(self, known: Collection[str]) -> dict[str, str]:
        """Those of the query. Raises `ProblemError`: one that is overlooked could widen what is asked for."""
        try:
            pairs = parse_qsl(
                self.query.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
            )
        except ValueError:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "the query cannot be read") from None
        found = dict(pairs)
        if len(found) < len(pairs) or not found.keys() <= set(known):
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"the query parameters are {_listed(known)}, each at most once")
        return found


def read_request(scope: Mapping[str, Any]) -> Request:
    """The request of an ASGI scope. Raises `ProblemError`."""
    try:
        path = tuple(unquote_to_bytes(segment).decode() for segment in scope["raw_path"].split(b"/")[1:])
    except UnicodeDecodeError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the path is not UTF-8") from None
    headers = dict(reversed(scope["headers"]))  # of two of the same name the first
    return Request(scope["method"], path, scope["query_string"], headers.get(b"authorization"))


class Answer(NamedTuple):
    """What is sent back."""

    status: HTTPStatus
    body: bytes
    media: str
    headers: Mapping[str, str] = {}  # beside those that every answer has

    def header_lines(self) -> list[tuple[bytes, bytes]]:
        """As ASGI takes them; nothing of this is to be kept by anybody on the way, or guessed at by a browser."""
        lines = {
            "content-type": self.media,
            "content-length": str(len(self.body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **self.headers,
        }
        return [(name.encode(), value.encode()) for name, value in lines.items()]


def in_json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """A JSON value."""
    return Answer(status, orjson.dumps(content), "application/json")


def problem(error: ProblemError) -> Answer:
    """An error for programs and people."""
    details = {
        "type": "about:blank",
        "title": error.status.phrase,
        "status": error.status.value,
        "detail": error.detail,
    }
    return Answer(error.status, orjson.dumps(details), "application/problem+json", error.headers)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
