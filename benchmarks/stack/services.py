"""The services under measurement: the product as `make serve` starts it, and the baseline on the same Triton."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.simulators.settings import LayoutSimulation
from benchmarks.stack.processes import processes_by_role, running_server
from benchmarks.stack.repository import lay_out_pipelines, lay_out_stand_ins
from benchmarks.stack.shared_memory import regions_of, remove
from benchmarks.stack.vlm import SimulatedVlm, running_vlm
from deploy.local.process import running_stack
from deploy.local.settings import free_ports

# The VLM is there for the benchmark alone, so the one setting that depends on it is set, as an operator would:
# a quarter more calls than the device has places, so that a place that becomes free is taken at once.
VLM_CALLS_PER_PLACE = 1.25


@dataclass(frozen=True, slots=True)
class Services:
    """What is running.

    Attributes:
        product, reference: base URLs of the two gateways; the latter None where no baseline was asked for.
        triton_grpc: Triton's address, for asking it without a gateway.
        vlm: the simulated device; None behind stand-ins, which need none.
        root: process that started the product's stack.
        reference_pid: the baseline's gateway.
    """

    product: str
    reference: str | None
    triton_grpc: str
    vlm: SimulatedVlm | None
    root: int
    reference_pid: int | None

    def roles(self) -> dict[str, list[psutil.Process]]:
        """Processes of both services by what they do."""
        roles = processes_by_role(self.root)
        if self.reference_pid is not None:
            roles["reference gateway"] = [psutil.Process(self.reference_pid)]
        return roles

    def gateway_pids(self, name: str) -> list[int]:
        """Processes of one gateway, `product` or `reference`."""
        role = "gateway" if name == "product" else "reference gateway"
        return [process.pid for process in self.roles()[role]]


@contextmanager
def running_pipelines(
    folder: Path,
    *,
    baseline: bool,
    faster: float = 1.0,
    places: int | None = None,
    seed: int = 0,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Services]:
    """Both pipelines over simulated devices.

    Args:
        folder: for logs and the model repository; must not exist.
        baseline: whether the baseline runs too.
        faster: divides every time of the devices, where only the host is of interest.
        places: sequences of the simulated VLM, where they are not `VlmCosts`' own.
        seed: of the devices' answers.
        settings: further environment of the product.
    """
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        vlm = stack.enter_context(running_vlm(folder / "vlm.log", seed=seed, faster=faster, places=places))
        calls = int(vlm.snapshot()["costs"]["sequences"] * VLM_CALLS_PER_PLACE)
        environment = {
            "HPS_VLM_URLS": vlm.url,
            "HPS_VLM_MAX_CONCURRENCY": str(calls),
            "HPS_LOG_LEVEL": "WARNING",
            **LayoutSimulation(seed, faster).environment(),
            **(settings or {}),
        }
        overlay = lay_out_pipelines(folder / "models", baseline=baseline)
        yield _start(stack, folder, overlay, environment, vlm, baseline=baseline)


@contextmanager
def running_stand_ins(folder: Path) -> Iterator[Services]:
    """Both gateways over models that answer at once."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        vlm = stack.enter_context(running_vlm(folder / "vlm.log"))  # asked for its health only
        environment = {"HPS_VLM_URLS": vlm.url, "HPS_LOG_LEVEL": "WARNING"}
        overlay = lay_out_stand_ins(folder / "models")
        yield _start(stack, folder, overlay, environment, vlm, baseline=True)


def _start(
    stack: ExitStack,
    folder: Path,
    overlay: Path,
    environment: dict[str, str],
    vlm: SimulatedVlm,
    *,
    baseline: bool,
) -> Services:
    variables = {**environment, "HPS_TRITON_OVERLAY": str(overlay)}
    left_behind: set[Path] = set()
    stack.callback(lambda: remove(left_behind))
    product = stack.enter_context(running_stack(folder / "stack.log", variables))
    stack.callback(lambda: left_behind.update(regions_of(_all_pids(product.process.pid))))
    triton = f"127.0.0.1:{product.environment['HPS_TRITON_GRPC_PORT']}"
    reference_url, reference_pid = None, None
    if baseline:
        (port,) = free_ports(1)
        reference_url = f"http://127.0.0.1:{port}"
        process = stack.enter_context(
            running_server(
                "benchmarks.reference.gateway",
                ["--port", str(port)],
                f"{reference_url}/health/ready",
                folder / "reference.log",
                {**os.environ, "HPS_TRITON_URL": triton},
            )
        )
        reference_pid = process.pid
    return Services(product.url, reference_url, triton, vlm, product.process.pid, reference_pid)


def _all_pids(root: int) -> list[int]:
    return [process.pid for processes in processes_by_role(root).values() for process in processes]
