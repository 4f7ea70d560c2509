"""How a long job tells its story: one line a step, ticked with the figure measured."""

import os
import sys
import time


class Console:
    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._started = time.monotonic()

    def title(self, text: str) -> None:
        print(f"\n{self._paint('1', text)}\n", flush=True)

    def say(self, text: str = "") -> None:
        print(f"  {text}".rstrip(), flush=True)

    def step(self, what: str) -> "Step":
        return Step(self, what)

    def table(self, rows: list[tuple[str, ...]]) -> None:
        """Columns as wide as they need; the first to the left, figures to the right."""
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells = [
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths))
            ]
            self.say("  " + "   ".join(cells))

    def begin(self, what: str) -> None:
        if self._is_terminal:
            print(f"  ... {what}", end="\r", flush=True)

    def end(self, ok: bool, what: str, figure: str) -> None:
        if self._is_terminal:
            mark = self._paint("32", " \u2713 ") if ok else self._paint("31", " \u2717 ")
        else:
            mark = "ok " if ok else "NO "
        line = f"  {mark} {what:<44} {figure}".rstrip()
        print(("\x1b[2K" if self._is_terminal else "") + line, flush=True)

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._is_terminal else text


class Step:
    """`with console.step("ping") as step: ...; step.figure = "0 % loss"`."""

    def __init__(self, console: Console, what: str):
        self._console = console
        self._what = what
        self.figure = ""

    def __enter__(self) -> "Step":
        self._console.begin(self._what)
        return self

    def __exit__(self, failure, *_) -> None:
        self._console.end(failure is None, self._what, self.figure)
