#!/usr/bin/python3
"""scripts/bench path: runs bench-path, measures DPDK's own programs beside it where they are
installed (package dpdk-dev), and draws what came of it.

A whole run takes about four minutes; --only REGEX narrows it by rows' names, --json FILE writes
them, --png FILE draws them, --draw JSON draws those of an earlier run.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
FRAME = 1472
# What dpdk-test-crypto-perf is asked for, to do what the suite does to a frame.
CRYPTO_PERF = {
    "AES256_CTR-SHA256": (
        "--optype cipher-then-auth --cipher-algo aes-ctr --cipher-op encrypt --cipher-key-sz 32"
        " --cipher-iv-sz 16 --auth-algo sha2-256-hmac --auth-op generate --auth-key-sz 32"
        " --digest-sz 16"
    ),
    "AES256_GCM": (
        "--optype aead --aead-algo aes-gcm --aead-op encrypt --aead-key-sz 32 --aead-iv-sz 12"
        " --aead-aad-sz 16 --digest-sz 16"
    ),
}


def row(name: str, **values) -> dict:
    return {**dict.fromkeys(KEYS), "name": name, **values}


def output_of(command: list[str], seconds: float, keys: str = "") -> str | None:
    """What the program says within that time; None where it is not installed or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(
            command, input=keys, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def crypto_perf(suite: str) -> dict | None:
    text = output_of(
        [
            "dpdk-test-crypto-perf",
            *"-l 0,1 --no-huge -m 256 --no-pci --no-telemetry --file-prefix bench-crypto".split(),
            *"--vdev crypto_aesni_mb --vdev crypto_aesni_gcm --".split(),
            *f"--ptest throughput --silent --total-ops 3000000 --burst-sz 32 --buffer-sz {FRAME}".split(),
            *f"--devtype crypto_aesni_{'gcm' if 'GCM' in suite else 'mb'}".split(),
            *CRYPTO_PERF[suite].split(),
        ],
        60,
    )
    # lcore, buffer size, burst, enqueued, dequeued, failed twice, Mops, Gbit/s, cycles a buffer
    found = text and re.search(rf"^\s*\d+\s+{FRAME}\s+\d+(?:\s+\d+){{4}}\s+([\d.]+)\s+([\d.]+)", text, re.M)
    if not found:
        return None
    return row(
        f"beside/crypto-perf/{suite}",
        suite=suite,
        direction="encap",
        packet_bytes=FRAME,
        gbit_per_s=float(found[2]),
        mpps=float(found[1]),
    )


def testpmd(size: int) -> dict | None:
    text = output_of(
        [
            "dpdk-testpmd",
            *"-l 0,1 --no-huge -m 256 --no-pci --no-telemetry --file-prefix bench-testpmd".split(),
            *f"--vdev net_null0,size={size} --vdev net_null1,size={size} --".split(),
            *"--forward-mode=io --total-num-mbufs=16384 --auto-start --stats-period 1".split(),
        ],
        6,
    )
    rates = text and [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", text)]
    if not rates:
        return None
    return row(
        f"beside/testpmd-io/{size}",
        packet_bytes=size,
        workers=1,
        mpps=2 * max(rates) / 1e6,
        gbit_per_s=2 * max(rates) * size * 8 / 1e9,
    )


def wanted_beside(only: str) -> list:
    """What measures each row beside ours whose name matches."""
    all_rows = {f"beside/crypto-perf/{suite}": (crypto_perf, suite) for suite in CRYPTO_PERF}
    all_rows |= {f"beside/testpmd-io/{size}": (testpmd, size) for size in (64, 512, 1500)}
    return [wanted for name, wanted in all_rows.items() if re.search(only, name)]


def measure_beside(only: str) -> list[dict]:
    rows = [function(argument) for function, argument in wanted_beside(only)]
    for each in filter(None, rows):
        print(f"{each['name']:<40} {each['gbit_per_s']:8.2f} {each['mpps']:8.3f}", flush=True)
    if any(each is None for each in rows):
        print("beside: dpdk-test-crypto-perf or dpdk-testpmd is not here, or did not say a rate")
    return [each for each in rows if each]


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


def draw(rows: list[dict], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(2, 2, figsize=(13, 9))
    rates = [e for e in rows if e["name"].startswith(("encap/", "decap/"))]
    draw_rates(grid[0][0], rates, "gbit_per_s", "Gbit/s of packets, one worker")
    draw_rates(grid[0][1], rates, "ratio_to_seal", "frames a second, over the bare engine's")
    draw_sessions(grid[1][0], [e for e in rows if e["name"].startswith("sessions/")])
    draw_latency(grid[1][1], [e for e in rows if e["name"].startswith("latency/")])
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
    is_ours = listed.stdout or not wanted_beside(arguments.only)
    ours = measure_ours(arguments) if is_ours else []
    return None if ours is None else ours + measure_beside(arguments.only)


if __name__ == "__main__":
    sys.exit(main())
