"""A service from outside: how it is built, started, watched and stopped, alone or with others."""

from shared.service.alone import (
    STOPPING,
    collect_rarely,
    loop_factory,
    run_alone,
    serve_app,
    surroundings,
)
from shared.service.built import DRAIN_S, Service, Surroundings
from shared.service.settings import DatabaseUrl, KeepTooShort, Least, ServiceSettings, version

__all__ = [
    "DRAIN_S",
    "STOPPING",
    "DatabaseUrl",
    "KeepTooShort",
    "Least",
    "Service",
    "ServiceSettings",
    "Surroundings",
    "collect_rarely",
    "loop_factory",
    "run_alone",
    "serve_app",
    "surroundings",
    "version",
]
