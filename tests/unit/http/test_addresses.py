"""Which addresses are public, as a table, and what an operator may open."""

from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.http.addresses import OutboundPolicy, is_public

NEVER_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "223.5.5.5"]
PUBLIC_V6 = ["2400:3200::1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]


@pytest.mark.parametrize("address", NEVER_PUBLIC)
def test_an_address_that_leads_inside_or_nowhere_is_refused(address: str) -> None:
    policy = OutboundPolicy()

    assert not is_public(ip_address(address))
    assert policy.objection("h.example", ip_address(address), 443) == "address_not_public"


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_V6)
def test_a_public_address_may_be_called_on_80_and_443_only(address: str) -> None:
    policy = OutboundPolicy()

    assert policy.objection("h.example", ip_address(address), 443) is None
    assert policy.objection("h.example", ip_address(address), 80) is None
    assert policy.objection("h.example", ip_address(address), 8443) == "port_not_allowed"
    assert policy.objection("h.example", ip_address(address), 22) == "port_not_allowed"


@given(address=st.ip_addresses())
def test_nothing_python_calls_private_is_ever_public(address: object) -> None:
    found = ip_address(str(address))

    if found.is_private or found.is_loopback or found.is_link_local or found.is_multicast:
        assert not is_public(found)


@given(inside=st.integers(0, 2**32 - 1))
def test_an_ipv4_address_hidden_in_an_ipv6_one_is_never_public(inside: int) -> None:
    for prefix, shift in (("::ffff:0:0", 0), ("64:ff9b::", 0), ("::", 0), ("2002::", 80)):
        assert not is_public(IPv6Address(int(IPv6Address(prefix)) + (inside << shift)))


def test_a_listed_network_opens_all_its_ports() -> None:
    policy = OutboundPolicy.parse(["10.1.0.0/16"])

    assert policy.objection("h.example", ip_address("10.1.2.3"), 8443) is None
    assert policy.objection("h.example", ip_address("10.2.2.3"), 8443) == "address_not_public"


def test_a_listed_network_with_a_port_opens_that_port_only() -> None:
    policy = OutboundPolicy.parse(["fd00:1::/32:8443"])

    assert policy.objection("h.example", ip_address("fd00:1::7"), 8443) is None
    assert policy.objection("h.example", ip_address("fd00:1::7"), 443) == "address_not_public"


def test_a_listed_name_opens_its_port_for_itself_only() -> None:
    policy = OutboundPolicy.parse(["Gateway.Corp.example.:8443", "例子.公司:8443"])

    assert policy.objection("gateway.corp.example", ip_address("10.0.0.9"), 8443) is None
    assert policy.objection("xn--fsqu00a.xn--55qx5d", ip_address("10.0.0.9"), 8443) is None
    assert policy.objection("gateway.corp.example", ip_address("10.0.0.9"), 443) is not None
    assert policy.objection("other.corp.example", ip_address("10.0.0.9"), 8443) is not None


def test_a_listed_address_opens_however_it_is_written() -> None:
    policy = OutboundPolicy.parse(["127.0.0.1:8080", "[FD00:0:0::7]:8443"])

    assert policy.objection("127.0.0.1", ip_address("127.0.0.1"), 8080) is None
    assert policy.objection("fd00::7", ip_address("fd00::7"), 8443) is None
    assert policy.objection("localhost", ip_address("127.0.0.1"), 8080) is None


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"]
)
def test_a_listed_name_does_not_open_the_keys_of_a_cloud(address: str) -> None:
    by_name = OutboundPolicy.parse(["gateway.corp.example:80"])
    by_network = OutboundPolicy.parse([str(ip_network(address))])

    assert by_name.objection("gateway.corp.example", ip_address(address), 80) is not None
    assert by_network.objection("gateway.corp.example", ip_address(address), 80) is None


def test_every_wrong_entry_of_the_list_is_named() -> None:
    entries = [
        "10.0.0.0/8",
        "10.0.0.0/99",
        "host",
        "host:0",
        "host:99999",
        "10.0.0.1/8",
        "http://h:1/",
    ]

    with pytest.raises(Invalid) as raised:
        OutboundPolicy.parse(entries)

    assert [finding.path for finding in raised.value.findings] == [f"[{i}]" for i in range(1, 7)]
