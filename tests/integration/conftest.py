"""What every scenario starts from, and what it must leave behind: books that balance."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.errors import LabError
from lab.pair import Pair, Wish
from lab.stale import remove_stale


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also what takes long")


def pytest_sessionstart() -> None:
    remove_stale()


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--full")


class _Shared:
    """One pair for all scenarios that leave it as they found it; renewed when one did not."""

    def __init__(self) -> None:
        self._pair: Pair | None = None

    def get(self) -> Pair:
        if self._pair is None:
            pair = Pair()
            pair.create()
            self._pair = pair
            pair.start()
        return self._pair

    def discard(self) -> None:
        pair, self._pair = self._pair, None
        if pair is not None:
            pair.remove()


@pytest.fixture(scope="session")
def _shared() -> Iterator[_Shared]:
    shared = _Shared()
    try:
        yield shared
    finally:
        shared.discard()


@pytest.fixture
def pair(request: pytest.FixtureRequest, _shared: _Shared) -> Iterator[Pair]:
    """The usual two sites, up, with a session."""
    try:
        pair = _shared.get()
        request.node.pairs = [pair]
        yield pair
        if getattr(request.node, "has_failed", False):
            _shared.discard()
        else:
            pair.check_books()
    except LabError:
        _shared.discard()
        raise


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Iterator[Callable[..., Pair]]:
    """Makes a pair as wished, not started: `fresh(Wish(ipv6_wire=True)).start()`."""
    request.node.pairs = []
    with contextlib.ExitStack() as pairs:

        def make(wish: Wish = Wish()) -> Pair:
            pair = pairs.enter_context(Pair(wish))
            request.node.pairs.append(pair)
            return pair

        yield make
        if not getattr(request.node, "has_failed", False):
            for pair in request.node.pairs:
                pair.check_books()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure shows the last words of both sites."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.has_failed = True
        for pair in getattr(item, "pairs", []):
            for site in getattr(pair, "sites", ()):
                report.sections.append((f"log of {site.config.name}", site.log_tail()))
