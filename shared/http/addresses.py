"""Which network addresses this house may call for somebody: public ones, and what operators list.

A user may type any URL into a webhook field. What must never be reached that way are the machine
itself, the network around it and the metadata services of clouds. The rules are pure; the
client asks them at the moment it connects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING

from shared.errors import Finding, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

#: Ports anybody may be called on; others only where an operator lists them.
PUBLIC_PORTS = frozenset({80, 443})

# The standard library reports these as global (measured with Python 3.11.7), yet they lead inside:
# 168.63.129.16 is Azure's host agent, 192.88.99.0/24 the retired 6to4 relay; the others are
# special in the IANA registry, and older patch releases of Python do not know all of them.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
)
# IPv6 that is in use at all lies in 2000::/3, which leaves out IPv4-mapped (::ffff:0:0/96),
# NAT64 (64:ff9b::/96), unique local, link-local and multicast addresses in one stroke.
_IN_USE_V6 = IPv6Network("2000::/3")
# Inside it: protocol assignments with Teredo (2001::/23), documentation, 6to4, documentation.
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
# Where clouds keep the keys of a machine (AWS, Azure, Alibaba, and link-local for the rest). A
# *name* on the allow-list does not open these, since whoever runs that name's DNS could point it
# there; only a network entry that holds them does.
_METADATA: tuple[IpNetwork, ...] = (
    IPv4Network("169.254.0.0/16"),
    IPv4Network("100.100.100.200/32"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::254/128"),
)

_ENTRY = re.compile(r"(?P<network>[0-9A-Fa-f.:]+/\d{1,3})(?::(?P<port>\d{1,5}))?")
_HOST_ENTRY = re.compile(r"(?P<host>\[[0-9A-Fa-f.:]+\]|[^\s/:\[\]@%]+):(?P<port>\d{1,5})")


def is_public(address: IpAddress) -> bool:
    """Return whether `address` belongs to the open internet and to nothing special in it."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not _in_any(address, _NOT_PUBLIC_V4)
    return address in _IN_USE_V6 and not _in_any(address, _NOT_PUBLIC_V6)


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry of the operator's allow-list: a name with a port, or a network.

    Written `gateway.corp.example:8443`, `[fd00::7]:8443`, `10.1.0.0/16` (all ports) or
    `10.1.0.0/16:8443`. Names are compared in their ASCII (IDNA) form.
    """

    host: str | None
    network: IpNetwork | None
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> Allowance:
        """Read one entry; raise ValueError with the reason when it is not one."""
        if found := _ENTRY.fullmatch(entry.strip()):
            return cls(None, ip_network(found["network"]), _port(found["port"]))
        if found := _HOST_ENTRY.fullmatch(entry.strip()):
            return cls(plain_host(found["host"].strip("[]")), None, _port(found["port"]))
        raise ValueError("neither host:port nor a network such as 10.1.0.0/16 or 10.1.0.0/16:8443")

    def opens(self, host: str, address: IpAddress, port: int) -> bool:
        """Return whether this entry lets `address`, reached as `host`, be called on `port`."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        is_the_address = self.host == str(address)
        return is_the_address or (self.host == host and not _in_any(address, _METADATA))


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """What may be called: the public internet on ports 80 and 443, and what is listed.

    Only an operator sets the list (a setting of the service), never an administrator of a
    domain, and never by way of an API.
    """

    allowances: tuple[Allowance, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> OutboundPolicy:
        """Read an allow-list; raise Invalid naming every entry that is wrong."""
        allowances: list[Allowance] = []
        findings: list[Finding] = []
        for index, entry in enumerate(entries):
            try:
                allowances.append(Allowance.parse(entry))
            except ValueError as error:
                findings.append(_finding(index, entry, str(error)))
        if findings:
            raise Invalid(findings)
        return cls(tuple(allowances))

    def objection(self, host: str, address: IpAddress, port: int) -> str | None:
        """Return the code of what speaks against this call, or None.

        `host` is the ASCII name from the URL; codes: `address_not_public`, `port_not_allowed`.
        """
        host = plain_host(host)
        if any(allowance.opens(host, address, port) for allowance in self.allowances):
            return None
        if not is_public(address):
            return "address_not_public"
        return None if port in PUBLIC_PORTS else "port_not_allowed"


def literal(host: str) -> IpAddress | None:
    """Return the address when `host` is one in its usual form, None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def plain_host(host: str) -> str:
    """Return `host` in the form in which names are compared: ASCII, lower case, no last dot."""
    host = host.lower().rstrip(".")
    found = literal(host)
    if found is not None:
        return str(found)
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _in_any(address: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    return any(address in network for network in networks)


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(f"{port} is not a port")
    return port


def _finding(index: int, entry: str, reason: str) -> Finding:
    return Finding(
        path=f"[{index}]",
        rule="outbound-allowance",
        message={
            "zh-CN": f"外呼白名单条目 {entry!r} 无法识别（{reason}）。",
            "en": f"{entry!r} is not an entry of the outbound allow-list ({reason}).",
        },
        fix={
            "zh-CN": "请写成 主机:端口，或网段（可带 :端口）。",
            "en": "Write host:port, or a network, with :port if only one port is meant.",
        },
    )
