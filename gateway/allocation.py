"""Memory that is given back is kept for the next request, up to a bound.

By default glibc returns a freed megabyte to the kernel at once. Each body then comes as hundreds of fresh pages, which
the kernel clears one fault at a time: a fifth of what a request of 1 MB costs.
"""

import ctypes

# From <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# Pieces up to this size come from memory that is kept. The pieces of a body are smaller, and so are most bodies.
KEPT_PIECE_BYTES = 4 * 1024 * 1024
# What a worker keeps at most at the end of its heap: a body, its text, its document and its message a few times over.
KEPT_BYTES = 32 * 1024 * 1024


def keep_freed_memory() -> None:
    """Tell the C library; one that has no such knob goes on as it was."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, KEPT_PIECE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
