"""Stored chips and a recipe to stored weights of a lake network."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.cards import S2, STATISTICS, Statistics, WeightsCard
from catalog.facts.chips import ChipBatch
from catalog.facts.errors import ChipsUnusable, WrongCall
from catalog.stores import training_runs
from catalog.stores.checkpoints import read_pretrained, write_weights
from catalog.stores.chips import ChipSet, open_chips, read_card
from catalog.stores.objects import local_path
from catalog.stores.recipes import read_recipe
from catalog.stores.weights import find_weights, read_weights
from models.scores.pixels import PixelCounts
from models.segmenter.averaging import recompute_norm_statistics
from models.segmenter.calibration import fit_temperature
from models.segmenter.finish import Candidate, Chosen, choose
from models.segmenter.fit import Course, Validated, Weights, fit
from models.segmenter.loading import load_encoder, network_of
from models.segmenter.measure_statistics import measure_statistics
from models.segmenter.network import LakeNetwork, build
from models.segmenter.normalise import NetworkInput, standardise
from models.segmenter.passes import InferenceOptions
from models.segmenter.recipe import Recipe
from models.segmenter.sampler import POSITIVE_SHARE, ChipSampler, chip_weights
from models.segmenter.samples import samples_of
from models.segmenter.training import StepReport, Training
from models.segmenter.validation import Judge, Judged

LOG_EVERY = 20
READ_AT_ONCE = 16
STATISTICS_CHIPS = 512
SETTLING_CHIPS = 128
Indices = NDArray[np.int64]
_log = logging.getLogger("cryoatlas.progress")


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How a training ended."""

    recipe: str
    weights: str
    """Folder with `weights.safetensors` and `card.json`."""
    train_chips: int
    val_chips: int
    steps: int
    history: tuple[dict[str, float], ...]
    figures: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@task(cache_policy=NO_CACHE)
def train_lakes(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> TrainingReport:
    """Train a lake network on sets of chips, or go on where a run in the same folder stopped."""
    return train(recipe, data, out, changes, device)


def train(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> TrainingReport:
    """Train; needs no Prefect. Raises RecipeWrong, ChipsUnusable, WeightsMissing or WeightsUnfit with the way out."""
    chosen = read_recipe(recipe, "lakes", Recipe, dict(changes))
    run = _Run(chosen, open_chips(data), local_path(out), device_named(device))
    run.learn()
    return run.conclude()


def device_named(name: str) -> torch.device:
    """`auto` is the first GPU where there is one; raises WrongCall for a device that is not here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise WrongCall(f"Device {name!r} was asked for and no GPU is visible: use --device cpu, or mend the driver.")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise WrongCall(f"No device is called {name!r}: use auto, cpu, cuda or cuda:N.") from error


class _Run:
    """One training and its folder."""

    def __init__(self, recipe: Recipe, chips: ChipSet, folder: Path, device: torch.device) -> None:
        self.recipe, self.chips, self.folder, self.device = recipe, chips, folder, device
        self.train, self.val = _learnable(chips, recipe), chips.of_split("val")
        torch.manual_seed(recipe.seed)
        network, start = _started(recipe, folder)
        # weights to go on from bring their network along
        self.recipe = recipe = replace(recipe, network=network.config)
        self.statistics = self._statistics(start)
        self.fingerprint = _fingerprint(recipe, chips, start)
        self.training = Training(network, recipe, self.statistics, device)
        self.judged_by = LakeNetwork(recipe.network)
        shares = chips.table["lake_share"].to_numpy()[self.train]
        self.sampler = ChipSampler(chip_weights(shares >= POSITIVE_SHARE, recipe.positive_ratio), recipe.seed)
        self.course = Course()

    def learn(self) -> None:
        """Run the loop, keeping a checkpoint at every validation."""
        state = training_runs.find_state(self.folder, self.fingerprint)
        if state is not None:
            self.training.restore(state["training"])
            self.sampler.restore(state["sampler"])
            self.course.restore(state["course"])
            _log.info("%s: goes on from step %d", self.recipe.name, self.training.step_number)
        watched = _spread(self.val, self.recipe.selection.chips)
        for event in fit(self.training, self.sampler, self.course, self._read, lambda weights: self._counts(weights, watched)):
            if isinstance(event, StepReport):
                _tell(self.recipe, event)
            else:
                self._keep(event)

    def _keep(self, event: Validated) -> None:
        _log.info(
            "%s: step %d, validation IoU %.4f%s", self.recipe.name, event.step, event.score, ", the best so far" if event.best else ""
        )
        training_runs.put_candidate(self.folder, event.step, event.score, event.weights, keep=self.recipe.selection.members)
        state = {"training": self.training.state(), "sampler": self.sampler.state(), "course": self.course.state()}
        training_runs.put_state(self.folder, state, self.fingerprint)

    def conclude(self) -> TrainingReport:
        """Choose among the validated weights, calibrate them on the whole validation split, and write them with their card."""
        found = [Candidate(each["step"], each["score"], each["weights"]) for each in training_runs.candidates(self.folder)]
        watched = _spread(self.val, self.recipe.selection.chips)
        chosen = choose(found, self.recipe.selection, lambda weights: _score(self._counts(weights, watched)), self._settled)
        judged = Judged()
        counts = self._counts(chosen.weights, self.val, judged)
        temperature = fit_temperature(np.concatenate(judged.logits), np.concatenate(judged.labels))
        radar = self._counts(chosen.weights, watched, shown=frozenset(self.recipe.network.modalities) - {S2})
        figures = {**chosen.scores, "val_iou": _score(counts), "val_iou_without_s2": _score(radar), "temperature": temperature}
        card = self._card(chosen, temperature, {name: round(value, 4) for name, value in figures.items()})
        write_weights(self.folder / "weights", chosen.weights, card)
        history = tuple(self.course.history)
        return TrainingReport(
            self.recipe.name, str(self.folder / "weights"), len(self.train), len(self.val), self.training.step_number, history, figures
        )

    def _card(self, chosen: Chosen, temperature: float, figures: dict[str, float]) -> WeightsCard:
        return WeightsCard(
            name=self.recipe.name,
            version="1",
            title=self.recipe.title,
            licence="Apache-2.0",
            trained_on=_seen(self.chips, self.train, self.val),
            citation="cryoatlas; architecture after CryoSentinel v1.0.0 and TerraMind (Jakubik et al. 2025, arXiv:2504.11171)",
            sha256="",
            network=self.recipe.network,
            statistics=self.statistics,
            temperature=temperature,
            recipe=f"{self.recipe.name}, {self.training.step_number} steps, {chosen.kind} of steps {', '.join(str(s) for s in chosen.members)}",
            figures=figures,
        )

    def _statistics(self, start: WeightsCard | None) -> Statistics:
        if self.recipe.statistics == "start" and start is not None:
            return start.statistics
        if self.recipe.statistics in STATISTICS:
            return STATISTICS[self.recipe.statistics]
        some = _spread(self.train, STATISTICS_CHIPS)
        return measure_statistics(self._batches(some), f"{len(some)} chips of the training split")

    def _counts(self, weights: Weights, chips: Indices, keep: Judged | None = None, shown: frozenset[str] | None = None) -> PixelCounts:
        self.judged_by.load_state_dict(weights)
        modalities = frozenset(self.recipe.network.modalities) if shown is None else shown
        options = InferenceOptions(
            str(self.device), "auto" if self.recipe.steps.precision == "bf16" else "float32", self.recipe.selection.tta
        )
        return Judge(self.statistics, modalities, options).counts(self.judged_by, self._batches(chips), keep)

    def _settled(self, weights: Weights) -> Weights:
        self.judged_by.load_state_dict(weights)
        recompute_norm_statistics(self.judged_by, self._inputs(_spread(self.train, SETTLING_CHIPS)))
        return {name: value.clone() for name, value in self.judged_by.state_dict().items()}

    def _inputs(self, chips: Indices) -> Iterator[NetworkInput]:
        device = next(self.judged_by.parameters()).device
        for batch in self._batches(chips):
            yield standardise(samples_of(batch, device), self.statistics, self.recipe.network.modalities)

    def _batches(self, chips: Indices) -> Iterator[ChipBatch]:
        for start in range(0, len(chips), READ_AT_ONCE):
            yield self.chips.read(chips[start : start + READ_AT_ONCE])

    def _read(self, draws: Indices) -> ChipBatch:
        return self.chips.read(self.train[draws])


def _learnable(chips: ChipSet, recipe: Recipe) -> Indices:
    """Chips of the training split in which a sensor saw something, the ones that the sanity filter doubts on demand without."""
    train = chips.of_split("train")
    table = chips.table.iloc[train]
    kept = train[(table["valid_share"].to_numpy() > 0) & (table["sane"].to_numpy(bool) | (not recipe.only_sane))]
    if not kept.size:
        why = "no sensor saw any of them" + (", or the sanity filter doubts them (only_sane)" if recipe.only_sane else "")
        raise ChipsUnusable(
            f"{', '.join(str(path) for path in chips.paths)}: {len(train)} training chips, and {why}: cut chips of clearer years."
        )
    return np.asarray(kept, np.int64)


def _started(recipe: Recipe, cache: Path) -> tuple[LakeNetwork, WeightsCard | None]:
    """Build the network with the weights that the recipe starts from, and their card where they are ours."""
    if recipe.start_from:
        card, tensors = read_weights(recipe.start_from, cache)
        return network_of(card, tensors), card
    network = build(recipe.network)
    if recipe.encoder_from:
        file = find_weights(recipe.encoder_from, cache, sha256=recipe.encoder_sha256 or None)
        load_encoder(network, read_pretrained(file), where=recipe.encoder_from)
    return network, None


def _fingerprint(recipe: Recipe, chips: ChipSet, start: WeightsCard | None) -> str:
    cards = [read_card(path)["checksums"] for path in chips.paths]
    content = {"recipe": asdict(recipe), "chips": cards, "start": None if start is None else start.sha256}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _spread(places: Indices, count: int) -> Indices:
    """`count` of the places, spread evenly; all of them for 0."""
    return places if not count or count >= len(places) else places[np.linspace(0, len(places) - 1, count).round().astype(np.int64)]


def _score(counts: PixelCounts) -> float:
    return float(np.nan_to_num(counts.iou))


def _seen(chips: ChipSet, train: Indices, val: Indices) -> str:
    table = chips.table.iloc[train]
    grounds = sorted({f"{row.ground} {row.region}" for row in table[["ground", "region"]].drop_duplicates().itertuples()})
    years = sorted(set(table["year"]))
    listed = ", ".join(grounds) if len(grounds) <= 12 else f"{', '.join(grounds[:6])} and {len(grounds) - 6} others"
    return f"{len(train)} chips of {len(grounds)} regions ({listed}), years {years[0]} to {years[-1]}; chosen on {len(val)} chips of other ground"


def _tell(recipe: Recipe, event: StepReport) -> None:
    if event.step % LOG_EVERY == 0:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in event.parts.items())
        _log.info("%s: step %d, loss %.3f (%s), gradient %.2f", recipe.name, event.step, event.loss, parts, event.gradient)
