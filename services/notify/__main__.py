"""python -m services.notify serve | migrate | check."""

import sys

from services.notify.main import build
from services.notify.settings import Settings
from shared.service import run_alone

if __name__ == "__main__":
    sys.exit(run_alone("notify", Settings, build))
