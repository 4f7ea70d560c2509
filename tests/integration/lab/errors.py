"""What goes wrong in the laboratory, and waiting for what should go right."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class LabError(Exception):
    """One sentence: what failed, and what was seen instead."""


def wait_until(probe: Callable[[], T], what: str, seconds: float = 60.0, every: float = 0.05) -> T:
    """The first true value of `probe`; after `seconds`, a LabError that says `what` never came."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds:.0f} s for {what}; last seen: {value!r}")
        time.sleep(every)
