"""A config that is read again while the site runs: what changed changes, and nothing else does."""

import os
import signal
import subprocess

import scripted_dataplane as scripted
from lab.errors import wait_until
from lab.network import HOST_B
from lab.pair import Wish
from lab.programs import program
from lab.site import CONTROL_PLANE
from lab.traffic import BackgroundPing, ping
from scripted_control import Control

GAMMA = '[[link]]\npeer = "gamma"\nendpoint = "192.0.2.3"\nkey_file = "{key}"\nvlan = 7\n'
CLERK = "penstock-clerk"


def gamma(control: Control) -> str:
    return GAMMA.format(key=control.key_file)


def reload(control: Control) -> subprocess.CompletedProcess[str]:
    return control.command("reload", "--socket", str(control.run_dir / "admin.sock"))


def peers(control: Control) -> list[str]:
    return [link["peer"] for link in control.status()["links"]]


# --- with scripted data planes -----------------------------------------------------------------


def test_links_come_change_and_go_beside_the_others(up):
    alpha, _ = up
    session, installs = alpha.dataplane.current(), alpha.dataplane.installs
    alpha.write_config(gamma(alpha))
    said = reload(alpha)
    assert (said.returncode, said.stdout) == (0, "added the link to gamma\nleft 1 link as it was\n")
    assert peers(alpha) == ["beta", "gamma"]

    alpha.write_config(gamma(alpha) + 'hold = "20us"\n')
    assert reload(alpha).stdout == "changed the link to gamma\nleft 1 link as it was\n"
    assert reload(alpha).stdout == "left 2 links as they were\n"
    alpha.write_config()
    assert reload(alpha).stdout == "removed the link to gamma\nleft 1 link as it was\n"
    assert peers(alpha) == ["beta"]

    assert alpha.link()["session"]["id"] == session.id[:8].hex()
    assert alpha.dataplane.current() is session
    assert alpha.dataplane.installs == installs
    for line in ("link_added peer=gamma", "link_removed peer=gamma", "audit: reloaded added=1"):
        assert line in alpha.log()


def test_a_link_that_is_removed_ends_its_session(up):
    alpha, _ = up
    text = alpha.config_file.read_text()
    alpha.config_file.write_text(text.replace('peer = "beta"', 'peer = "gamma"'))
    assert reload(alpha).stdout == (
        "added the link to gamma\nremoved the link to beta\nleft 0 links as they were\n"
    )
    wait_until(lambda: alpha.dataplane.current() is None, "the session's end")


def test_a_changed_key_makes_a_new_session_and_the_old_one_carries_on_until_then(up, tmp_path):
    alpha, beta = up
    old = alpha.dataplane.current()
    key = tmp_path / "next.key"
    assert alpha.command("genkey", str(key)).returncode == 0
    for control in up:
        control.key_file = key
        control.write_config()
    assert reload(alpha).stdout.startswith("changed the link to beta\n")
    assert alpha.dataplane.current() is old
    assert reload(beta).returncode == 0
    new, _ = scripted.confirm_common_session(alpha.dataplane, beta.dataplane)
    assert new.id != old.id


def test_an_invalid_config_changes_nothing_and_says_why(up):
    alpha, _ = up
    session = alpha.dataplane.current()
    good = alpha.config_file.read_text()
    for spoilt, sentence in (
        (good + "colour = 1\n", "link.colour: this key is unknown"),
        (good.replace("link.key", "nowhere.key"), "nowhere.key does not exist"),
        (good.replace("af_packet:wire", "af_packet:other"), "restart to change ports.wire.device"),
        (good.replace('"alpha"', '"omega"'), "restart to change site.name"),
    ):
        alpha.config_file.write_text(spoilt)
        said = reload(alpha)
        assert said.returncode == 2
        assert said.stderr.startswith("penstock: ") and said.stderr.count("\n") == 1
        assert sentence in said.stderr
        assert "not reloaded, and nothing changed: " in alpha.log()
        assert sentence in alpha.log()
    assert alpha.dataplane.current() is session
    assert alpha.link()["session"]["id"] == session.id[:8].hex()


def test_a_hangup_reads_the_config_again(up):
    alpha, _ = up
    for links, count in ((gamma(alpha), 2), ("", 1)):
        alpha.write_config(links)
        alpha.process.send_signal(signal.SIGHUP)
        wait_until(lambda c=count: len(peers(alpha)) == c, f"{count} links")


def test_the_audit_log_is_opened_again_by_a_reload(controls, tmp_path):
    alpha, _ = controls
    log, moved = tmp_path / "audit/log", tmp_path / "audit/moved"
    alpha.write_config(site=f'audit_log = "{log}"\n')
    alpha.start()
    wait_until(alpha.status, "status")
    assert " key_loaded peer=beta key=" in log.read_text()
    log.rename(moved)
    assert reload(alpha).returncode == 0
    assert log.read_text().split()[1] == "reloaded"
    assert "reloaded" not in moved.read_text()


def test_a_clerk_that_has_died_is_one_sentence_and_sessions_go_on(up):
    alpha, _ = up
    session = alpha.dataplane.current()
    children = f"/proc/{alpha.process.pid}/task/{alpha.process.pid}/children"
    [clerk] = open(children).read().split()
    assert open(f"/proc/{clerk}/comm").read().strip() == CLERK
    os.kill(int(clerk), signal.SIGKILL)
    wait_until(lambda: "penstockd's clerk has died" in alpha.log(), "a line in the log")
    said = reload(alpha)
    assert said.returncode == 2 and "restart penstockd" in said.stderr
    assert alpha.link()["session"]["id"] == session.id[:8].hex()
    assert alpha.stop() == 0


def test_an_endpoint_by_name_is_looked_up(controls):
    alpha, _ = controls
    text = alpha.config_file.read_text()
    alpha.config_file.write_text(text.replace('"192.0.2.2"', '"localhost:99"'))
    reached = []
    alpha.dataplane.wire = lambda to, datagram: reached.append(to)
    alpha.start()
    wait_until(lambda: "127.0.0.1" in reached, "a handshake message to the name's address")
    assert set(reached) == {"127.0.0.1"}
    assert alpha.dataplane.link_peers[0] == scripted.endpoint_bytes("127.0.0.1", 99)


# --- what a restart finds -------------------------------------------------------------------------


def test_links_keep_the_numbers_of_their_sessions_over_a_restart(up):
    alpha, _ = up
    session = alpha.dataplane.current()
    text = alpha.config_file.read_text()
    head, beta = text.split("[[link]]", 1)
    alpha.stop(signal.SIGKILL)
    alpha.config_file.write_text(f"{head}{gamma(alpha)}[[link]]{beta}")
    alpha.start()
    link = wait_until(
        lambda: next((l for l in alpha.status().get("links", []) if l["state"] == "up"), None),
        "the link to be up",
    )
    assert link["peer"] == "beta"
    assert link["session"]["id"] == session.id[:8].hex()
    assert alpha.dataplane.current() is session


def test_sessions_of_peers_that_the_config_has_no_more_are_ended(up):
    alpha, _ = up
    text = alpha.config_file.read_text()
    alpha.stop(signal.SIGKILL)
    alpha.config_file.write_text(text.replace('peer = "beta"', 'peer = "gamma"'))
    alpha.start()
    wait_until(lambda: alpha.dataplane.current() is None, "the session's end")
    assert "ending a session with beta, which the config has no link to" in alpha.log()


# --- real sites, with traffic ---------------------------------------------------------------------


def test_a_reload_under_traffic_loses_nothing(fresh):
    # A pair of its own: a VLAN that a link has left stays reserved, and so does what is tagged
    # without being of any VLAN.
    pair = fresh(Wish(link={"rekey_after": "3000s"})).start()
    site = pair.a
    usual = site.config_file.read_text()
    session = site.session()["id"]
    pair.settle()
    before = [one.counters() for one in pair.sites]
    try:
        with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.005) as pinging:
            for text in (usual + GAMMA.format(key=site.key_file), usual) * 3:
                site.config_file.write_text(text)
                site.namespace.run(
                    program("penstock"), "reload", "--socket", str(site.run_dir / "admin.sock")
                )
            os.kill(site.supervisor, signal.SIGHUP)
            wait_until(lambda: site.log().count("audit: reloaded") >= 7, "the supervisor's reload")
            wait_until(lambda: site.counters().since(before[0])["delivered"] > 100, "packets")
    finally:
        site.config_file.write_text(usual)
    assert pinging.result.sent == pinging.result.received > 0
    pair.settle()
    assert site.session()["id"] == session
    assert site.is_running() and site.pid_of(CONTROL_PLANE)
    for one, then in zip(pair.sites, before):
        # Handshakes to gamma, which is nowhere, are foreign to whoever hears them.
        assert set(one.counters().since(then).dropped()) <= {"wire_foreign"}


def test_a_link_that_a_reload_adds_carries_packets(fresh):
    pair = fresh()
    site = pair.a
    usual = site.config_file.read_text()
    other = usual.replace('"beta"', '"gamma"').replace(site.config.endpoint, "192.0.2.9:7670")
    site.config_file.write_text(other)
    for one in pair.sites:
        one.start()
    wait_until(lambda: site.link().get("state") == "connecting", "the link to gamma")
    site.config_file.write_text(usual)
    said = site.namespace.run(
        program("penstock"), "reload", "--socket", str(site.run_dir / "admin.sock")
    )
    assert said.startswith("added the link to beta\nremoved the link to gamma\n")
    pair.wait_up()
    wait_until(
        lambda: ping(pair.network.host_a, HOST_B.v4).loss_percent == 0, "packets on the new link"
    )
