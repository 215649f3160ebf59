"""The guarded client against real sockets: what it may reach, and what it makes of failures."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.http.addresses import OutboundPolicy
from shared.http.client import (
    MAX_ANSWER_BYTES,
    AddressRefused,
    NoAnswer,
    NotReached,
    OutboundClient,
    trusted_certificates,
)
from tests.harness.receivers import Answer, Drop, Hold, Stall, WeComReceiver
from tests.harness.receivers.certificates import make_certificate
from tests.unit.notify.channels.builders import a_client, now


class Names:
    """A resolver that answers from a list, one entry per question, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(f"{host}:{port}")
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def no_names(host: str, port: int) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
async def receiver() -> AsyncIterator[WeComReceiver]:
    async with WeComReceiver(now) as listening:
        yield listening


@pytest.fixture
def client(receiver: WeComReceiver) -> OutboundClient:
    return a_client(receiver.place)


def why(raised: pytest.ExceptionInfo[AddressRefused]) -> object:
    return raised.value.params["why"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/latest/meta-data/",
        "http://168.63.129.16/",
        "https://10.0.0.1/",
        "http://0/",
    ],
)
async def test_no_spelling_of_an_inner_address_is_called(url: str) -> None:
    with pytest.raises(AddressRefused) as raised:
        await a_client().call("GET", url)

    assert why(raised) == "address_not_public"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "scheme_not_allowed"),
        ("gopher://example.com/", "scheme_not_allowed"),
        ("//example.com/", "scheme_not_allowed"),
        ("", "scheme_not_allowed"),
        ("https://user:pass@example.com/", "url_invalid"),
        ("https://example.com\\@127.0.0.1/", "url_invalid"),
        ("https:///path", "url_invalid"),
        ("https://example.com:0/", "url_invalid"),
        ("https://example.com:99999/", "url_invalid"),
        ("https://exa mple.com/", "url_invalid"),
        ("https://[fe80::1%25lo]/", "url_invalid"),
        ("https://example.com/\r\nHost: evil", "url_invalid"),
        ("https://example.com/" + "a" * 2048, "url_too_long"),
        ("https://1.1.1.1:22/", "port_not_allowed"),
    ],
)
async def test_a_url_that_disguises_or_strays_is_refused(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as raised:
        await a_client().check(url)

    assert why(raised) == reason


async def test_one_inner_address_among_public_ones_condemns_the_name() -> None:
    client = OutboundClient(resolve=Names(["1.1.1.1", "10.0.0.1"]))

    with pytest.raises(AddressRefused):
        await client.call("GET", "http://both.example/")


async def test_a_scoped_address_from_the_resolver_is_refused() -> None:
    with pytest.raises(AddressRefused):
        await OutboundClient(resolve=Names(["fe80::1%2"])).check("http://scoped.example/")


async def test_a_name_that_turns_inward_after_the_check_is_not_called(
    receiver: WeComReceiver,
) -> None:
    names = Names(["1.1.1.1"], ["127.0.0.1"])
    client = OutboundClient(resolve=names)
    url = f"http://rebinding.example:80{receiver.url.removeprefix(receiver.origin)}"

    await client.check(url)
    with pytest.raises(AddressRefused):
        await client.call("POST", url, b"{}")

    assert receiver.requests == []


async def test_the_connection_goes_to_the_address_that_was_judged(receiver: WeComReceiver) -> None:
    # The name is looked up once per call: had the connection looked again, it would find nobody.
    names = Names(["127.0.0.1"], ["127.0.0.99"])
    policy = OutboundPolicy.parse([f"pinned.example:{receiver.port}"])
    client = OutboundClient(policy, resolve=names)

    answer = await client.call("POST", f"http://pinned.example:{receiver.port}/x", b"{}")

    assert answer.status == 404
    assert names.asked == [f"pinned.example:{receiver.port}"]
    assert receiver.requests[0].headers["host"] == f"pinned.example:{receiver.port}"


async def test_over_tls_the_certificate_and_the_sni_are_those_of_the_name(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "pinned.example")
    seen: list[str | None] = []
    server = made.server()
    server.sni_callback = lambda _socket, name, _context: seen.append(name)
    async with WeComReceiver(now, tls=server) as receiver:
        places = [f"{name}.example:{receiver.port}" for name in ("pinned", "other")]
        client = OutboundClient(OutboundPolicy.parse(places), Names(["127.0.0.1"]), made.client())

        answer = await client.call("POST", f"https://pinned.example:{receiver.port}/", b"{}")
        with pytest.raises(NotReached):
            await client.call("POST", f"https://other.example:{receiver.port}/", b"{}")

    assert answer.status == 404
    assert seen == ["pinned.example", "other.example"]
    assert len(receiver.requests) == 1


async def test_a_redirect_to_the_metadata_address_is_an_answer_and_not_followed(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    receiver.fail_next(
        Answer(302, headers={"location": "http://169.254.169.254/latest/meta-data/"})
    )

    answer = await client.post(receiver.url, b"{}", {})

    assert answer.status == 302
    assert len(receiver.requests) == 1


async def test_proxies_of_the_environment_are_not_used(
    receiver: WeComReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens at this proxy; one that listened would see every robot's key.
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = a_client(receiver.place)

    await client.post(receiver.url, b"{}", {})

    assert receiver.requests[0].target.startswith("/cgi-bin/")


async def test_a_long_answer_is_read_to_the_limit_and_no_further(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    receiver.fail_next(Answer(200, body=b"x" * 5_000_000))

    answer = await client.post(receiver.url, b"{}", {})

    assert len(answer.body) == MAX_ANSWER_BYTES
    assert answer.is_cut


async def test_a_compressed_answer_is_not_blown_up(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    receiver.fail_next(
        Answer(200, body=b"\x1f\x8bnot really", headers={"content-encoding": "gzip"})
    )

    answer = await client.post(receiver.url, b"{}", {})

    assert answer.body == b"\x1f\x8bnot really"
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


async def test_nobody_listening_means_that_nothing_was_sent(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    url = receiver.url
    await receiver.stop()

    with pytest.raises(NotReached):
        await client.post(url, b"{}", {})


async def test_a_name_that_is_not_known_means_that_nothing_was_sent() -> None:
    with pytest.raises(NotReached) as raised:
        await OutboundClient(resolve=no_names).call("GET", "https://nowhere.example/")

    assert raised.value.params == {"place": "nowhere.example:443", "why": "name_not_found"}


async def test_the_second_address_of_a_name_is_tried_when_the_first_is_dead(
    receiver: WeComReceiver,
) -> None:
    policy = OutboundPolicy.parse([f"two.example:{receiver.port}"])
    client = OutboundClient(policy, resolve=Names(["127.0.0.99", "127.0.0.1"]))

    answer = await client.call("POST", f"http://two.example:{receiver.port}/", b"{}")

    assert answer.status == 404


async def test_silence_after_the_request_is_doubt(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    receiver.fail_next(Drop())

    with pytest.raises(NoAnswer):
        await client.post(receiver.url, b"{}", {})


async def test_no_answer_in_time_is_doubt(receiver: WeComReceiver, client: OutboundClient) -> None:
    receiver.fail_next(Hold())

    with pytest.raises(NoAnswer) as raised:
        await client.post(receiver.url, b"{}", {}, timeout_s=0.4)

    assert raised.value.params["why"] == "timeout"


async def test_a_status_whose_body_never_comes_is_still_an_answer(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    receiver.fail_next(Stall())

    answer = await client.post(receiver.url, b"{}", {}, timeout_s=0.4)

    assert answer.status == 200
    assert answer.is_cut


async def test_a_server_that_speaks_plain_http_on_a_tls_port_was_sent_nothing(
    receiver: WeComReceiver, client: OutboundClient
) -> None:
    with pytest.raises(NotReached):
        await client.post(receiver.url.replace("http://", "https://"), b"{}", {})

    assert receiver.requests == []


async def test_neither_errors_nor_logs_hold_the_key_of_a_robot(
    receiver: WeComReceiver, client: OutboundClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # Whoever logs to standard error in this process before has made it quiet.
    caplog.set_level(logging.DEBUG, logger="httpcore")
    receiver.fail_next(Drop())

    with pytest.raises(NoAnswer) as raised:
        await client.post(receiver.url, "工资".encode(), {})

    key = receiver.url.rpartition("=")[2]
    assert caplog.text
    assert key not in caplog.text
    assert "工资" not in caplog.text
    assert key not in f"{raised.value} {raised.value.params} {raised.value.sentence('zh-CN')}"


def test_the_trusted_certificates_check_names() -> None:
    assert trusted_certificates().verify_mode is ssl.CERT_REQUIRED
    assert trusted_certificates().check_hostname
