#!/usr/bin/python3
"""How full frames are under load: scripts/bench packing [--seconds N] [--json FILE]

Two real sites of one link over a wire of 1500 bytes; a host sends what it can, and slower
streams beside it. All figures are of the counters that `penstock status` shows, at the sender.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.load import TRAFFIC, Stream, run_stream
from lab.pair import Pair

# Packets a second; 0: all that the host can send.
RATES = {"64": (50_000, 250_000, 0), "IMIX": (20_000, 0), "1500": (20_000, 0)}


def goal(traffic: str, stream: Stream) -> str:
    """Of the full load: the goal, and whether it was met."""
    carried = stream.carried
    name, value, least = {
        "64": ("packets a frame", carried.packets_a_frame, 20),
        "IMIX": ("fill", carried.fill, 0.98),
        "1500": ("of all of the frame", carried.frame_fill, 0.97),
    }[traffic]
    return f"{name} >= {least}: {'met' if value >= least else 'MISSED'}"


def measure(seconds: float) -> list[dict[str, object]]:
    rows = []
    with Pair() as pair:
        pair.start()
        for traffic, rates in RATES.items():
            for rate in rates:
                stream = run_stream(pair, TRAFFIC[traffic], rate, seconds)
                row = {"packets": traffic, "asked": rate, **asdict(stream)}
                row["goal"] = goal(traffic, stream) if rate == 0 else ""
                rows.append(row)
                print_row(traffic, stream, row["goal"])
        pair.check_books()
    return rows


def print_row(traffic: str, stream: Stream, verdict: object) -> None:
    carried = stream.carried
    cells = [
        traffic,
        f"{stream.sent_a_second:,.0f}",
        f"{carried.packets_a_frame:.2f}",
        f"{carried.fill:.2%}",
        f"{carried.frame_fill:.2%}",
        f"{carried.padding:.2%}",
        str(verdict),
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench packing")
    parser.add_argument("--seconds", type=float, default=5, help="of each stream")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print("| packets | offered, a second | a frame | fill | of all of the frame | padding | goal |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    rows = measure(arguments.seconds)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
