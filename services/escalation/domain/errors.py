"""What escalation says no to, and why."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Finding, Invalid, NotFound, Refused, Unavailable


class NoSuchEscalation(NotFound):
    """There is no escalation {escalation_id}."""

    zh: ClassVar[str] = "没有升级 {escalation_id}。"


class NoSuchRequest(NotFound):
    """Escalation has not heard of request {request_id}.

    Name it by its number (R-2026-000123) or by its id; it learns of one when it is routed.
    """

    zh: ClassVar[str] = (
        "升级服务尚未听说过请求 {request_id}；请求分派后才会知道。"
        "请用编号（R-2026-000123）或 id 指明请求。"
    )


class NoSuchPolicy(NotFound):
    """There is no escalation policy {policy}."""

    zh: ClassVar[str] = "没有升级策略 {policy}。"


class RequestIsOver(Refused):
    """Request {number} is over; reopen it first."""

    zh: ClassVar[str] = "请求 {number} 已结束；请先重新打开。"


class NoSuchTeam(Invalid):
    """The directory knows no team called {team}."""

    zh: ClassVar[str] = "通讯录中没有团队 {team}。"

    def __init__(self, team: str, path: str = "/team") -> None:
        finding = Finding(
            path=path,
            rule="team-unknown",
            message={
                "zh-CN": f"通讯录中没有团队 {team!r}。",
                "en": f"{team!r} is not a team of the directory.",
            },
            fix={
                "zh-CN": "请填写通讯录中的团队编号。",
                "en": "Give the id of a team of the directory.",
            },
        )
        super().__init__([finding], team=team)


class PolicyUnknown(Unavailable):
    """No escalation policy has been released yet, not even `standard`; release one."""

    zh: ClassVar[str] = "尚未发布任何升级策略（包括 standard）；请先发布。"


class ContentMissing(Invalid):
    """The released policy {key} came without its content."""

    zh: ClassVar[str] = "已发布的升级策略 {key} 没有附带内容。"


class BadDefinitionKey(Invalid):
    """The policy released as {released_as} calls itself {key}."""

    zh: ClassVar[str] = "以 {released_as} 发布的策略自称为 {key}。"


class NoSuchPerson(Invalid):
    """The directory knows nobody called {person}."""

    zh: ClassVar[str] = "通讯录中没有 {person}。"

    def __init__(self, person: str, path: str = "/by") -> None:
        super().__init__([_person_finding(person, path)], person=person)


def _person_finding(person: str, path: str) -> Finding:
    return Finding(
        path=path,
        rule="person-unknown",
        message={
            "zh-CN": f"通讯录中没有 {person!r}。",
            "en": f"{person!r} is not in the directory.",
        },
        fix={
            "zh-CN": "请填写通讯录中的人员编号，例如 li.na。",
            "en": "Give the id of a person of the directory, such as li.na.",
        },
    )
