"""Windows with drawn slumps whose visibility in each modality is chosen, and small detectors to find them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from catalog.facts.detector_cards import NIR, RGB, DetectorConfig, FusionConfig, channels_of
from models.detector.network import Found, SlumpNetwork, build
from models.detector.paste import paste
from models.detector.targets import Target
from models.scores.instances import Unit, average_precision, dense_unit

NANO = DetectorConfig(
    backbone="mvitv2_nano",
    modalities=(RGB, NIR),
    window_px=64,
    channels=64,
    head_convolutions=1,
    head_width=128,
    mask_convolutions=1,
    proposals_training=100,
    proposals=50,
    rois_per_image=32,
    drop_path=0.0,
    fusion=FusionConfig(window=8),
)
"""Smallest detector that learns; sees 128 network pixels."""


@dataclass(frozen=True)
class Windows:
    """Windows and what is in them."""

    images: dict[str, Tensor]
    targets: list[Target]

    def take(self, places: Sequence[int]) -> "Windows":
        """Some of the windows."""
        return Windows({name: image[list(places)] for name, image in self.images.items()}, [self.targets[place] for place in places])

    def swapped(self, name: str) -> "Windows":
        """The same with one modality of the next window each."""
        return Windows(self.images | {name: self.images[name].roll(1, 0)}, self.targets)


def draw_windows(
    count: int, seed: int, *, seen: Callable[[np.random.Generator], Mapping[str, bool]], config: DetectorConfig = NANO
) -> Windows:
    """Draw windows with one to three ellipses each; `seen` says in which modalities one shows."""
    rng = np.random.default_rng(seed)
    drawn = [_draw_window(rng, seen, config) for _ in range(count)]
    images = {name: torch.stack([image[name] for image, _ in drawn]) for name in config.modalities}
    return Windows(images, [target for _, target in drawn])


def everywhere(_: np.random.Generator) -> Mapping[str, bool]:
    """Seen in every modality."""
    return {}


def target_of_masks(masks: NDArray[np.bool_], weights: Sequence[float] | None = None, ignore: NDArray[np.bool_] | None = None) -> Target:
    """Target of masks (n, S, S), boxes with continuous edges."""
    side = masks.shape[-1]
    boxes = [
        [mask.any(0).argmax(), mask.any(1).argmax(), side - mask.any(0)[::-1].argmax(), side - mask.any(1)[::-1].argmax()] for mask in masks
    ]
    return Target(
        boxes=torch.tensor(np.array(boxes, np.float32).reshape(-1, 4)),
        masks=torch.tensor(masks.astype(np.float32)),
        weights=torch.ones(len(masks)) if weights is None else torch.tensor(weights),
        ignore=torch.zeros((side, side), dtype=torch.bool) if ignore is None else torch.tensor(ignore),
        ignore_boxes=torch.zeros((0, 4)),
    )


def learn(network: SlumpNetwork, windows: Windows, *, steps: int, seed: int = 0, rate: float = 2e-3, batch: int = 4) -> list[float]:
    """Train with AdamW; the losses of all steps."""
    torch.manual_seed(seed)
    network.train()
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(2, steps), pct_start=0.1)
    told = []
    for _ in range(steps):
        some = windows.take(torch.randperm(len(windows.targets))[:batch].tolist())
        loss = torch.stack(list(network.losses(some.images, some.targets).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        schedule.step()
        told.append(float(loss.detach()))
    return told


def detect_all(network: SlumpNetwork, windows: Windows) -> list[Found]:
    """Detections of every window, four at a time."""
    network.eval()
    found: list[Found] = []
    for start in range(0, len(windows.targets), 4):
        found += network.detect({name: image[start : start + 4] for name, image in windows.images.items()})
    return found


def overlaps(found: Found, target: Target) -> NDArray[np.float64]:
    """IoU (detections, slumps) of masks."""
    side = target.masks.shape[-1]
    if not len(found.boxes):
        return np.zeros((0, len(target)))
    shapes = paste(found.masks.numpy(), found.boxes.numpy(), (0, 0), (side, side)).reshape(-1, side * side) >= 0.5
    truths = target.masks.numpy().reshape(-1, side * side) >= 0.5
    shared = shapes.astype(float) @ truths.T
    return shared / np.maximum(shapes.sum(1)[:, None] + truths.sum(1)[None] - shared, 1)


def ap50(network: SlumpNetwork, windows: Windows) -> float:
    """AP at a mask IoU of 0.5."""
    units = [_unit(found, target) for found, target in zip(detect_all(network, windows), windows.targets, strict=True)]
    return average_precision(units)


def trained(config: DetectorConfig, windows: Windows, *, steps: int = 300, seed: int = 0) -> SlumpNetwork:
    """Build and train a detector."""
    torch.manual_seed(seed)
    network = build(config)
    learn(network, windows, steps=steps, seed=seed)
    return network


def alone(modality: str, config: DetectorConfig = NANO) -> DetectorConfig:
    """The configuration with one modality."""
    return replace(config, modalities=(modality,))


def _unit(found: Found, target: Target) -> Unit:
    ones = np.ones(len(found.scores))
    return dense_unit(overlaps(found, target), found.scores.numpy(), np.zeros(len(target), bool), ones, np.ones(len(target)))


def _draw_window(
    rng: np.random.Generator, seen: Callable[[np.random.Generator], Mapping[str, bool]], config: DetectorConfig
) -> tuple[dict[str, Tensor], Target]:
    side = config.network_px
    masks, shown = _ellipses(rng, side), []
    images = {name: _ground(rng, channels_of(name), config.window_px) for name in config.modalities}
    for mask in masks:
        shown.append(seen(rng))
        small = mask.reshape(config.window_px, config.up, config.window_px, config.up).mean((1, 3))
        for name in config.modalities:
            if shown[-1].get(name, True):
                images[name] += 1.5 * small
    return {name: torch.tensor(image.astype(np.float32)) for name, image in images.items()}, target_of_masks(masks)


def _ground(rng: np.random.Generator, channels: int, side: int) -> NDArray[np.float64]:
    rough = rng.normal(size=(channels, side, side))
    smooth = gaussian_filter(rng.normal(size=(channels, side, side)), (0, 6, 6)) * 12
    return np.asarray(0.3 * rough + 0.5 * smooth)


def _ellipses(rng: np.random.Generator, side: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side] + 0.5
    masks: list[NDArray[np.bool_]] = []
    for _ in range(rng.integers(1, 4)):
        radius, (cy, cx), turn = rng.uniform(6, 16), rng.uniform(18, side - 18, 2), rng.uniform(0, np.pi)
        along, across = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn), (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        mask = (along / radius) ** 2 + (across / (radius * rng.uniform(0.5, 1))) ** 2 <= 1
        if not any((mask & other).any() for other in masks):
            masks.append(mask)
    return np.stack(masks)
