#!/usr/bin/python3
"""scripts/bench path: runs bench-path, measures DPDK's own programs beside it where they are
installed (package dpdk-dev), and draws what came of it.

A whole run takes four to seven minutes; --only REGEX narrows it by rows' names, --json FILE writes
them, --png FILE draws them, --draw JSON draws those of an earlier run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import beside

KEYS = [
    "name",
    "suite",
    "direction",
    "packet_bytes",
    "workers",
    "sessions",
    "gbit_per_s",
    "mpps",
    "cycles_per_frame",
    "ratio_to_seal",
]


def order(size) -> float:
    return float("inf") if size == "imix" else size


def lines_of(rows: list[dict]):
    """(style, label, rows) of each suite and direction; a suite keeps its colour."""
    for number, suite in enumerate(sorted({each["suite"] for each in rows})):
        for direction, line in (("encap", "-"), ("decap", ":")):
            mine = [e for e in rows if e["suite"] == suite and e["direction"] == direction]
            if mine:
                yield {"color": f"C{number}", "ls": line, "marker": "o"}, f"{direction} {suite}", mine


def draw_rates(axes, rows: list[dict], key: str, label: str) -> None:
    sizes = sorted({each["packet_bytes"] for each in rows}, key=order)
    for style, name, mine in lines_of(rows):
        mine.sort(key=lambda e: order(e["packet_bytes"]))
        at = [sizes.index(e["packet_bytes"]) for e in mine]
        axes.plot(at, [e[key] for e in mine], label=name, **style)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set(xlabel="packet, bytes", ylabel=label)


def draw_latency(axes, rows: list[dict]) -> None:
    for number, suite in enumerate(sorted({each["suite"] for each in rows})):
        mine = [each for each in rows if each["suite"] == suite]
        loads = [each["load_percent"] for each in mine]
        for key, style in (("p50_us", "-"), ("p99_us", "--"), ("p99_9_us", ":")):
            axes.plot(
                loads, [e[key] for e in mine], style, color=f"C{number}", marker="o", label=f"{suite} {key[:-3]}"
            )
    axes.set(xlabel="% of the maximum without loss", ylabel="through two workers, us", yscale="log")


def draw_sessions(axes, rows: list[dict]) -> None:
    for style, name, mine in lines_of(rows):
        counts = [each["sessions"] for each in mine]
        axes.plot(counts, [each["cycles_per_frame"] for each in mine], label=name, **style)
    axes.set(xlabel="sessions", ylabel="cycles a frame", xscale="log")


def draw_overload(axes, rows: list[dict]) -> None:
    for style, name, mine in lines_of(rows):
        offered = [float(each["name"].split("/x")[1]) for each in mine]
        axes.plot(offered, [each["mpps"] for each in mine], label=name, **style)
    axes.set(xlabel="offered, times the maximum without loss", ylabel="Mpps carried", xscale="log", ylim=0)


def draw_beside(axes, rows: list[dict]) -> None:
    """Frames a second of the whole path, of full packets, and of DPDK's crypto devices."""
    ours = [e for e in rows if e["name"].startswith("encap/") and e["packet_bytes"] == 1500]
    theirs = [e for e in rows if e["name"].startswith("beside/crypto-perf/")]
    for rows, style, label in ((ours, "o", "the path, packets of 1500"), (theirs, "x", "crypto-perf")):
        axes.plot([e["gbit_per_s"] for e in rows], [e["suite"] for e in rows], style, label=label)
    axes.set(xlabel="Gbit/s, one core")


def draw(rows: list[dict], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(3, 2, figsize=(13, 13))
    rates = [e for e in rows if e["name"].startswith(("encap/", "decap/"))]
    draw_rates(grid[0][0], rates, "gbit_per_s", "Gbit/s of packets, one worker")
    draw_rates(grid[0][1], rates, "ratio_to_seal", "frames a second, over the bare engine's")
    draw_sessions(grid[1][0], [e for e in rows if e["name"].startswith("sessions/")])
    draw_latency(grid[1][1], [e for e in rows if e["name"].startswith("latency/")])
    draw_overload(grid[2][0], [e for e in rows if e["name"].startswith("overload/")])
    draw_beside(grid[2][1], rows)
    for axes in grid.flat:
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench path", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--program", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="a regular expression for rows' names")
    parser.add_argument("--seconds", type=float, default=2, help="of each row")
    parser.add_argument("--workers", type=int, help="side by side; default: a core each")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path, help="draws the rows there")
    parser.add_argument("--draw", type=Path, help="from such JSON, without measuring")
    arguments = parser.parse_args()
    if arguments.draw:
        rows = json.loads(arguments.draw.read_text())
    else:
        rows = measure(arguments)
        if rows is None:
            return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    if arguments.png:
        draw(rows, arguments.png)
    return 0


def measure_ours(arguments) -> list[dict] | None:
    """None where the program refuses; it has said why."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [arguments.program, "--seconds", str(arguments.seconds), "--json", file.name]
        if arguments.workers:
            command += ["--workers", str(arguments.workers)]
        done = subprocess.run([*command, "--only", arguments.only], check=False)
        return json.loads(Path(file.name).read_text()) if done.returncode == 0 else None


def measure(arguments) -> list[dict] | None:
    listed = subprocess.run(
        [arguments.program, "--list", "--only", arguments.only], stdout=subprocess.PIPE, check=False
    )
    if listed.returncode != 0:
        return None
    # Where nothing at all has such a name, the program says so.
    is_ours = listed.stdout or not beside.trials(arguments.only)
    ours = measure_ours(arguments) if is_ours else []
    if ours is None:
        return None
    return ours + [dict.fromkeys(KEYS) | row for row in beside.measure(arguments.only)]


if __name__ == "__main__":
    sys.exit(main())
