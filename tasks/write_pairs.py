"""Chips to GLake-Pos: a table of questions, true answers and the masks that they point at."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from catalog.facts.chips import SPLITS
from catalog.facts.describer_cards import ChannelScaling
from catalog.facts.errors import ChipsUnusable, WrongCall
from catalog.stores.chips import open_chips, read_card
from catalog.stores.objects import local_path, place
from catalog.stores.recipes import read_recipe
from catalog.stores.tables import put_table
from models.describer.chip_scenes import stored_scenes
from models.describer.pairs import GENERATOR_VERSION, WORDINGS, fixed_pairs
from models.describer.recipe import Recipe

PAIRS: Final = pa.schema(
    [
        ("chip_id", pa.string()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("family", pa.string()),
        ("instance_ids", pa.list_(pa.int32())),
        ("mask_runs", pa.list_(pa.int32())),
        ("n_instances", pa.int16()),
        ("split", pa.string()),
        ("template_id", pa.string()),
        ("generator_version", pa.string()),
    ]
)
"""One row per question; `mask_runs` are the lengths of runs of the mask, row by row, beginning with dry pixels."""


def write_pairs(data: str, out: str, seed: int = 0) -> dict[str, int]:
    """Write one question of every family that a chip can answer; returns how many of each family.

    Phrasings that training never sees are those of the split `test`. Raises ChipsUnusable, or WrongCall for chips of slumps.
    """
    card = read_card(local_path(data))
    if card.get("target", "lakes") != "lakes":
        raise WrongCall(f"{data} holds chips of {card['target']}, and pairs ask about lakes: give a set of chips of lakes.")
    rows = list(_rows(data, seed))
    if not rows:
        raise ChipsUnusable(f"{data}: no chip of any split can be asked about; cut chips with `cryoatlas chips cut`.")
    table = pa.Table.from_pylist(rows, PAIRS)
    put_table(place(out), table, PAIRS, provenance={"data": data, "seed": seed, "generator_version": GENERATOR_VERSION})
    return dict(sorted(Counter(row["family"] for row in rows).items()))


def _rows(source: str, seed: int) -> Iterator[dict[str, Any]]:
    chips, recipe = open_chips(source), read_recipe("tiny-demo", "describe", Recipe, {})
    for split in (name for name in SPLITS if name != "buffer"):
        if split not in set(chips.table["split"]):
            continue
        for seen in stored_scenes(chips, split, recipe, ChannelScaling()):
            for scene in seen.scenes:
                for pair in fixed_pairs(scene.facts(), seed, held_out=split == "test", wordings=WORDINGS):
                    yield pair.as_row(scene.lakes, split)
