"""Regions that bring servers down, and those that only were there."""

import asyncio
from base64 import b64encode

import pytest
from aiohttp import web

from docparse.errors import RegionFailure, VlmUnavailable
from docparse.quarantine import Quarantine, digest_of
from docparse.repetition import TEXT_RULES
from tests.docparse.vlm import client_for
from tests.fakes.vlm import Completion, FakeVlm, HangUp, Said, refusal, running_vlm

DEADLY = b"data:image/jpeg;base64,DEAD"
QUIET = {"circuit_seconds": 0.01}


def picture(number: int) -> bytes:
    return b"data:image/jpeg;base64," + b64encode(b"%03d" % number)


def is_deadly(completion: Completion) -> bool:
    return completion.image == b"\x0c@\x03"


class Mortal:
    """A VLM server that dies when it is asked about the deadly region, with all its calls, and comes back at once."""

    def __init__(self) -> None:
        self.deaths = 0
        self.waiting = asyncio.Event()
        self.dying = asyncio.Event()
        self.asked: list[bytes] = []
        self.suspects_at_once = 0

    async def __call__(self, completion: Completion) -> str:
        self.asked.append(completion.image)
        if is_deadly(completion):
            self.deaths += 1
            self.dying.set()
            self.dying = asyncio.Event()
            raise HangUp
        if self.deaths:
            return "text"
        await self.dying.wait()  # in flight when it dies
        raise HangUp


class DownForAWhile:
    """As vLLM whose engine dies: 500 to every call, those in flight too, and 503 to so many health probes."""

    def __init__(self, vlm: FakeVlm, probes: int, calls_at_once: int) -> None:
        self._vlm = vlm
        self._probes = probes
        self._calls_at_once = calls_at_once
        self._dying = asyncio.Event()
        self._restarts: list[asyncio.Task[None]] = []
        vlm.reply = self._reply

    @property
    def deaths(self) -> int:
        return len(self._restarts)

    async def _reply(self, completion: Completion) -> str | web.Response:
        if not self._vlm.healthy:
            return refusal(500)
        if is_deadly(completion):
            if not self.deaths:
                await self._vlm.wait_for_completions(self._calls_at_once)
            self._vlm.healthy = False
            self._dying.set()
            self._dying = asyncio.Event()
            self._restarts.append(asyncio.create_task(self._restart()))
            return refusal(500)
        if self.deaths:
            return "text"
        await self._dying.wait()
        return refusal(500)

    async def _restart(self) -> None:
        await self._vlm.wait_for_health_checks(self._vlm.health_checks + self._probes)
        self._vlm.healthy = True


@pytest.mark.parametrize("innocents", [1, 3, 20, 100])
@pytest.mark.parametrize("probes", [1, 2, 3])
async def test_nobody_who_only_was_there_is_quarantined_however_long_the_server_is_down(innocents, probes):
    async with running_vlm() as vlm, client_for(vlm) as client:
        server = DownForAWhile(vlm, probes, calls_at_once=innocents + 1)
        calls = [asyncio.create_task(client.complete(picture(each), "OCR:", {})) for each in range(innocents)]
        with pytest.raises(RegionFailure, match="went down each time"):
            await client.complete(DEADLY, "OCR:", {})
        assert {(await call).text for call in calls} == {"text"}
        assert server.deaths == 2


async def test_a_region_that_kills_is_sent_twice_and_its_neighbours_are_read():
    mortal = Mortal()
    async with running_vlm(mortal) as vlm, client_for(vlm, retries=3, **QUIET) as client:
        neighbours = [asyncio.create_task(client.complete(picture(each), "OCR:", {})) for each in range(8)]
        await vlm.wait_for_completions(8)
        with pytest.raises(RegionFailure, match="went down each time"):
            await client.complete(DEADLY, "OCR:", {})
        assert [(await each).text for each in neighbours] == ["text"] * 8
        assert mortal.deaths == 2
        # The client's client asks once more.
        with pytest.raises(RegionFailure, match="went down each time"):
            await client.complete(DEADLY, "OCR:", {})
        assert (await client.complete(picture(3), "OCR:", {})).retries == 0
    assert mortal.deaths == 2


async def test_a_region_kills_no_more_than_two_of_many_servers():
    mortals = [Mortal() for _ in range(4)]
    async with (
        running_vlm(mortals[0]) as a, running_vlm(mortals[1]) as b,
        running_vlm(mortals[2]) as c, running_vlm(mortals[3]) as d,
        client_for(a, b, c, d, retries=5, **QUIET) as client,
    ):  # fmt: skip
        with pytest.raises(RegionFailure):
            await client.complete(DEADLY, "OCR:", {})
    assert sum(mortal.deaths for mortal in mortals) == 2


async def test_suspects_are_sent_one_at_a_time_and_others_beside_them():
    """After a death all that were in flight are suspects; those that come later are not."""
    at_once, most_at_once = 0, 0
    gates = [asyncio.Event() for _ in range(2)]

    async def reply(completion: Completion) -> str:
        nonlocal at_once, most_at_once
        if len(vlm.completions) <= 5:
            await gates[0].wait()
            raise HangUp
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        await gates[1].wait()
        at_once -= 1
        return "text"

    async with running_vlm(reply) as vlm, client_for(vlm, retries=3, circuit_failures=99) as client:
        suspects = [asyncio.create_task(client.complete(picture(each), "OCR:", {})) for each in range(5)]
        await vlm.wait_for_completions(5)
        gates[0].set()
        await vlm.wait_for_completions(6)
        others = [asyncio.create_task(client.complete(picture(each), "OCR:", {})) for each in range(10, 13)]
        await vlm.wait_for_completions(9)
        assert most_at_once == 4  # one suspect, three others
        gates[1].set()
        assert {(await each).text for each in (*suspects, *others)} == {"text"}


async def test_a_server_that_answers_500_and_is_gone_has_died_too():
    """As vLLM does when its engine dies: every call in flight gets a 500, and its health probe fails."""

    async def die(completion: Completion):
        vlm.healthy = False
        restarts.append(asyncio.create_task(restart(vlm.health_checks + 1)))
        return refusal(500)

    async def restart(after_checks: int) -> None:
        await vlm.wait_for_health_checks(after_checks)
        vlm.healthy = True

    restarts: list[asyncio.Task[None]] = []
    async with running_vlm(die) as vlm, client_for(vlm, retries=9, **QUIET) as client:
        with pytest.raises(RegionFailure, match="went down each time"):
            await client.complete(DEADLY, "OCR:", {})
    assert len(vlm.completions) == 2


async def test_a_call_that_was_being_answered_when_the_server_died_is_no_suspect():
    async with running_vlm(Said(["half of ", HangUp])) as vlm, client_for(vlm, retries=2, **QUIET) as client:
        with pytest.raises(RegionFailure, match="failed 3 times"):
            await client.complete(DEADLY, "OCR:", {}, TEXT_RULES.stream)
    assert len(vlm.completions) == 3


@pytest.mark.parametrize("fault", [500, b"no json", 429])
async def test_faults_of_a_server_that_lives_make_no_suspects(fault):
    async with (
        running_vlm(fault, fault, fault, "hello") as vlm,
        client_for(vlm, retries=3, **QUIET) as client,
    ):
        assert (await client.complete(DEADLY, "OCR:", {})).text == "hello"


async def test_a_server_that_nobody_reaches_makes_no_suspects():
    vlm = FakeVlm()
    await vlm.start()
    await vlm.stop()
    async with client_for(vlm, retries=1, patience_seconds=0.1, **QUIET) as client:
        for _ in range(3):
            with pytest.raises(VlmUnavailable):
                await client.complete(DEADLY, "OCR:", {})
        await vlm.start()
        assert (await client.complete(DEADLY, "OCR:", {})).retries == 0
    await vlm.stop()


def test_one_death_is_one_strike_however_often_the_same_picture_was_in_flight():
    quarantine = Quarantine(strikes=2, seconds=60)
    for _ in range(9):
        quarantine.strike(b"letterhead", was_suspect=False)
    assert quarantine.suspects(b"letterhead")
    assert not quarantine.holds(b"letterhead")
    quarantine.strike(b"letterhead", was_suspect=True)
    assert quarantine.holds(b"letterhead")


def test_what_is_known_is_forgotten_after_its_time_or_when_the_region_is_answered():
    now = 0.0
    quarantine = Quarantine(strikes=2, seconds=60, clock=lambda: now)
    for was_suspect in (False, True):
        quarantine.strike(b"a", was_suspect=was_suspect)
    quarantine.strike(b"b", was_suspect=False)
    now = 59
    assert quarantine.holds(b"a")
    quarantine.clear(b"b")
    assert not quarantine.suspects(b"b")
    now = 60
    assert not quarantine.suspects(b"a")
    assert not quarantine


def test_no_more_than_a_bounded_number_of_regions_is_remembered():
    quarantine = Quarantine(strikes=2, seconds=60)
    for number in range(20_000):
        quarantine.strike(number.to_bytes(4, "big"), was_suspect=False)
    assert quarantine.suspects((19_999).to_bytes(4, "big"))
    assert not quarantine.suspects((1).to_bytes(4, "big"))


def test_a_region_is_known_by_its_picture_and_its_prompt():
    assert digest_of(b"picture", "OCR:") == digest_of(b"picture", "OCR:")
    assert digest_of(b"picture", "OCR:") != digest_of(b"picture", "Table Recognition:")
    assert digest_of(b"picture", "OCR:") != digest_of(b"other", "OCR:")
