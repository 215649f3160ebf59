"""Run the clock alone: serve | migrate | check."""

import sys

from services.clock.main import build
from services.clock.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("clock", Settings, build))
