"""What a site does to the interfaces it owns: never another site's, and undone at the end."""

import os
import signal
from contextlib import contextmanager

import pytest

from lab.errors import wait_until
from lab.programs import program
from lab.site import command_name, descendants


@contextmanager
def spare_interfaces(namespace):
    namespace.run("ip", "link", "add", "spare-0", "type", "veth", "peer", "spare-1")
    try:
        yield "af_packet:spare-0", "af_packet:spare-1"
    finally:
        namespace.run("ip", "link", "delete", "spare-0")


def start_data_plane(site, config):
    """Of a site that is to be refused."""
    return site.namespace.attempt(program("penstock-dataplane"), "--config", str(config), timeout=60)


def rules(site):
    return site.namespace.run("nft", "--stateless", "list", "ruleset")


def test_a_refused_second_start_leaves_the_first_one_alone(pair, tmp_path):
    before = rules(pair.a)
    assert before.count("policy drop") == 4
    with spare_interfaces(pair.a.namespace) as (plain, wire):
        text = pair.a.config_file.read_text()
        second = tmp_path / "second.toml"
        second.write_text(text.replace("af_packet:plain", plain).replace("af_packet:wire", wire))
        refused = start_data_plane(pair.a, second)
    assert refused.returncode == 2
    assert "another Penstock answers at " in refused.stderr
    assert rules(pair.a) == before


def ipv6_is_off(site):
    names = ("plain", "wire")
    switches = [f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6" for name in names]
    return [value == "1" for value in site.namespace.run("cat", *switches).split()]


def kill_all(site):
    """As a power cut would, but for the machine."""
    family = [site.supervisor, *descendants(site.supervisor)]
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    site.stop()
    wait_until(lambda: not any(command_name(pid) for pid in family), "the site to be gone")


def test_a_clean_stop_undoes_what_a_killed_run_did(fresh):
    pair = fresh()
    site = pair.a
    for name in ("plain", "wire"):
        site.namespace.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", int(name == "wire"))
    pair.start()
    assert ipv6_is_off(site) == [True, True]
    kill_all(site)
    assert ipv6_is_off(site) == [True, True]
    site.start()
    site.wait_up()
    assert site.stop() == 0
    assert ipv6_is_off(site) == [False, True], "each as it was before the first start"
    assert site.namespace.run("nft", "list", "ruleset") == ""
    assert not list(site.run_dir.glob("ipv6*"))


def without_nft(site):
    """The command of a data plane that finds no nft."""
    hide = 'mount --bind /dev/null /usr/sbin/nft && exec "$@"'
    data_plane = [program("penstock-dataplane"), "--config", str(site.config_file)]
    return ["unshare", "--mount", "sh", "-c", hide, "sh", *data_plane]


@pytest.mark.parametrize("switch", ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"])
def test_a_kernel_that_forwards_must_be_filtered(fresh, switch):
    site = fresh().a
    site.namespace.sysctl(switch, 1)
    refused = site.namespace.attempt(*without_nft(site), timeout=60)
    assert refused.returncode == 2
    assert "`apt install nftables`" in refused.stderr


def test_a_kernel_that_does_not_forward_may_go_unfiltered(fresh):
    site = fresh().a
    with site.log_file.open("w") as log:
        data_plane = site.namespace.spawn(*without_nft(site), stdout=log, stderr=log)
    try:
        wait_until(lambda: " forwards between " in site.log(), "the data plane to run")
    finally:
        data_plane.terminate()
        data_plane.wait(60)
    assert "cannot be filtered" in site.log()
