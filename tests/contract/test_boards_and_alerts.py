"""Board and alert rules speak PromQL about metrics that exist, and each alert says what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import promql_parser
import pytest
import yaml

from shared.observability.metrics import BY_NAME, METRICS
from tools.topology import ROOT, SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

ALERTS = ROOT / "infra" / "alerts" / "levee.rules.yml"
SCRAPING = ROOT / "infra" / "alerts" / "prometheus.yml"
BOARD = ROOT / "infra" / "grafana" / "dashboards" / "levee.json"
RUNBOOK = ROOT / "docs" / "runbook.md"

#: What Prometheus makes itself.
_OWN = {"up": {"job", "instance"}}
_LABELS = {
    name: {"service", "job", "instance", "le", *metric.labels}
    for metric in METRICS
    for name in metric.sample_names
} | _OWN


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> Iterator[tuple[str, str]]:
    for panel in orjson.loads(BOARD.read_bytes())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")


def selectors(node: Any) -> Iterator[Any]:
    """Return every selector of an expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        if (below := getattr(node, name, None)) is not None:
            yield from selectors(below)
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


def check(expression: str) -> None:
    """Fail for an expression that does not parse, or speaks of what is not there."""
    found = list(selectors(promql_parser.parse(expression)))
    assert found, f"no metric in {expression}"
    for selector in found:
        assert selector.name in _LABELS, selector.name
        for matcher in selector.matchers.matchers:
            assert matcher.name in _LABELS[selector.name], f"{selector.name}: {matcher.name}"
    named = set(re.findall(r"\blevee_\w+", expression))
    assert named == {selector.name for selector in found if selector.name != "up"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_is_about_metrics_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    check(rule["expr"])

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    told = rule["annotations"]
    assert re.search("[\u4e00-\u9fff]", told["summary_zh"])
    assert told["summary_en"]
    assert told["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))

    assert list(sections) == [rule["alert"] for rule in rules()]
    for name, section in sections.items():
        for part in ("**含义**", "**Means**", "First look:", "Mend:"):
            assert part in section, f"{name}: {part}"


def test_every_panel_of_the_board_is_about_metrics_that_exist() -> None:
    found = list(panels())

    for _, expression in found:
        check(expression)

    shown = {name for _, expression in found for name in re.findall(r"\blevee_\w+", expression)}
    missing = [m.name for m in METRICS if not shown & set(m.sample_names)]
    assert missing == [], "a metric nobody looks at"


def test_prometheus_is_told_of_every_service() -> None:
    (job,) = yaml.safe_load(SCRAPING.read_text(encoding="utf-8"))["scrape_configs"]

    paths = [target["labels"]["__metrics_path__"] for target in job["static_configs"]]

    assert job["job_name"] == "levee"
    assert sorted(paths) == sorted(f"/{service}/metrics" for service in SERVICES)


def test_an_expression_about_an_unknown_metric_or_label_is_found() -> None:
    assert "levee_ready" in BY_NAME
    for wrong in ("levee_nothing > 0", 'levee_ready{colour="red"} == 0', "levee_ready >"):
        with pytest.raises((AssertionError, ValueError)):
            check(wrong)
