"""`penstock zeroize`: every key is gone from the memory of both programs, and links come back only
when the operator has the keys loaded again. Each search is first made where it must find."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scripted_planes")
pytest_plugins = ["scripted_planes"]
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scripted_dataplane as scripted
from lab import memory
from lab.errors import wait_until
from lab.network import HOST_B
from lab.programs import program
from lab.site import CONTROL_PLANE, DATA_PLANE, descendants
from lab.traffic import ping
from oracle.keys import role_keys
from scripted_control import ask, read_answer
from scripted_planes import install
from test_secrets_in_memory import long_term, traces

FILES_REMAIN = "key files remain on disk: `penstock reload` or a restart loads them again\n"


def zeroize(control):
    return control.command("zeroize", "--socket", str(control.run_dir / "admin.sock"))


def keys_of(control):
    """What penstockd makes of its key file, for both roles."""
    text = control.key_file.read_bytes()
    names = (control.name, {"alpha": "beta", "beta": "alpha"}[control.name])
    found = {}
    for way, roles in (("ours", names), ("theirs", names[::-1])):
        keys = role_keys(text, *roles)
        found |= {f"P {way}": keys.p, f"k1 {way}": keys.k1, f"k2 {way}": keys.k2}
    return found


def memory_of_family(pid, wanted):
    return set().union(*(memory.names_found(one, wanted) for one in (pid, *descendants(pid))))


def test_penstockd_forgets_every_key_and_tells_the_data_plane(up):
    alpha, beta = up
    wanted = keys_of(alpha)
    assert {"P ours", "P theirs"} <= memory.names_found(alpha.process.pid, wanted), "the control"
    said = zeroize(alpha)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (
        "penstockd wiped the keys of 1 link\n"
        "the data plane wiped the keys of 1 session\n"
        f"every link is down; {FILES_REMAIN}"
    )
    assert alpha.dataplane.zeroized == 1 and alpha.dataplane.current() is None
    assert memory_of_family(alpha.process.pid, wanted) == set()
    link = alpha.link()
    assert link["state"] == "down" and "zeroized by uid 0" in link["reason"]
    assert f"audit: zeroized uid={os.geteuid()} pid=" in alpha.log()
    assert " links=1 sessions=1" in alpha.log()

    rekeyed = alpha.command("rekey", "beta", str(alpha.config_file))
    assert rekeyed.returncode == 2 and "`penstock reload` loads them again" in rekeyed.stderr
    alpha.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "not reloaded, and nothing changed: every key" in alpha.log(), "a refusal")
    assert memory_of_family(alpha.process.pid, wanted) == set()
    beta.dataplane.remove(beta.dataplane.current().id, scripted.MAX_AGE)
    reloaded = alpha.command("reload", str(alpha.config_file))
    assert reloaded.stdout.startswith("changed the link to beta\n"), reloaded.stderr
    scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    alpha.wait_link("up")


def test_pipes_keep_their_keys_and_it_says_so(up):
    alpha, _ = up
    alpha.write_config(
        '[[pipe]]\nname = "mail"\nmode = "encrypt"\nsource = "[127.0.0.1]:25"\n'
        'target = "[192.0.2.1]:8025"\nkey_file = "mail.key"\n'
    )
    reloaded = alpha.command("reload", str(alpha.config_file))
    assert reloaded.returncode == 0, reloaded.stderr
    said = zeroize(alpha)
    assert said.returncode == 0
    assert said.stdout.endswith(
        f"{FILES_REMAIN}the site's pipes (1) KEEP THEIR KEYS: "
        "stop `penstock run`, and they end with it\n"
    )


def test_without_a_data_plane_penstockd_forgets_all_the_same(up):
    alpha, _ = up
    alpha.dataplane.die()
    wait_until(lambda: alpha.status()["data_plane"]["state"] == "down", "down")
    said = zeroize(alpha)
    assert said.returncode == 0
    assert "the data plane is not running, so it has no keys\n" in said.stdout
    assert memory.names_found(alpha.process.pid, keys_of(alpha)) == set()


def test_a_data_plane_that_does_not_confirm_is_said(up):
    alpha, _ = up
    alpha.dataplane.silent = True
    said = zeroize(alpha)
    assert said.returncode == 2
    assert "did not confirm" in said.stderr and "kill penstock-dataplane" in said.stderr
    assert memory.names_found(alpha.process.pid, keys_of(alpha)) == set()


def test_a_data_plane_that_runs_without_a_greeting_is_not_taken_for_dead(up):
    """Its keys may be good and in use. It wipes them before it hears of anything else."""
    alpha, _ = up
    session = alpha.dataplane.current()
    before, alpha.dataplane.silent = alpha.dataplane.connections, True
    alpha.dataplane.hang_up()
    wait_until(lambda: alpha.dataplane.connections > before, "the next connection")
    wait_until(lambda: alpha.status()["data_plane"]["state"] == "down", "down")
    said = zeroize(alpha)
    assert said.returncode == 2
    assert "did not confirm" in said.stderr and "kill penstock-dataplane" in said.stderr
    assert " links=1 sessions=unconfirmed" in alpha.log()
    assert alpha.dataplane.current() is session
    alpha.dataplane.silent = False
    alpha.dataplane.hang_up()
    wait_until(lambda: "audit: dataplane_zeroized sessions=1" in alpha.log(), "the wipe")
    assert alpha.dataplane.zeroized == 1 and alpha.dataplane.current() is None
    assert alpha.link()["state"] == "down"


def test_a_reload_that_was_under_way_loads_nothing_behind_a_zeroize(up):
    alpha, _ = up
    [clerk] = descendants(alpha.process.pid)
    os.kill(clerk, signal.SIGSTOP)
    try:
        with alpha.admin() as reloading, alpha.admin() as other:
            reloading.sendall(b'{"method":"reload"}\n')
            for _ in range(2):  # by the second answer, the reload is ordered
                ask(other, b'{"method":"status"}')
            assert ask(other, b'{"method":"zeroize"}')["ok"]
            os.kill(clerk, signal.SIGCONT)
            answer = read_answer(reloading)
    finally:
        os.kill(clerk, signal.SIGCONT)
    assert answer["ok"] is False and "every key was wiped" in answer["error"]
    assert memory_of_family(alpha.process.pid, keys_of(alpha)) == set()
    assert "zeroized by uid 0" in alpha.link()["reason"]
    assert alpha.dataplane.current() is None
    assert alpha.command("reload", str(alpha.config_file)).returncode == 0
    wait_until(lambda: alpha.link()["state"] == "connecting", "the keys to be back")


def test_without_penstockd_the_data_plane_is_asked_itself(up):
    alpha, _ = up
    alpha.stop(signal.SIGKILL)
    said = zeroize(alpha)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("the data plane wiped the keys of 1 session\n")
    assert said.stdout.endswith(FILES_REMAIN)
    assert alpha.dataplane.zeroized == 1
    with contextlib.suppress(OSError):  # the command has hung up already
        alpha.dataplane.die()
    said = zeroize(alpha)
    assert said.returncode == 2 and "neither penstockd nor the data plane answers" in said.stderr


# --- real programs ----------------------------------------------------------------------------------


def test_a_real_data_plane_forgets_its_session_keys(sites, network):
    a, b = sites
    plan = install(a, b)
    assert ping(network.host_a, HOST_B.v4, count=20).loss_percent == 0
    wanted = traces(plan)
    assert memory.names_found(a.process.pid, wanted), "the control"
    command = (program("penstock"), "zeroize", "--socket", str(a.site.run_dir / "admin.sock"))
    said = a.site.namespace.attempt(*command)
    assert said.returncode == 2 and "listens to it and to nobody else" in said.stderr
    a.controller.close()
    said = a.site.namespace.attempt(*command)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("the data plane wiped the keys of 1 session\n")
    assert memory.names_found(a.process.pid, wanted) == set()
    a.connect()
    assert a.controller.sessions() == []


def test_a_real_site_comes_back_when_the_keys_are_loaded_again(fresh):
    pair = fresh().start()
    site = pair.a
    wanted = long_term(site)
    programs = [site.pid_of(name) for name in (CONTROL_PLANE, DATA_PLANE)]
    assert memory.names_found(programs[0], wanted), "the control"
    socket = ("--socket", str(site.run_dir / "admin.sock"))
    said = site.namespace.run(program("penstock"), "zeroize", *socket)
    assert "penstockd wiped the keys of 1 link\n" in said
    assert memory_of_family(site.supervisor, wanted) == set()
    assert ping(pair.network.host_a, HOST_B.v4, options=("-w", "2")).received == 0
    assert not site.session()
    site.namespace.run(program("penstock"), "reload", *socket)
    pair.wait_up()
    wait_until(lambda: pair.a.session().get("id") == pair.b.session().get("id"), "one session", 100)
    wait_until(
        lambda: ping(pair.network.host_a, HOST_B.v4).loss_percent == 0,
        "packets, once the host asks for its neighbour again",
    )
    assert [site.pid_of(name) for name in (CONTROL_PLANE, DATA_PLANE)] == programs
