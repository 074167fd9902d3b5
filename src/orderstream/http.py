"""What is answered over HTTP beside the worker: health, metrics, docs and, with a token, orders (interface 7)."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from http import HTTPStatus
from threading import Thread
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import uvicorn

from orderstream.http_docs import docs
from orderstream.http_message import Answer, ProblemError, Request, in_json, problem, read_request
from orderstream.http_orders import OrderReads
from orderstream.logs import LogObserver
from orderstream.lookup import Lookup
from orderstream.pipeline import place_of
from orderstream.readiness import Readiness
from orderstream.rules_file import PREFIX, SettingError
from orderstream.settings import Settings
from orderstream.terminal import StoppedError, until_stopped
from orderstream.trouble import UnavailableError

METHODS: Final = ("GET", "HEAD")
METRICS_MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
GOODBYE_SECONDS: Final = 2  # for answers that are under way at the end

Result = TypeVar("Result")
Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]


class Told(NamedTuple):
    """What this process, or all that it stands for, can tell of itself; the first two from any thread."""

    is_alive: Callable[[], bool]
    readiness: Callable[[], Awaitable[Readiness]]
    metrics: Callable[[], Coroutine[Any, Any, bytes]]


class Application:
    """The ASGI application; made in the event loop of the worker, called in that of the server."""

    def __init__(self, told: Told, orders: Lookup, settings: Settings, observer: LogObserver) -> None:
        self._told, self._observer, self._loop = told, observer, asyncio.get_running_loop()
        self._orders = OrderReads(orders, settings.http_token) if settings.http_token else None

    async def __call__(self, scope: Mapping[str, Any], receive: object, send: Send) -> None:  # noqa: ARG002  # ASGI
        answer = await self._answer(scope)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.header_lines()})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Mapping[str, Any]) -> Answer:
        try:
            return await self._handled(read_request(scope))
        except ProblemError as error:
            return problem(error)
        except UnavailableError:
            return problem(ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "MongoDB cannot be used now; try again"))
        except Exception as error:  # noqa: BLE001  # whoever asks gets an answer, and no traceback
            self._observer.say("worker.failed", "error", reason=place_of(error))
            return problem(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the worker itself; see its log"))

    async def _handled(self, request: Request) -> Answer:
        handler = self._handler(request.path)
        if handler is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such path; /docs/openapi.json has them all")
        if request.method not in METHODS:
            detail = "nothing can be changed over HTTP: messages go to Kafka"
            raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"allow": ", ".join(METHODS)})
        return await handler(request)

    def _handler(self, path: tuple[str, ...]) -> Handler | None:
        match path:
            case ("health", "live"):
                return self._live
            case ("health", "ready"):
                return self._ready
            case ("metrics",):
                return self._metrics
            case ("docs", *_):
                return docs
            case ("orders" | "entries", *_):
                return self._read if self._orders else None
            case _:
                return None

    async def _live(self, _: Request) -> Answer:
        if not self._told.is_alive():
            return in_json({"status": "stuck"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return in_json({"status": "live"})

    async def _ready(self, _: Request) -> Answer:
        state, reasons = await self._told.readiness()
        status = HTTPStatus.SERVICE_UNAVAILABLE if state == "not ready" else HTTPStatus.OK
        return in_json({"status": state, "reasons": reasons}, status)

    async def _metrics(self, _: Request) -> Answer:
        return Answer(HTTPStatus.OK, await self._in_the_worker(self._told.metrics()), METRICS_MEDIA)

    async def _read(self, request: Request) -> Answer:
        if self._orders is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "without a token in the settings no orders are read")
        return await self._in_the_worker(self._orders.answer(request))

    async def _in_the_worker(self, work: Coroutine[Any, Any, Result]) -> Result:
        """In its event loop; health alone is told without, however busy that is."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def listening(host: str, port: int) -> socket.socket:
    """A socket for the HTTP side. Raises `SettingError`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=256)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or type(error).__name__).partition(" (")[0]
        raise SettingError(f"{PREFIX}HTTP_HOST, {PREFIX}HTTP_PORT: cannot listen on {host}:{port}: {reason}") from None


async def serve_beside(work: Coroutine[Any, Any, None], application: Application, listener: socket.socket) -> None:
    """Answer until *work* ends, which SIGTERM and Ctrl-C cancel; its errors are raised.

    The server has a thread of its own: the worker's batches would keep whoever asks for health waiting.
    """
    server = uvicorn.Server(_config(application))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    try:
        with suppress(StoppedError):
            await until_stopped(work)
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,  # paths hold references of orders
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
