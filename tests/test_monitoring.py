"""The dashboard and the alerts speak of numbers that the worker has, and tell a newcomer what to do."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import yaml
from prometheus_client import Metric

from orderstream.metrics import NOT_YET, Metrics
from tests.builders import NOW
from tests.test_metrics import NAMES

PROJECT: Final = Path(__file__).parent.parent
DEPLOY: Final = PROJECT / "deploy"
SUFFIXES: Final = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
SCRAPED: Final = {"up"}  # Prometheus has it of everything that it asks
LABELS: Final = {*(label for labels in NAMES.values() for label in labels), "le", "job", "instance", "worker"}

Panel: TypeAlias = Mapping[str, Any]


def panels() -> list[Panel]:
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def alerts() -> list[Mapping[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and the expression."""
    for panel in panels():
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    yield from ((alert["alert"], alert["expr"]) for alert in alerts())


def families() -> list[Metric]:
    metrics = Metrics(lambda: NOW)
    metrics.text(NOT_YET)
    return list(metrics.registry.collect())


def names_in(expression: str) -> set[str]:
    """What PromQL takes for metrics: names that are neither called, nor labels, nor words of its own."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    bare = re.sub(r"\b(by|on|without|ignoring)\s*\([^)]*\)|\{[^}]*\}", "", bare)
    words = {"and", "or", "unless", "offset"}
    return set(re.findall(r"\b[a-z_]\w*\b(?!\s*\()", bare)) - words


def labels_in(expression: str) -> set[str]:
    """What PromQL takes for labels."""
    groups = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
    return {
        *(name.strip() for group in groups for name in group.split(",") if name.strip()),
        *(name for braces in re.findall(r"\{([^}]*)\}", expression) for name in re.findall(r"(\w+)\s*[=!]", braces)),
    }


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_every_metric_and_label_that_is_asked_for_exists(place: str, expression: str) -> None:
    there = {family.name + suffix for family in families() for suffix in SUFFIXES[family.type]}
    asked = names_in(expression)

    assert asked, place
    assert set() == asked - there - SCRAPED
    assert set() == labels_in(expression) - LABELS


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set().union(*(names_in(target["expr"]) for panel in panels() for target in panel["targets"]))
    ours = [family for family in families() if family.name.startswith("orderstream_")]

    assert [] == [one.name for one in ours if not shown & {one.name + suffix for suffix in SUFFIXES[one.type]}]


def test_panels_say_what_they_mean_and_do_not_overlap() -> None:
    assert [] == [panel["title"] for panel in panels() if not panel["description"]]
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for one, other in combinations((panel["gridPos"] for panel in panels()), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def test_single_numbers_are_of_this_moment_and_not_the_last_that_a_dead_worker_told() -> None:
    asked = [target for panel in panels() if panel["type"] == "stat" for target in panel["targets"]]

    assert {(True, False)} == {(target["instant"], target["range"]) for target in asked}


def test_the_dashboard_finds_the_data_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text())

    (variable,) = dashboard["templating"]["list"]
    assert [variable["query"]] == [source["type"] for source in provisioned["datasources"]]
    assert {"${" + variable["name"] + "}"} == {panel["datasource"]["uid"] for panel in panels()}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_says_what_is_the_matter_and_what_to_do(alert: Mapping[str, Any]) -> None:
    said = alert["annotations"]
    headings = re.findall(r"^#+ (.*)$", (PROJECT / "README.md").read_text(), re.MULTILINE)

    assert said["summary"].endswith(".")
    assert 1 == len(re.findall(r"[.!?](?:\s|$)", said["action"]))
    assert said["readme"] in headings
    assert alert["labels"]["severity"] in ("critical", "warning")


def test_prometheus_reads_the_alerts_and_calls_the_workers_as_they_do() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())

    jobs = {job["job_name"] for job in configuration["scrape_configs"]}
    assert ["alerts.yml"] == configuration["rule_files"]
    assert jobs == {job for _, expression in expressions() for job in re.findall(r'job="(\w+)"', expression)}
