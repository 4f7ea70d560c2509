"""What each of several workers has is shown."""

from lab.pair import Wish
from lab.programs import program


def test_a_plan_names_both_workers(fresh):
    site = fresh(Wish(site={"workers": 2})).a
    shown = site.namespace.run(
        program("penstock-dataplane"), "--config", str(site.config_file), "--show-topology"
    )
    for part in ("worker 0", "worker 1", "sends on lane 1", "commands_1", "frames"):
        assert part in shown


def test_a_running_site_tells_the_queues_that_its_ports_have(fresh):
    pair = fresh(Wish(site={"workers": 2}, site_b={"workers": 1})).start()
    shown = [
        site.namespace.run(program("penstock"), "status", "--topology", str(site.config_file))
        for site in pair.sites
    ]
    for text, queues in zip(shown, ("2 queues", "1 queue")):
        ports = [line for line in text.splitlines() if " port  " in line]
        assert len(ports) == 2 and all(line.endswith(queues) for line in ports)
        assert "if there are so many" not in text
    assert "worker 1" in shown[0] and "worker 1" not in shown[1]
    pair.settle()
    for site, count in zip(pair.sites, (2, 1)):
        status = site.status()
        assert [worker["worker"] for worker in status["workers"]] == list(range(count))
        # Each speaks on its lane.
        sealed = [worker["counters"]["frames_sealed"] for worker in status["workers"]]
        assert min(sealed) > 0
