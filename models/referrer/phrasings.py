"""How people ask for masks, boxes and facts: several phrasings of every question, the last fifth of which is kept for testing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Task = Literal["segment", "refer", "caption", "category", "presence", "quantity", "kind", "shape", "size", "position"]
TASKS: Final[tuple[Task, ...]] = (
    "segment", "refer", "caption", "category", "presence", "quantity", "kind", "shape", "size", "position",
)  # fmt: skip
TALKED: Final[tuple[Task, ...]] = TASKS[1:]
"""Tasks whose answers are words alone."""
TAGS: Final[Mapping[Task, str]] = MappingProxyType(
    {task: f"[{task}]" if task in ("segment", "refer", "caption") else "[question]" for task in TASKS}
)
"""Before every question, as GeoPix tells its tasks apart."""
HELD_OUT_SHARE: Final = 0.2

PHRASINGS: Final[Mapping[Task, tuple[str, ...]]] = MappingProxyType(
    {
        "segment": (
            "Can you segment {list}?",
            "Segment {list}.",
            "Where can I find {list}?",
            "Show me {list}.",
            "Please outline {list}.",
            "Draw the mask of {list}.",
            "Mark {list}.",
            "I need {list}.",
            "Give me the outline of {list}.",
            "Which pixels belong to {list}?",
            "Could you draw {list} for me?",
            "{list}. Please output segmentation mask.",
            "Find {list} and outline what you find.",
            "Trace {list}, please.",
            "What is the extent of {list}?",
        ),
        "refer": (
            "Where is {list}?",
            "Give the box of {list}.",
            "Box {list}.",
            "What are the bounds of {list}?",
            "Put a box around {list}.",
        ),
        "caption": (
            "Describe the scene.",
            "What does the scene show?",
            "Write a caption.",
            "Sum up what is here.",
            "Tell me what you see.",
        ),
        "category": (
            "What is {cell}?",
            "What lies {cell}?",
            "Name what is {cell}.",
            "What can be seen {cell}?",
            "Which feature is {cell}?",
        ),
        "presence": (
            "Is there a {noun} here?",
            "Does the scene show a {noun}?",
            "Can you see a {noun}?",
            "Is any {noun} visible?",
            "Does a {noun} lie in this scene?",
        ),
        "quantity": (
            "How many {nouns} are there?",
            "Count the {nouns}.",
            "What is the number of {nouns}?",
            "How many {nouns} can you see?",
            "Give the count of {nouns}.",
        ),
        "kind": (
            "What kind of lake is {list}?",
            "Which kind of water has {list}?",
            "Tell me the kind of {list}.",
            "Of which kind is {list}?",
            "Is {list} clear, milky or frozen?",
        ),
        "shape": (
            "Is {list} long or round?",
            "What shape has {list}?",
            "Tell me the shape of {list}.",
            "Of what shape is {list}?",
            "How is {list} shaped?",
        ),
        "size": (
            "How large is {list}?",
            "What is the size of {list}?",
            "Is {list} small, medium or large?",
            "Tell me the size of {list}.",
            "Of what size is {list}?",
        ),
        "position": (
            "In which part of the scene is {list}?",
            "Which part of the scene holds {list}?",
            "Tell me the place of {list}.",
            "In what part is {list}?",
            "At which place lies {list}?",
        ),
    }
)  # fmt: skip


def known_phrasings(task: Task) -> int:
    """How many phrasings of a question training may see; the rest are for tests."""
    count = len(PHRASINGS[task])
    return count - max(1, round(count * HELD_OUT_SHARE))


def listed(phrases: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
