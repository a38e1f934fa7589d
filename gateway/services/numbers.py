"""A number of each process, and its sum over all of them: a number is the length of a lock in the shared file.

Each process has a lane of the file, and locks as many bytes from its start as its number says. The kernel tells a
process of the others' locks, and drops those of one that dies. See `slots.py`.
"""

from gateway.services.slots import SlotFile

# Far more than any number here, and than workers are.
LANE_BYTES = 1 << 40
MOST_LANES = 1024
# One byte for each lane, before them all: who has it has the lane.
_RANGE = LANE_BYTES * (MOST_LANES + 1)


class SharedNumber:
    """This process's number, and all others'. `kind` numbers what is counted, from 0, the same in all processes."""

    def __init__(self, file: SlotFile, *, kind: int) -> None:
        """RuntimeError when there is no lane left."""
        # Kind 0 begins where the places of doors cannot reach.
        claims = _RANGE * (kind + 1)
        lane = next((lane for lane in range(MOST_LANES) if file.try_lock(claims + lane)), None)
        if lane is None:
            raise RuntimeError(f"more than {MOST_LANES} processes share the file of admission")
        self._file = file
        self._all = claims + LANE_BYTES
        self._start = self._all + lane * LANE_BYTES
        self.mine = 0

    def set(self, number: int) -> None:
        """Tell the others, with one call of the system."""
        if number > self.mine:
            # Nobody else locks in this lane, so it cannot fail.
            self._file.try_lock(self._start + self.mine, number - self.mine)
        elif number < self.mine:
            self._file.unlock(self._start + number, self.mine - number)
        self.mine = number

    def sum(self) -> int:
        """Of all processes, this one included: two calls of the system for each other one that has any."""
        return self.mine + self._sum_elsewhere(self._all, self._all + LANE_BYTES * MOST_LANES)

    def _sum_elsewhere(self, start: int, end: int) -> int:
        # The kernel names any one of the locks, not the first.
        found = self._file.find_elsewhere(start, end - start) if start < end else None
        if found is None:
            return 0
        locked, length = found
        lane = locked - (locked - self._all) % LANE_BYTES
        return length + self._sum_elsewhere(start, lane) + self._sum_elsewhere(lane + LANE_BYTES, end)
