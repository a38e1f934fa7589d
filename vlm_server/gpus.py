"""Which GPUs are here, or would be: by nvidia-smi, or by name."""

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vlm_server.refusal import Refusal
from vlm_server.toml_files import read_toml

_FIELDS = "index,name,memory.total,memory.used,compute_cap,uuid"
_SMI_SECONDS = 30  # a cold driver takes some
# Some drivers print "CUDA Version", newer ones "CUDA UMD Version".
_CUDA_VERSION = re.compile(r"CUDA[A-Z ]* Version: *([0-9][0-9.]*)")
_WORDS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        capability: compute capability, as 8.9.
        used_gib: what other programs hold now.
        cuda: the newest CUDA that its driver runs, where that is known.
    """

    name: str
    total_gib: float
    capability: float
    used_gib: float = 0.0
    cuda: float | None = None
    index: int = 0
    uuid: str | None = None


def read_gpus() -> list[Gpu]:
    """What nvidia-smi lists.

    Raises:
        Refusal: there is no nvidia-smi, or it finds no GPU.
    """
    table = _nvidia_smi(f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits")
    match = _CUDA_VERSION.search(_nvidia_smi())
    cuda = float(match[1]) if match else None
    gpus = [_read_line(line, cuda) for line in table.splitlines() if line.strip()]
    if not gpus:
        raise Refusal("nvidia-smi lists no GPU. Name one with --gpu, or use --engine embedded.")
    return gpus


def named_gpu(name: str, memory_gib: float | None) -> Gpu:
    """A GPU that need not be here.

    Raises:
        Refusal: it is not in gpus.toml and its memory was not told.
    """
    known = _find(name)
    if known is None and memory_gib is None:
        raise Refusal(f"Nothing is known of the GPU `{name}`: say how much memory it has with --memory-gb.")
    if known is None:
        return Gpu(name=name, total_gib=memory_gib or 0.0, capability=8.0)
    return Gpu(name=name, total_gib=memory_gib or known.gib, capability=known.capability)


def model_of(name: str) -> str | None:
    """The short name, as A100, of a GPU as nvidia-smi or a person calls it."""
    known = _find(name)
    return known.name.split()[0] if known else None


def _nvidia_smi(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  an argument list, no shell
            ["nvidia-smi", *arguments],  # noqa: S607  wherever the driver has put it
            capture_output=True,
            text=True,
            timeout=_SMI_SECONDS,
            check=True,
        )
    except FileNotFoundError:
        raise Refusal(
            "There is no nvidia-smi here. Name a GPU with --gpu, or use --engine embedded."
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()
        raise Refusal(f"nvidia-smi failed: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise Refusal(f"nvidia-smi did not answer within {_SMI_SECONDS} s.") from error
    return done.stdout


def _read_line(line: str, cuda: float | None) -> Gpu:
    parts = [part.strip() for part in line.split(",")]
    try:
        index, name, total, used, capability, uuid = parts
        known = _find(name)
        if not re.fullmatch(r"[0-9.]+", capability):  # drivers before 510 do not know the field
            capability = str(known.capability) if known else "8.0"
        return Gpu(
            name=name,
            total_gib=int(total) / 1024,
            used_gib=int(used) / 1024,
            capability=float(capability),
            cuda=cuda,
            index=int(index),
            uuid=uuid,
        )
    except ValueError as error:
        raise Refusal(f"nvidia-smi says what cannot be read: `{line}`.") from error


@dataclass(frozen=True, slots=True)
class _KnownGpu:
    name: str
    gib: float
    capability: float


def _find(name: str) -> _KnownGpu | None:
    """The entry whose words are all in the name; of several, the one with the most words."""
    words = _words(name)
    fitting = [gpu for gpu in _known() if _words(gpu.name) <= words]
    return max(fitting, key=lambda gpu: len(_words(gpu.name)), default=None)


def _words(name: str) -> set[str]:
    # `RTX4090`, `rtx-4090`, `NVIDIA A100-SXM4-80GB`
    return set(_WORDS.findall(re.sub(r"(?<=rtx)(?=\d)", " ", name.lower())))


@functools.cache
def _known() -> list[_KnownGpu]:
    return [_KnownGpu(**gpu) for gpu in read_toml(Path(__file__).parent / "gpus.toml")["gpus"]]
