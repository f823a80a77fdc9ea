"""PyTorch's own files in, safetensors out: checkpoints of others are read without their code, weights are written whole or not at all."""

import hashlib
import pickle
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor

from catalog.facts.cards import WeightsCard
from catalog.facts.describer_cards import DescriberCard
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.embedder_cards import EmbedderCard
from catalog.facts.errors import WeightsUnfit
from catalog.facts.referrer_cards import ReferrerCard
from catalog.stores.downloads import hash_of
from catalog.stores.files import PARTIAL_SUFFIX, storage_errors, write_atomic
from catalog.stores.weights import CARD, VOCABULARY, WEIGHTS, card_json, check_card, is_pickle, read_tensors

AnyCard = TypeVar("AnyCard", WeightsCard, DetectorCard, DescriberCard, ReferrerCard, EmbedderCard)
WritingCard = TypeVar("WritingCard", DescriberCard, ReferrerCard, EmbedderCard)
Storage = Literal["float32", "float16", "bfloat16"]
_STORAGE: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def read_checkpoint(file: Path) -> Mapping[str, Any]:
    """Read what `torch.save` wrote, tensors and plain values only; raises WeightsUnfit for a file that needs more than that."""
    if not is_pickle(file):
        raise WeightsUnfit(f"{file} is not a PyTorch checkpoint: give the .ckpt, .pt or .pth file that training wrote.")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise WeightsUnfit(
            f"{file} cannot be read without running code that is in it ({wanted[1] if wanted else 'not only tensors'}), which is refused: "
            "ask its author for the state dict alone, or for safetensors."
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        raise WeightsUnfit(f"{file} is damaged ({str(error).splitlines()[0] if str(error) else error!r}): fetch it again.") from error
    if not isinstance(content, Mapping):
        raise WeightsUnfit(f"{file} holds a {type(content).__name__}, and a checkpoint is a mapping: give the file that training wrote.")
    return content


def read_pretrained(file: Path) -> Mapping[str, Any]:
    """Read safetensors, or what `torch.save` wrote; raises WeightsUnfit."""
    return read_checkpoint(file) if is_pickle(file) else read_tensors(file)


def write_weights(folder: Path, tensors: Mapping[str, Tensor], card: AnyCard, *, storage: Storage = "float32") -> AnyCard:
    """Write `weights.safetensors` and then `card.json`; return the card with the hash of the file.

    With a narrower `storage` matrices are rounded; vectors (norms, biases, running statistics) keep float32: they cost nothing
    and variances leave the range of float16. Raises WeightsUnfit for numbers that are not finite or do not fit.
    """
    check_card(card, where=f"Card {card.name}")
    stored = {name: _stored(name, tensor, storage) for name, tensor in tensors.items()}
    target = folder / WEIGHTS
    with storage_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{WEIGHTS}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
        try:
            # one entry only: several are written in no fixed order, and equal tensors shall have equal hashes
            save_file(stored, partial, metadata={"format": "pt"})
            # a killed writer leaves new tensors beside an old card, whose hash then refuses them
            sealed = replace(card, sha256=hash_of(partial))
            partial.chmod(0o644)  # safetensors writes for its owner alone, and weights are for others
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    write_atomic(folder / CARD, card_json(sealed))
    return sealed


def write_describer(
    folder: Path, tensors: Mapping[str, Tensor], card: WritingCard, vocabulary: str, *, storage: Storage = "float32"
) -> WritingCard:
    """Write the vocabulary, then weights and card as `write_weights` does; return the card with both hashes."""
    content = vocabulary.encode()
    write_atomic(folder / VOCABULARY, content)
    words = hashlib.sha256(content).hexdigest()
    return write_weights(folder, tensors, replace(card, vocabulary_sha256=words), storage=storage)


def _stored(name: str, tensor: Tensor, storage: Storage) -> Tensor:
    whole = tensor.detach().to("cpu").contiguous().clone()  # safetensors refuses tensors that share memory
    if not whole.is_floating_point():
        return whole
    kept = whole.to(_STORAGE[storage]) if whole.ndim > 1 else whole.float()
    if not bool(torch.isfinite(kept).all()):
        raise WeightsUnfit(f"Tensor {name} is not finite as {storage}: the training diverged, or store it as float32.")
    return kept
