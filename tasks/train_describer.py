"""Chips and a recipe to stored weights of a describer, with the words that it learned."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from prefect import task
from prefect.cache_policies import NO_CACHE
from torch import Tensor

from catalog.facts.describer_cards import ChannelScaling, DescriberCard
from catalog.facts.errors import ChipsUnusable, WeightsUnfit
from catalog.facts.seen_data import SIMULATED, seeds_of
from catalog.stores import training_runs
from catalog.stores.checkpoints import read_pretrained, write_describer
from catalog.stores.chips import open_chips, read_card
from catalog.stores.objects import local_path
from catalog.stores.recipes import read_recipe
from catalog.stores.weights import find_weights, read_describer
from models.describer.chip_scenes import scene_of_drawn, stored_scenes
from models.describer.evaluation import Scores, evaluate, figures, questions_of
from models.describer.pairs import corpus
from models.describer.recipe import Recipe
from models.describer.scenes import Scene
from models.describer.starting import Start, started
from models.describer.training import StepReport, Training
from models.language.dialogue import Dialogue
from models.language.tokenizer import extended, published_tokenizer, tokenizer_json, tokenizer_of, train_tokenizer
from models.segmenter.tensors import place_named
from simulator.chips import simulated_chip

LOG_EVERY: Final = 20
CORPUS_SCENES: Final = 60
_LANGUAGE: Final = "language."
"""How names of tensors of what reads and writes begin."""
_log = logging.getLogger("cryoatlas.progress")


@dataclass(frozen=True, slots=True)
class DescriberReport:
    """How a training ended."""

    recipe: str
    weights: str
    """Folder with `weights.safetensors`, `card.json` and `tokenizer.json`."""
    train_scenes: int
    val_scenes: int
    steps: int
    history: tuple[dict[str, float], ...]
    figures: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@task(cache_policy=NO_CACHE)
def train_describer(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> DescriberReport:
    """Train a describer on chips, or go on where a run in the same folder stopped."""
    return train(recipe, data, out, changes, device)


def train(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> DescriberReport:
    """Train; needs no Prefect. Raises RecipeWrong, ChipsUnusable or WrongCall with the way out."""
    chosen = read_recipe(recipe, "describe", Recipe, dict(changes))
    run = _Run(chosen, data, out, torch.device(place_named(device)))
    run.learn()
    return run.conclude()


class _Run:
    """One training and its folder."""

    def __init__(self, recipe: Recipe, data: list[str], out: str, device: torch.device) -> None:
        self.recipe, self.data, self.folder, self.device = recipe, data, local_path(out), device
        self.scaling = ChannelScaling()
        self.data_before: tuple[str, ...] = ()
        self.train, self.val = _scenes(data, recipe, self.scaling)
        words, start = self._start()
        self.dialogue = Dialogue(words, recipe.network.vision.tokens)
        torch.manual_seed(recipe.seed)
        self.training = Training(started(recipe, self.dialogue, start), self.dialogue, recipe, device)
        self.fingerprint = _fingerprint(recipe, data)
        self.history: list[dict[str, float]] = []
        self.best = -1.0

    def learn(self) -> None:
        """Run the loop, keeping a checkpoint at every validation."""
        state = training_runs.find_state(self.folder, self.fingerprint)
        if state is not None:
            self.training.restore(state["training"])
            self.history, self.best = list(state["history"]), float(state["best"])
            _log.info("%s: goes on from step %d", self.recipe.name, self.training.step_number)
        steps = self.recipe.steps
        while self.training.step_number < steps.total:
            _tell(self.recipe, self.training.step(self.training.draw(self.train)))
            if self.training.step_number % steps.validate_every == 0 or self.training.step_number == steps.total:
                self._keep()

    def _keep(self) -> None:
        if self.training.step_number > self.recipe.steps.pretext:
            self._score()
        state = {"training": self.training.state(), "history": self.history, "best": self.best}
        training_runs.put_state(self.folder, state, self.fingerprint)

    def _score(self) -> None:
        """Score the weights as they are; before the end of the pretext there are no words to score."""
        scores = self._scores(held_out=False)
        score, step = _worth(scores), self.training.step_number
        _log.info("%s: step %d, %s", self.recipe.name, step, _told(scores))
        self.best = max(self.best, score)
        self.history.append({"step": float(step), "score": score, "referring_iou": scores.referring_iou, "factual": scores.factual})
        training_runs.put_candidate(self.folder, step, score, self.training.weights(), keep=1)

    def conclude(self) -> DescriberReport:
        """Write the best weights that were validated, scored by phrasings that training never saw, with card and vocabulary."""
        chosen = training_runs.candidates(self.folder)[0]
        self.training.network.load_state_dict(chosen["weights"])
        numbers = figures(self._scores(held_out=True), "val") | figures(self._scores(held_out=True, forced=True), "val")
        card = DescriberCard(
            name=self.recipe.name,
            version="1",
            title=self.recipe.title,
            licence="Apache-2.0",
            trained_on=f"{len(self.train)} scenes of {', '.join(self.data)}; chosen on {len(self.val)} other scenes. Simulated scores do not carry over to real ground.",
            citation="cryoatlas; architecture after GLACIA, Prithvi-EO-2.0 (arXiv:2412.02732), CLIP (arXiv:2103.00020) and Mistral (arXiv:2310.06825)",
            sha256="",
            network=self.recipe.network,
            scaling=self.scaling,
            data=(*self.data_before, *self.data),
            recipe=f"{self.recipe.name}, step {chosen['step']} of {self.training.step_number}",
            figures=numbers,
        )
        weights = self.folder / "weights"
        write_describer(weights, chosen["weights"], card, tokenizer_json(self.dialogue.tokenizer))
        return DescriberReport(
            self.recipe.name, str(weights), len(self.train), len(self.val), self.training.step_number, tuple(self.history), numbers
        )

    def _scores(self, *, held_out: bool, forced: bool = False) -> Scores:
        watched = self.val[: self.recipe.steps.validation_scenes]
        questions = questions_of(watched, self.recipe.seed, held_out=held_out)
        path = "teacher_forced" if forced else "generated"
        return evaluate(self.training.network, self.dialogue, questions, path=path, longest=self.recipe.steps.longest)  # type: ignore[arg-type]

    def _start(self) -> tuple[Any, Start]:
        """Words, and tensors of what the recipe starts from."""
        recipe, folder = self.recipe, self.folder
        if recipe.start_from:
            card, tensors, vocabulary = read_describer(recipe.start_from, folder)
            _check_shape(card, recipe)
            self.data_before = card.data
            return tokenizer_of(vocabulary), Start(ours=_taken(tensors, recipe))
        start = Start(*(_read(files, folder) for files in (recipe.language_from, recipe.vision_from, recipe.prithvi_from)))
        if recipe.words_from:
            return extended(published_tokenizer(find_weights(recipe.words_from, folder).read_text(encoding="utf-8"))), start
        some = [scene.facts() for scene in self.train[:CORPUS_SCENES]]
        return train_tokenizer(corpus(some), recipe.network.language.vocabulary), start


def _scenes(data: list[str], recipe: Recipe, scaling: ChannelScaling) -> tuple[list[Scene], list[Scene]]:
    """Scenes to learn from and to validate on."""
    train: list[Scene] = []
    val: list[Scene] = []
    for source in data:
        if source.startswith(SIMULATED):
            every = [scene_of_drawn(simulated_chip(seed), f"simulated-{seed}", recipe, scaling) for seed in seeds_of(source)]
            # the last tenth validates
            edge = len(every) - max(1, len(every) // 10)
            train, val = train + every[:edge], val + every[edge:]
            continue
        chips = open_chips(source)
        train += [scene for seen in stored_scenes(chips, "train", recipe, scaling) for scene in seen.scenes]
        val += [scene for seen in stored_scenes(chips, "val", recipe, scaling) for scene in seen.scenes]
    if not train or not val:
        raise ChipsUnusable(f"{', '.join(data)}: {len(train)} scenes to learn from and {len(val)} to validate on; give data that has both.")
    return train, val


def _read(files: tuple[str, ...], cache: Path) -> dict[str, Tensor]:
    """Tensors of all files of one part, by their names."""
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= dict(read_pretrained(find_weights(file, cache)))
    return tensors


def _check_shape(card: DescriberCard, recipe: Recipe) -> None:
    own, wanted = card.network, recipe.network
    reads_alike = (own.vision, own.language, own.adapter) == (wanted.vision, wanted.language, wanted.adapter)
    if own != wanted and not (reads_alike and recipe.start_with == "language"):
        raise WeightsUnfit(f"{recipe.start_from} has another shape than recipe {recipe.name}: give the recipe the network of its card.")


def _taken(tensors: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Of all tensors of a describer those that a recipe starts with, named as in the part that they fill."""
    if recipe.start_with == "all":
        return tensors
    return {name.removeprefix(_LANGUAGE): value for name, value in tensors.items() if name.startswith(_LANGUAGE)}


def _fingerprint(recipe: Recipe, data: list[str]) -> str:
    sets = [source if source.startswith(SIMULATED) else read_card(local_path(source))["checksums"] for source in data]
    return hashlib.sha256(json.dumps({"recipe": asdict(recipe), "data": sets}, sort_keys=True, default=str).encode()).hexdigest()


def _worth(scores: Scores) -> float:
    """What weights are chosen by: masks that follow the question, and words that are true."""
    return float(np.nan_to_num(scores.referring_iou) + np.nan_to_num(scores.factual)) / 2


def _told(scores: Scores) -> str:
    return (
        f"lake IoU {scores.lake_iou:.3f}, referring {scores.referring_iou:.3f}, factual {scores.factual:.3f}, count {scores.count_exact:.3f}, "
        f"ROUGE-L {scores.text.rouge_l:.3f} (all by generated words)"
    )


def _tell(recipe: Recipe, event: StepReport) -> None:
    if event.step % LOG_EVERY == 0:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in event.parts.items())
        _log.info("%s: step %d, loss %.3f (%s), gradient %.2f", recipe.name, event.step, event.loss, parts, event.gradient)
