"""How fast each part of a network learns: groups of parameters with layer-wise rates, and the schedule that scales them all alike."""

import re
from dataclasses import dataclass
from math import cos, pi
from typing import Any, ClassVar, Final, TypedDict

from torch import nn
from torch.optim import AdamW, Optimizer

from catalog.facts.errors import RecipeWrong, WeightsUnfit

ENCODER: Final = "encoder."
DECODER_PARTS: Final = ("neck", "decoder", "head", "detail", "indices")
"""First names of everything that is new and learns at the full rate."""
_BLOCK: Final = re.compile(r"^encoder\.encoder\.(\d+)\.")
_COMPILED: Final = "_orig_mod."
_NEVER_DECAYED: Final = frozenset({"mod_emb", "pos_emb", "pos_embed", "cls_token"})
"""Learned vectors that are added to tokens: drawing them to 0 takes away what tells modalities and places apart."""


@dataclass(frozen=True, slots=True)
class OptimizerOptions:
    """AdamW with layer-wise rates."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    learning_rate: float = 6e-5
    """Rate of neck, decoder and head."""
    encoder_factor: float = 0.25
    layer_decay: float = 0.9
    """Each block learns this much slower than the one above it."""
    weight_decay: float = 1e-4
    frozen_blocks: int = 0
    """First blocks that do not learn; with one or more, the embeddings do not either."""
    betas: tuple[float, float] = (0.9, 0.999)

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        ranges = {"learning_rate": (1e-12, 10.0), "encoder_factor": (0.0, 10.0), "layer_decay": (1e-3, 1.0), "weight_decay": (0.0, 10.0)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise RecipeWrong(f"Option {name} of the optimizer is {getattr(self, name):g}: choose a value from {low:g} to {high:g}.")
        if self.frozen_blocks < 0:
            raise RecipeWrong(f"Option frozen_blocks of the optimizer is {self.frozen_blocks}: choose 0 or more.")


class ParameterGroup(TypedDict):
    """One group as torch's optimizers take it; `base_lr` is what the schedule scales."""

    name: str
    params: list[nn.Parameter]
    lr: float
    base_lr: float
    weight_decay: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rate over optimizer steps: linear warm-up, half a cosine down, and from `average_from` on the constant rate of averaging."""

    warmup_steps: int
    total_steps: int
    minimum: float = 0.0
    """Factor that the cosine ends at."""
    average_from: int | None = None
    """Step from which weights are averaged (SWA); None for never."""
    average_factor: float = 0.2
    """Share of its own rate that every group is held at while weights are averaged."""
    anneal_steps: int = 0
    """Steps in which the rate glides from the cosine to that share."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong when the spans do not fit into each other."""
        if not 0 <= self.warmup_steps < self.total_steps:
            raise RecipeWrong(f"A warm-up of {self.warmup_steps} steps does not fit into {self.total_steps} steps: shorten it.")
        if self.average_from is not None and not self.warmup_steps <= self.average_from < self.total_steps:
            raise RecipeWrong(
                f"Averaging from step {self.average_from} must lie between the warm-up ({self.warmup_steps}) and the end "
                f"({self.total_steps}): choose a step there."
            )


def schedule_factor(step: int, schedule: Schedule) -> float:
    """Return what every group's rate is multiplied by at a step that counts from 0; a factor keeps the ratios of the groups."""
    start = schedule.average_from
    if start is None or step < start:
        return _warmup_cosine(step, schedule)
    before = _warmup_cosine(start, schedule)
    done = 1.0 if schedule.anneal_steps < 1 else min(1.0, (step - start) / schedule.anneal_steps)
    return schedule.average_factor + (before - schedule.average_factor) * _half_cosine(done)


def apply_factor(optimizer: Optimizer, factor: float) -> None:
    """Set the rate of every group to its own base rate times one factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def build_optimizer(network: nn.Module, options: OptimizerOptions) -> AdamW:
    """Freeze the first blocks and hand the rest to AdamW in groups; raises as `parameter_groups` does."""
    freeze(network, options.frozen_blocks)
    groups = [dict(group) for group in parameter_groups(network, options)]
    return AdamW(groups, lr=options.learning_rate, betas=options.betas, weight_decay=options.weight_decay)


def parameter_groups(network: nn.Module, options: OptimizerOptions) -> list[ParameterGroup]:
    """Group parameters that learn by rate and decay, each exactly once, as the specification's section 7 says.

    Raises WeightsUnfit for a parameter that belongs to no part known here, and for an encoder in which no block is found.
    """
    depth, spared = _depth(network), _norm_parameters(network)
    groups: dict[str, ParameterGroup] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        place = plain_name(name)
        part, rate = _part_and_rate(place, depth, options)
        decayed = not (id(parameter) in spared or place.endswith(".bias") or place.rsplit(".", 1)[-1] in _NEVER_DECAYED)
        key = part if decayed else f"{part} (no decay)"
        decay = options.weight_decay if decayed else 0.0
        group = groups.setdefault(key, ParameterGroup(name=key, params=[], lr=rate, base_lr=rate, weight_decay=decay))
        group["params"].append(parameter)
    if not groups:
        raise WeightsUnfit("The network has no parameter that learns: freeze fewer blocks.")
    return list(groups.values())


def freeze(network: nn.Module, blocks: int) -> None:
    """Stop the first blocks of the encoder from learning, and its embeddings with them."""
    if blocks < 1:
        return
    depth = _depth(network)
    if blocks > depth:
        raise RecipeWrong(f"{blocks} blocks are to be frozen and the encoder has {depth}: choose at most {depth}.")
    for name, parameter in network.named_parameters():
        place = plain_name(name)
        block = _BLOCK.match(place)
        if (block and int(block.group(1)) < blocks) or place.startswith(f"{ENCODER}encoder_embeddings."):
            parameter.requires_grad_(False)


def plain_name(name: str) -> str:
    """Strip what compiling puts before names; with it left on, no encoder parameter would be recognized."""
    return name.replace(_COMPILED, "")


def _depth(network: nn.Module) -> int:
    names = [plain_name(name) for name, _ in network.named_parameters()]
    blocks = {int(match.group(1)) for match in map(_BLOCK.match, names) if match}
    if not blocks and any(name.startswith(ENCODER) for name in names):
        raise WeightsUnfit(
            f"No block is found under `{ENCODER}encoder.<number>.`, the first names are {', '.join(names[:3])}: "
            "layer-wise rates would be lost; name the blocks so."
        )
    return max(blocks, default=-1) + 1


def _part_and_rate(name: str, depth: int, options: OptimizerOptions) -> tuple[str, float]:
    encoder_rate = options.learning_rate * options.encoder_factor
    block = _BLOCK.match(name)
    if block:
        index = int(block.group(1))
        return f"block {index}", encoder_rate * options.layer_decay ** (depth - index)
    if name.startswith(ENCODER):
        return "encoder", encoder_rate * options.layer_decay ** (depth + 1)
    if name.split(".", 1)[0] in DECODER_PARTS:
        return "decoder", options.learning_rate
    raise WeightsUnfit(f"Parameter `{name}` belongs to none of encoder, {', '.join(DECODER_PARTS)}: name its module so, or add it there.")


def _norm_parameters(network: nn.Module) -> set[int]:
    """Parameters of normalization layers, told by the type of the module: TerraMind brings a LayerNorm of its own."""
    norms = (module for module in network.modules() if "Norm" in type(module).__name__)
    return {id(parameter) for norm in norms for parameter in norm.parameters(recurse=False)}


def _warmup_cosine(step: int, schedule: Schedule) -> float:
    if step < schedule.warmup_steps:
        return (step + 1) / schedule.warmup_steps
    done = min(1.0, (step - schedule.warmup_steps) / (schedule.total_steps - schedule.warmup_steps))
    return schedule.minimum + (1.0 - schedule.minimum) * _half_cosine(done)


def _half_cosine(done: float) -> float:
    return (1.0 + cos(pi * done)) / 2.0
