"""Searches of nine kinds, made from what is true of the features of a scene.

Source: the tasks of VLM2GeoVec's benchmark RSMEB, on scenes of our own. Negatives of the same image are part of every task that has
some: with those of other scenes alone, tasks about regions are solved by telling images apart.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np

from catalog.facts.embedder_cards import PUBLISHED
from catalog.facts.errors import RecipeWrong
from catalog.facts.feature_classes import CLASSES, FeatureClass
from models.embedder.answers import ANSWERS
from models.embedder.boxes import Bounds, box_words, overlap
from models.embedder.captions import caption_of, class_of, counts_of, label_words
from models.embedder.instructions import OF_BOXES, OF_IMAGES, OF_WORDS, TASKS, Task, held_out_instructions, known_instructions
from models.embedder.scenes import PlacedScene
from models.embedder.searches import Marks, Region, Search, Target, merged, words_target
from models.embedder.stream import Item
from models.embedder.views import View, told_mark
from models.referrer.phrasings import PHRASINGS, known_phrasings
from models.referrer.questions import answerable, talk
from models.referrer.wording import phrase_of

_MISSED: Final = 0.1
"""IoU up to which a drawn box is wrong for a feature."""
_TRIES: Final = 20
_MARKED_SIDE: Final = PUBLISHED.box_side
"""Boxes that are the same on this grid are the same target."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Which searches are made of a scene, and how."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    tasks: tuple[Task, ...] = TASKS
    distractors: int = 4
    """Boxes where nothing lies, among those that a reference may mean."""
    otherwise: int = 1
    """Turned and mirrored images among the wrong ones, or what would be said of them."""
    turns: bool = True
    """Turn and mirror scenes in training; words are made after."""
    instructed: bool = True
    """Queries and targets say what is wanted (the paper's ablation: they do not)."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong without tasks, or for numbers that cannot be."""
        if not self.tasks or self.distractors < 0 or not 0 <= self.otherwise <= 7:
            raise RecipeWrong(
                f"{len(self.tasks)} tasks, {self.distractors} distractors, {self.otherwise} other ways to lie: name one task or more, "
                "0 boxes or more, 0 to 7 ways."
            )


@dataclass(frozen=True, slots=True)
class _Made:
    """A search without its instruction."""

    query: Item
    target: Target
    others: tuple[Target, ...] = ()
    """Right ones among them are left out."""
    wanted: Marks = frozenset()
    """Marks of the target where empty."""
    region: Region | None = None
    closed: bool = False


def search_of(
    placed: PlacedScene, task: Task, options: SearchOptions, rng: np.random.Generator, *, held_out: bool = False
) -> Search | None:
    """Make a search of one kind about a scene as it lies; None where the scene has none."""
    made = _MAKERS[task](View(placed, rng, held_out), options)
    if made is None:
        return None
    choices = held_out_instructions(task) if held_out else known_instructions(task)
    instruction = choices[int(rng.integers(len(choices)))] if options.instructed else ""
    search = Search(
        scene_id=placed.scene.scene_id,
        task=task,
        query=replace(made.query, instruction=instruction),
        target=_instructed(made.target, options),
        wanted=made.wanted or made.target.marks,
        region=made.region,
        negatives=(),
        closed=made.closed,
    )
    wrong = (each for each in merged(made.others) if not search.right(each))
    return replace(search, negatives=tuple(_instructed(each, options) for each in wrong))


def fixed_searches(placed: PlacedScene, options: SearchOptions, seed: int, *, held_out: bool) -> tuple[Search, ...]:
    """Searches of a scene that are the same at every call, one of each kind that it has."""
    found = []
    for task in options.tasks:
        rng = np.random.default_rng([seed, *task.encode(), *placed.scene.scene_id.encode()])
        found.append(search_of(placed, task, options, rng, held_out=held_out))
    return tuple(search for search in found if search is not None)


def _classify(view: View, _options: SearchOptions) -> _Made | None:
    kind = class_of(view.features)
    if kind is None:
        return None
    others = tuple(_label(each, view) for each in CLASSES if each not in (kind, "lake"))
    return _Made(Item(image=view.image), _label(kind, view), others, closed=True)


def _image_to_text(view: View, options: SearchOptions) -> _Made | None:
    others = tuple(words_target(caption_of(turned.features)) for turned in view.otherwise(options.otherwise))
    return _Made(Item(image=view.image), words_target(caption_of(view.features)), others)


def _text_to_image(view: View, options: SearchOptions) -> _Made | None:
    words = caption_of(view.features)
    others = tuple(turned.target for turned in view.otherwise(options.otherwise))
    return _Made(Item(text=words), view.target, others, frozenset({told_mark(words)}))


def _question(view: View, _options: SearchOptions) -> _Made | None:
    tasks = [task for task in answerable(view.asking) if task in ANSWERS]
    asked = talk(view.asking, view.one(tasks)) if tasks else None
    if asked is None or asked.answer not in ANSWERS[asked.task]:
        return None
    known, every = known_phrasings(asked.task), PHRASINGS[asked.task]
    words = view.one(every[known:] if view.held_out else every[:known]).format(**asked.values)
    others = tuple(words_target(each) for each in ANSWERS[asked.task])
    return _Made(Item(image=view.image, text=_sentence(words)), words_target(asked.answer), others, closed=True)


def _region_caption(view: View, _options: SearchOptions) -> _Made | None:
    if not view.regions:
        return None
    region = view.one(view.regions)
    others = tuple(words_target(each.words) for each in view.regions)
    return _Made(Item(image=view.image, bounds_lbrt=region.bounds_lbrt), words_target(region.words), others)


def _refer(view: View, options: SearchOptions) -> _Made | None:
    choices = view.asking.told_apart
    if not choices:
        return None
    feature = view.one(choices)
    words = phrase_of(view.asking.reference(feature))
    boxes = [each.bounds_lbrt for each in view.asking.features if each is not feature]
    boxes += _empty_boxes(view, feature.bounds_lbrt, options.distractors)
    others = tuple(_box(each) for each in boxes)
    query = Item(image=view.image, text=f"{_sentence(words)}.")
    return _Made(query, _box(feature.bounds_lbrt), others, region=Region("", feature.bounds_lbrt), closed=True)


def _grounded_image(view: View, options: SearchOptions) -> _Made | None:
    if not view.regions:
        return None
    region = view.one(view.regions)
    others = tuple(turned.target for turned in view.otherwise(options.otherwise) if not _holds(turned, region))
    return _Made(Item(text=region.words, bounds_lbrt=region.bounds_lbrt), view.target, others, _own(view), region)


def _placed_image(view: View, _options: SearchOptions) -> _Made | None:
    return _Made(Item(text=counts_of(view.features), place=view.placed.place), view.target, wanted=_own(view))


def _same_feature(view: View, _options: SearchOptions) -> _Made | None:
    if not view.placed.later:
        return None
    name, feature = view.placed.scene.scene_id, view.one(view.features)
    later = [Target(Item(image=image), frozenset({f"image {name} later {number}"})) for number, image in enumerate(view.placed.later, 1)]
    own = later.pop(feature.number - 1)
    return _Made(Item(image=view.image, bounds_lbrt=feature.bounds_lbrt), own, tuple(later))


def _own(view: View) -> Marks:
    return frozenset({f"image {view.placed.scene.scene_id}"})


def _label(kind: FeatureClass, view: View) -> Target:
    """A class by one of its labels, the same target whichever."""
    return Target(Item(text=view.one(label_words(kind))), frozenset({f"class {kind}"}))


def _box(bounds_lbrt: Bounds) -> Target:
    """A box, the same target as every other that is told in the same hundredths."""
    marks = frozenset({f"box {box_words(bounds_lbrt, _MARKED_SIDE)}"})
    return Target(Item(bounds_lbrt=bounds_lbrt), marks, (Region("", bounds_lbrt),))


def _holds(view: View, region: Region) -> bool:
    """Say whether a feature of that caption lies about there, if only in part."""
    return any(each.words == region.words and overlap(each.bounds_lbrt, region.bounds_lbrt) > _MISSED for each in view.regions)


def _empty_boxes(view: View, like: Bounds, count: int) -> Iterator[Bounds]:
    """Boxes of the same size where nothing lies, `count` of them at most."""
    width, height = like[2] - like[0], like[1] - like[3]
    found = 0
    for _ in range(_TRIES * count):
        if found == count:
            return
        left, top = view.rng.uniform(0, 1 - width), view.rng.uniform(0, 1 - height)
        box = (float(left), float(top + height), float(left + width), float(top))
        if all(overlap(box, feature.bounds_lbrt) <= _MISSED for feature in view.asking.features):
            found += 1
            yield box


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _instructed(target: Target, options: SearchOptions) -> Target:
    """Say what a target is; one instruction for everything of a kind, so that an index serves all tasks."""
    item = target.item
    instruction = OF_IMAGES if item.image is not None else OF_BOXES if item.bounds_lbrt is not None else OF_WORDS
    return replace(target, item=replace(item, instruction=instruction)) if options.instructed else target


_MAKERS: Final[Mapping[Task, Callable[[View, SearchOptions], _Made | None]]] = MappingProxyType(
    {
        "classify": _classify, "image_to_text": _image_to_text, "text_to_image": _text_to_image, "question": _question,
        "region_caption": _region_caption, "refer": _refer, "grounded_image": _grounded_image, "placed_image": _placed_image,
        "same_feature": _same_feature,
    }
)  # fmt: skip
