"""Who is next: every line that documents wait in on their way, served by one discipline."""

from docparse.scheduling.limiter import FairLimiter, Hold
from docparse.scheduling.threads import FairThreads
from docparse.scheduling.turns import Owner, Turn, TurnOrder
from docparse.scheduling.window import BegunPage, PageWindow

__all__ = ["BegunPage", "FairLimiter", "FairThreads", "Hold", "Owner", "PageWindow", "Turn", "TurnOrder"]
