"""DPDK's own programs beside bench-path, where they are installed (Debian's dpdk-dev): what sealing
costs through its crypto devices, and what forwarding costs that does nothing.

They need neither huge pages nor a device, and go by the wall clock: what else runs on their cores
slows them, where our rows count their own thread's time alone.
"""

import os
import re
import shutil
import subprocess

FRAME = 1472
FORWARD_SECONDS = 5
PACKET_SIZES = (64, 512, 1500)
PROGRAMS = ("dpdk-test-crypto-perf", "dpdk-testpmd")


def hmac(key: int, sha: int) -> str:
    return (
        "--devtype crypto_aesni_mb --optype cipher-then-auth"
        f" --cipher-algo aes-ctr --cipher-op encrypt --cipher-key-sz {key} --cipher-iv-sz 16"
        f" --auth-algo sha2-{sha}-hmac --auth-op generate --auth-key-sz {sha // 8}"
        f" --digest-sz {16 if sha == 256 else 24}"  # the least that the device takes
    )


def aead(device: str, algorithm: str) -> str:
    return (
        f"--devtype {device} --optype aead --aead-algo {algorithm} --aead-op encrypt"
        " --aead-key-sz 32 --aead-iv-sz 12 --aead-aad-sz 16 --digest-sz 16"
    )


# What dpdk-test-crypto-perf is asked for, to do what the suite does to a frame.
CRYPTO_PERF = {
    "AES256_CTR-SHA256": hmac(32, 256),
    "AES128_CTR-SHA256": hmac(16, 256),
    "AES256_CTR-SHA384": hmac(32, 384),
    "AES256_GCM": aead("crypto_aesni_gcm", "aes-gcm"),
    "CHACHA20_POLY1305": aead("crypto_aesni_mb", "chacha20-poly1305"),
}


def environment(name: str) -> list[str]:
    """Two lcores, on one core where there is no other; the first one only waits."""
    cores = sorted(os.sched_getaffinity(0))
    return (
        f"--lcores 0@{cores[0]},1@{cores[-1]} --no-huge -m 256 --no-pci --no-telemetry"
        f" --file-prefix bench-{name}-{os.getpid()}"
    ).split()


def output_of(command: list[str], seconds: float | None = None) -> str:
    """What it says until it ends, or is told to end after that time."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            return running.communicate(timeout=seconds or 60)[0]
        except subprocess.TimeoutExpired:
            running.terminate() if seconds else running.kill()
            return running.communicate()[0]


def crypto_perf(suite: str) -> dict | None:
    said = output_of(
        [
            "dpdk-test-crypto-perf",
            *environment("crypto"),
            *"--vdev crypto_aesni_mb --vdev crypto_aesni_gcm --".split(),
            *"--ptest throughput --silent --total-ops 2000000 --burst-sz 32".split(),
            *f"--buffer-sz {FRAME} {CRYPTO_PERF[suite]}".split(),
        ]
    )
    # lcore, buffer size, burst, enqueued, dequeued, failed twice, Mops, Gbit/s, cycles a buffer
    found = re.search(rf"^\s*\d+\s+{FRAME}\s+\d+(?:\s+\d+){{4}}\s+(\S+)\s+(\S+)\s+(\S+)", said, re.M)
    return found and {
        "suite": suite,
        "direction": "encap",
        "packet_bytes": FRAME,
        "workers": 1,
        "gbit_per_s": float(found[2]),
        "mpps": float(found[1]),
        "cycles_per_frame": float(found[3]),
    }


def testpmd(size: int) -> dict | None:
    said = output_of(
        [
            "dpdk-testpmd",
            *environment("testpmd"),
            *f"--vdev net_null0,size={size} --vdev net_null1,size={size} --".split(),
            *"--forward-mode=io --total-num-mbufs=16384 --auto-start".split(),
            *"--stats-period 1 --record-core-cycles".split(),
        ],
        FORWARD_SECONDS,
    )
    rates = [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", said)]
    seconds = sorted(map(sum, zip(rates[2::2], rates[3::2])))  # both ports'; the first has none
    cycles = re.search(r"CPU cycles/packet=(\S+)", said)
    if not seconds or not cycles:
        return None
    mpps = seconds[len(seconds) // 2] / 1e6
    return {
        "packet_bytes": size,
        "workers": 1,
        "gbit_per_s": mpps * size * 8 / 1e3,
        "mpps": mpps,
        "cycles_per_frame": float(cycles[1]),
    }


def trials(only: str) -> dict:
    """What measures each row whose name matches, by name."""
    every = {f"beside/crypto-perf/{suite}": (crypto_perf, suite) for suite in CRYPTO_PERF}
    every |= {f"beside/testpmd-io/{size}": (testpmd, size) for size in PACKET_SIZES}
    return {name: trial for name, trial in every.items() if re.search(only, name)}


def measure(only: str) -> list[dict]:
    """Prints each row as it comes."""
    wanted = trials(only)
    if wanted and not all(map(shutil.which, PROGRAMS)):
        print(f"{', '.join(PROGRAMS)}: not here; for rows beside ours: apt-get install dpdk-dev")
        return []
    rows = []
    for name, (function, argument) in wanted.items():
        found = function(argument)
        if found is None:
            print(f"{name:<40} did not say a rate")
            continue
        print(
            f"{name:<40} {found['gbit_per_s']:8.2f} {found['mpps']:8.3f}"
            f" {found['cycles_per_frame']:9.0f} {'-':>8}",
            flush=True,
        )
        rows.append({"name": name, **found})
    return rows
