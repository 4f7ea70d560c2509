"""The long-term key of a link is changed while traffic flows, as `penstock key rotate` says."""

from lab.errors import wait_until
from lab.network import HOST_B
from lab.programs import program
from lab.site import CONTROL_PLANE
from lab.traffic import BackgroundPing


def command(site, *words):
    return site.namespace.attempt(
        program("penstock"), *words, "--socket", str(site.run_dir / "admin.sock")
    )


def rotate(site):
    said = command(site, "key", "rotate", site.config.peer)
    assert said.returncode == 0, said.stderr
    return said.stdout


def use_keys(site, new, old=None):
    """Two lines of its config, and a reload."""
    site.key_file = new
    site.config.link.pop("old_key_file", None)
    if old:
        site.config.link["old_key_file"] = str(old)
    site.write_config()
    said = command(site, "reload")
    assert said.returncode == 0, said.stderr


def is_done(site):
    return "has proved good" in rotate(site)


def both_on_one_other_session(pair, first):
    ids = {site.session().get("id") for site in pair.sites}
    return len(ids) == 1 and not ids & {None, first}


def test_a_key_is_changed_without_an_outage_and_the_old_one_stays_retired(fresh, tmp_path):
    pair = fresh().start()
    a, b = pair.sites
    old, new = a.key_file, tmp_path / "new.key"
    assert "has one key" in rotate(a)
    pair.network.wire.run(program("penstock"), "genkey", str(new))
    pair.settle()
    before = [site.counters() for site in pair.sites]
    with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.01) as pinging:
        use_keys(a, new, old)
        wait_until(lambda: "next, at beta" in rotate(a), "site A to wait for site B")
        assert a.session() and b.session(), "the old key is still good"
        use_keys(b, new, old)
        wait_until(lambda: is_done(a) and is_done(b), "the new key to prove good", 100)
        for site in pair.sites:
            use_keys(site, new)
    assert pinging.result.sent == pinging.result.received > 0
    pair.settle()
    for site, then in zip(pair.sites, before):
        assert site.counters().since(then).dropped() == {}
        retired = (site.run_dir.with_name("state") / f"{site.config.peer}.retired").read_text()
        assert len(retired) == 33
        assert "audit: key_rotated" in site.log()

    # The old one is not accepted over a restart, though a config names it; until the operator
    # says so.
    use_keys(b, new, old)
    dead = b.kill(CONTROL_PLANE)
    wait_until(lambda: b.pid_of(CONTROL_PLANE) not in (0, dead) and b.status(), "a new penstockd")
    assert is_done(b)
    first = b.session()["id"]
    restored = command(b, "key", "restore", "alpha")
    assert restored.returncode == 0, restored.stderr
    assert "audit: key_restored peer=alpha" in b.log()
    wait_until(lambda: both_on_one_other_session(pair, first), "a session after the reload", 100)
    wait_until(lambda: is_done(b), "the old key to be retired again", 100)
