"""Variants of the slump detector trained alike, several seeds each, ready for `python -m benchmarks.compare_slumps`.

    python -m benchmarks.ablate_slumps --data CHIPS [--data MORE] --out DIR [--seeds 0,1,2] [--variants fused,rgb,...] [--set NAME=VALUE]

The networks are the smallest that learn, on windows of 640 m; `--set` changes the recipe (`--set network.backbone=mvitv2_tiny`). Detectors
of one modality are trained once per seed and shared by every fusion. `rgb` goes on alone for as many steps as the fusions take, and
`control` fuses three detectors of red-green-blue that saw other windows: as many parameters, no new light.
"""

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from tasks.train_slumps import train

BASE: Mapping[str, Any] = {
    "network.backbone": "mvitv2_nano",
    "network.window_px": 64,
    "network.channels": 32,
    "network.head_width": 128,
    "network.mask_convolutions": 1,
    "network.proposals_training": 100,
    "network.proposals": 50,
    "network.fusion.window": 8,
    "unimodal.steps": 200,
    "unimodal.validate_every": 200,
    "fusion.steps": 250,
    "fusion.validate_every": 250,
    "validation_windows": 60,
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "fused": {},
    "rgb": {"network.modalities": ["rgb"], "network.fusion.kind": "none", "fusion.steps": 450, "fusion.validate_every": 450},
    "concat": {"network.fusion.kind": "concat"},
    "no_residual": {"network.fusion.kind": "xattn"},
    "literal": {"network.fusion.scope": "global", "network.fusion.positions": False},
    "control": {"network.modalities": ["rgb", "rgb:2", "rgb:3"]},
    "terrain": {"network.modalities": ["rgb", "ndvi", "nir", "topo"]},
    "end_to_end": {"mode": "end_to_end"},
}
_SHARED = "unimodal-*"


def main() -> None:
    """Read the command line and train what is missing; a variant that is done is not trained again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--variants", type=lambda text: text.split(","), default=list(VARIANTS))
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE over the recipe")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    changes = {name: yaml.safe_load(value) for name, _, value in (text.partition("=") for text in args.set)}
    for seed in args.seeds:
        for variant in args.variants:
            folder = args.out / f"{variant}-{seed}"
            _borrow(args.out, folder, seed)
            report = train("tiny-demo", args.data, str(folder), {**BASE, **changes, **VARIANTS[variant], "seed": seed}, "cpu")
            print(variant, seed, {name: value for name, value in report.figures.items() if name in {"val_AP", "val_AP50"}}, flush=True)


def _borrow(out: Path, folder: Path, seed: int) -> None:
    """Copy detectors of one modality that another variant of the seed trained; one that does not fit is refused by its fingerprint."""
    for stage in sorted(out.glob(f"*-{seed}/stages/{_SHARED}")):
        target = folder / "stages" / stage.name
        if not target.exists():
            shutil.copytree(stage, target)


if __name__ == "__main__":
    main()
