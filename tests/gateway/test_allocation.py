"""What the C library does with memory that was given back."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Prints how many pages the kernel had to clear for fifty bodies of 1 MB after ten others.
BODIES = """
import resource, sys
from gateway.allocation import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()

def take(bodies):
    for _ in range(bodies):
        pieces = [bytes(1_000_000) for _ in range(4)]

take(10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
take(50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    command = [sys.executable, "-c", BODIES, how]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)


def test_the_next_body_gets_the_memory_of_the_last_one():
    assert faults("kept") * 10 < faults("returned")
