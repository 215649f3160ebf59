"""The tables the standard path calls, as shipped, on the real decision library."""

from __future__ import annotations

import pytest

from shared.decisions import DecisionModel, load_decisions

from .builders import ROOT, request

MATRIX = {
    ("high", "high"): "P1",
    ("high", "medium"): "P2",
    ("medium", "high"): "P2",
    ("medium", "medium"): "P3",
    ("high", "low"): "P3",
    ("low", "high"): "P3",
    ("medium", "low"): "P4",
    ("low", "medium"): "P4",
    ("low", "low"): "P4",
}


def table(name: str) -> DecisionModel:
    return load_decisions((ROOT / "bpmn" / f"{name}.dmn").read_bytes(), file=f"{name}.dmn")


@pytest.mark.parametrize(("urgency", "impact"), MATRIX)
def test_urgency_and_impact_give_the_priority(urgency: str, impact: str) -> None:
    found = table("priority").evaluate("priority", {"urgency": urgency, "impact": impact})

    assert found.result == MATRIX[urgency, impact]


@pytest.mark.parametrize(
    ("changes", "team"),
    [
        ({"domain": "it"}, "it-service-desk"),
        ({"domain": "it", "request_type": "it-access"}, "it-applications"),
        ({"domain": "it", "channel": "monitoring"}, "it-infrastructure"),
        ({"domain": "it", "organisation_unit": "datacenter"}, "it-infrastructure"),
        ({"domain": "hr", "request_type": "hr-question"}, "hr-service"),
        ({"domain": "customer", "request_type": "customer-complaint"}, "customer-care"),
        ({"domain": "approval", "request_type": "expense-approval"}, "finance-approval"),
        ({"domain": "government", "request_type": "citizen-message"}, "citizen-service"),
        ({"domain": "unheard of", "request_type": "new"}, "triage"),
        ({"domain": "hr", "form": {"team": "it-applications"}}, "it-applications"),
        ({"domain": "hr", "form": {"team": ""}}, "hr-service"),
        ({"domain": "hr", "form": {}}, "hr-service"),
        ({"domain": "hr", "form": None, "organisation_unit": None}, "hr-service"),
    ],
)
def test_each_request_finds_its_team(changes: dict[str, object], team: str) -> None:
    found = table("team").evaluate("team", request(**changes))

    assert found.result == team
