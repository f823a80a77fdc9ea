"""What is wanted of an item, in words: ten phrasings of every task, the last two of which are kept for testing.

Targets have one instruction each, whatever the task, so that an index serves all tasks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Task = Literal[
    "classify", "image_to_text", "text_to_image", "question", "region_caption", "refer", "grounded_image", "placed_image",
    "same_feature",
]  # fmt: skip
TASKS: Final[tuple[Task, ...]] = (
    "classify", "image_to_text", "text_to_image", "question", "region_caption", "refer", "grounded_image", "placed_image",
    "same_feature",
)  # fmt: skip
INSTRUCTIONS_VERSION: Final = "1"
HELD_OUT: Final = 2
"""Phrasings of a task that training never sees."""
OF_IMAGES: Final = "Represent the image."
OF_WORDS: Final = "Represent the words."
OF_BOXES: Final = "Represent the box."

INSTRUCTIONS: Final[Mapping[Task, tuple[str, ...]]] = MappingProxyType(
    {
        "classify": (
            "What does most of the image show?",
            "Name the class of the image.",
            "Which class has the image?",
            "Give the class that covers most.",
            "Classify the image.",
            "Of which class is the image?",
            "Tell what the image mostly shows.",
            "Find the class of this image.",
            "Tell the class of the image.",
            "Which class covers most of this image?",
        ),
        "image_to_text": (
            "Find the caption of the image.",
            "Which words describe the image?",
            "Describe the image.",
            "Find words for this image.",
            "What is in the image?",
            "Give a caption of the image.",
            "Which caption tells what the image shows?",
            "Tell what is in this image.",
            "Which caption tells what is in this image?",
            "Give words for the image.",
        ),
        "text_to_image": (
            "Find the image of these words.",
            "Which image shows this?",
            "Find an image that the words describe.",
            "Search the image that these words tell of.",
            "Which image do the words describe?",
            "Show an image of this.",
            "Find what the words tell of.",
            "Search an image that shows this.",
            "Which image do these words tell of?",
            "Show the image that the words describe.",
        ),
        "question": (
            "Answer the question about the image.",
            "Look at the image and answer.",
            "What is the answer to the question?",
            "Find the answer in the image.",
            "Answer this about the image.",
            "Give the answer to this question.",
            "Which answer is true of the image?",
            "Look for the answer to the question.",
            "Find the answer to this question in the image.",
            "Look at the image and give the answer.",
        ),
        "region_caption": (
            "Describe what is in the box.",
            "What lies in the box?",
            "Find the caption of the box.",
            "Which words describe the box?",
            "Name what the box holds.",
            "Tell what is in this box.",
            "Give a caption of this box.",
            "Find words for what the box holds.",
            "Tell what the box holds.",
            "Which words describe this box?",
        ),
        "refer": (
            "Find the box of what the words mean.",
            "Where in the image is this?",
            "Which box holds this?",
            "Give the box of this.",
            "Point to what is meant.",
            "Where is what the words mean?",
            "Find where this lies in the image.",
            "Which box do the words mean?",
            "Give the box of what is meant.",
            "Find the box of this.",
        ),
        "grounded_image": (
            "Find the image that shows this in the box.",
            "Which image has this in the box?",
            "Find an image with this at the box.",
            "Search the image where the box holds this.",
            "Show an image that has this there.",
            "In which image does the box hold this?",
            "Which image shows this there?",
            "Search an image with this in this box.",
            "Show an image with this in the box.",
            "Show the image where the box holds this.",
        ),
        "placed_image": (
            "Find the image of this at the place.",
            "Which image shows this near the place?",
            "Search the image that was taken here.",
            "Find an image of this near here.",
            "Show an image of this place.",
            "Which image was taken at this place?",
            "In which image is this, near the place?",
            "Search images of this here.",
            "Which image shows this place?",
            "Find the image that was taken near the place.",
        ),
        "same_feature": (
            "Find what the box holds in another year.",
            "Which image shows this a year later?",
            "Find the image of this in a later year.",
            "Show what is in the box a year later.",
            "Search the image that shows this in another year.",
            "Which image shows what the box holds later?",
            "How does this look in another year?",
            "Find how this looks a year later.",
            "Show what the box holds in another year.",
            "Which image shows this in a later year?",
        ),
    }
)
"""Words of held-out phrasings occur in others of the task: a network from nothing knows no synonyms."""


def known_instructions(task: Task) -> tuple[str, ...]:
    """Phrasings that training may see."""
    return INSTRUCTIONS[task][:-HELD_OUT]


def held_out_instructions(task: Task) -> tuple[str, ...]:
    """Phrasings for tests."""
    return INSTRUCTIONS[task][-HELD_OUT:]
