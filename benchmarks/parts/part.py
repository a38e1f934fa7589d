"""What a part is given and what it gives back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.promises import Measured
from benchmarks.stack.services import Services

# What must run for a part; `own`: it starts what it needs itself.
Needs = Literal["pipelines", "stand-ins", "own"]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured; the smaller of the two is for trying things out."""

    repeats: int = 2
    seconds: float = 1.0  # factor on every span
    soak_requests: int = 1500
    long_pages: int = 1000


@dataclass(frozen=True, slots=True)
class Workbench:
    """Where a part works.

    Attributes:
        folder: of its own, for logs.
        services: what it needs, running; None when it starts its own.
        effort: how much to measure.
        say: shows a line of progress.
    """

    folder: Path
    services: Services | None
    effort: Effort
    say: Callable[[str], None]

    @property
    def running(self) -> Services:
        """The services."""
        if self.services is None:
            raise RuntimeError("this part was given no services")
        return self.services


@dataclass(slots=True)
class PartResult:
    """Figures for the table, and series for the plots."""

    measured: list[Measured] = field(default_factory=list)
    series: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part by its name."""

    name: str
    needs: Needs
    run: Callable[[Workbench], Awaitable[PartResult]]
