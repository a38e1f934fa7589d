"""Memory for pages' pixels that the processes of one host share, so that nobody copies them from process to process.

A page passes three of them: a render worker makes it, `layout-parsing` cuts it, `layout-detection` looks at it. Through
a pipe and two tensors it would be copied six times, 6 MB each, and lie in Triton's own shared memory, which grows for
it and never shrinks.

The memory is a file without a name (memfd_create(2)), that others of the same user open as `/proc/PID/fd/N`: it is gone
with the last process that has it, whatever they die of.
"""

import math
import mmap
import os
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

_NAME = "hps-page"
_PATH = re.compile(r"/proc/[1-9][0-9]*/fd/[0-9]+")
_CHANNELS = 3

# A4 at 200 dpi. What held a larger page is not kept for another.
_KEPT_BYTES = 6_000_000 * _CHANNELS


# Gives room for a page of a height and a width.
MakeRoom = Callable[[int, int], "Picture"]


def own_room(height: int, width: int) -> "Picture":
    """Memory of this process alone."""
    return np.empty((height, width, _CHANNELS), np.uint8)


class BadReference(ValueError):
    """It does not lead to a page."""


@dataclass(frozen=True, slots=True)
class PageReference:
    """Where a page of this shape lies; worth something as long as its array lives."""

    path: str
    height: int
    width: int


class _Slot:
    """One file and our view of it."""

    def __init__(self, size: int) -> None:
        self.size = size
        handle = os.memfd_create(_NAME, os.MFD_CLOEXEC)
        os.ftruncate(handle, size)
        self._handle = handle
        self.view = mmap.mmap(handle, size)
        self.address = int(np.frombuffer(self.view, np.uint8, 1).ctypes.data)
        self.path = f"/proc/{os.getpid()}/fd/{handle}"

    def close(self) -> None:
        os.close(self._handle)
        self.view.close()


class Lease:
    """Room for one page; it is free for another when this and every array on it are gone."""

    def __init__(self, slot: _Slot, returned: "deque[_Slot]") -> None:
        self._slot = slot
        self._returned = returned
        self.path = slot.path
        self.size = slot.size

    def array(self, height: int, width: int) -> "Picture":
        """The page in it, height x width x 3."""
        return np.asarray(_Pixels(self, height, width))

    @property
    def address(self) -> int:
        """Of its first byte, in this process."""
        return self._slot.address

    def __del__(self) -> None:
        # Whenever the collector runs, on any thread: so nothing that takes a lock.
        self._returned.append(self._slot)


class _Pixels:
    """What NumPy takes for the owner of a page's memory. Every view of a view has it for its base."""

    def __init__(self, lease: Lease, height: int, width: int) -> None:
        if min(height, width) < 1 or height * width * _CHANNELS > lease.size:
            raise BadReference(f"{height} x {width} pixels in {lease.size} bytes")
        self._lease = lease
        self.reference = PageReference(lease.path, height, width)
        self.__array_interface__: dict[str, Any] = {
            "version": 3, "typestr": "|u1", "shape": (height, width, _CHANNELS), "data": (lease.address, False),
        }  # fmt: skip


class PageMemory:
    """The pages of one process; as many files as pages were there at a time, used again and again."""

    def __init__(self) -> None:
        self._free: list[_Slot] = []
        self._returned: deque[_Slot] = deque()
        self._lock = threading.Lock()

    def lease(self, height: int, width: int) -> Lease:
        """Room for a page of at most this size."""
        size = height * width * _CHANNELS
        with self._lock:
            self._take_back()
            fitting = [slot for slot in self._free if slot.size >= size]
            slot = min(fitting, key=lambda each: each.size) if fitting else None
            # Instead of one that is too small: so there are never more than pages.
            unfit = self._free[-1] if self._free and slot is None else None
            for each in (slot, unfit):
                if each is not None:
                    self._free.remove(each)
        if unfit is not None:
            unfit.close()
        return Lease(slot or _Slot(size), self._returned)

    def close(self) -> None:
        """Free what no page lies in."""
        with self._lock:
            self._take_back()
            while self._free:
                self._free.pop().close()

    def _take_back(self) -> None:
        while self._returned:
            slot = self._returned.popleft()
            if slot.size > _KEPT_BYTES:
                slot.close()
            else:
                self._free.append(slot)


def reference_of(page: "Picture") -> PageReference | None:
    """Where this page lies for other processes; None when it is memory of our own, or a part of a page."""
    pixels: object = page.base
    if not isinstance(pixels, _Pixels) or page.shape != pixels.__array_interface__["shape"]:
        return None
    begins = page.ctypes.data == pixels.__array_interface__["data"][0]
    return pixels.reference if begins and page.flags.c_contiguous else None


def open_page(reference: PageReference) -> "Picture":
    """A page of another process, to look at.

    Raises:
        BadReference: nothing, or something else, lies there.
    """
    return _map(reference, mmap.PROT_READ)


def open_room(reference: PageReference) -> "Picture":
    """Memory of another process, to put a page in.

    Raises:
        BadReference: it is none, or too small for the page.
    """
    return _map(reference, mmap.PROT_READ | mmap.PROT_WRITE)


def _map(reference: PageReference, access: int) -> "Picture":
    path, shape = reference.path, (reference.height, reference.width, _CHANNELS)
    size = math.prod(shape)
    if not _PATH.fullmatch(path):
        raise BadReference(f"{path!r} is no memory of a page")
    try:
        if not str(Path(path).readlink()).startswith(f"/memfd:{_NAME}"):
            raise BadReference(f"{path!r} is no memory of a page")
        with Path(path).open("r+b") as file:
            # Who touches a mapping beyond the end of its file is ended.
            if min(shape) < 1 or size > os.fstat(file.fileno()).st_size:
                raise BadReference(f"{path!r} is smaller than its page")
            # Populated: one call, not a fault for each 4 KB.
            view = mmap.mmap(file.fileno(), size, mmap.MAP_SHARED | mmap.MAP_POPULATE, access)
    except OSError as error:
        raise BadReference(f"{path!r} cannot be opened: {error.strerror}") from error
    return np.frombuffer(view, np.uint8).reshape(shape)
