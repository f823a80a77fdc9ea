"""Questions about an image whose answers are few: the true one is told from the others that could be given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from catalog.facts.feature_classes import CLASSES
from catalog.facts.scene_facts import SIZES
from models.language.slots import NUMBERS
from models.referrer.phrasings import Task
from models.referrer.references import CELLS
from models.referrer.wording import cell_words

ANSWERS: Final[Mapping[Task, tuple[str, ...]]] = MappingProxyType(
    {
        "category": tuple(f"A {kind}." for kind in CLASSES if kind != "lake"),
        "presence": ("Yes.", "No."),
        "quantity": tuple(f"{number.capitalize()}." for number in NUMBERS[:7]),
        "kind": ("Clear.", "Milky.", "Frozen."),
        "shape": ("Long.", "Round."),
        "size": tuple(f"{size.capitalize()}." for size in SIZES),
        "position": tuple(f"{cell_words(cell).capitalize()}." for cell in CELLS),
    }
)
"""By kind of question. A question is kept only if its true answer is among them: lakes of an inventory have no kind."""
