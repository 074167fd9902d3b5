"""What every request over HTTP is answered, and what it is not."""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus

import pytest

from orderstream import http
from orderstream.http import Application, listening, serve_beside
from orderstream.http_message import ProblemError, Request
from orderstream.logs import LogObserver
from orderstream.mongo import MongoOrders
from orderstream.problems import MEANINGS
from orderstream.readiness import Readiness
from orderstream.rules_file import SettingError
from orderstream.schemas import files
from orderstream.settings import Settings
from orderstream.trouble import UnavailableError, UnfitError
from tests.http_client import Told, ask, asked, port_of, until_ready
from tests.worker import a_worker

TOKEN = "open sesame!"
PATHS = ["/health/live", "/health/ready", "/metrics", "/docs", "/orders/x", "/entries"]


class Answering:
    """The application without a server before it."""

    def __init__(self, settings: Settings, readiness: Readiness | Exception) -> None:
        orders = MongoOrders("mongodb://127.0.0.1:1", "nothing", "pymongo")
        self.alive, self._readiness = True, readiness
        self.application = Application(
            http.Told(lambda: self.alive, self._ready, self._metrics), orders, settings, LogObserver()
        )

    async def _ready(self) -> Readiness:
        if isinstance(self._readiness, Exception):
            raise self._readiness
        return self._readiness

    async def _metrics(self) -> bytes:
        return b"orderstream_up 1\n"

    async def __call__(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Told:
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        raw, _, query = path.encode().partition(b"?")
        lines = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": method, "raw_path": raw, "query_string": query, "headers": lines}
        await self.application(scope, None, send)
        start, body = sent
        answered = {name.decode(): value.decode() for name, value in start["headers"]}  # type: ignore[attr-defined]
        return Told(start["status"], answered, body["body"])  # type: ignore[arg-type]


def answering(readiness: Readiness | Exception = Readiness("ready"), token: str | None = TOKEN) -> Answering:  # noqa: B008
    return Answering(Settings(http_token=token), readiness)


@pytest.mark.parametrize(
    ("readiness", "status"),
    [
        (Readiness("ready"), 200),
        (Readiness("standby"), 200),
        (Readiness("not ready", ("MongoDB has no primary",)), 503),
    ],
)
async def test_a_worker_that_is_not_ready_says_why(readiness: Readiness, status: int) -> None:
    told = await answering(readiness)("/health/ready")

    assert (status, {"status": readiness.state, "reasons": list(readiness.reasons)}) == (told.status, told.json)


async def test_a_worker_that_cannot_work_is_alive() -> None:
    told = await answering(Readiness("not ready", ("it is starting",)))("/health/live")

    assert (200, {"status": "live"}) == (told.status, told.json)


async def test_a_worker_whose_event_loop_is_stuck_is_not_alive() -> None:
    stuck = answering()
    stuck.alive = False

    assert 503 == (await stuck("/health/live")).status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_nothing_is_written_over_http(path: str, method: str) -> None:
    told = await answering()(path, method)

    assert (405, "GET, HEAD") == (told.status, told.headers["allow"])
    assert (405, "Method Not Allowed") == (told.json["status"], told.json["title"])


@pytest.mark.parametrize("path", ["/", "/nothing", "/health", "/health/live/", "/metrics/x", "/Orders/x", "//orders/x"])
async def test_a_path_that_is_not_there_is_a_problem(path: str) -> None:
    told = await answering()(path)

    assert (404, "application/problem+json") == (told.status, told.headers["content-type"])
    assert {"type", "title", "status", "detail"} == told.json.keys()


@pytest.mark.parametrize("path", ["/orders", "/orders/x", "/orders/x/history", "/entries?id=1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_token_in_the_settings_the_paths_of_orders_are_off(path: str, method: str) -> None:
    told = await answering(token=None)(path, method, {"authorization": "Bearer "})

    assert 404 == told.status


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer open", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer öpen sesame!"],
)
async def test_only_who_has_the_token_reads(authorization: str | None) -> None:
    told = await answering()("/orders/x", headers={} if authorization is None else {"authorization": authorization})

    assert (401, "Bearer") == (told.status, told.headers["www-authenticate"])
    assert TOKEN.encode() not in told.body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_who_has_the_token_is_let_in(scheme: str) -> None:
    told = await answering()("/orders/x", headers={"authorization": f"{scheme} {TOKEN}"})

    assert (400, True) == (told.status, "dialect" in told.json["detail"])


async def test_an_answer_is_kept_by_nobody_and_guessed_at_by_no_browser() -> None:
    told = await answering()("/health/ready")

    assert ("no-store", "nosniff") == (told.headers["cache-control"], told.headers["x-content-type-options"])


async def test_a_fault_of_our_own_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    told = await answering(ValueError("robin@example.com"))("/health/ready")

    assert (500, "a fault of the worker itself; see its log") == (told.status, told.json["detail"])
    assert b"robin" not in told.body
    assert "robin" not in capsys.readouterr().out


async def test_a_mongodb_that_is_away_is_no_fault_of_who_asks() -> None:
    told = await answering(UnavailableError("mongo", "AutoReconnect"))("/health/ready")

    assert (503, "application/problem+json") == (told.status, told.headers["content-type"])


@pytest.mark.parametrize("query", ["a=1&a=2", "b=1", "a=%ff", "a=%C3%28", "&".join(f"a{n}" for n in range(20))])
def test_a_query_that_could_be_misunderstood_is_refused(query: str) -> None:
    with pytest.raises(ProblemError) as raised:
        Request("GET", (), query.encode(), None).parameters(["a"])

    assert HTTPStatus.BAD_REQUEST is raised.value.status


# The docs page


async def test_the_docs_page_shows_every_message_with_its_key_headers_and_examples() -> None:
    page = (await answering()("/docs")).body.decode()

    messages = json.loads(files_named("asyncapi.json"))["components"]["messages"]
    assert [] == [one["title"] for one in messages.values() if f"<b>{one['title']}</b>" not in page]
    assert len(messages) == page.count("<h4>Key</h4>") == page.count("<h4>Headers</h4>")
    assert sum(len(one.get("examples", ())) for one in messages.values()) == page.count("<h4>Example: ")


async def test_the_docs_page_says_what_each_code_of_a_rejection_means() -> None:
    page = (await answering()("/docs")).body.decode()

    assert [] == [code for code, meaning in MEANINGS.items() if f"{code}: {meaning}" not in page]


async def test_the_docs_page_may_load_and_run_nothing() -> None:
    told = await answering()("/docs")
    (style,) = re.findall("<style>(.*?)</style>", told.body.decode(), re.DOTALL)

    policy = told.headers["content-security-policy"]
    assert {"default-src 'none'", f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"} <= set(
        policy.split("; ")
    )
    assert not re.search(rb"<script|<link|<img| style=|https?://", told.body)


async def test_every_link_and_reference_of_the_docs_leads_somewhere() -> None:
    ask_it = answering()
    page = (await ask_it("/docs")).body.decode()
    links = {*re.findall('href="([^"]+)"', page), *(f"docs/{file}" for file in files())}

    assert {200} == {(await ask_it(f"/{link}")).status for link in links}
    assert 404 == (await ask_it("/docs/nothing.json")).status


def files_named(name: str) -> str:
    return next(text for path, text in files().items() if path.name == name)


# With a server before it


async def test_health_is_told_while_the_event_loop_is_busy() -> None:
    listener, told = listening("127.0.0.1", 0), []

    async def busy() -> None:
        told.append(asked(listener.getsockname()[1], "/health/ready"))  # not awaited: nothing else has its turn

    await serve_beside(busy(), answering().application, listener)

    assert [200] == [one.status for one in told]


async def test_an_error_of_the_work_ends_the_server_and_is_raised() -> None:
    async def wrong() -> None:
        raise UnfitError("MongoDB is no replica set")

    with pytest.raises(UnfitError):
        await serve_beside(wrong(), answering().application, listening("127.0.0.1", 0))


async def test_a_worker_answers_and_its_log_has_nothing_of_what_was_asked(settings: Settings) -> None:
    async with a_worker(settings, http_token=TOKEN) as worker:
        port = await port_of(worker)
        await until_ready(port)
        found = [await ask(port, f"/orders/who{slash}what?dialect=wishlist", TOKEN) for slash in ("", "%2F", "/")]
        head = await ask(port, "/health/live", method="HEAD")
        await worker.stop()

    assert [True, True, False] == ["no order is known" in told.json["detail"] for told in found]
    assert (200, b"", "17") == (head.status, head.body, head.headers["content-length"])
    assert "who" not in json.dumps(worker.log)


async def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingError) as raised:
        listening("127.0.0.1", taken.getsockname()[1])

    assert re.fullmatch(
        "ORDERSTREAM_HTTP_HOST, .*_PORT: cannot listen on .*: Address already in use", str(raised.value)
    )


async def test_an_address_of_version_6_is_listened_on() -> None:
    with listening("::1", 0) as listener:
        assert socket.AF_INET6 == listener.family
