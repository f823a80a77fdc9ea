"""Questions answered: words are generated first, and masks are drawn from the words that were generated, never from the true ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.describer.network import Describer, Views
from models.language.dialogue import Dialogue, Tokens
from models.language.instances import InstanceOptions, instances_of_mask

_DRAWN: Final = InstanceOptions(min_area_m2=0.0, min_px=2)
"""What counts as a lake in a drawn mask; the masks of small networks are coarse."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network answers to one question."""

    text: str
    probability: NDArray[np.float32]
    """(y, x) of the mask, of the encoder's size; 0 everywhere where the text points at nothing."""
    path: str
    """`generated`, or `teacher_forced` where the text was given and only the mask is the network's."""

    def mask(self, threshold: float = 0.5) -> NDArray[np.bool_]:
        """Pixels of the mask."""
        return self.probability >= threshold


def lakes_drawn(mask: NDArray[np.bool_]) -> int:
    """Count the lakes of a drawn mask (y, x)."""
    return len(instances_of_mask(mask, 1.0, _DRAWN))


@torch.inference_mode()
def answer(network: Describer, dialogue: Dialogue, views: Views, questions: Sequence[str], *, longest: int = 96) -> list[Answer]:
    """Answer one question about each scene, always with the likeliest word, at most `longest` tokens."""
    device = next(network.parameters()).device
    views, asked = views.to(device), dialogue.asked(questions).to(device)
    made = network.llava.generate(
        input_ids=asked.ids,
        attention_mask=asked.attention,
        pixel_values=views.rgb,
        max_new_tokens=longest,
        do_sample=False,
        pad_token_id=dialogue.ids.pad,
        eos_token_id=dialogue.ids.end,
    )
    answers = [_ended(row, dialogue) for row in made[:, asked.ids.shape[1] :].tolist()]
    rows = [[*dialogue.prompt(question), *own] for question, own in zip(questions, answers, strict=True)]
    texts = [dialogue.text(own) for own in answers]
    return _with_masks(network, views, dialogue.padded(rows), texts, "generated")


@torch.inference_mode()
def drawn_from(network: Describer, dialogue: Dialogue, views: Views, questions: Sequence[str], texts: Sequence[str]) -> list[Answer]:
    """Draw masks for texts that are given; scores of true texts are teacher-forced ones, and are reported as such."""
    device = next(network.parameters()).device
    tokens = dialogue.learned(questions, texts).to(device)
    return _with_masks(network, views.to(device), tokens, list(texts), "teacher_forced")


def _with_masks(network: Describer, views: Views, tokens: Tokens, texts: list[str], path: str) -> list[Answer]:
    tokens = tokens.to(views.rgb.device)
    states = network.states(network.seen(views.rgb), tokens)
    of_text, prompts = network.marks(states, tokens)
    logits = network.draw(views.channels, of_text, prompts)
    masks = np.zeros((len(texts), *views.channels.shape[-2:]), np.float32)
    for place, number in enumerate(of_text.tolist()):
        # several marks of one text point at one mask together
        masks[number] = np.maximum(masks[number], logits[place, 0].sigmoid().float().cpu().numpy())
    return [Answer(text, mask, path) for text, mask in zip(texts, masks, strict=True)]


def _ended(row: list[int], dialogue: Dialogue) -> list[int]:
    """Cut a generated row at its end; an image cannot be said."""
    ids = dialogue.ids
    kept = row[: row.index(ids.end) + 1] if ids.end in row else row
    return [number for number in kept if number not in (ids.pad, ids.image)]
