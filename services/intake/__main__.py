"""python -m services.intake serve | migrate | check."""

import sys

from services.intake.main import build
from services.intake.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("intake", Settings, build))
