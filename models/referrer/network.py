"""The referrer: a language model that sees, says a group of marks for every mask, and a predictor that draws what each group means.

Source: GeoPix. Masks come from the vision tower of the language model itself, from a late and an early layer of one pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.feature_classes import CLASSES
from catalog.facts.referrer_cards import ReferrerConfig
from models.language.adapters import LANGUAGE, adapt
from models.language.dialogue import TokenIds, Tokens
from models.language.vision_language import build_llava
from models.referrer.marks import MARKS, SCALES
from models.referrer.memory import ClassMemory, ClassQuery
from models.referrer.predictor import Drawn, MaskPredictor
from models.referrer.projectors import MarkReader, Projector

_PROJECTOR = "multi_modal_projector"
Prepare = Callable[[LlavaForConditionalGeneration], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """B scenes after one pass of the vision tower."""

    tokens: Tensor
    """(B, tokens, width of the language model)."""
    patches: Tensor
    """(B, tokens, width of the tower), of the tap of the language path, before its projector."""
    rough: Tensor
    """(B, C, side, side)."""
    detail: Tensor
    """(B, C, side, side)."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of marks in N texts."""

    of_text: Tensor
    """(T,), the text that each stands in."""
    prompts: Tensor
    """(T, 2, C)."""
    classes: Tensor
    """(T, classes), logits of the class that each means."""
    states: Tensor
    """(T, width of the language model), at the last mark of each."""


class Referrer(nn.Module):
    """Scenes and texts about them to words and masks."""

    def __init__(
        self, config: ReferrerConfig, ids: TokenIds, marks: tuple[int, ...], vocabulary: int, prepare: Prepare | None = None
    ) -> None:
        """Build with fresh weights for a vocabulary of that many tokens; `prepare` may fill the language model before it is adapted."""
        super().__init__()
        self.config, self.ids, self.marks = config, ids, marks
        added = max(0, vocabulary - config.language.vocabulary)
        llava = build_llava(config.vision, config.language, added=added, image_id=ids.image, family="llama")
        if prepare is not None:
            prepare(llava)
        self._new = tuple(range(config.language.vocabulary, config.language.vocabulary + added))
        self.language: Any = adapt(llava, config.adapter, self._new) if config.adapter is not None else llava
        count = 1 if config.predictor.projectors == "shared" else SCALES
        self.projectors = nn.ModuleList(Projector(config.vision.hidden, config.predictor) for _ in range(count))
        self.reader = MarkReader(config.language.hidden, config.predictor.width)
        self.classes = nn.Linear(config.predictor.width, len(CLASSES))
        self.predictor = MaskPredictor(config.predictor)
        memory, width = config.memory, config.predictor.width
        self.memory = ClassMemory(memory, width, SCALES, config.predictor.norm) if memory is not None else None
        self._freeze()

    @property
    def llava(self) -> LlavaForConditionalGeneration:
        """The language model that sees, adapters inside it."""
        return self.language.get_base_model() if isinstance(self.language, PeftModel) else self.language

    @property
    def mask_px(self) -> int:
        """Pixels of a side of the masks."""
        return 4 * self.config.predictor.side

    def see(self, images: Tensor) -> Seen:
        """Look at scenes (B, 3, y, x) once, for the words and for both levels of the masks."""
        tower = self.llava.model.vision_tower(pixel_values=images, output_hidden_states=True)
        late, early = (tower.hidden_states[tap][:, 1:] for tap in (self.config.vision.tap, self.config.predictor.detail_tap))
        tokens: Tensor = self.llava.model.multi_modal_projector(late)
        return Seen(tokens, late, self.projectors[0](_image(late)), self.projectors[-1](_image(early)))

    def embedded(self, seen: Seen, of_scene: Tensor, tokens: Tokens) -> Tensor:
        """Texts as the language model reads them (N, length, width), each with the image of its scene at the placeholders."""
        words: Tensor = self.llava.get_input_embeddings()(tokens.ids)
        # selecting adds gradients up in order, indexing in any
        images = seen.tokens.index_select(0, of_scene).to(words)
        places = (tokens.ids == self.ids.image)[..., None].expand_as(words)
        return words.masked_scatter(places, images)

    def states(self, seen: Seen, of_scene: Tensor, tokens: Tokens) -> Tensor:
        """Last states of the language model (N, length, width)."""
        read = self.llava.model(
            inputs_embeds=self.embedded(seen, of_scene, tokens),
            attention_mask=tokens.attention,
            position_ids=(tokens.attention.cumsum(dim=1) - 1).clamp(min=0),
            use_cache=False,
        )
        states: Tensor = read.last_hidden_state
        return states

    def words(self, states: Tensor) -> Tensor:
        """Logits of the next token (N, length, vocabulary)."""
        logits: Tensor = self.llava.lm_head(states)
        return logits

    def groups(self, states: Tensor, tokens: Tokens) -> Groups:
        """Read the whole groups of marks in texts; marks that belong to none are passed over."""
        of_text, places = _whole(tokens.ids, self.marks)
        shift = 0 if self.config.predictor.state == "at" else 1
        own = places[:, None] + torch.arange(len(MARKS), device=places.device) - shift
        read = states[of_text[:, None], own]
        prompts = self.reader(read)
        return Groups(of_text, prompts, self.classes(prompts.mean(dim=1)), read[:, -1])

    def query(self, classes: Tensor, given: Tensor | None = None) -> ClassQuery:
        """Rows of the memory for logits of classes (T, classes); `given` (T,) are classes that a caller names, -1 where it names none."""
        config = self.config.memory
        if config is None:
            return ClassQuery(torch.zeros(len(classes), dtype=torch.long, device=classes.device))
        shares = classes.softmax(dim=1)
        likely = shares.max(dim=1)
        rows = torch.where(likely.values >= config.sure, likely.indices, config.rows - 1)
        rows = rows if given is None else torch.where(given >= 0, given, rows)
        if config.query == "top":
            return ClassQuery(rows)
        every = torch.zeros(len(classes), config.rows, device=classes.device).scatter_(1, rows[:, None], 1.0)
        mixed = nn.functional.pad(shares, (0, config.rows - shares.shape[1]))
        unnamed = torch.ones_like(rows, dtype=torch.bool) if given is None else given < 0
        return ClassQuery(rows, torch.where(unnamed[:, None], mixed, every))

    def draw(self, seen: Seen, of_scene: Tensor, prompts: Tensor, query: ClassQuery) -> Drawn:
        """Masks of T referents, each in the scene of its number (T,)."""
        return cast("Drawn", self.predictor(seen.rough[of_scene], seen.detail[of_scene], prompts, self.memory, query))

    def adapted_anew(self, adapter: AdapterConfig) -> None:
        """Merge what the adapters learned into the language model, and put fresh ones on it: the way from the first stage to the second."""
        merged = self.language.merge_and_unload() if isinstance(self.language, PeftModel) else self.language
        self.language = adapt(merged, adapter, self._new)
        self._freeze()

    def _freeze(self) -> None:
        """Let learn what the configuration lets learn; the vision tower learns only where nothing was pretrained."""
        # LLaVA takes tokens before this norm, which only a pooled CLIP would use
        self.llava.model.vision_tower.post_layernorm.requires_grad_(False)
        path = self.config.language_path
        if path == "full":
            return
        for name, parameter in self.language.named_parameters():
            if _PROJECTOR in name:
                parameter.requires_grad_(True)
            elif path == "frozen" or (LANGUAGE not in name and "lm_head" not in name):
                parameter.requires_grad_(False)


def build(config: ReferrerConfig, ids: TokenIds, marks: tuple[int, ...], vocabulary: int, prepare: Prepare | None = None) -> Referrer:
    """Build a referrer of that shape, with fresh weights where `prepare` puts none."""
    return Referrer(config, ids, marks, vocabulary, prepare)


def _image(tokens: Tensor) -> Tensor:
    """Tokens (B, side * side, width) as an image (B, width, side, side)."""
    side = round(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).reshape(len(tokens), -1, side, side)


def _whole(ids: Tensor, marks: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Texts and first places (T,) of whole groups of marks in ids (N, length)."""
    if ids.shape[1] < len(marks):
        nothing = torch.zeros(0, dtype=torch.long, device=ids.device)
        return nothing, nothing
    same = ids.unfold(1, len(marks), 1) == torch.tensor(marks, device=ids.device)
    of_text, places = torch.nonzero(same.all(dim=2), as_tuple=True)
    return of_text, places
