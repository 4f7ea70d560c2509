#!/usr/bin/python3
"""Writes reports.txt, which tests/unit/link reads: reports as the oracle writes them, good ones and
such as every receiver drops.

Format: records of "name hex" lines, a blank line between records. `good` is 00 or 01; the other
numbers are be64.
"""

import dataclasses
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from oracle.reports import Report, read

FILE = HERE / "reports.txt"


def some_report(rng: random.Random) -> Report:
    highest = rng.choice([0, 1, rng.getrandbits(16), rng.getrandbits(40), rng.getrandbits(63)])
    admitted = rng.randint(1, highest) if highest else 0
    echo = rng.choice([0, rng.getrandbits(63) + 1])
    return Report(
        lane=rng.randrange(64), next=highest, admitted=admitted,
        marked=rng.randint(0, admitted), events=rng.randint(0, highest),
        clock=rng.getrandbits(63) + 1, echo=echo, held=rng.getrandbits(34) if echo else 0,
    )  # fmt: skip


def damaged(rng: random.Random, report: Report) -> bytes:
    bad = rng.choice([
        dataclasses.replace(report, admitted=report.next + 1),
        dataclasses.replace(report, marked=report.admitted + 1),
        dataclasses.replace(report, events=report.next + 1),
        dataclasses.replace(report, clock=0),
        dataclasses.replace(report, echo=0, held=1),
        None,
    ])  # fmt: skip
    if bad is not None:
        return bad.encode()
    content = bytearray(report.encode())
    content[rng.choice([0, 1, 4, 5, 6, 7])] ^= 1 << rng.randrange(8)
    return bytes(content)


def record(content: bytes) -> str:
    report = read(content)
    lines = {"content": content.hex(), "good": f"{report is not None:02x}"}
    if report is not None:
        lines |= {name: f"{value:016x}" for name, value in dataclasses.asdict(report).items()}
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def text() -> str:
    rng = random.Random("penstock reports")
    reports = [some_report(rng) for _ in range(24)]
    contents = [report.encode() for report in reports]
    contents += [damaged(rng, report) for report in reports]
    contents += [contents[0][:-1], contents[0] + b"\0", b"\4"]
    return "\n".join(record(content) for content in contents)


if __name__ == "__main__":
    FILE.write_text(text())
