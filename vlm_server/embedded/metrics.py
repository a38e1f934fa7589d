"""Counters in Prometheus' text format, after vLLM's names."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Metrics:
    """Changed on the event loop only, so plain integers do."""

    num_requests_running: int = 0
    num_requests_waiting: int = 0
    requests_total: int = 0
    requests_aborted_total: int = 0
    requests_failed_total: int = 0
    steps_total: int = 0

    def render(self) -> str:
        """The body of `GET /metrics`."""
        blocks = []
        for item in fields(self):
            kind = "counter" if item.name.endswith("_total") else "gauge"
            name = f"embedded:{item.name}"
            blocks.append(
                f"# HELP {name} {_HELP[item.name]}\n# TYPE {name} {kind}\n{name} {getattr(self, item.name)}\n"
            )
        return "".join(blocks)


_HELP = {
    "num_requests_running": "Completions being worked on.",
    "num_requests_waiting": "Completions in line.",
    "requests_total": "Completions asked for, whatever became of them.",
    "requests_aborted_total": "Completions whose client left before the answer.",
    "requests_failed_total": "Completions answered with an error.",
    "steps_total": "Pieces of work started: a decoding, a detection, a line read.",
}
