"""What the ranges of slump counts are worth: simulated region-years whose true number is known, at other densities than the calibration's.

python -m benchmarks.slump_counts [--regions 60] [--draws 200]
"""

from argparse import ArgumentParser
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.facts.detector_cards import Calibration
from models.detector.counts import CountingRule, region_count

Floats = NDArray[np.float64]
CALIBRATION_BLOCKS, REGION_BLOCKS = 60, 120
SLUMPS_PER_BLOCK, FALSE_PER_BLOCK, BLOCK_KM2 = 4.0, 4.0, 5.0
SHIFTS = (0.4, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """A detector's answers over blocks, and what is there."""

    score: Floats
    true: NDArray[np.bool_]
    predicted_m2: Floats
    matched_m2: Floats
    block: NDArray[np.int64]
    truth_m2: Floats
    truth_score: Floats
    truth_block: NDArray[np.int64]


def ground(rng: np.random.Generator, blocks: int, density: float) -> Ground:
    """Blocks whose densities of slumps and of false detections vary (gamma, shape 1 and 2), recall 0.62, scores of both kinds overlapping."""
    slumps = rng.poisson(density * SLUMPS_PER_BLOCK * rng.gamma(1.0, 1.0, blocks))
    false = rng.poisson(FALSE_PER_BLOCK * rng.gamma(2.0, 0.5, blocks))
    truth_block, false_block = np.repeat(np.arange(blocks), slumps), np.repeat(np.arange(blocks), false)
    truth_m2 = np.exp(rng.normal(np.log(4e3), 1.0, len(truth_block))) + 400
    found = rng.random(len(truth_m2)) < np.clip(0.62 + 0.1 * np.log10(truth_m2 / 4e3), 0.05, 0.98)
    scores = 0.3 + 0.7 * rng.beta(3.0, 2.0, found.sum()), 0.3 + 0.7 * rng.beta(1.5, 3.0, len(false_block))
    matched = truth_m2[found]
    predicted = np.concatenate(
        [matched * np.exp(rng.normal(0.03, 0.15, len(matched))), np.exp(rng.normal(np.log(3e3), 0.8, len(false_block)))]
    )
    truth_score = np.full(len(truth_m2), -1.0)
    truth_score[found] = scores[0]
    return Ground(
        score=np.concatenate(scores),
        true=np.arange(len(predicted)) < len(matched),
        predicted_m2=predicted,
        matched_m2=np.concatenate([matched, np.zeros(len(false_block))]),
        block=np.concatenate([truth_block[found], false_block]),
        truth_m2=truth_m2,
        truth_score=truth_score,
        truth_block=truth_block,
    )


def calibration_of(known: Ground, blocks: int) -> Calibration:
    """The card's calibration for a ground whose truth is known."""
    columns = (
        known.score,
        known.true,
        known.block,
        known.predicted_m2,
        known.matched_m2,
        known.truth_block,
        known.truth_m2,
        known.truth_score,
    )
    score, true, block, predicted, matched, truth_block, truth_m2, truth_score = (tuple(column.tolist()) for column in columns)
    return Calibration("simulated", score, true, block, predicted, matched, truth_block, truth_m2, truth_score, (BLOCK_KM2,) * blocks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How counts of many region-years compare with what was there."""

    bias: float
    """Sum of the counts over that of the slumps, less one."""
    coverage: float
    width: float
    """Mean width of the interval over the count."""
    area_bias: float
    area_coverage: float
    naive_bias: float
    """Of counting every detection of score above 0.5."""


def verdict(shift: float, regions: int, rule: CountingRule, *, first_seed: int = 0) -> Verdict:
    """Count region-years of `shift` times the calibration's density; every one has a calibration of its own."""
    rows = []
    for seed in range(first_seed, first_seed + regions):
        rng = np.random.default_rng((seed, 17))
        calibration = calibration_of(ground(rng, CALIBRATION_BLOCKS, 1.0), CALIBRATION_BLOCKS)
        there = ground(rng, REGION_BLOCKS, shift)
        found = region_count(there.score, there.predicted_m2, calibration, REGION_BLOCKS * BLOCK_KM2, seed=seed, rule=rule)
        truth, area = len(there.truth_m2), float(there.truth_m2.sum())
        inside = found.count_low <= truth <= found.count_high, found.area_low_m2 <= area <= found.area_high_m2
        rows.append(
            (
                found.count,
                truth,
                *inside,
                (found.count_high - found.count_low) / found.count,
                found.area_m2,
                area,
                (there.score > 0.5).sum(),
            )
        )
    count, truth, covered, area_covered, width, area, area_truth, naive = np.array(rows, np.float64).T
    biases = count.sum() / truth.sum() - 1, area.sum() / area_truth.sum() - 1, naive.sum() / truth.sum() - 1
    return Verdict(biases[0], covered.mean(), width.mean(), biases[1], area_covered.mean(), biases[2])


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, default=60)
    parser.add_argument("--draws", type=int, default=200)
    chosen = parser.parse_args()
    print(f"{chosen.regions} region-years each, {CALIBRATION_BLOCKS} blocks of calibration, {REGION_BLOCKS} of region, 90 % intervals")
    print(f"{'density':>8} {'prior shift':>12} {'naive':>7} {'bias':>7} {'coverage':>9} {'width':>6} {'area bias':>10} {'coverage':>9}")
    for shift in SHIFTS:
        for shifted in (True, False):
            v = verdict(shift, chosen.regions, CountingRule(draws=chosen.draws, prior_shift=shifted))
            print(
                f"{shift:>8} {'yes' if shifted else 'no':>12} {v.naive_bias:>+7.0%} {v.bias:>+7.1%} {v.coverage:>9.2f} {v.width:>6.2f}"
                f" {v.area_bias:>+10.1%} {v.area_coverage:>9.2f}"
            )


if __name__ == "__main__":
    main()
