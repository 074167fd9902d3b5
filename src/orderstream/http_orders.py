"""The read API: an order, its lines, its history, for who has the token; no listing, no writing (interface 7)."""

import asyncio
import hmac
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from pydantic import SecretStr

from orderstream.dialects import DIALECTS
from orderstream.headers import hex24
from orderstream.http_message import Answer, ProblemError, Request, in_json
from orderstream.lookup import Lookup, find_by_id, find_by_line, find_in
from orderstream.order import Order
from orderstream.reading import Readable, entries, history, readable
from orderstream.trouble import UnavailableError

SCOPE: Final = ("dialect", "tenant")
READ_SECONDS: Final = 5.0
READS: Final = 4  # side by side: the lanes use the same connections
NAMED_DIALECTS: Final = f"the parameter `dialect` must be one of {', '.join(DIALECTS)}"


class OrderReads:
    """Answers the paths that begin with `/orders` and `/entries`."""

    def __init__(self, orders: Lookup, token: SecretStr) -> None:
        self._orders, self._token = orders, token.get_secret_value().encode()
        self._reading = asyncio.Semaphore(READS)

    async def answer(self, request: Request) -> Answer:
        """What is asked for. Raises `ProblemError` and `UnavailableError`."""
        self._admit(request)
        try:
            async with asyncio.timeout(READ_SECONDS), self._reading:
                return in_json(await self._read(request))
        except TimeoutError:
            raise UnavailableError("mongo", "slow") from None

    def _admit(self, request: Request) -> None:
        scheme, _, given = (request.authorization or b"").partition(b" ")
        if not hmac.compare_digest(given.strip(), self._token) or scheme.lower() != b"bearer":
            detail = "the header `Authorization: Bearer` must bring the token of this worker"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, {"www-authenticate": "Bearer"})

    async def _read(self, request: Request) -> Readable:
        match request.path:
            case ("orders",):
                return readable(await self._order(*_named(request, "ref")))
            case ("orders", ref):
                return readable(await self._order(ref, *_scope(request)))
            case ("orders", ref, "history"):
                return history(await self._order(ref, *_scope(request)))
            case ("orders", ref, "entries"):
                return entries(await self._order(ref, *_scope(request)))
            case ("orders", ref, "entries", name):
                return _with_a_line(entries(await self._order(ref, *_scope(request)), name))
            case ("entries",):
                return await self._line(*_named(request, "id"))
            case _:
                raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such path; an order is at /orders/{ref}")

    async def _order(self, ref: str, dialect: str | None, tenant: str | None) -> Order:
        if dialect is not None:
            return _the_one(await find_in(self._orders, ref, dialect, tenant))
        if hex24(ref) is None:
            detail = f"a reference that is no document id needs its dialect; {NAMED_DIALECTS}"
            raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
        return _the_one(await find_by_id(self._orders, ref, tenant))

    async def _line(self, id_: str, dialect: str | None, tenant: str | None) -> Readable:
        if dialect is None:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"the id of a line needs its dialect; {NAMED_DIALECTS}")
        order = _the_one(await find_by_line(self._orders, id_, dialect, tenant), "line")
        return _with_a_line(entries(order, id_))


def _named(request: Request, name: str) -> tuple[str, str | None, str | None]:
    """What a query names, and its scope."""
    found = request.parameters((name, *SCOPE))
    if not found.get(name):
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the parameter `{name}` is missing; orders are not listed")
    return found[name], *_checked(found.get("dialect"), found.get("tenant"))


def _scope(request: Request) -> tuple[str | None, str | None]:
    found = request.parameters(SCOPE)
    return _checked(found.get("dialect"), found.get("tenant"))


def _checked(dialect: str | None, tenant: str | None) -> tuple[str | None, str | None]:
    if dialect not in (None, *DIALECTS):
        raise ProblemError(HTTPStatus.BAD_REQUEST, NAMED_DIALECTS)
    return dialect, tenant


def _the_one(found: Sequence[Order], what: str = "order") -> Order:
    if not found:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no {what} is known by this, with this dialect and tenant")
    alive = [order for order in found if order.deleted_at is None]
    if len(alive) > 1:
        ids = ", ".join(order.id for order in alive)
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"several orders are known by this; name one by its id: {ids}")
    if not alive:
        raise ProblemError(HTTPStatus.GONE, "the order was deleted")
    return alive[0]


def _with_a_line(answer: Readable) -> Readable:
    if not answer["entries"]:
        raise ProblemError(HTTPStatus.NOT_FOUND, "the order has no such line")
    return answer
