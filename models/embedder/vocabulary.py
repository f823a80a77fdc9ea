"""Words that a vocabulary of our own is learned from: those of the searches themselves."""

from collections.abc import Sequence

from models.embedder.instructions import INSTRUCTIONS, OF_BOXES, OF_IMAGES, OF_WORDS, TASKS
from models.embedder.scenes import PlacedScene
from models.embedder.tasks import SearchOptions, fixed_searches


def corpus(scenes: Sequence[PlacedScene], options: SearchOptions, seed: int = 0) -> list[str]:
    """Words of searches about some scenes, for a tokenizer; held-out phrasings included, as letters are no secret.

    Numbers of boxes and places need not be learned, as digits stand alone.
    """
    texts = [OF_BOXES, OF_IMAGES, OF_WORDS, *(phrasing for task in TASKS for phrasing in INSTRUCTIONS[task])]
    for placed in scenes:
        for held_out in (False, True):
            for search in fixed_searches(placed, options, seed, held_out=held_out):
                every = (search.query, search.target.item, *(each.item for each in search.negatives))
                texts += [item.text for item in every if item.text]
    return texts
