"""Run insight alone: serve | migrate | check."""

import sys

from services.insight.main import build
from services.insight.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("insight", Settings, build))
