"""How a recipient is reached, and in which order of channels."""

from __future__ import annotations

from services.notify.domain.people import Person, recipient_of
from tests.unit.notify.builders import NINE, a_directory, an_endpoint


def channels(name: str, *asked: str, **changed: Person) -> list[str]:
    found = recipient_of(a_directory(**changed), [an_endpoint()], name, asked)
    return [route.channel for route in found.routes]


def test_people_are_reached_in_their_own_order() -> None:
    assert channels("bob") == ["wecom_robot", "email"]
    assert channels("ann") == ["email"]


def test_channels_that_are_asked_for_come_first_and_the_others_remain_as_a_way_out() -> None:
    assert channels("bob", "email") == ["email", "wecom_robot"]


def test_a_channel_without_an_address_or_a_provider_is_left_out() -> None:
    only_sms = Person("cat", "Cat", addresses={"sms": "138", "email": "c@x.org"}, channels=("sms",))

    assert channels("cat", "dingtalk_robot", cat=only_sms) == ["email"]


def test_nobody_and_nowhere_say_why() -> None:
    lost = Person("cat", "Cat")

    assert recipient_of(a_directory(), [], "ghost").reason == "unknown_recipient"
    assert recipient_of(a_directory(), [], "team:none").reason == "unknown_recipient"
    assert recipient_of(a_directory(), [], "webhook:none").reason == "unknown_recipient"
    assert recipient_of(a_directory(cat=lost), [], "cat").reason == "no_address"


def test_an_endpoint_is_known_by_name_and_id_until_it_is_disabled() -> None:
    endpoint = an_endpoint()
    gone = an_endpoint(disabled_at=NINE)

    by_name = recipient_of(a_directory(), [endpoint], "webhook:portal")
    by_id = recipient_of(a_directory(), [endpoint], f"webhook:{endpoint.id}")

    assert by_name == by_id
    assert by_name.routes[0].secret == "whsec_x"
    assert recipient_of(a_directory(), [gone], "webhook:portal").reason == "endpoint_disabled"


def test_the_secret_of_a_robot_stands_behind_its_address_and_never_in_its_lane() -> None:
    (route,) = recipient_of(a_directory(), [], "team:desk").routes

    assert (route.address, route.secret) == ("https://ding.example/r?t=1", "SECabc")
    assert "ding.example" not in route.lane
    assert "SECabc" not in repr(route)
