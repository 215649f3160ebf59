"""Known answers, computed apart and cross-checked with the providers' own libraries."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.notify.channels.signatures import (
    SecretUnusable,
    dingtalk_signature,
    feishu_signature,
    webhook_signature,
)

AT = datetime.fromtimestamp(1_700_000_000, UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BODY = b'{"type":"escalation.step_fired","timestamp":"2026-10-01T03:00:00Z","data":{"id":"e1"}}'
KNOWN = "v1,R2cu1OHlYWPc6Bd5o3XBdVhVOqI2vl1XEMkgTFsI914="


def test_a_webhook_is_signed_as_the_standard_says() -> None:
    assert webhook_signature(SECRET, "msg_1", AT, BODY) == KNOWN


def test_the_zone_in_which_a_moment_is_written_does_not_change_its_signature() -> None:
    in_shanghai = AT.astimezone(timezone(timedelta(hours=8)))

    assert webhook_signature(SECRET, "msg_1", in_shanghai, BODY) == KNOWN


def test_while_secrets_are_rotated_both_sign() -> None:
    other = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="

    first, second = webhook_signature(f"{SECRET} {other}", "msg_1", AT, BODY).split(" ")

    assert first == KNOWN
    assert second == webhook_signature(other, "msg_1", AT, BODY)


def test_a_secret_may_come_without_its_prefix() -> None:
    assert webhook_signature(SECRET.removeprefix("whsec_"), "msg_1", AT, BODY) == KNOWN


@pytest.mark.parametrize(
    "secret", ["", "  ", "whsec_###", "whsec_c2hvcnQ=", "whsec_" + "QUFB" * 22]
)
def test_a_secret_that_is_missing_broken_short_or_long_is_not_used(secret: str) -> None:
    with pytest.raises(SecretUnusable):
        webhook_signature(secret, "msg_1", AT, BODY)


def test_a_moment_without_a_zone_is_not_signed() -> None:
    with pytest.raises(ValueError, match="zone"):
        webhook_signature(SECRET, "msg_1", AT.replace(tzinfo=None), BODY)


def test_a_dingtalk_signature_is_encoded_for_the_url_once() -> None:
    timestamp, sign = dingtalk_signature("SECtest0123456789", AT)

    assert timestamp == "1700000000000"
    assert sign == "yBKp5IlG6qCzcQWmgyRK%2FziJBdVNJmHfFE2ST%2FCzT%2Fg%3D"


def test_a_dingtalk_timestamp_counts_milliseconds() -> None:
    timestamp, _ = dingtalk_signature("SECtest0123456789", AT + timedelta(milliseconds=7))

    assert timestamp == "1700000000007"


def test_a_feishu_signature_has_key_and_message_the_other_way_round() -> None:
    timestamp, sign = feishu_signature("testsecret", AT)

    assert timestamp == "1700000000"
    assert sign == "AOc8oJ7//5OlQlfWC3nRL0R+IkuzcD1FKcAyibRK9Q8="
    assert sign != "QtI24SK3/m8+lKf0d89/bclcePXhBxolugiWin8Kl3c="
