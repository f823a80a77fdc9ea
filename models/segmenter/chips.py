"""Chips as the segmenter knows them; the records live with the facts, because stores write them too."""

from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, LABEL_SCALE, SPLITS, ChipBatch, Split

__all__ = ["CHIP_PX", "LABEL_IGNORE", "LABEL_SCALE", "SPLITS", "ChipBatch", "Split"]
