"""The picture of `scripts/demo --shape`: what is on the wire while hosts are idle and busy, and
what the eavesdropper's classifier makes of it."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import roc_curve

if TYPE_CHECKING:
    from .shape_story import Watched

os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())

import matplotlib  # noqa: E402

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

BIN_NS = 10_000_000
SECONDS = 8.0  # of the recording that are shown
INK, PALE, SHADE = "#1f3b57", "#8a949e", "#f0e2c8"


def draw(file: Path, *rows: "Watched") -> None:
    pyplot.rcParams.update({
        "font.size": 9, "axes.edgecolor": PALE, "axes.spines.top": False,
        "axes.spines.right": False, "xtick.color": PALE, "ytick.color": PALE,
        "xtick.labelcolor": "black", "ytick.labelcolor": "black",
    })  # fmt: skip
    figure, axes = pyplot.subplots(
        len(rows), 2, figsize=(9, 4.6), width_ratios=(3.4, 1), layout="constrained", squeeze=False
    )
    for watched, (left, right) in zip(rows, axes):
        _wire(left, watched)
        _verdict(right, watched)
        last = watched is rows[-1]
        left.set_xlabel("seconds; shaded while the hosts send bulk" if last else "")
        right.set_xlabel("idle taken for bulk" if last else "")
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def _wire(axis, watched: "Watched") -> None:
    """Frames from A to B in each 10 ms."""
    begin = watched.blocks[0].change
    end = begin + int(SECONDS * 1e9)
    counts, edges = np.histogram(
        watched.wire.frames_of(0).between(begin, end).ns, np.arange(begin, end, BIN_NS)
    )
    axis.plot((edges[:-1] - begin) / 1e9, counts, color=INK, linewidth=0.7)
    changes = [block.change for block in watched.blocks] + [end]
    for block, change in zip(watched.blocks, changes[1:]):
        if block.activity == "bulk" and block.change < end:
            axis.axvspan((block.change - begin) / 1e9, (min(change, end) - begin) / 1e9,
                         color=SHADE, linewidth=0)  # fmt: skip
    axis.set_xlim(0, SECONDS)
    axis.set_ylim(0, max(1.3 * counts.max(initial=1), 5))
    axis.set_ylabel("frames in 10 ms")
    axis.set_title(f"{watched.mode} mode: what is on the wire", loc="left", fontsize=10)


def _verdict(axis, watched: "Watched") -> None:
    """ROC: for every threshold, how much bulk is found for how much idle is taken for it."""
    verdict = watched.by_looks
    wrong, right, _ = roc_curve(verdict.truth, verdict.scores, drop_intermediate=False)
    axis.plot([0, 1], [0, 1], color=PALE, linewidth=0.8, linestyle=":")
    axis.plot(wrong, right, color=INK, linewidth=1.2, clip_on=False)
    axis.set_aspect("equal")
    axis.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axis.set_ylabel("bulk found")
    axis.set_title(f"AUC {verdict.auc:.2f}", loc="left", fontsize=10)
