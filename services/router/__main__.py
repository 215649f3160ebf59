"""Run the router alone: serve | migrate | check."""

import sys

from services.router.main import build
from services.router.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("router", Settings, build))
