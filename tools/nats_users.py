"""What each service may do on NATS, written from what the code hears and says.

`python -m tools.nats_users export` writes infra/nats/users.conf, and for the Helm chart which
durables tell how far a service lags; `check` says what is stale.
A service's user may publish its own subjects, declare its own streams, use its own durables on
the streams it hears and ask how far those have got, nothing else; answers reach it in an inbox
nobody else may listen to.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shared.bus.port import STREAMS, publisher_of
from shared.consuming.runtime import consumers_of

if TYPE_CHECKING:
    from shared.bus.port import ConsumerSpec

ROOT = Path(__file__).resolve().parents[1]
USERS = Path("infra/nats/users.conf")
CONSUMERS = Path("infra/k8s/levee/files/consumers.yaml")
SERVICES = ("intake", "router", "clock", "escalation", "notify", "insight")
#: What somebody may do who looks after the house: backup, audit, a stream that must be repaired.
_OPERATOR = {"publish": ["$JS.API.>", "$JS.ACK.>", "levee.>"], "subscribe": ["_INBOX.>", "levee.>"]}
_HEAD = """# Written by `make events` from what the services hear and say. Do not edit.
# Each user's password stands in a file of its own, secrets/<user>.conf: password: "..."
# infra/secrets.sh makes them.
accounts {
  LEVEE {
    jetstream: enabled
    users: [
"""
_TAIL = """    ]
  }
  SYS {
    users: [ { user: system, include "secrets/system.conf" } ]
  }
}
system_account: SYS
"""


def permissions(service: str) -> dict[str, list[str]]:
    """Return the subjects a service may publish to and subscribe to."""
    publish = []
    for stream in (s for s in STREAMS if publisher_of(s.name) == service):
        publish += [*stream.subjects]
        publish += [f"$JS.API.STREAM.{verb}.{stream.name}" for verb in ("CREATE", "UPDATE", "INFO")]
    for consumer in _consumers(service):
        place = f"{consumer.stream}.{consumer.durable}"
        publish += [f"$JS.API.CONSUMER.{verb}.{place}" for verb in ("CREATE", "INFO", "MSG.NEXT")]
        publish.append(f"$JS.ACK.{place}.>")
        # How far the stream has got, for the audit: numbers, no message.
        publish.append(f"$JS.API.STREAM.INFO.{consumer.stream}")
    return {"publish": publish, "subscribe": [f"_INBOX.{service}.>"]}


def _consumers(service: str) -> tuple[ConsumerSpec, ...]:
    module = importlib.import_module(f"services.{service}.events_in")
    return consumers_of(service, module.SUBSCRIPTIONS)


def files() -> dict[Path, str]:
    """Return every file that is written, with what must stand in it."""
    return {USERS: users_conf(), CONSUMERS: consumers_yaml()}


def consumers_yaml() -> str:
    """Return the durables of each service, for autoscaling on lag."""
    lines = ["# Written by `make events` from what the services hear. Do not edit."]
    for service in SERVICES:
        lines.append(f"{service}:")
        lines += [f"  - {{stream: {c.stream}, durable: {c.durable}}}" for c in _consumers(service)]
    return "\n".join(lines) + "\n"


def users_conf() -> str:
    """Return the file that nats-server includes."""
    users = {service: permissions(service) for service in SERVICES} | {"operator": _OPERATOR}
    return _HEAD + "".join(_user(name, may) for name, may in users.items()) + _TAIL


def _user(name: str, may: dict[str, list[str]]) -> str:
    lines = [f'      {{ user: {name}, include "secrets/{name}.conf", permissions: {{']
    for act, subjects in may.items():
        listed = "".join(f"\n          {json.dumps(subject)}" for subject in subjects)
        lines.append(f"        {act}: {{ allow: [{listed}\n        ] }}")
    return "\n".join(lines) + "\n      } }\n"


def main(argv: list[str]) -> int:
    """Export or check."""
    if argv == ["export"]:
        for path, text in files().items():
            (ROOT / path).write_text(text, encoding="utf-8")
        return 0
    if argv == ["check"]:
        stale = [path for path, text in files().items() if not _reads(path, text)]
        sys.stdout.write("".join(f"{path} is stale: run make events\n" for path in stale))
        return 1 if stale else 0
    sys.stderr.write("usage: python -m tools.nats_users export|check\n")
    return 2


def _reads(path: Path, text: str) -> bool:
    return (ROOT / path).exists() and (ROOT / path).read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
