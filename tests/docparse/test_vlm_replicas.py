"""Which server is called and which is left alone, by a clock that the test moves."""

import pytest

from docparse.vlm_replicas import CallInFlight, Circuit, Replicas


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(failures=3, seconds=2.0, clock=clock)


def open_it(circuit: Circuit) -> None:
    circuit.begin()
    circuit.fail(is_gone=True)


def test_faults_in_a_row_open_the_circuit_and_an_answer_between_them_does_not(circuit):
    for _ in range(5):
        for _ in range(2):
            circuit.begin()
            circuit.fail()
        circuit.begin()
        circuit.succeed()
    assert circuit.lets_through()
    for _ in range(3):
        assert circuit.lets_through()
        circuit.begin()
        circuit.fail()
    assert not circuit.lets_through()
    assert not circuit.is_closed


def test_one_call_that_finds_nobody_listening_opens_it(circuit):
    open_it(circuit)
    assert not circuit.lets_through()


def test_after_a_while_one_call_goes_through_and_an_answer_to_it_closes_the_circuit(circuit, clock):
    open_it(circuit)
    clock.now += 1.5
    assert not circuit.lets_through()
    clock.now += 1
    assert circuit.lets_through()
    assert circuit.begin()  # it decides
    assert not circuit.lets_through()
    assert circuit.is_being_tried
    circuit.succeed()
    assert circuit.is_closed
    assert not circuit.begin()


def test_each_time_that_the_call_fails_the_circuit_stays_open_for_twice_as_long_up_to_half_a_minute(
    circuit, clock
):
    open_it(circuit)
    periods = []
    for _ in range(8):
        began = clock.now
        while not circuit.lets_through():
            clock.now += 0.1
        periods.append(clock.now - began)
        open_it(circuit)
    for period, expected in zip(periods, [2, 4, 8, 16, 30, 30, 30, 30], strict=True):
        assert 0.8 * expected <= period <= 1.2 * expected + 0.11
    clock.now += 60
    circuit.begin()
    circuit.succeed()
    open_it(circuit)
    clock.now += 2.5
    assert circuit.lets_through()  # and then it begins anew


def test_a_call_that_is_given_up_lets_the_next_one_decide(circuit, clock):
    open_it(circuit)
    clock.now += 3
    circuit.begin()
    circuit.give_up()
    assert circuit.lets_through()
    assert not circuit.is_closed


def test_a_server_that_seems_well_again_is_tried_at_once_by_one_call(circuit):
    open_it(circuit)
    circuit.try_soon()
    assert circuit.lets_through()
    assert circuit.begin()
    circuit.try_soon()
    assert not circuit.lets_through()
    circuit.succeed()
    circuit.try_soon()
    assert circuit.is_closed


def test_calls_that_began_before_it_opened_do_not_keep_it_open_longer(circuit, clock):
    for _ in range(10):
        circuit.begin()
    for _ in range(10):
        circuit.fail(is_gone=True)
    clock.now += 2.5
    assert circuit.lets_through()


def replicas_for(clock: Clock, count: int = 3) -> Replicas:
    return Replicas([f"http://{number}" for number in range(count)], failures=3, seconds=2.0, clock=clock)


def test_a_call_goes_to_the_server_with_the_fewest_and_rather_to_one_that_has_not_failed_it(clock):
    replicas = replicas_for(clock)
    first, second, third = replicas
    first.calls.add(CallInFlight(None))
    second.calls.update((CallInFlight(None), CallInFlight(None)))
    assert replicas.pick(set()) is third
    assert replicas.pick({third}) is first
    assert replicas.pick({first, second, third}) is third


def test_a_server_that_has_just_failed_is_called_less_but_not_for_ever(clock):
    replicas = replicas_for(clock, 2)
    first, second = replicas
    first.circuit.begin()
    first.circuit.fail()
    second.calls.update(CallInFlight(None) for _ in range(9))
    assert replicas.pick(set()) is second
    clock.now += 2.5
    assert replicas.pick(set()) is first


def test_a_server_that_said_it_is_busy_is_asked_only_when_all_are(clock):
    replicas = replicas_for(clock, 2)
    first, second = replicas
    second.calls.add(CallInFlight(None))
    first.busy_until = clock.now + 5
    assert replicas.pick(set()) is second
    second.busy_until = clock.now + 5
    assert replicas.pick(set()) is first
    clock.now += 6
    assert replicas.pick(set()) is first


def test_a_server_whose_circuit_is_open_is_not_called_and_its_going_and_coming_is_told(clock):
    replicas = replicas_for(clock, 2)
    first, second = replicas
    told: list[int] = []
    replicas.on_change = told.append
    open_it(first.circuit)
    replicas.note()
    replicas.note()
    assert replicas.pick(set()) is second
    open_it(second.circuit)
    replicas.note()
    assert replicas.pick(set()) is None
    assert 1.6 <= replicas.seconds_until_one_is_tried() <= 2.4
    clock.now += 3
    assert replicas.seconds_until_one_is_tried() == 0
    first.circuit.begin()
    first.circuit.succeed()
    replicas.note()
    assert told == [1, 0, 1]
