#!/usr/bin/python3
"""What a link's `hold` costs and gains: scripts/bench hold [--seconds N] [--json FILE] [--png FILE]

The same two sites as in scripts/bench packing, 64-byte packets in even streams of several rates;
how full frames become by the counters of `penstock status`, and how long packets take from one
host to the other, by the clock that both share.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.load import TRAFFIC, run_stream
from lab.pair import Pair, Wish

HOLDS = (0, 20, 50, 100, 200, 500, 1000)  # microseconds
RATES = (1_000, 20_000, 100_000)  # packets a second


def measure(seconds: float) -> list[dict[str, object]]:
    rows = []
    for hold in HOLDS:
        with Pair(Wish(link={"hold": f"{hold}us"})) as pair:
            pair.start()
            for rate in RATES:
                stream = run_stream(pair, TRAFFIC["64"], rate, seconds)
                rows.append({"hold_us": hold, "asked": rate, **asdict(stream)})
                carried = stream.carried
                print(
                    f"| {hold} us | {rate:,} | {carried.packets_a_frame:.1f} | {carried.fill:.0%}"
                    f" | {stream.half_us:,.0f} us | {stream.late_us:,.0f} us |",
                    flush=True,
                )
            pair.check_books()
    return rows


def draw(rows: list[dict], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(7, 7), sharex=True)
    for rate in RATES:
        mine = [row for row in rows if row["asked"] == rate]
        holds = [row["hold_us"] for row in mine]
        (line,) = above.plot(
            holds, [row["half_us"] for row in mine], marker="o", label=f"{rate:,} a second"
        )
        above.plot(holds, [row["late_us"] for row in mine], ls=":", color=line.get_color())
        below.plot(
            holds, [row["carried"]["packets_a_frame"] for row in mine], marker="o", label=f"{rate:,}"
        )
    above.set(yscale="log", ylabel="host to host, us (p50; dotted: p99)")
    above.legend()
    below.set(xlabel="hold, us", ylabel="64-byte packets a frame")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench hold")
    parser.add_argument("--seconds", type=float, default=2, help="of each stream")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--png", type=Path, help="draws the curve there")
    parser.add_argument("--draw", type=Path, help="from such JSON, without measuring")
    arguments = parser.parse_args()
    if arguments.draw:
        rows = json.loads(arguments.draw.read_text())
    else:
        print("| hold | packets a second | a frame | fill | p50 | p99 |")
        print("| --- | --- | --- | --- | --- | --- |")
        rows = measure(arguments.seconds)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
    if arguments.png:
        draw(rows, arguments.png)
