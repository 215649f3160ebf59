"""The signed webhook against a receiver that follows Standard Webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.notify.channels import Outcome, Webhook
from tests.harness.receivers import SECRET, Answer, Drop, Hold, Stall, WebhookReceiver
from tests.unit.notify.channels.builders import DELIVERY, NOW, a_client, a_message, now

BODY: dict[str, object] = {"type": "request.resolved", "data": {"number": "R-2026-000123"}}
OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver(now) as listening:
        yield listening


async def send(
    receiver: WebhookReceiver,
    body: dict[str, object] | None = None,
    *,
    secret: str | None = SECRET,
    timeout_s: float = 5.0,
) -> Outcome:
    client = a_client(receiver.place)
    message = a_message(receiver.url, secret=secret, body=body or BODY)
    return await Webhook(client, now, timeout_s).send(message)


async def test_a_receiver_that_verifies_takes_the_message(receiver: WebhookReceiver) -> None:
    outcome = await send(receiver)

    assert outcome == Outcome("accepted", "http_204")
    assert receiver.messages[0].webhook_id == str(DELIVERY)
    assert receiver.messages[0].body == BODY


async def test_a_repetition_after_doubt_is_shown_once(receiver: WebhookReceiver) -> None:
    receiver.fail_next(Drop())

    first, second = await send(receiver), await send(receiver)

    assert (first.kind, second.kind) == ("unknown", "accepted")
    assert len(receiver.requests) == 2
    assert len(receiver.messages) == 1


async def test_a_receiver_that_has_not_rotated_yet_still_verifies(
    receiver: WebhookReceiver,
) -> None:
    assert (await send(receiver, secret=f"{OTHER} {SECRET}")).kind == "accepted"


async def test_a_wrong_secret_may_be_mended_and_is_the_addresss_matter(
    receiver: WebhookReceiver,
) -> None:
    outcome = await send(receiver, secret=OTHER)

    assert (outcome.kind, outcome.provider_code, outcome.fault) == ("retry", "http_401", "address")


@pytest.mark.parametrize("secret", [None, "", "not base64!"])
async def test_nothing_is_ever_sent_unsigned(receiver: WebhookReceiver, secret: str | None) -> None:
    outcome = await send(receiver, secret=secret)

    assert (outcome.kind, outcome.provider_code) == ("refused", "secret_unusable")
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (200, "accepted", None),
        (202, "accepted", None),
        (301, "refused", "address"),
        (302, "refused", "address"),
        (307, "refused", "address"),
        (400, "retry", "address"),
        (404, "retry", "address"),
        (408, "retry", None),
        (410, "refused", "gone"),
        (413, "refused", "message"),
        (429, "retry", None),
        (500, "retry", None),
        (503, "retry", None),
    ],
)
async def test_only_2xx_is_a_success(
    receiver: WebhookReceiver, status: int, kind: str, fault: str | None
) -> None:
    receiver.fail_next(Answer(status, b"secret of the inner network", {"location": receiver.url}))

    outcome = await send(receiver)

    assert outcome == Outcome(outcome.kind, f"http_{status}", fault=outcome.fault)
    assert (outcome.kind, outcome.fault) == (kind, fault)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120),
        ("0", 0),
        ("Thu, 01 Oct 2026 03:02:00 GMT", 120),
        ("Thu, 01 Oct 2026 02:00:00 GMT", 0),
        ("99999999", 86_400),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_a_receiver_may_say_when_to_come_back(
    receiver: WebhookReceiver, header: str, wait_s: int | None
) -> None:
    receiver.fail_next(Answer(503, headers={"retry-after": header}))

    assert (await send(receiver)).retry_after_s == wait_s


async def test_a_receiver_that_does_not_answer_in_time_leaves_doubt(
    receiver: WebhookReceiver,
) -> None:
    receiver.fail_next(Hold())

    assert (await send(receiver, timeout_s=0.4)).kind == "unknown"


async def test_a_status_counts_even_if_its_body_never_ends(receiver: WebhookReceiver) -> None:
    receiver.fail_next(Stall())

    assert (await send(receiver, timeout_s=0.4)).kind == "accepted"


async def test_what_is_too_large_for_the_standard_is_not_sent(receiver: WebhookReceiver) -> None:
    at_most = {"x": "y" * (20 * 1024 - 1 - len('{"x":""}'))}
    too_large = {"x": "y" * (20 * 1024 - len('{"x":""}'))}

    assert (await send(receiver, dict(at_most))).kind == "accepted"
    refused = await send(receiver, dict(too_large))

    assert refused == Outcome("refused", "payload_too_large", fault="message")
    assert len(receiver.requests) == 1


async def test_what_has_no_json_form_is_refused(receiver: WebhookReceiver) -> None:
    for odd in ({"x": "\ud83d"}, {"x": object()}):
        assert (await send(receiver, dict(odd))).provider_code == "payload_not_json"


async def test_every_attempt_is_signed_for_its_own_moment(receiver: WebhookReceiver) -> None:
    client = a_client(receiver.place)
    message = a_message(receiver.url, secret=SECRET, body=BODY)

    await Webhook(client, now).send(message)
    await Webhook(client, lambda: NOW + timedelta(minutes=1)).send(message)

    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
