#!/usr/bin/python3
"""scripts/bench pipe: penstock pipe at both ends against spiped at both ends.

    load --- end -e === loopback === end -d --- sink or echo

Everything over TCP on this machine, the same load for both, in turns, round by round; a figure is
the median of the rounds, a ratio that of the ratios within rounds. Beside them stand two relays
that only copy ("relay"), and the load without anything between ("direct"): what is lost there is
not the pipes'. Rows:

    bulk       Gbit/s, into a sink that throws it away, through 1 and 100 connections
    roundtrip  microseconds (p50) for one byte to an echo and back
    connect    connections a second, with forward secrecy, each until its first byte is back;
               one after the other, 8 and 32 at the same time (beyond 10 at once spiped's own
               queue is full, and who finds it so tries again a second later)
    idle       bytes of memory (PSS) an end has for a connection that rests

`cpu` has user and system seconds of each process: for a GB, a round trip or a connection.
A whole run takes about three minutes.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.errors import LabError, wait_until
from lab.pipes import PENSTOCK, SPIPED, End, Lane, Maker, is_listening, tcp_address
from lab.programs import program

COURSES = ("penstock", "spiped", "relay", "direct")
LOAD = "tests/integration/pipe_load/penstock-pipe-load"
TICKS = os.sysconf("SC_CLK_TCK")
# Opening connections takes spiped the longer the more it has (it polls), so that 10,000 of them
# are spread over ten pairs of daemons.
SPIPED_HOLDS = 1000


def port_of(address: str) -> str:
    return address.rsplit(":", 1)[1]


@dataclass(frozen=True)
class Cpu:
    """Seconds."""

    user: float
    system: float

    def minus(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user - other.user, self.system - other.system)

    def a(self, amount: float, scale: float) -> dict:
        """Of one of so many, in a unit that is `scale` seconds."""
        return {
            "user": round(self.user / amount / scale, 4),
            "system": round(self.system / amount / scale, 4),
        }


def cpu_of(pid: int) -> Cpu:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return Cpu(int(fields[11]) / TICKS, int(fields[12]) / TICKS)


def cpu_of_children() -> Cpu:
    """Of those that have ended: the load's."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cpu(used.ru_utime, used.ru_stime)


def pss(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) * 1024


def run_load(*words: object) -> dict:
    done = subprocess.run(
        [program(LOAD), *map(str, words)], stdout=subprocess.PIPE, text=True, timeout=120
    )
    if done.returncode != 0:
        raise LabError(f"pipe-load {' '.join(map(str, words))} failed")
    return json.loads(done.stdout)


class Server:
    """A pipe-load that runs until it is killed."""

    def __init__(self, *words: str):
        self.source = tcp_address()
        command = [program(LOAD), words[0], port_of(self.source), *words[1:]]
        self.process = subprocess.Popen(command)
        wait_until(lambda: is_listening(self.source), f"pipe-load {words[0]}", every=0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Course:
    """A way for the load: where it enters, and who takes part, by what they are."""

    name: str
    port: str
    pids: dict[str, int]

    def cpu(self) -> dict[str, Cpu]:
        return {who: cpu_of(pid) for who, pid in self.pids.items()} | {"load": cpu_of_children()}


class Stage:
    """Sink and echo, and every course to either."""

    def __init__(self, stack: contextlib.ExitStack):
        self._stack = stack
        self.lane = stack.enter_context(Lane())
        self.targets = {kind: self._server(kind) for kind in ("sink", "echo")}
        self.courses = {kind: self._courses(kind) for kind in self.targets}

    def _server(self, *words: str) -> Server:
        server = Server(*words)
        self._stack.callback(server.kill)
        return server

    def _courses(self, kind: str) -> list[Course]:
        target = self.targets[kind]
        last = {kind: target.process.pid}
        courses = []
        for maker in (SPIPED, PENSTOCK):
            e, d = self.ends(maker, target.source)
            courses.append(Course(maker.name, port_of(e.source), last | pids(e, d)))
        d = self._server("relay", port_of(target.source))
        e = self._server("relay", port_of(d.source))
        courses.append(Course("relay", port_of(e.source), last | pids(e, d)))
        return [*courses, Course("direct", port_of(target.source), last)]

    def ends(self, maker: Maker, target: str, *options: str) -> tuple[End, End]:
        decrypting = self.lane.end(maker, "-d", target, "-n", "0", "-o", "60", *options)
        return self.lane.end(
            maker, "-e", decrypting.source, "-n", "0", "-o", "60", *options
        ), decrypting


def pids(encrypting: End | Server, decrypting: End | Server) -> dict[str, int]:
    return {"encrypting": encrypting.process.pid, "decrypting": decrypting.process.pid}


# --- rows --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What is done to a course, what of its answer counts, and how much work it was."""

    name: str
    connections: int
    kind: str  # of target
    unit: str
    words: tuple[str, ...]  # of pipe-load, behind its port
    cpu_unit: str
    cpu_scale: float  # seconds

    def figure(self, answer: dict) -> float:
        if self.name == "bulk":
            return answer["bytes"] * 8e-9 / answer["seconds"]
        return answer["p50_us"] if self.name == "roundtrip" else answer["count"] / answer["seconds"]

    def amount(self, answer: dict) -> float:
        return answer["bytes"] / 1e9 if self.name == "bulk" else answer["count"]


def loads(seconds: float) -> list[Load]:
    span = str(seconds)
    bulk = ("bulk", "sink", "Gbit/s", "s a GB", 1.0)
    connect = ("connect", "echo", "connections a second", "ms a connection", 1e-3)

    def load(about: tuple, connections: int, *words: str) -> Load:
        name, kind, unit, cpu_unit, scale = about
        return Load(name, connections, kind, unit, words, cpu_unit, scale)

    return [
        load(bulk, 1, "push", "1", span),
        load(bulk, 100, "push", "100", span),
        load(("roundtrip", "echo", "us", "us a round trip", 1e-6), 1, "ask", span),
        *[load(connect, many, "reconnect", str(many), span) for many in (1, 8, 32)],
    ]


@dataclass(frozen=True)
class Turn:
    figure: float
    answer: dict
    cpu: dict  # by process


def measure(course: Course, load: Load) -> Turn:
    before = course.cpu()
    answer = run_load(load.words[0], course.port, *load.words[1:])
    used = {who: cpu.minus(before[who]) for who, cpu in course.cpu().items()}
    amount = load.amount(answer)
    return Turn(
        load.figure(answer),
        answer,
        {who: cpu.a(amount, load.cpu_scale) for who, cpu in used.items()},
    )


def median_turn(turns: list[Turn]) -> Turn:
    return sorted(turns, key=lambda turn: turn.figure)[len(turns) // 2]


def row_of(load: Load, stage: Stage, rounds: int) -> dict:
    courses = stage.courses[load.kind]
    turns: dict[str, list[Turn]] = {course.name: [] for course in courses}
    for _ in range(rounds):
        for course in courses:
            turns[course.name].append(measure(course, load))
    middle = {name: median_turn(each) for name, each in turns.items()}
    ratios = [p.figure / s.figure for p, s in zip(turns["penstock"], turns["spiped"])]
    row = {
        "name": load.name,
        "connections": load.connections,
        "unit": load.unit,
        **{name: round(middle[name].figure, 3) for name in ("penstock", "spiped")},
        "ratio_to_spiped": round(statistics.median(ratios), 3),
        **{name: round(middle[name].figure, 3) for name in ("relay", "direct")},
        "cpu_unit": load.cpu_unit,
        "cpu": {name: turn.cpu for name, turn in middle.items()},
    }
    if load.name == "roundtrip":
        for name in middle:
            p99 = statistics.median(turn.answer["p99_us"] for turn in turns[name])
            row[f"{name}_p99"] = round(p99, 3)
    return row


# --- idle connections --------------------------------------------------------------------------


def most_held(maker: Maker) -> int:
    """Connections of one daemon: two descriptors each."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return SPIPED_HOLDS if maker is SPIPED else (files - 50) // 2


def shares(connections: int, most: int) -> list[int]:
    whole, rest = divmod(connections, most)
    return [most] * whole + ([rest] if rest else [])


def hold(stack: contextlib.ExitStack, end: End, connections: int) -> None:
    """Opens them; they are closed at the end of the stack."""
    holder = subprocess.Popen(
        [program(LOAD), "hold", port_of(end.source), str(connections)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    stack.callback(lambda: (holder.kill(), holder.communicate()))
    if not holder.stdout.readline():
        raise LabError(f"{end.maker.name} did not take {connections} connections: {end.said()}")


def bytes_an_idle_connection(stage: Stage, maker: Maker, connections: int) -> tuple[float, int]:
    """Of one end; and how many pairs of ends held them."""
    with contextlib.ExitStack() as stack:
        grown, parts = 0, shares(connections, most_held(maker))
        for part in parts:
            # Without the Diffie-Hellman, of which nothing stays.
            ends = stage.ends(maker, stage.targets["echo"].source, "-f")
            stack.callback(lambda ends=ends: [end.kill() for end in ends])
            hold_and_let_go(ends[0])
            before = sum(pss(end.process.pid) for end in ends)
            hold(stack, ends[0], part)
            grown += sum(pss(end.process.pid) for end in ends) - before
        return grown / connections / 2, len(parts)


def hold_and_let_go(end: End) -> None:
    """What the first connection ever takes stays out of it."""
    with contextlib.ExitStack() as stack:
        hold(stack, end, 1)
    end.check_idle()


def idle_row(stage: Stage, connections: int) -> dict:
    held = {
        maker: bytes_an_idle_connection(stage, maker, connections) for maker in (SPIPED, PENSTOCK)
    }
    return {
        "name": "idle",
        "connections": connections,
        "unit": "bytes a connection and end",
        **{maker.name: round(held[maker][0]) for maker in (PENSTOCK, SPIPED)},
        "ratio_to_spiped": round(held[PENSTOCK][0] / held[SPIPED][0], 3),
        "pairs_of_ends": {maker.name: pairs for maker, (_, pairs) in held.items()},
    }


# --- the report --------------------------------------------------------------------------------


def amount(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def show(row: dict) -> None:
    name = f"{row['name']}/{row['connections']}"
    figures = [amount(row.get(each)) for each in COURSES]
    print(f"{name:<14}" + "".join(f"{each:>12}" for each in figures)
          + f"{row['ratio_to_spiped']:>8.2f}  {row['unit']}", flush=True)  # fmt: skip
    for course, processes in row.get("cpu", {}).items():
        used = ", ".join(f"{who} {each['user']:.3f} + {each['system']:.3f}"
                         for who, each in processes.items())  # fmt: skip
        print(f"    {course:<9} {row['cpu_unit']}, user + system: {used}")
    if "penstock_p99" in row:
        print("    p99 " + ", ".join(f"{each} {amount(row[f'{each}_p99'])}"
                                     for each in COURSES))  # fmt: skip


def report(arguments: argparse.Namespace) -> list[dict]:
    rows = []
    with contextlib.ExitStack() as stack:
        stage = Stage(stack)
        print(f"{'':<14}" + "".join(f"{each:>12}" for each in COURSES) + f"{'ratio':>8}")
        for load in loads(arguments.seconds):
            if re.search(arguments.only, f"{load.name}/{load.connections}"):
                rows.append(row_of(load, stage, arguments.rounds))
                show(rows[-1])
        for connections in (1000, 10000):
            if re.search(arguments.only, f"idle/{connections}"):
                rows.append(idle_row(stage, connections))
                show(rows[-1])
    return rows


def main() -> int:
    # fmt: off
    parser = argparse.ArgumentParser(
        prog="scripts/bench pipe", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    # fmt: on
    parser.add_argument("--only", default="", help="a regular expression for NAME/CONNECTIONS")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="a file for the rows")
    arguments = parser.parse_args()
    try:
        rows = report(arguments)
    except LabError as error:
        print(f"pipe: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
