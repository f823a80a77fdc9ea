"""The describer: a language model that sees, a geospatial encoder, and a decoder that draws what the words mean.

Source: GLACIA. Differences from its released code, each a fault there: masks come from the state of a mark of segmentation in the
answer (there is none in the released decoder, which is conditioned on all states, the true answer's included); the prompt has several
tokens; adapters are on the language model alone; widths are those of the configuration (the released decoder waits for another model's).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from catalog.facts.describer_cards import SIX, DescriberConfig
from models.describer.decoder import MaskDecoder, PromptEncoder
from models.describer.encoder import PrithviRes
from models.language.adapters import LANGUAGE, adapt
from models.language.dialogue import TokenIds, Tokens
from models.language.vision_language import build_llava, image_tokens

_PROJECTOR = "multi_modal_projector"
Prepare = Callable[[LlavaForConditionalGeneration], None]


@dataclass(frozen=True, slots=True)
class Views:
    """B scenes as the two paths see them."""

    channels: Tensor
    """(B, 6, y, x), standardised, for the encoder."""
    rgb: Tensor
    """(B, 3, p, p), for the vision tower."""

    def __len__(self) -> int:
        """Count the scenes."""
        return len(self.rgb)

    def to(self, device: torch.device) -> "Views":
        """Move to a device."""
        return Views(self.channels.to(device), self.rgb.to(device))


@dataclass(frozen=True, slots=True)
class Said:
    """What the network makes of texts."""

    words: Tensor
    """(N, length, vocabulary), logits of the next token."""
    masks: Tensor
    """(M, 1, y, x), logits, one per mark of segmentation, in the order of the texts."""
    of_text: Tensor
    """(M,), the text that each mark stands in."""


class Describer(nn.Module):
    """Scenes and texts about them to words and masks."""

    def __init__(self, config: DescriberConfig, ids: TokenIds, vocabulary: int, prepare: Prepare | None = None) -> None:
        """Build with fresh weights for a vocabulary of that many tokens; `prepare` may fill the language model before it is adapted."""
        super().__init__()
        self.config, self.ids = config, ids
        added = max(0, vocabulary - config.language.vocabulary)
        llava = build_llava(config.vision, config.language, added=added, image_id=ids.image)
        if prepare is not None:
            prepare(llava)
        new = tuple(range(config.language.vocabulary, config.language.vocabulary + added))
        self.language: Any = adapt(llava, config.adapter, new) if config.adapter is not None else llava
        self.encoder = PrithviRes(config.encoder, (0, config.decoder.attended))
        width = config.encoder.width
        self.prompts = PromptEncoder(config.language.hidden, width, config.decoder)
        self.decoder = MaskDecoder(width, config.decoder)
        self._freeze()

    @property
    def llava(self) -> LlavaForConditionalGeneration:
        """The language model that sees, adapters inside it."""
        return self.language.get_base_model() if isinstance(self.language, PeftModel) else self.language

    def forward(self, views: Views, of_scene: Tensor, tokens: Tokens) -> Said:
        """Words and masks of N texts; `of_scene` (N,) tells which scene each is about."""
        states = self.states(self.seen(views.rgb).index_select(0, of_scene), tokens)
        words = self.llava.lm_head(states)
        of_text, prompts = self.marks(states, tokens)
        masks = self.draw(views.channels, of_scene[of_text], prompts)
        return Said(words, masks, of_text)

    def seen(self, rgb: Tensor) -> Tensor:
        """What the vision tower says of B images (B, image tokens, width of the tower)."""
        return image_tokens(self.llava, rgb)

    def states(self, seen: Tensor, tokens: Tokens) -> Tensor:
        """Last states of the language model (N, length, width) for N texts, each with what was `seen` of its image.

        The same as LLaVA's own forward, which would look at an image once for every text about it.
        """
        model = self.llava.model
        embedded = model.get_input_embeddings()(tokens.ids)
        images = model.multi_modal_projector(seen).to(embedded)
        embedded = embedded.masked_scatter((tokens.ids == self.ids.image)[..., None], images)
        said = model.language_model(inputs_embeds=embedded, attention_mask=tokens.attention, use_cache=False)
        states: Tensor = said.last_hidden_state
        return states

    def marks(self, states: Tensor, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Marks of segmentation: the text that each stands in (M,), and its prompt (M, tokens, width).

        The state is that at the mark itself, which has seen the whole answer up to it. A constant prompt needs no mark: one per text.
        """
        if self.config.decoder.prompt == "constant":
            of_text = torch.arange(len(states), device=states.device)
            return of_text, self.prompts(states[:, 0])
        of_text, place = torch.nonzero((tokens.ids == self.ids.seg) & (tokens.attention > 0), as_tuple=True)
        return of_text, self.prompts(states[of_text, place])

    def draw(self, channels: Tensor, of_scene: Tensor, prompts: Tensor) -> Tensor:
        """Logits (M, 1, y, x) for prompts, each about the scene of its number; a scene is encoded once however many ask."""
        size = (channels.shape[-2], channels.shape[-1])
        if not len(of_scene):
            return channels.new_zeros((0, 1, *size))
        needed, place = torch.unique(of_scene, return_inverse=True)
        pyramid = [level[place] for level in self.encoder(self.shown(channels)[needed])]
        logits: Tensor = self.decoder(pyramid, prompts, size)
        return logits

    def shown(self, channels: Tensor) -> Tensor:
        """Of the six channels those that the encoder looks at."""
        wanted = self.config.encoder.channels
        return channels if wanted == SIX else channels[:, [SIX.index(name) for name in wanted]]

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


def build(config: DescriberConfig, ids: TokenIds, vocabulary: int, prepare: Prepare | None = None) -> Describer:
    """Build a describer of that shape, with fresh weights where `prepare` puts none."""
    return Describer(config, ids, vocabulary, prepare)
