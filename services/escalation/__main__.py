"""python -m services.escalation serve | migrate | check."""

import sys

from services.escalation.main import build
from services.escalation.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("escalation", Settings, build))
