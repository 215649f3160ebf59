"""An example of each event type, made from its schema when the type is born."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.events.base import Envelope
from shared.id_source import derived

if TYPE_CHECKING:
    from shared.events.base import EventData

_REQUEST = UUID("01978c3e-8a00-7000-8000-000000000001")
#: Keys of the things that `latest` events are about.
_SUBJECTS = {"directory.changed.v1": "directory", "definition.released.v1": "process/standard-path"}
_AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


def example(event: type[EventData], sender: str) -> bytes:
    """Return a whole event of this type as `sender` says it, every field filled."""
    schema = event.model_json_schema()
    data = event.model_validate(_value(schema, schema, "data"))
    return Envelope(
        id=derived(_REQUEST, event.type),
        source=sender,
        time=_AT,
        subject=_SUBJECTS.get(event.type, str(_REQUEST)),
        occurred_at=_AT,
        sequence=1,
        correlation_id=_SUBJECTS.get(event.type, str(_REQUEST)),
        causation_id=derived(_REQUEST, 0),
        data=data,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ).to_bytes()


#: What a reader should see instead of the field's name.
_BY_NAME: dict[str, Any] = {
    "number": "R-2026-000123",
    "external_id": "PORTAL-4711",
    "source": "portal",
    "request_type": "it-access",
    "domain": "it",
    "channel": "portal",
    "language": "zh-CN",
    "email": "wang.fang@example.com",
    "title": "开通财务系统权限",
    "team": "it-desk",
    "from_team": "triage",
    "to_team": "it-desk",
    "calendar": "office-cn",
    "process": "standard-path",
    "key": "standard-path",
    "content_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
_BY_FORMAT: dict[str, Any] = {
    "uuid": str(derived(_REQUEST, "example")),
    "date-time": "2026-11-20T01:30:00Z",
    "date": "2026-12-31",
}


def _value(schema: dict[str, Any], root: dict[str, Any], name: str) -> Any:
    if "$ref" in schema:
        return _value(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root, name)
    if "anyOf" in schema:
        return _value(schema["anyOf"][0], root, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, root, name)
    if kind == "array":
        return [_value(schema["items"], root, name)]
    return _plain(kind, schema, name)


def _object(schema: dict[str, Any], root: dict[str, Any], name: str) -> dict[str, Any]:
    if "properties" in schema:
        return {key: _value(value, root, key) for key, value in schema["properties"].items()}
    inner = schema.get("additionalProperties")
    entry = _value(inner, root, "text") if isinstance(inner, dict) and inner else "text"
    # Names are labels in both languages; other maps have keys of their own.
    return {"zh-CN": "名称", "en": "Name"} if name == "name" else {"key": entry}


def _plain(kind: object, schema: dict[str, Any], name: str) -> Any:
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), _BY_NAME.get(name, name))
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if kind == "number":
        return 900.0
    if kind == "boolean":
        return False
    return "text"
