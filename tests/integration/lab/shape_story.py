"""What an eavesdropper can tell of the traffic inside, by how a link's frames are timed: the
same hosts, idle and busy in turn, over a link in burst mode and over one in constant mode."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from .classifier import Block, Verdict, interleave, judge
from .console import Console
from .errors import LabError
from .inside import traffic_inside
from .network import HOST_B
from .pair import Pair, Wish
from .recorder import Recorder
from .wire_features import Wire, gaps, looks, read_wire

WINDOWS = 300  # of idle, and as many of bulk
SEED = 1
CONSTANT_AUC, BURST_AUC = 0.60, 0.95  # at most, at least


@dataclass
class Watched:
    """A link of one mode, as the eavesdropper had it."""

    mode: str
    wire: Wire
    blocks: list[Block]
    by_looks: Verdict
    by_gaps: Verdict

    def frames_in_windows(self, activity: str) -> list[int]:
        """From A to B."""
        windows = [w for block in self.blocks if block.activity == activity for w in block.windows()]
        frames = self.wire.frames_of(0)
        return [len(frames.between(*window).ns) for window in windows]


def watch(mode: str, rate: int, console: Console) -> Watched:
    """`rate`: frames a second in constant mode; bulk is twice what they carry, in either mode."""
    shape = {"mode": mode} | ({"rate": f"{rate}fps"} if mode == "constant" else {})
    with (
        tempfile.TemporaryDirectory() as directory,
        Pair(Wish(link={"shape": shape})) as pair,
        console.step(f"{mode} mode: {WINDOWS} windows of 100 ms each of idle and of bulk") as step,
    ):
        pair.start()
        for site in pair.sites:
            site.prefer()
        file = Path(directory, "wire")
        recorder = Recorder(pair.network.wire, ["port-a", "port-b"], file)
        hosts = pair.network.host_a, pair.network.host_b
        with traffic_inside(*hosts, HOST_B.v4, 2 * rate * 1500) as inside, recorder:
            blocks = interleave(inside, ("idle", "bulk"), WINDOWS, SEED)
        if recorder.missed:
            raise LabError(f"the eavesdropper missed {recorder.missed} packets: try again")
        wire = read_wire(file)
        verdicts = [judge(wire, blocks, features, "bulk") for features in (looks, gaps)]
        step.figure = f"{len(wire.ns):,} packets"
        return Watched(mode, wire, blocks, *verdicts)


def tell_shape(rate: int, picture: Path) -> int:
    from .shape_picture import draw  # takes matplotlib, which nothing else here needs

    console = Console()
    console.title("Two sites, and an eavesdropper who learns to tell idle from bulk")
    console.say(f"Half of what it sees to learn from, half to be tested on; {rate} frames/s when constant")
    console.say()
    burst, constant = (watch(mode, rate, console) for mode in ("burst", "constant"))
    console.title("What it saw from A to B, and how often it is right (AUC: 0.5 is a guess, 1 is always)")
    rows: list[tuple[str, ...]] = [("mode", "frames idle", "bulk", "sizes", "AUC by looks", "by gaps")]
    console.table(rows + [_row(watched) for watched in (burst, constant)])
    draw(picture, burst, constant)
    console.say()
    console.say(f"A picture of both: {picture}")
    return _verdict(constant.by_looks.auc, burst.by_looks.auc, constant.by_gaps.auc)


def _row(watched: Watched) -> tuple[str, ...]:
    counts = (watched.frames_in_windows(activity) for activity in ("idle", "bulk"))
    ranges = (f"{min(count)} to {max(count)}" for count in counts)
    sizes = set(watched.wire.frames_of(0).columns["size"])
    verdicts = (f"{verdict.auc:.2f}" for verdict in (watched.by_looks, watched.by_gaps))
    return watched.mode, *ranges, str(len(sizes)), *verdicts


def _verdict(constant: float, burst: float, gap: float) -> int:
    holds = round(constant, 2) <= CONSTANT_AUC and round(burst, 2) >= BURST_AUC
    print()
    print(
        f"shape: {'ok' if holds else 'failed'}"
        f" constant_auc={constant:.2f} burst_auc={burst:.2f} gap_auc={gap:.2f}"
    )
    return 0 if holds else 1
