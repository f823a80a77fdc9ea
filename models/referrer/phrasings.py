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
            "Please give me {list}.",
            "Could you outline {list}?",
            "Trace {list}.",
            "Please find {list} and draw the outline.",
            "Can you mark {list} for me?",
            "I need the mask of {list}.",
            "Show me the pixels of {list}.",
        ),
        "refer": (
            "Where is {list}?",
            "Give the box of {list}.",
            "Box {list}.",
            "What are the bounds of {list}?",
            "Put a box around {list}.",
            "Give me the bounds of {list}.",
            "Which box holds {list}?",
            "Please box {list}.",
            "Tell me the box of {list}.",
            "Please put {list} in a box.",
        ),
        "caption": (
            "Describe the scene.",
            "What does the scene show?",
            "Write a caption.",
            "Sum up what is here.",
            "Tell me what you see.",
            "What is in this scene?",
            "Please describe what you see.",
            "Give a caption of the scene.",
            "Tell me what is in this scene.",
            "Please write what is here.",
        ),
        "category": (
            "What is {cell}?",
            "What lies {cell}?",
            "Name what is {cell}.",
            "What can be seen {cell}?",
            "Which feature is {cell}?",
            "Tell me what lies {cell}.",
            "Name the feature {cell}.",
            "What do you see {cell}?",
            "Tell me which feature is {cell}.",
            "Name what can be seen {cell}.",
        ),
        "presence": (
            "Is there a {noun} here?",
            "Does the scene show a {noun}?",
            "Can you see a {noun}?",
            "Is any {noun} visible?",
            "Does a {noun} lie in this scene?",
            "Is there any {noun} in the scene?",
            "Do you see a {noun}?",
            "Tell me if there is a {noun}.",
            "Can you see any {noun} here?",
            "Is a {noun} visible in this scene?",
        ),
        "quantity": (
            "How many {nouns} are there?",
            "Count the {nouns}.",
            "What is the number of {nouns}?",
            "How many {nouns} can you see?",
            "Give the count of {nouns}.",
            "Tell me the number of {nouns}.",
            "How many {nouns} does the scene show?",
            "Please count the {nouns} here.",
            "Give the number of {nouns}.",
            "How many {nouns} are here?",
        ),
        "kind": (
            "What kind of lake is {list}?",
            "Which kind of water has {list}?",
            "Tell me the kind of {list}.",
            "Of which kind is {list}?",
            "Is {list} clear, milky or frozen?",
            "Name the kind of {list}.",
            "What kind of water is {list}?",
            "Is the water of {list} clear, milky or frozen?",
            "Tell me which kind of lake is {list}.",
            "Of what kind is {list}?",
        ),
        "shape": (
            "Is {list} long or round?",
            "What shape has {list}?",
            "Tell me the shape of {list}.",
            "Of what shape is {list}?",
            "How is {list} shaped?",
            "Name the shape of {list}.",
            "Is the shape of {list} long or round?",
            "Which shape has {list}?",
            "What is the shape of {list}?",
            "Tell me if {list} is long or round.",
        ),
        "size": (
            "How large is {list}?",
            "What is the size of {list}?",
            "Is {list} small, medium or large?",
            "Tell me the size of {list}.",
            "Of what size is {list}?",
            "Name the size of {list}.",
            "Which size has {list}?",
            "Is the size of {list} small, medium or large?",
            "What size has {list}?",
            "Tell me how large {list} is.",
        ),
        "position": (
            "In which part of the scene is {list}?",
            "Which part of the scene holds {list}?",
            "Tell me the place of {list}.",
            "In what part is {list}?",
            "At which place lies {list}?",
            "Name the part of the scene with {list}.",
            "Where in the scene lies {list}?",
            "What is the place of {list}?",
            "Tell me in which part {list} is.",
            "Which part holds {list}?",
        ),
    }
)
"""Words of held-out phrasings occur in others: a network from nothing knows no synonyms."""


def known_phrasings(task: Task) -> int:
    """How many phrasings of a question training may see; the rest are for tests."""
    count = len(PHRASINGS[task])
    return count - max(1, round(count * HELD_OUT_SHARE))


def listed(phrases: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
