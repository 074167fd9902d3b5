"""Dockerfile, compose file and Grafana's provisioning: what they say holds, as far as files can tell."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
import yaml

from orderstream.settings import read_settings
from tests.containers import docker_answers

PROJECT: Final = Path(__file__).parent.parent
SERVICES: Final[dict[str, dict[str, Any]]] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
OURS: Final = ("topics", "worker")
ONCE: Final = {"mongo-init", "topics"}
LASTING: Final = sorted(SERVICES.keys() - ONCE)
PINNED: Final = re.compile(r"[a-z0-9/]+:v?\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")
DOCKERFILE: Final = (PROJECT / "Dockerfile").read_text().replace("\\\n", "")


def instructions(name: str) -> list[str]:
    """The arguments of all these instructions of the Dockerfile."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def binds(service: str) -> Iterator[tuple[str, str]]:
    """Folders and files of the repository, and the rest of what is said about their mounts."""
    for mount in SERVICES[service].get("volumes", []):
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            yield source, rest


@contextmanager
def a_server(status: int) -> Iterator[int]:
    """The port of an HTTP server that gives every GET this answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health_check(port: int) -> int:
    """The exit code of the image's health check, run here."""
    command = instructions("HEALTHCHECK")[0].partition(" CMD ")[2]
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command], env={**here, "ORDERSTREAM_HTTP_PORT": str(port)}, capture_output=True, check=False
    )
    return done.returncode


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_built_here_or_pinned(service: str) -> None:
    assert (service in OURS) == ("build" in SERVICES[service])
    assert PINNED.fullmatch(SERVICES[service]["image"])


@pytest.mark.parametrize("service", LASTING)
def test_what_lasts_starts_again_tells_its_health_and_has_a_bound(service: str) -> None:
    said = SERVICES[service]

    assert "unless-stopped" == said["restart"]
    assert (service in OURS) == ("healthcheck" not in said)  # the image brings ours
    assert re.fullmatch(r"\d+[mg]", said["mem_limit"])
    assert said["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("service", SERVICES)
def test_containers_can_do_no_more_than_they_need(service: str) -> None:
    said = SERVICES[service]

    assert ["ALL"] == said["cap_drop"]
    assert ["no-new-privileges:true"] == said["security_opt"]
    assert (service != "kafka") == said["read_only"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & said.keys()
    assert not str(said.get("user", "999")).startswith(("0", "root"))


@pytest.mark.parametrize("service", LASTING)
def test_ports_are_for_this_machine_only(service: str) -> None:
    assert [port for port in SERVICES[service]["ports"] if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("service", OURS)
def test_settings_are_real_ones(service: str) -> None:
    given = {name: value for name, value in SERVICES[service]["environment"].items() if value is not None}

    settings = read_settings(given)

    assert settings.kafka_bootstrap.partition(":")[0] in SERVICES
    assert settings.allow_plaintext
    assert settings.http_token is None


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_there_and_is_not_written(service: str) -> None:
    volumes = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["volumes"]
    named = [mount.partition(":")[0] for mount in SERVICES[service].get("volumes", []) if not mount.startswith(".")]

    assert [] == [source for source, _ in binds(service) if not (PROJECT / source).exists()]
    assert [] == [source for source, rest in binds(service) if not rest.endswith(":ro")]
    assert [] == [name for name in named if name not in volumes]


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_waited_for_can_come_true(service: str) -> None:
    awaited = {name: said["condition"] for name, said in SERVICES[service].get("depends_on", {}).items()}
    healthy = {name for name, condition in awaited.items() if condition == "service_healthy"}
    ended = {name for name, condition in awaited.items() if condition == "service_completed_successfully"}

    assert awaited.keys() <= SERVICES.keys()
    assert healthy <= {name for name, said in SERVICES.items() if "test" in said.get("healthcheck", {})}
    assert ended <= ONCE


def test_the_image_is_built_on_a_pinned_one_from_the_lock_file() -> None:
    bases = {base.partition(" AS ")[0] for base in instructions("FROM")}
    syncs = [line for line in instructions("RUN") if "uv sync" in line]

    assert 1 == len(bases)
    assert PINNED.fullmatch(bases.pop())
    assert 2 == len([line for line in syncs if "--frozen --no-dev" in line and "--extra" not in line])
    assert re.search(r"uv==\d+\.\d+\.\d+", DOCKERFILE)


def test_the_image_runs_the_worker_as_nobody_in_particular() -> None:
    user, group = instructions("USER")[-1].split(":")

    assert int(user) > 0 < int(group)
    assert ['["orderstream"]'] == instructions("ENTRYPOINT")
    assert ['["run"]'] == instructions("CMD")
    assert ["SIGTERM"] == instructions("STOPSIGNAL")
    assert DOCKERFILE.rindex("\nUSER ") > DOCKERFILE.rindex("\nCOPY ")


def test_what_the_image_copies_is_all_that_the_build_gets_to_see() -> None:
    copies = [shlex.split(line)[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    admitted = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert admitted == {source for sources in copies for source in sources}
    assert [] == [source for source in admitted if not (PROJECT / source).exists()]


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_believes_what_the_worker_answers(status: int, healthy: bool) -> None:  # noqa: FBT001
    with a_server(status) as port:
        code = health_check(port)

    assert healthy == (code == 0)


def test_the_health_check_fails_where_nothing_answers() -> None:
    with a_server(200) as port:
        pass

    assert health_check(port) != 0


def test_grafana_looks_for_its_data_and_its_dashboard_where_they_are() -> None:
    provisioning = PROJECT / "deploy" / "grafana" / "provisioning"
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    provider = yaml.safe_load((provisioning / "dashboards" / "orderstream.yml").read_text())["providers"][0]
    mounted = [rest.partition(":")[0] for _, rest in binds("grafana")]

    assert "http://prometheus:9090" == source["url"]
    assert f"{provider['options']['path']}/dashboard.json" in mounted
    assert SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in mounted


def test_prometheus_asks_the_worker_where_it_answers() -> None:
    jobs = yaml.safe_load((PROJECT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]

    targets = [target for job in jobs for each in job["static_configs"] for target in each["targets"]]

    assert ["worker:8080"] == targets
    assert instructions("EXPOSE") == ["8080"]


def test_where_there_is_no_engine_the_tests_look_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    assert not docker_answers()
