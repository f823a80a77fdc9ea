"""Up to four things of one item, any of them missing, as the one stream of tokens that Qwen2-VL reads.

Source: VLM2GeoVec: image, instruction, words, box, place, end. The pooled token is the last one, so that padding stands on the left:
VLM2Vec guesses the side from the mask, and a guess that is wrong pools padding.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast, Qwen2VLImageProcessor

from catalog.facts.embedder_cards import EmbedderConfig
from catalog.facts.errors import WrongCall
from models.embedder.boxes import Bounds, box_words
from models.embedder.places import Place, place_numbers, place_width, place_words
from models.language.tokenizer import BEGIN, END, IMAGE, PAD, VISION_END, VISION_START

PLACE: Final = "<|place|>"
"""Where a place is one soft token."""
ADDED: Final = (VISION_START, VISION_END, PLACE)
"""Control tokens of a vocabulary of our own, beside those that all systems have."""
FRAMES: Final = 2
"""Qwen2-VL's tower reads frames of a film two by two; an image is the same frame twice."""


@dataclass(frozen=True, slots=True)
class Item:
    """What one vector is made of."""

    image: Tensor | None = field(default=None, repr=False)
    """(3, y, x) as the vision tower sees it."""
    text: str = ""
    bounds_lbrt: Bounds | None = None
    """Left, bottom, right, top; shares from the upper left corner."""
    place: Place | None = None
    instruction: str = ""
    """What is wanted of the item; it is no content."""

    def __post_init__(self) -> None:
        """Raise WrongCall for an item of nothing."""
        if self.image is None and not self.text and self.bounds_lbrt is None and self.place is None:
            raise WrongCall("An item without image, text, box and place has no vector: give one of them or more.")


@dataclass(frozen=True, slots=True)
class StreamIds:
    """Numbers of the control tokens in a vocabulary."""

    pad: int
    begin: int
    end: int
    image: int
    vision_start: int
    vision_end: int
    place: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast) -> "StreamIds":
        """Look them up."""
        found = [tokenizer.convert_tokens_to_ids(token) for token in (PAD, BEGIN, END, IMAGE, *ADDED)]
        return cls(*(int(number) for number in found))


@dataclass(frozen=True, slots=True)
class Stream:
    """N items as tensors."""

    ids: Tensor
    """(N, length), padded on the left."""
    attention: Tensor
    """(N, length), 1 where there is something, 0 where there is padding."""
    kinds: Tensor
    """(N, length), 1 for image tokens, 0 for all others: rotary positions in three axes hang on it."""
    pixels: Tensor
    """(patches of all images, 3 * 2 * patch^2)."""
    grids: Tensor
    """(images, 3): frames, rows and columns of patches."""
    places: Tensor
    """(places, width), numbers of the soft tokens; none where places are words."""

    def to(self, device: torch.device) -> "Stream":
        """Move to a device."""
        return Stream(**{each.name: getattr(self, each.name).to(device) for each in fields(self)})


@dataclass(frozen=True)
class Streamer:
    """How items become numbers for one network."""

    tokenizer: PreTrainedTokenizerFast
    config: EmbedderConfig

    @cached_property
    def ids(self) -> StreamIds:
        """Control tokens."""
        return StreamIds.of(self.tokenizer)

    def of(self, items: Sequence[Item]) -> Stream:
        """Put items together; raises WrongCall for images that are no whole number of tokens, and for streams that are too long."""
        pixels, grids = self._patches([item.image for item in items if item.image is not None])
        counts = iter((grids.prod(dim=1) // self.config.vision.merge**2).tolist())
        rows = [self._row(item, next(counts) if item.image is not None else 0) for item in items]
        length = max((len(row) for row in rows), default=0)
        self._check_length(length)
        ids, attention = torch.full((len(rows), length), self.ids.pad), torch.zeros((len(rows), length), dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, length - len(row) :], attention[number, length - len(row) :] = torch.tensor(row), 1
        return Stream(ids, attention, (ids == self.ids.image).long(), pixels, grids, self._places(items))

    def words(self, item: Item) -> str:
        """Return instruction, text, box and place as they are read; control tokens in them are words that nobody said."""
        parts = [self._plain(item.instruction), self._plain(item.text)]
        if item.bounds_lbrt is not None:
            parts.append(box_words(item.bounds_lbrt, self.config.box_side))
        if item.place is not None and self.config.geo.encoding == "text":
            parts.append(place_words(item.place, self.config.geo.decimals))
        return " ".join(part for part in parts if part)

    def text(self, row: Sequence[int]) -> str:
        """Read a row of ids back, control tokens included, padding left out."""
        return str(self.tokenizer.decode([number for number in row if number != self.ids.pad], skip_special_tokens=False))

    def _row(self, item: Item, image_tokens: int) -> list[int]:
        ids = self.ids
        seen = [ids.vision_start, *([ids.image] * image_tokens), ids.vision_end] if item.image is not None else []
        said: list[int] = self.tokenizer(self.words(item), add_special_tokens=False)["input_ids"]
        soft = [ids.place] if item.place is not None and self.config.geo.encoding != "text" else []
        return [ids.begin, *seen, *said, *soft, ids.end]

    def _patches(self, images: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        vision = self.config.vision
        for image in images:
            if len(image) != 3 or any(side % vision.token_px or not side for side in image.shape[1:]):
                raise WrongCall(
                    f"An image of shape {tuple(image.shape)} is no (3, y, x) in whole tokens of {vision.token_px} px: resize it."
                )
        if not images:
            return torch.zeros(0, 3 * FRAMES * vision.patch_px**2), torch.zeros(0, 3, dtype=torch.long)
        cut = self._processor(images=list(images), return_tensors="pt")
        return cut["pixel_values"], cut["image_grid_thw"]

    def _places(self, items: Sequence[Item]) -> Tensor:
        places = [item.place for item in items if item.place is not None]
        if self.config.geo.encoding == "text":
            return torch.zeros(0, place_width(self.config.geo))
        return torch.from_numpy(place_numbers(places, self.config.geo)).float()

    def _plain(self, words: str) -> str:
        return self._control.sub(" ", words).strip()

    def _check_length(self, length: int) -> None:
        if length > self.config.language.positions:
            raise WrongCall(f"An item takes {length} tokens, the network reads {self.config.language.positions}: give it fewer words.")

    @cached_property
    def _control(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(token) for token in sorted(self.tokenizer.get_added_vocab(), key=len, reverse=True)))

    @cached_property
    def _processor(self) -> Any:
        """Of transformers, cutting images that are already as the tower sees them."""
        vision = self.config.vision
        return Qwen2VLImageProcessor(
            patch_size=vision.patch_px,
            merge_size=vision.merge,
            temporal_patch_size=FRAMES,
            do_resize=False,
            do_rescale=False,
            do_normalize=False,
            do_convert_rgb=False,
        )
