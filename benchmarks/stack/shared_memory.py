"""Shared memory that a Triton which was ended in the middle of its work leaves behind."""

import re
from collections.abc import Iterable
from pathlib import Path

_REGION = re.compile(r"/dev/shm/triton_python_backend_shm_region_[\w-]+")


def regions_of(pids: Iterable[int]) -> set[Path]:
    """The regions that these processes have mapped."""
    regions: set[Path] = set()
    for pid in pids:
        try:
            regions.update(map(Path, _REGION.findall(Path(f"/proc/{pid}/maps").read_text())))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return regions


def remove(regions: Iterable[Path]) -> None:
    """Free them; their processes must be gone."""
    for region in regions:
        region.unlink(missing_ok=True)
