"""One real stack for all of these tests; each is handed it whole, and must hand it back so."""

from collections.abc import AsyncIterator, Generator, Iterator

import psutil
import pytest

from tests.chaos.leaks import has_settled, take_stock
from tests.chaos.stack import ChaosStack
from tests.chaos.waiting import eventually


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "chaos" in item.path.parts:
            item.add_marker(pytest.mark.stack)


_FAILED = pytest.StashKey[bool]()
_STACK = pytest.StashKey[ChaosStack]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    if report.failed and _STACK in item.session.stash:
        report.sections += item.session.stash[_STACK].said()
    return report


@pytest.fixture(scope="session")
def running_stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[ChaosStack]:
    stack = ChaosStack(tmp_path_factory.mktemp("chaos"))
    request.session.stash[_STACK] = stack
    try:
        yield stack
    finally:
        stack.end()


@pytest.fixture
async def stack(running_stack: ChaosStack, request: pytest.FixtureRequest) -> AsyncIterator[ChaosStack]:
    """The stack, in which nothing is held; after the test nothing may be, and the next requests must be fine."""
    if not running_stack.is_good:
        running_stack.restore()
        await running_stack.prove_good()
        await eventually(lambda: has_settled(running_stack), "what loading took is gone")
    running_stack.is_good = False
    running_stack.replaced, running_stack.remains = set(), {}
    before = take_stock(running_stack)
    yield running_stack
    if request.node.stash.get(_FAILED, True):
        return  # in the middle of something, and the next test begins anew
    await running_stack.prove_good()

    def differences() -> list[str]:
        try:
            now = take_stock(running_stack)
            return before.differences(now, running_stack.replaced, running_stack.remains)
        except psutil.NoSuchProcess as error:
            return [str(error)]

    await eventually(lambda: not differences(), differences)
    running_stack.is_good = True
