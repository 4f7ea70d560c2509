"""What every scenario starts from, and what it must leave behind: books that balance."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import scripted_dataplane
from lab.errors import LabError
from lab.pair import Pair, Wish
from lab.pipes import SPIPED, makers_in
from lab.programs import program
from lab.stale import remove_stale
from pipe_bench import Bench
from scripted_control import Control


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also what takes long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What spiped alone does says that a scenario is right, and nothing of us: only with --full."""
    if config.getoption("--full"):
        return
    control = [item for item in items if is_control(getattr(item, "callspec", None))]
    config.hook.pytest_deselected(items=control)
    items[:] = [item for item in items if item not in control]


def is_control(call: object) -> bool:
    return call is not None and set(makers_in(call.params.values())) == {SPIPED}


def pytest_sessionstart() -> None:
    remove_stale()
    # Ignored by us, as below nohup, it would be ignored by every program that we start.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit("hung up"))


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--full")


class _Shared:
    """One pair for all scenarios that leave it as they found it; renewed when one did not."""

    def __init__(self) -> None:
        self._pair: Pair | None = None

    def get(self) -> Pair:
        if self._pair is None:
            # No rekey by the clock comes between what a scenario counts.
            pair = Pair(Wish(link={"rekey_after": "3000s"}))
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


# --- pipes, as commands ------------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.end()


# --- penstockd with scripted data planes ------------------------------------------------------


@pytest.fixture
def controls(tmp_path: Path) -> Iterator[tuple[Control, Control]]:
    """Alpha and beta with one key, data planes running and joined, penstockd not started."""
    key_file = tmp_path / "link.key"
    subprocess.run([program("penstock"), "genkey", str(key_file)], check=True)
    pair = Control("alpha", tmp_path, key_file), Control("beta", tmp_path, key_file)
    for control in pair:
        control.dataplane.start()
    scripted_dataplane.join(pair[0].dataplane, pair[1].dataplane)
    try:
        yield pair
    finally:
        for control in pair:
            if control.process is not None:
                control.stop(signal.SIGKILL)
            with contextlib.suppress(OSError):
                control.dataplane.die()


@pytest.fixture
def up(controls: tuple[Control, Control]) -> tuple[Control, Control]:
    alpha, beta = controls
    alpha.start()
    beta.start()
    scripted_dataplane.confirm_common_session(alpha.dataplane, beta.dataplane)
    alpha.wait_link("up")
    beta.wait_link("up")
    return controls
