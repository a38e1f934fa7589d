"""The simulated device: its limit is what the formula says, and it batches as vLLM does."""

import asyncio
import dataclasses
import random
import time
from contextlib import asynccontextmanager

import pytest

from benchmarks.simulators.vlm.costs import VlmCosts
from benchmarks.simulators.vlm.engine import Engine, Sequence
from tests.benchmarks.asking import until


@asynccontextmanager
async def running(costs: VlmCosts):
    engine = Engine(costs)
    loop = asyncio.create_task(engine.run())
    yield engine
    loop.cancel()


def between(before, after):
    return {name: after[name] - before[name] for name in after}


async def saturated(engine: Engine, seconds: float) -> dict[str, float]:
    """What was counted while a third more requests than places were there all the time."""
    chance = random.Random(1)

    async def client() -> None:
        while True:
            sequence = engine.add(chance.randint(100, 400), chance.randint(20, 200))
            await sequence.progress(sequence.tokens)

    clients = [asyncio.create_task(client()) for _ in range(engine.costs.sequences * 4 // 3)]
    await until(lambda: engine.running == engine.costs.sequences)
    before = engine.snapshot()
    await asyncio.sleep(seconds)
    after = engine.snapshot()
    for each in clients:
        each.cancel()
    return between(before, after)


async def test_a_saturating_load_reaches_the_limit_of_the_device(costs):
    async with running(costs) as engine:
        counted = await saturated(engine, 1.5)
    assert 0.99 <= counted["work_seconds"] / counted["at_seconds"] <= 1.01
    assert counted["sequence_seconds"] / counted["at_seconds"] >= 0.99 * costs.sequences


async def test_tokens_per_second_of_a_full_batch_are_those_of_the_formula(costs):
    without_pictures = dataclasses.replace(costs, visual_token_seconds=0.0)
    async with running(without_pictures) as engine:
        counted = await saturated(engine, 1.0)
    assert counted["tokens"] / counted["at_seconds"] == pytest.approx(
        without_pictures.tokens_per_second, rel=0.02
    )


async def test_a_lone_request_keeps_the_device_busy_but_not_full(costs):
    async with running(costs) as engine:
        sequence = engine.add(144, 500)
        await sequence.progress(sequence.tokens)
        counted = engine.snapshot()
    expected = 500 * (costs.step_seconds + costs.sequence_seconds) + 144 * costs.visual_token_seconds
    assert counted["busy_seconds"] == pytest.approx(expected)
    assert counted["work_seconds"] == pytest.approx(costs.work_seconds(144, 500))
    assert counted["work_seconds"] < 0.2 * counted["busy_seconds"]


async def test_a_step_grows_gently_with_the_batch(costs):
    assert costs.step_seconds < costs.full_step_seconds < 2 * costs.step_seconds


async def test_requests_beyond_the_places_wait_in_order_of_arrival(costs):
    done = []

    async def follow(number: int, sequence: Sequence) -> None:
        await sequence.progress(sequence.tokens)
        done.append(number)

    async with running(dataclasses.replace(costs, sequences=2)) as engine:
        sequences = [engine.add(100, 10) for _ in range(8)]
        await until(lambda: engine.running == 2)
        assert engine.waiting == 6
        await asyncio.gather(*(follow(*each) for each in enumerate(sequences)))
    assert done == sorted(done)


async def test_large_pictures_are_taken_in_over_several_steps(costs):
    async with running(dataclasses.replace(costs, prefill_tokens=1000)) as engine:
        for _ in range(4):
            engine.add(900, 1000)
        await until(lambda: engine.running == 4)
        assert engine.counters.steps >= 3  # one was taken in with each


async def test_an_aborted_request_makes_no_more_tokens_and_frees_its_place(costs):
    async with running(dataclasses.replace(costs, sequences=1)) as engine:
        left, waiting = engine.add(100, 10_000), engine.add(100, 5)
        await until(lambda: left.made > 3)
        engine.abort(left)
        made = left.made
        await waiting.progress(waiting.tokens)
        assert left.made == made
        assert engine.counters.wasted_tokens == made
        assert engine.counters.aborted == 1
        assert engine.running == engine.waiting == 0


async def test_a_request_that_waits_can_be_aborted(costs):
    async with running(dataclasses.replace(costs, sequences=1)) as engine:
        engine.add(100, 10_000)
        waiting = engine.add(100, 5)
        await until(lambda: engine.running == 1)
        engine.abort(waiting)
        assert engine.waiting == 0
        assert engine.counters.wasted_tokens == 0


async def test_a_finished_request_is_not_aborted(costs):
    async with running(costs) as engine:
        sequence = engine.add(100, 5)
        await sequence.progress(sequence.tokens)
        engine.abort(sequence)
        assert engine.counters.finished == 1
        assert engine.counters.aborted == engine.counters.wasted_tokens == 0


async def test_a_late_host_is_noted_and_does_not_slow_the_device(costs):
    async with running(costs) as engine:
        sequence = engine.add(100, 400)
        await until(lambda: sequence.made > 2)
        before = engine.snapshot()
        # Nothing else runs on this loop meanwhile, as on a host that is busy.
        asyncio.get_running_loop().call_soon(time.sleep, 0.1)
        await sequence.progress(sequence.tokens)
        counted = between(before, engine.snapshot())
    assert counted["late_seconds"] > 0
    assert engine.counters.latest_seconds >= 0.05
    assert counted["busy_seconds"] / counted["at_seconds"] > 0.95
