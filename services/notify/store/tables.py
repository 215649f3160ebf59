"""Notify's tables. Moments are microseconds since 1970 (UTC)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from shared.database.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

notifications = Table(
    "notifications",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("accepted_us", BigInteger, nullable=False),
    # JSON: template and parameters: words are made when a message is sent.
    Column("body", Text, nullable=False),
    # What people call the request: empty where the values do not say, null in rows of before.
    Column("number", String(40), nullable=True),
    Index("ix_notifications_request", "request_id"),
    Index("ix_notifications_number", "number"),
)

deliveries = Table(
    "deliveries",
    metadata,
    # Derived from notification, recipient and channel: the id every attempt carries.
    Column("id", String(36), primary_key=True),
    Column("notification_id", String(36), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("recipient", String(200), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("accepted_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    # JSON: everything else.
    Column("body", Text, nullable=False),
    Index("ix_deliveries_request", "request_id", "state"),
    Index("ix_deliveries_state", "state", "accepted_us"),
    Index("ix_deliveries_recipient", "recipient", "accepted_us"),
    Index("ix_deliveries_accepted", "accepted_us"),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("secret", String(200), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger, nullable=True),
)

buckets = Table(
    "buckets",
    metadata,
    # What shares a provider's limit: a channel and a digest of the robot's address.
    Column("lane", String(60), primary_key=True),
    # JSON: when each token was taken, and until when the provider is closed.
    Column("body", Text, nullable=False),
)

voids = Table(
    "voids",
    metadata,
    Column("escalation_id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    # Messages of this epoch and older ones mean nothing any more.
    Column("epoch", BigInteger, nullable=False),
    Column("reason", String(100), nullable=False),
    Column("taken_by", String(100), nullable=True),
    Index("ix_voids_request", "request_id"),
)

templates = Table(
    "templates",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
)

#: One row: the directory as it was last announced, whole.
directory = Table(
    "directory",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
