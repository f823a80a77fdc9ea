"""What each part of the lake system is worth: `python -m benchmarks.ablate_lakes --train DIR --val DIR --test DIR [--steps 100]`.

Every variant is trained by `tiny-demo` with one change, on the same chips, for the same few steps on squares of 112 px, so that a
CPU can do them all; the ranking at that scale is a hint, not a proof. Scores are global IoU on test chips of worlds that no variant
saw, with 95 % intervals that resample worlds. DIRs hold sets of chips (`recipes/worlds_to_chips.py`).
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from catalog.facts.cards import DEM, MODALITIES, S1
from catalog.stores.chips import ChipSet, open_chips
from catalog.stores.weights import read_weights
from models.scores.intervals import ScoreInterval, bootstrap
from models.segmenter.loading import network_of
from models.segmenter.passes import InferenceOptions
from models.segmenter.validation import Judge
from tasks.train_lakes import train

NO_DROPOUT: Final = {f"augment.modalities.{name}": 0.0 for name in ("without_s2", "without_s1", "without_dem", "only_s2", "only_s1")}
VARIANTS: Final[Mapping[str, dict[str, Any]]] = {
    "recipe, seed 42": {},
    "recipe, seed 17": {"seed": 17},
    "recipe, seed 1337": {"seed": 1337},
    **{f"without {term}": {f"loss.weights.{term}": 0.0} for term in ("bce", "focal", "dice", "tversky", "boundary", "lovasz")},
    "all pixels, no OHEM": {"loss.ohem_keep": 1.0},
    "no modality dropout": NO_DROPOUT,
    "decoder upernet": {"network.decoder": "upernet"},
    "no detail branch": {"network.detail": 0},
    "no index head": {"network.indices": False},
    "no average of weights": {"averaging.kind": "none"},
    "single best, no soup": {"selection.soup": "none"},
}


@dataclass(frozen=True)
class Row:
    """Scores of one variant."""

    name: str
    every: ScoreInterval
    radar: ScoreInterval
    flips: ScoreInterval | None
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for split in ("train", "val", "test"):
        parser.add_argument(f"--{split}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--chips", type=int, default=96, help="test chips, spread evenly over the worlds")
    parser.add_argument("--only", nargs="*", default=[], help="variants whose name holds one of these words")
    args = parser.parse_args()
    logging.getLogger("cryoatlas.progress").setLevel(logging.WARNING)
    learned = [str(path.parent) for split in (args.train, args.val) for path in sorted(split.glob("*/set.json"))]
    test = open_chips([path.parent for path in sorted(args.test.glob("*/set.json"))])
    print(
        f"{args.steps} steps of 8 squares of 112 px; {args.chips} test chips of {test.table['ground'].nunique()} worlds; global IoU at 0.5"
    )
    print(f"{'variant':24} {'all sensors':>22} {'S1 + DEM':>22} {'all, flips':>22}  CPU s")
    for name, change in VARIANTS.items():
        if not args.only or any(word in name for word in args.only):
            _print(_row(name, change, learned, test, args))


def _row(name: str, change: dict[str, Any], learned: list[str], test: ChipSet, args: argparse.Namespace) -> Row:
    small = {"steps.total": args.steps, "steps.warmup": args.steps // 10, "steps.crop_px": 112, "steps.validate_every": args.steps // 4}
    clock = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        report = train("tiny-demo", learned, folder, {**small, "selection.chips": 32, **change}, "cpu")
        card, tensors = read_weights(report.weights)
    seconds = time.process_time() - clock
    network = network_of(card, tensors)
    places = np.linspace(0, len(test) - 1, args.chips).round().astype(np.int64)
    scored = {
        kind: _score(network, card, test, places, shown, flips)
        for kind, shown, flips in (("every", MODALITIES, False), ("radar", (S1, DEM), False), ("flips", MODALITIES, True))
        if kind != "flips" or name == "recipe, seed 42"
    }
    return Row(name, scored["every"], scored["radar"], scored.get("flips"), seconds)


def _score(network: torch.nn.Module, card: Any, test: ChipSet, places: np.ndarray, shown: tuple[str, ...], flips: bool) -> ScoreInterval:
    judge = Judge(card.statistics, frozenset(shown), InferenceOptions(flips=flips))
    counts = [judge.counts(network, [test.read(places[start : start + 1])]) for start in range(len(places))]
    values = np.array([(count.hit, count.hit + count.false + count.missed) for count in counts], np.float64)
    worlds = np.unique(test.table["ground"].to_numpy()[places], return_inverse=True)[1]
    return bootstrap(values, worlds, np.random.default_rng(0))


def _print(row: Row) -> None:
    cells = (f"{s.value:.3f} ({s.low:.3f}-{s.high:.3f})" if s else "" for s in (row.every, row.radar, row.flips))
    print(f"{row.name:24} " + " ".join(f"{cell:>22}" for cell in cells) + f"  {row.seconds:5.0f}", flush=True)


if __name__ == "__main__":
    main()
