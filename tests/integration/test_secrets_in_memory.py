"""The keys a process may hold, looked for in its memory: there while they live (the control), gone
when they do not, and the long-term ones never where they do not belong."""

import hashlib
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scripted_planes")
pytest_plugins = ["scripted_planes"]
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import key_traces, memory
from lab.errors import wait_until
from lab.network import HOST_A, HOST_B
from lab.site import CONTROL_PLANE, command_name, descendants
from lab.traffic import ping
from oracle.keys import role_keys
from scripted_controller import SUITE
from scripted_planes import install

GCM, CHACHA20 = 0x0104, 0x0105  # with X25519

# --- session keys in the data plane ------------------------------------------------------------


def traces(plan):
    """What may give away the keys of either direction, by name."""
    found = {}
    for way, keys in (("out", plan.out_keys), ("in", plan.in_keys)):
        encrypt, mac = keys[:32], keys[32:64]
        if plan.suite == SUITE:
            found |= key_traces.traces(way, encrypt, mac)
        elif plan.suite == GCM:
            found |= key_traces.aes_256_traces(f"{way} encrypt", encrypt)
        else:
            found[f"{way} encrypt"] = encrypt
    return found


@pytest.mark.parametrize("suite", [SUITE, GCM, CHACHA20])
def test_a_retired_sessions_keys_are_gone(sites, network, suite):
    a, b = sites
    plan = install(a, b, suite=suite)
    assert ping(network.host_a, HOST_B.v4, count=20, size=4000).loss_percent == 0
    assert ping(network.host_b, HOST_A.v4, count=20).loss_percent == 0
    wanted = traces(plan)
    for plane in (a, b):
        hits = memory.find(plane.process.pid, wanted)
        assert {hit.what.split()[0] for hit in hits} == {"out", "in"}, "the control"
        assert [hit for hit in hits if not is_guarded(hit)] == []
    for plane in (a, b):
        assert plane.controller.remove(plan.id) == 1
    for plane in (a, b):
        assert memory.names_found(plane.process.pid, wanted) == set()


def is_guarded(hit):
    """In locked pages that no core dump has."""
    return hit.region.is_locked and hit.region.is_left_out_of_dumps


# --- long-term keys ------------------------------------------------------------------------------


def long_term(site):
    """The key file's bytes, K, and of each role P and what is made of it."""
    text = site.key_file.read_bytes()
    found = {"key file": text[:32], "K": hashlib.sha256(text).digest()}
    found |= key_traces.hmac_sha256_traces("K as a MAC key", found["K"])
    for name, roles in (("ours", ("alpha", "beta")), ("theirs", ("beta", "alpha"))):
        keys = role_keys(text, *roles)
        found |= {f"P {name}": keys.p, f"k1 {name}": keys.k1, f"k2 {name}": keys.k2}
    return found


def test_no_long_term_key_reaches_the_data_plane(pair):
    for site in pair.sites:
        wanted = long_term(site)
        known = memory.names_found(site.pid_of(CONTROL_PLANE), wanted)
        assert {"P ours", "P theirs"} <= known, "the control"
        site.ask_rekey()
    pair.wait_up()
    for site in pair.sites:
        control = site.pid_of(CONTROL_PLANE)
        for pid in (site.supervisor, *descendants(site.supervisor)):
            if pid != control:
                assert memory.names_found(pid, wanted) == set(), command_name(pid)


def test_what_penstockd_knows_is_left_out_of_core_dumps(pair):
    for site in pair.sites:
        hits = memory.find(site.pid_of(CONTROL_PLANE), long_term(site))
        assert {"P ours", "P theirs"} <= {hit.what for hit in hits}, "the control"
        assert [hit for hit in hits if not is_guarded(hit)] == []


def test_penstockd_leaves_no_core_file(controls, monkeypatch):
    """Not even where its limit is raised, by one who may. The control is a program that has not
    given up core files, and is ended the same way."""
    alpha, _ = controls
    monkeypatch.chdir(alpha.key_file.parent)  # where both start, and the kernel writes
    control = subprocess.Popen(["sleep", "600"])
    alpha.start()
    wait_until(alpha.status, "penstockd to answer")
    found = []
    for process in (control, alpha.process):
        raise_core_limit(process.pid)
        process.send_signal(signal.SIGABRT)
        assert process.wait(60) == -signal.SIGABRT
        found.append([file.name for file in Path().iterdir() if "core" in file.name])
        for name in found[-1]:
            Path(name).unlink()
    alpha.process = None
    if not found[0]:
        pytest.skip("this machine writes core files elsewhere, or none")
    assert found[1] == []


def raise_core_limit(pid):
    _, hard = resource.prlimit(pid, resource.RLIMIT_CORE)
    try:
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    except PermissionError:  # a container's root may not
        resource.prlimit(pid, resource.RLIMIT_CORE, (hard, hard))
