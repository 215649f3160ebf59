"""What must be true between the services about one request; pure.

Whoever says something is looked at before whoever hears it, and whoever has something after
whoever must have had it first: so what is merely under way accuses nobody (see `walk`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Services that keep each request, and who tells them of it.
_TOLD_BY = {
    "router": "intake",
    "clock": "router",
    "escalation": "router",
    "insight": "intake",
}
#: What a service without anything to tell about a request would tell.
NOTHING: Mapping[str, Any] = {"said": 0, "heard": {}, "facts": {}, "faults": []}

#: Nobody forgot anything.
NO_ONE: Mapping[str, str] = {}

Entry = Mapping[str, Any]
View = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not add up.

    `is_lag` marks what may still be on its way. `service` is where something is missing or
    wrong, `detail` what `words` puts into the sentence.
    """

    code: str
    service: str
    request_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    is_lag: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same finding at a second look."""
        return (self.code, self.service, repr(sorted(self.detail.items())))


def own_faults(request_id: str, view: View) -> Iterator[Finding]:
    """Yield what services find wrong with their own rows."""
    for service, entry in view.items():
        for fault in entry["faults"]:
            yield Finding(fault["code"], service, request_id, fault["detail"])


def differences(
    request_id: str,
    before: View,
    after: View,
    hears: Mapping[str, frozenset[str]],
    forgotten: Mapping[str, str] = NO_ONE,
) -> Iterator[Finding]:
    """Yield what `before` shows as done and `after` still does not show where it must follow.

    `forgotten` names per service the last id up to which it forgets the positions of requests that
    were sealed: one that tells none there accuses nobody.
    """
    unheard = set()
    for finding in _positions(request_id, before, after, hears, forgotten):
        if finding.code == "unheard":
            unheard.add((finding.service, finding.detail["publisher"]))
        yield finding
    yield from _requests(request_id, before, after, unheard)
    if ("notify", "escalation") not in unheard:
        yield from _notifications(request_id, before, after)
    yield from _thresholds(request_id, before, after, ("insight", "clock") in unheard)


def _positions(
    request_id: str,
    before: View,
    after: View,
    hears: Mapping[str, frozenset[str]],
    forgotten: Mapping[str, str],
) -> Iterator[Finding]:
    gone = {
        name
        for name in {*before, *after}
        if request_id <= forgotten.get(name, "")
        and _is_blank(after if name in after else before, name)
    }
    for service, publishers in hears.items():
        if service in gone:
            continue
        for publisher in sorted((publishers & before.keys()) - gone):
            said, heard = _of(before, publisher)["said"], _of(after, service)["heard"]
            if service in after and heard.get(publisher, 0) < said:
                detail = {"publisher": publisher, "said": said, "heard": heard.get(publisher, 0)}
                yield Finding("unheard", service, request_id, detail)
            known = _of(before, service)["heard"].get(publisher, 0)
            if publisher in after and known > _of(after, publisher)["said"]:
                said = _of(after, publisher)["said"]
                detail = {"publisher": publisher, "said": said, "heard": known}
                yield Finding("heard_more_than_said", service, request_id, detail)


def _requests(
    request_id: str, before: View, after: View, unheard: set[tuple[str, str]]
) -> Iterator[Finding]:
    for service, teller in _TOLD_BY.items():
        is_told = _of(before, teller)["facts"].get("request")
        has_it = _of(after, service)["facts"].get("request")
        if service in after and is_told and not has_it and (service, teller) not in unheard:
            yield Finding("request_missing", service, request_id, {"publisher": teller})
    if "intake" not in after or _of(after, "intake")["facts"].get("request"):
        return
    for service, entry in before.items():
        facts = entry["facts"]
        if service != "intake" and (facts.get("request") or facts.get("accepted")):
            yield Finding("without_request", service, request_id)


def _notifications(request_id: str, before: View, after: View) -> Iterator[Finding]:
    if "notify" not in after:
        return
    accepted = _of(after, "notify")["facts"].get("accepted", ())
    for told in sorted(set(_of(before, "escalation")["facts"].get("told", ())) - set(accepted)):
        yield Finding("notification_missing", "notify", request_id, {"notification": told})


def _thresholds(request_id: str, before: View, after: View, is_unheard: bool) -> Iterator[Finding]:
    """The clock remembers each percentage it announced; insight has a line for each it heard."""
    if "clock" not in after or "insight" not in after:
        return
    heard = _of(before, "insight")["facts"].get("thresholds", {})
    fired = _of(after, "clock")["facts"].get("thresholds", {})
    for what, count in sorted(heard.items()):
        if count > fired.get(what, 0):
            detail = {"threshold": what, "heard": count, "fired": fired.get(what, 0)}
            yield Finding("threshold_twice", "clock", request_id, detail)
    if is_unheard:
        return
    fired = _of(before, "clock")["facts"].get("thresholds", {})
    heard = _of(after, "insight")["facts"].get("thresholds", {})
    for what, count in sorted(fired.items()):
        if heard.get(what, 0) < count:
            detail = {"threshold": what, "heard": heard.get(what, 0), "fired": count}
            yield Finding("threshold_missing", "insight", request_id, detail)


def _is_blank(view: View, service: str) -> bool:
    entry = _of(view, service)
    return not (entry["said"] or entry["heard"])


def _of(view: View, service: str) -> Entry:
    return view.get(service, NOTHING)
