#!/usr/bin/python3
"""Who may include whom, and where tests and benches live.

    base < config < wire < keys < crypto < link < ipc      libpenstock: include/penstock and src
    dataplane, controlplane                                above it, and never each other

- A lower layer never includes a higher one.
- DPDK's headers only in dataplane/ (its tests, the simulation, and bench/path); OpenSSL's and ipsec-mb's only in src/crypto.
- tests/unit, tests/fuzz and bench mirror the source folders; a folder's test helpers may live in fixture/.

Prints every line that breaks a rule; exit code 1 if there is one.
"""

import os
import re
import sys

import tree

LAYERS = ["base", "config", "wire", "keys", "crypto", "link", "ipc"]
PROGRAMS = ["dataplane", "controlplane"]

DPDK = re.compile(r"rte_\w+\.h")
CRYPTO = re.compile(r"openssl/.*|intel-ipsec-mb\.h|ipsec-mb\.h")
DPDK_HOMES = (
    "dataplane/",
    "tests/unit/dataplane/",
    "tests/fuzz/dataplane/",
    "tests/simulation/",
    "bench/dataplane/",
    "bench/path/",
)
CRYPTO_HOMES = ("src/crypto/", "bench/crypto/", "tests/unit/crypto/")  # the last two: oracles and raw baselines

MIRRORS = ("tests/unit/", "tests/fuzz/", "bench/")
# What several benches share; what drives the whole data plane.
NO_MIRROR = ("bench/common/", "bench/path/")


def layer_of(path):
    """A layer or a program; None for what may include everything (tests, benches)."""
    match = re.match(r"(?:include/penstock|src)/(\w+)/|(dataplane|controlplane)/", path)
    return match and (match[1] or match[2])


def may_include(layer, included):
    if included is None or layer is None or layer == included:
        return True
    if layer in PROGRAMS:
        return included in LAYERS
    return included in LAYERS and LAYERS.index(included) < LAYERS.index(layer)


def check_includes(path, text):
    """(line number, sentence) for each include that breaks a rule."""
    layer = layer_of(path)
    for number, kind, name in tree.includes(text):
        if kind == "<":
            if DPDK.fullmatch(name) and not path.startswith(DPDK_HOMES):
                yield number, f"<{name}>: DPDK's headers belong to dataplane/ alone"
            if CRYPTO.fullmatch(name) and not path.startswith(CRYPTO_HOMES):
                yield number, f"<{name}>: OpenSSL and ipsec-mb belong to src/crypto/ alone"
            if name.startswith(("penstock/", "dataplane/", "controlplane/")):
                yield number, f'<{name}>: our own headers are written "{name}"'
            continue
        if "/" not in name and path.startswith(("src/", "tests/", "bench/")):
            continue  # a private header of the same folder
        if not name.startswith(("penstock/", "dataplane/", "controlplane/", "src/", "tests/", "bench/")):
            yield number, f'"{name}": write "penstock/..." or the path from the root'
            continue
        if layer and name.startswith("src/") and layer_of(name) != layer:
            yield number, f'"{name}": private to its layer'
        if name.startswith("src/") and os.path.dirname(name) == os.path.dirname(path):
            yield number, f'"{name}": say "{os.path.basename(name)}" in the same folder'
        if layer and name.startswith(("tests/", "bench/")):
            yield number, f'"{name}": the programs include no test or bench'
        target = layer_of("include/" + name if name.startswith("penstock/") else name)
        if not may_include(layer, target):
            yield number, f'"{name}": {layer} may not include {target}'


def check_place(path, folders):
    """A sentence if a file stands where nothing of its kind belongs. folders: the source folders."""
    match = re.match(r"(?:include/penstock|src)/(\w+)/", path)
    if match and match[1] not in LAYERS:
        return f"'{match[1]}' is no layer (scripts/lib/layers.py lists them)"
    for mirror in MIRRORS:
        if path.startswith(mirror) and not path.startswith(NO_MIRROR):
            folder = os.path.dirname(path[len(mirror):]).removesuffix("/fixture")
            if folder and folder not in folders:
                return f"mirrors no source folder: there is no src/{folder} or {folder}"
    return None


def source_folders(paths):
    """The folders that tests and benches may mirror: wire, dataplane/inbound, ..."""
    folders = set(LAYERS) | set(PROGRAMS)
    for path in paths:
        if layer_of(path):
            folders.add(os.path.dirname(re.sub(r"^(include/penstock|src)/", "", path)))
    return folders


def main():
    paths = [path for path in tree.files() if tree.is_cpp(path)]
    folders = source_folders(paths)
    broken = 0
    for path in paths:
        findings = list(check_includes(path, tree.read(path)))
        misplaced = check_place(path, folders)
        if misplaced:
            findings.append((1, misplaced))
        for number, sentence in findings:
            print(f"{path}:{number}: {sentence}")
        broken += len(findings)
    print(f"layers: {len(paths)} files, {broken} broken rules")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
