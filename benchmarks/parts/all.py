"""Every part, in the order in which they run: parts that need the same services follow one another."""

from benchmarks.parts.beside import measure_beside
from benchmarks.parts.departures import measure_departures
from benchmarks.parts.first_page import measure_first_page
from benchmarks.parts.gateway_cost import (
    measure_gateway_cpu,
    measure_gateway_latency,
    measure_gateway_ratio,
)
from benchmarks.parts.gateway_memory import measure_gateway_memory
from benchmarks.parts.memory import measure_memory
from benchmarks.parts.mixed import measure_mixed
from benchmarks.parts.part import Part
from benchmarks.parts.soak import measure_soak
from benchmarks.parts.sweep import measure_sweep

PARTS = (
    Part("mixed", "own", measure_mixed),
    Part("gateway-ratio", "pipelines", measure_gateway_ratio),
    Part("first-page", "pipelines", measure_first_page),
    Part("beside", "pipelines", measure_beside),
    Part("sweep", "pipelines", measure_sweep),
    # Last of those over the pipelines: the baseline goes on with what its clients have left.
    Part("departures", "pipelines", measure_departures),
    Part("gateway-cpu", "stand-ins", measure_gateway_cpu),
    Part("gateway-latency", "stand-ins", measure_gateway_latency),
    Part("gateway-memory", "stand-ins", measure_gateway_memory),
    Part("memory", "own", measure_memory),
    Part("soak", "own", measure_soak),
)
