"""The eavesdropper's verdict: what was inside, told from windows of the wire by logistic
regression (scikit-learn's), trained on half of what was recorded and tested on the rest.

Activities take turns in short blocks, in an order drawn by a seed, so that nothing that drifts
(the machine's other load, say) goes along with one of them. A block is trained on or tested on
as a whole. The windows next to a change belong to neither activity, and are left out.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .inside import Inside
from .wire_features import WINDOW_NS, Wire

CHANGE = 2  # windows left out at a block's begin
BLOCK = 5  # windows of a block that count


@dataclass(frozen=True)
class Block:
    """Windows of one activity; when it changed to that, in ns since the epoch."""

    activity: str
    change: int
    is_training: bool

    def windows(self) -> list[tuple[int, int]]:
        begins = (self.change + number * WINDOW_NS for number in range(CHANGE, CHANGE + BLOCK))
        return [(begin, begin + WINDOW_NS) for begin in begins]


def interleave(inside: Inside, activities: Sequence[str], windows: int, seed: int) -> list[Block]:
    """Lets the hosts do each of `activities` for that many windows; when each block was."""
    chance = random.Random(seed)
    plan: list[tuple[str, bool]] = []
    for number in range(windows // BLOCK // 2):
        turn = [(activity, half) for activity in activities for half in (True, False)]
        chance.shuffle(turn)
        plan += turn
    blocks = []
    for activity, is_training in plan:
        inside.begin(activity)
        change = time.time_ns()
        blocks.append(Block(activity, change, is_training))
        end = change + (CHANGE + BLOCK) * WINDOW_NS
        time.sleep(max(0.0, (end - time.time_ns()) / 1e9))
    inside.begin("idle")
    return blocks


@dataclass
class Verdict:
    """Of the windows tested: how sure the classifier is of `active`, and whether it was so."""

    scores: np.ndarray
    truth: np.ndarray  # of bool

    @property
    def auc(self) -> float:
        """Of 1 it is always right, of 0.5 it guesses. Below, it was wrong more often than a
        coin: chance as well, counted as if somebody had known to turn its answers round."""
        auc = float(roc_auc_score(self.truth, self.scores))
        return max(auc, 1 - auc)


def judge(
    wire: Wire, blocks: list[Block], features: Callable[[Wire], list[float]], active: str
) -> Verdict:
    """Tells `active` from idle by `features`."""
    chosen = [block for block in blocks if block.activity in ("idle", active)]

    def table(is_training: bool) -> tuple[np.ndarray, np.ndarray]:
        mine = [block for block in chosen if block.is_training == is_training]
        rows = [features(wire.between(*window)) for block in mine for window in block.windows()]
        return np.array(rows), np.repeat([block.activity == active for block in mine], BLOCK)

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(*table(True))
    seen, truth = table(False)
    return Verdict(classifier.decision_function(seen), truth)
