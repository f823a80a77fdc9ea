"""Trained weights to shipped ones: `python recipes/ship_weights.py --weights RUN/weights --name lakes-tiny --trained-on FILE [--scores DIR]`.

Matrices are rounded to float16, which halves the file; the card gets its name, the words of FILE on what was seen and what never was,
and figures from an evaluation (`cryoatlas evaluate lakes|slumps --out DIR`), which must have scored these weights.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from catalog.facts.detector_cards import DetectorCard
from catalog.stores.checkpoints import write_weights
from catalog.stores.weights import SHIPPED, find_card, read_detector, read_weights

QUOTED = (("iou", "wet"), ("object_f1", "all"), ("object_recall", "size >1 ha"), ("ece", "all"), ("interval_coverage", "all"))
QUOTED_OF_SLUMPS = (
    ("AP50", "all"),
    ("AP", "all"),
    ("AP50", "windows"),
    ("f1", "all"),
    ("recall", "size <0.5 ha"),
    ("duplicates_share", "all"),
)


def figures_of(scores: Path) -> dict[str, float]:
    """The figures that a card quotes, named by split, sensors, metric and group."""
    rows = pq.read_table(scores / "metrics.parquet").to_pylist()
    wanted = [
        row
        for row in rows
        if (row["metric"], row["group"]) in {*QUOTED, *QUOTED_OF_SLUMPS} and row["model"] != "indices" and " minus " not in row["model"]
    ]
    return {f"{row['split']}_{row['metric']}_{row['group']}_{row['subset']}".replace(" ", ""): round(row["value"], 4) for row in wanted}


def main() -> None:
    """Read the command line and write the shipped folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument("--trained-on", type=Path, required=True, help="text file")
    parser.add_argument("--scores", type=Path)
    args = parser.parse_args()
    reference = str(args.weights)
    card, tensors = read_detector(reference) if isinstance(find_card(reference)[0], DetectorCard) else read_weights(reference)
    card = replace(
        card,
        name=args.name,
        version=args.version,
        trained_on=" ".join(args.trained_on.read_text().split()),
        figures=card.figures | (figures_of(args.scores) if args.scores else {}),
    )
    shipped = write_weights(SHIPPED / args.name, tensors, card, storage="float16")
    sys.stdout.write(f"{SHIPPED / args.name}: sha256 {shipped.sha256}\n")


if __name__ == "__main__":
    main()
