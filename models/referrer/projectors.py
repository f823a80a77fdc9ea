"""What leads into the mask predictor: images of the vision tower to its levels, and states of marks to its prompts."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.facts.referrer_cards import PredictorConfig
from models.referrer.marks import SCALES, TOKENS
from models.referrer.norms import norm_2d


class Projector(nn.Module):
    """Tokens of one layer of the vision tower to one level."""

    def __init__(self, given: int, config: PredictorConfig) -> None:
        """Build for tokens of `given` numbers."""
        super().__init__()
        self.side = config.side
        self.first = nn.Sequential(nn.Conv2d(given, config.middle, 3, padding=1), norm_2d(config.norm, config.middle), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(config.middle, config.width, 3, padding=1), norm_2d(config.norm, config.width), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        """Images (B, given, grid, grid) to (B, C, side, side)."""
        wide = functional.interpolate(self.first(image), size=(self.side, self.side), mode="bilinear", align_corners=False)
        level: Tensor = self.second(wide)
        return level


class MarkReader(nn.Module):
    """States of a group of marks to the prompts of both levels."""

    def __init__(self, given: int, width: int) -> None:
        """Build for states of `given` numbers; the tokens of a level count the same at first."""
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(given, given), nn.ReLU(), nn.Linear(given, width))
        # one tensor that learns; in a list of numbers they would stay what they are
        self.weights = nn.Parameter(torch.full((SCALES, TOKENS), 1 / TOKENS))

    def forward(self, states: Tensor) -> Tensor:
        """States (T, 6, given) to prompts (T, 2, C)."""
        read = self.layers(states).unflatten(1, (SCALES, TOKENS))  # (T, 2, 3, C)
        return torch.einsum("ln,tlnc->tlc", self.weights, read)
