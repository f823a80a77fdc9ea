"""Variants of a describer or a referrer trained alike, several seeds each, and what each scores on scenes that none of them saw.

    python -m benchmarks.ablate_language describe --out DIR [--data simulated:20000-21999] [--seeds 0,1] [--variants full,frozen,...] [--steps 2000]
    python -m benchmarks.ablate_language refer --out DIR [--variants full,no_memory,one_stage,...]

All variants of a system take the same number of steps. A variant that is done is not trained again, one that was stopped goes on. Scores are
those of generated answers to phrasings that training never saw; the last lines give, over the seeds, the mean difference to `full` and how
far the seeds lie apart. Scenes are drawn anew for every run, which takes as long as some hundred steps.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from tasks.train_describer import train as train_describer
from tasks.train_referrer import train as train_referrer

UNSEEN = "simulated:20000-21999"
"""Seeds that no shipped weights saw: variants of describers start from some, and are scored on the last tenth."""
DESCRIBERS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "constant": {"network.decoder.prompt": "constant", "loss.words": 0.0},
    "frozen": {"network.language_path": "frozen"},
    "masks_4": {"loss.masks": 4.0},
    "words_4": {"loss.words": 4.0},
    "rgb": {"network.encoder.channels": ["B04", "B03", "B02"]},
}
"""Those that the paper names (GLACIA), and a prompt that hears no words. All begin with the vision tower and the language model of
`describe-tiny`, as the published ones begin with CLIP and Mistral; encoder and decoder begin from nothing."""
REFERRERS: Mapping[str, Mapping[str, Any]] = {
    "full": {},
    "no_memory": {"network.memory": None},
    **{f"slots_{slots}": {"network.memory.slots": slots} for slots in (4, 32)},
    **{fusion: {"network.memory.fusion": fusion} for fusion in ("conv2d", "argmax", "attention", "dual_attention")},
    "shared": {"network.predictor.projectors": "shared"},
    "one_stage": {},
    "unread": {"loss.reading": 0.0},
}
FIGURES: Mapping[str, tuple[str, ...]] = {
    "describe": ("lake_iou", "referring_iou", "count_exact", "positions", "factual"),
    "refer": ("miou", "ciou", "counted", "refused", "class_right"),
}


def describer_changes(variant: str, steps: int) -> dict[str, Any]:
    """Words and masks from the first step on, without any pretext."""
    begin = {"start_from": "describe-tiny", "start_with": "language", "steps.learning_rate": 1e-3}
    phases = {"steps.total": steps, "steps.pretext": 0, "steps.words": 0, "steps.warmup": steps // 20, "steps.validate_every": steps}
    losses = dict.fromkeys(("loss.patches", "loss.reading", "loss.points"), 0.0)
    return {**begin, **phases, **losses, **DESCRIBERS[variant]}


def referrer_changes(variant: str, steps: int) -> dict[str, Any]:
    """Two fifths of the steps for the tower; the others in two stages, or in one that asks as the second does."""
    tower, rest = 2 * steps // 5, steps - 2 * steps // 5
    first, holes, warm = 3 * rest // 10, 0.15, steps // 40
    read = {} if variant == "unread" else {"read": 8}
    alone = {"steps": tower, "warmup": warm, "learning_rate": 1.5e-3, "tower": True, "scenes": 32, **read}
    kinds = [(rest, 3, 1)] if variant == "one_stage" else [(first, 2, 2), (rest - first, 3, 1)]
    later = [
        {"steps": count, "warmup": warm, "learning_rate": 1e-3, "pairs": {"segment": segment, "talk": talk, "absent": 0.2, "holes": holes, "most": 3}}
        for count, segment, talk in kinds
    ]  # fmt: skip
    return {
        "stages": [alone | {"pairs": {"segment": 2, "talk": 1, "holes": holes}}, *later],
        "steps.validate_every": steps,
        **REFERRERS[variant],
    }


def main() -> None:
    """Train what is missing, and tell what each variant scored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=list(FIGURES))
    parser.add_argument("--data", action="append")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1])
    parser.add_argument("--variants", type=lambda text: text.split(","))
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=1)
    call = parser.parse_args()
    torch.set_num_threads(call.threads)
    known, train, changed = {
        "describe": (DESCRIBERS, train_describer, describer_changes),
        "refer": (REFERRERS, train_referrer, referrer_changes),
    }[call.system]
    found: dict[str, dict[int, Mapping[str, float]]] = {}
    for seed in call.seeds:
        for variant in call.variants or known:
            changes = changed(variant, call.steps) | {"seed": seed}
            report = train("tiny-demo", call.data or [UNSEEN], str(call.out / f"{variant}-{seed}"), changes, "cpu")
            found.setdefault(variant, {})[seed] = report.figures
            print(variant, seed, {name: report.figures.get(f"val_generated_{name}") for name in FIGURES[call.system]}, flush=True)
    show(found, FIGURES[call.system])


def show(found: Mapping[str, Mapping[int, Mapping[str, float]]], names: tuple[str, ...]) -> None:
    """Each variant beside `full`, seed by seed."""
    for variant, seeds in found.items():
        if variant == "full" or "full" not in found:
            continue
        for name in (f"val_generated_{each}" for each in names):
            gains = [
                own[name] - found["full"][seed][name] for seed, own in seeds.items() if name in own and name in found["full"].get(seed, {})
            ]
            if gains:
                print(f"{variant:15s} {name:30s} {mean(gains):+.3f} ({min(gains):+.3f} to {max(gains):+.3f}, {len(gains)} seeds)")


if __name__ == "__main__":
    main()
