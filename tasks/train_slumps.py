"""Stored chips and a recipe to stored weights of a slump detector, stage by stage."""

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from prefect import task
from prefect.cache_policies import NO_CACHE
from torch import Tensor

from catalog.facts.detector_cards import TOPO, DetectorCard, DetectorStatistics
from catalog.facts.errors import WrongCall
from catalog.stores import training_runs
from catalog.stores.checkpoints import read_pretrained, write_weights
from catalog.stores.chips import ChipSet, open_chips, read_card
from catalog.stores.objects import local_path
from catalog.stores.recipes import read_recipe
from catalog.stores.weights import find_weights, read_detector
from models.detector.chip_ground import ChipGround, ground_of
from models.detector.draws import draw_chips
from models.detector.loading import network_of
from models.detector.modalities import images_of_optics, measure_statistics
from models.detector.mvit import MVitBackbone, load_published
from models.detector.network import SlumpNetwork, build
from models.detector.recipe import POLISH, DetectorRecipe, Stage, statistics_names
from models.detector.samples import DetectorBatch, chip_arrays, training_batch
from models.detector.stages import assemble
from models.detector.training import DetectorTraining, StepReport
from models.detector.validation import judged
from models.segmenter.tensors import place_named

LOG_EVERY = 20
READ_AT_ONCE = 8
STATISTICS_CHIPS = 128
Weights = Mapping[str, Tensor]
Point = dict[str, float | str]
_log = logging.getLogger("cryoatlas.progress")


@dataclass(frozen=True, slots=True)
class SlumpTrainingReport:
    """How a training ended."""

    recipe: str
    weights: str
    """Folder with `weights.safetensors` and `card.json`."""
    train_chips: int
    val_chips: int
    history: tuple[Point, ...]
    """Stage, step and AP50 on validation windows, in order."""
    figures: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@task(cache_policy=NO_CACHE)
def train_slumps(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> SlumpTrainingReport:
    """Train a slump detector on sets of chips, or go on where a run in the same folder stopped."""
    return train(recipe, data, out, changes, device)


def train(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> SlumpTrainingReport:
    """Train; needs no Prefect. Raises RecipeWrong, ChipsUnusable, WeightsMissing or WeightsUnfit with the way out."""
    chosen = read_recipe(recipe, "slumps", DetectorRecipe, dict(changes))
    run = _Run(chosen, open_chips(data), local_path(out), torch.device(place_named(device)))
    for stage in chosen.stages():
        run.learn(stage)
    return run.conclude()


class _Run:
    """One training and its folder; every stage has a folder of its own in it."""

    def __init__(self, recipe: DetectorRecipe, chips: ChipSet, folder: Path, device: torch.device) -> None:
        self.recipe, self.chips, self.folder, self.device = recipe, chips, folder, device
        options = recipe.samples.targets
        self.train, self.val = ground_of(chips, "train", options.slumps), ground_of(chips, "val", options.slumps).apart()
        self.start = read_detector(recipe.start_from, folder) if recipe.start_from else None
        self.statistics = _statistics(self.train, recipe) if self.start is None else self.start[0].statistics
        self.prints = _fingerprints(recipe, chips, "" if self.start is None else self.start[0].sha256)
        self.history: list[Point] = []
        self.finished: dict[str, Weights] = {}

    def learn(self, stage: Stage) -> None:
        """Run one stage to its end, keeping a checkpoint at every validation; one that ended before is only read."""
        place = self.folder / "stages" / stage.name.replace(" ", "-").replace(":", "-")
        torch.manual_seed(self.recipe.seed)
        state, network = training_runs.find_state(place, self.prints[stage.name]), build(stage.network)
        if state is None:
            self._begin(network, stage)
        training = DetectorTraining(network, self.recipe, stage, self.device)
        history: list[Point] = []
        if state is not None:
            training.restore(state["training"])
            history = list(state["history"])
        for event in self._steps(training):
            _tell(event)
            if training.step_number % stage.options.validate_every == 0 or training.done:
                history.append(self._validated(training, place))
                training_runs.put_state(place, {"training": training.state(), "history": history}, self.prints[stage.name])
        self.history += history
        best = max(training_runs.candidates(place), key=lambda found: (float(found["score"]), int(found["step"])))
        self.finished[stage.name] = best["weights"]

    def conclude(self) -> SlumpTrainingReport:
        """Score the weights of the last stage on the whole validation split, and write them with their card."""
        last = self.recipe.stages()[-1]
        scores = judged(self._looking(last, self.finished[last.name]), self.val, self.statistics, self.recipe.samples.targets)
        figures = {f"val_{name}": round(value, 4) for name, value in scores.items() if not math.isnan(value)}
        write_weights(self.folder / "weights", self.finished[last.name], self._card(figures))
        counts, weights = (len(self.train), len(self.val)), str(self.folder / "weights")
        return SlumpTrainingReport(self.recipe.name, weights, *counts, tuple(self.history), figures)

    def _card(self, figures: dict[str, float]) -> DetectorCard:
        stages = ", ".join(f"{stage.name} {stage.options.steps} steps" for stage in self.recipe.stages())
        return DetectorCard(
            name=self.recipe.name,
            version="1",
            title=self.recipe.title,
            licence="Apache-2.0",
            trained_on=_seen(self.chips, self.train, self.val),
            citation="cryoatlas; architecture after arXiv:2504.17822 (Cascade Mask R-CNN, MViTv2, residual cross-modality attention)",
            sha256="",
            network=self.recipe.network,
            statistics=self.statistics,
            stride_px=self.recipe.network.window_px // 2,
            recipe=f"{self.recipe.name}: {stages}",
            figures=figures,
        )

    def _begin(self, network: SlumpNetwork, stage: Stage) -> None:
        """Put into a network what the stages before it, or the recipe, give it."""
        if stage.name == POLISH:
            network.load_state_dict(dict(self.finished[self.recipe.stages()[-2].name]))
        elif self.start is not None and stage.modality is None:
            network.load_state_dict(network_of(*self.start).state_dict())
        elif stage.frozen:
            assemble(network, {name: self.finished[f"unimodal {name}"] for name in stage.network.modalities})
        else:
            self._take_published(network, stage)

    def _take_published(self, network: SlumpNetwork, stage: Stage) -> None:
        for name, reference in self.recipe.backbones_from.items():
            if name in stage.network.modalities:
                backbone = network.backbones[name]
                if not isinstance(backbone, MVitBackbone):
                    raise WrongCall(
                        f"Recipe {self.recipe.name}: published weights are read for MViTv2 backbones, not {stage.network.backbone}."
                    )
                load_published(backbone, read_pretrained(find_weights(reference, self.folder)))

    def _steps(self, training: DetectorTraining) -> Iterator[StepReport]:
        """Steps of a stage; the windows of the next one are made while this one computes."""
        steps = training.stage.options.steps
        with ThreadPoolExecutor(1, thread_name_prefix="windows") as reader:
            waiting = None if training.done else reader.submit(self._batch, training, training.step_number)
            while waiting is not None:
                batch, following = waiting.result(), training.step_number + 1
                waiting = reader.submit(self._batch, training, following) if following < steps else None
                yield training.step(batch)

    def _batch(self, training: DetectorTraining, step: int) -> DetectorBatch:
        stage, options = training.stage, self.recipe.samples
        generator = torch.Generator().manual_seed(training.seed(step))
        count, progress = stage.options.batch_size, step / stage.options.steps
        drawn, wanted = draw_chips(self.train.slumps, count, progress, self.recipe.draws, generator)
        drawn_chips = self.train.read(drawn)
        return training_batch(*drawn_chips, stage.network, self.statistics, options, generator, wanted=wanted, device=self.device)

    def _validated(self, training: DetectorTraining, place: Path) -> Point:
        weights, stage, options = training.weights(), training.stage, self.recipe.samples.targets
        scores = judged(self._looking(stage, weights), self.val, self.statistics, options, most=self.recipe.validation_windows)
        score = 0.0 if math.isnan(scores["AP50"]) else scores["AP50"]
        training_runs.put_candidate(place, training.step_number, score, weights, keep=1)
        _log.info("%s: step %d, validation AP50 %.4f", stage.name, training.step_number, score)
        return {"stage": stage.name, "step": float(training.step_number), "val_ap50": score}

    def _looking(self, stage: Stage, weights: Weights) -> SlumpNetwork:
        network = build(stage.network)
        network.load_state_dict(dict(weights))
        return network.to(self.device).eval()


def _statistics(ground: ChipGround, recipe: DetectorRecipe) -> DetectorStatistics:
    names, some = statistics_names(recipe.network), ground.spread(STATISTICS_CHIPS)
    parts = (ground.read(some[start : start + READ_AT_ONCE])[0] for start in range(0, len(some), READ_AT_ONCE))
    images = (images_of_optics(*chip_arrays(chips, needs_heights=TOPO in names), names) for chips in parts)
    return measure_statistics(images, f"{len(some)} chips of the training split")


def _fingerprints(recipe: DetectorRecipe, chips: ChipSet, start: str) -> dict[str, str]:
    """What each stage depends on: what it is, what all stages share, and the stages before it, whatever comes after."""
    cards = [read_card(path)["checksums"] for path in chips.paths]
    own = {"name", "title", "network", "mode", "unimodal", "fusion", "polish"}
    shared = {name: value for name, value in asdict(recipe).items() if name not in own}
    prints: dict[str, str] = {}
    for stage in recipe.stages():
        before = {} if stage.modality else dict(prints)
        content = {"stage": asdict(stage), "shared": shared, "chips": cards, "start": start, "before": before}
        prints[stage.name] = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    return prints


def _seen(chips: ChipSet, train: ChipGround, val: ChipGround) -> str:
    table = chips.table.iloc[train.places]
    grounds = sorted({f"{row.ground} {row.region}" for row in table[["ground", "region"]].drop_duplicates().itertuples()})
    years = sorted(set(table["year"]))
    listed = ", ".join(grounds) if len(grounds) <= 12 else f"{', '.join(grounds[:6])} and {len(grounds) - 6} others"
    return f"{len(train)} chips of {len(grounds)} regions ({listed}), years {years[0]} to {years[-1]}; chosen on {len(val)} chips of other ground"


def _tell(event: StepReport) -> None:
    if event.step % LOG_EVERY == 0:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in event.parts.items())
        _log.info("%s: step %d, loss %.3f (%s), gradient %.2f", event.stage, event.step, event.loss, parts, event.gradient)
