"""Chips and a recipe to stored weights of a referrer, with the words that it learned."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from prefect import task
from prefect.cache_policies import NO_CACHE
from torch import Tensor

from catalog.facts.errors import ChipsUnusable, WeightsUnfit
from catalog.facts.feature_classes import CLASS_OF_TARGET, FeatureClass
from catalog.facts.referrer_cards import ReferrerCard, ReferrerConfig
from catalog.facts.seen_data import SIMULATED, seeds_of
from catalog.stores import training_runs
from catalog.stores.checkpoints import read_pretrained, write_describer
from catalog.stores.chips import ChipSet, open_chips, read_card
from catalog.stores.objects import local_path
from catalog.stores.recipes import read_recipe
from catalog.stores.weights import find_weights, read_referrer
from models.language.dialogue import Dialogue
from models.language.tokenizer import extended, published_tokenizer, tokenizer_json, tokenizer_of, train_tokenizer
from models.referrer.chip_scenes import scene_of_labels, stored_scenes
from models.referrer.evaluation import Control, Scores, evaluate, figures, questions_of
from models.referrer.evaluation import Path as ScorePath
from models.referrer.marks import MARKS
from models.referrer.pairs import corpus
from models.referrer.recipe import Recipe
from models.referrer.scenes import Scene
from models.referrer.starting import Start, started
from models.referrer.training import StepReport, Training
from models.segmenter.tensors import place_named
from simulator.referred import GROUND_M, referred_chip

LOG_EVERY: Final = 20
CORPUS_SCENES: Final = 120
_CONTROLS: Final[tuple[Control, ...]] = ("other_question", "no_memory", "other_rows")
_log = logging.getLogger("cryoatlas.progress")


@dataclass(frozen=True, slots=True)
class ReferrerReport:
    """How a training ended."""

    recipe: str
    weights: str
    """Folder with `weights.safetensors`, `card.json` and `tokenizer.json`."""
    train_scenes: int
    val_scenes: int
    left_out: int
    """Scenes that hold nothing, or more than phrases can tell apart."""
    steps: int
    history: tuple[dict[str, float], ...]
    figures: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@task(cache_policy=NO_CACHE)
def train_referrer(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> ReferrerReport:
    """Train a referrer on chips, or go on where a run in the same folder stopped."""
    return train(recipe, data, out, changes, device)


def train(recipe: str, data: list[str], out: str, changes: Mapping[str, Any], device: str) -> ReferrerReport:
    """Train; needs no Prefect. Raises RecipeWrong, ChipsUnusable or WrongCall with the way out."""
    chosen = read_recipe(recipe, "refer", Recipe, dict(changes))
    run = _Run(chosen, data, out, torch.device(place_named(device)))
    run.learn()
    return run.conclude()


class _Run:
    """One training and its folder."""

    def __init__(self, recipe: Recipe, data: list[str], out: str, device: torch.device) -> None:
        self.recipe, self.data, self.folder, self.device = recipe, data, local_path(out), device
        self.data_before: tuple[str, ...] = ()
        self.train, self.val, self.left_out = _scenes(data, recipe)
        words, start = self._start()
        self.dialogue = Dialogue(words, recipe.network.vision.tokens, MARKS)
        torch.manual_seed(recipe.seed)
        self.training = Training(started(recipe, self.dialogue, start), self.dialogue, recipe, device)
        self.fingerprint = _fingerprint(recipe, data)
        self.history: list[dict[str, float]] = []

    def learn(self) -> None:
        """Run the loop, keeping a checkpoint at every validation and at the end of every stage."""
        state = training_runs.find_state(self.folder, self.fingerprint)
        if state is not None:
            self.training.restore(state["training"])
            self.history = list(state["history"])
            _log.info("%s: goes on from step %d", self.recipe.name, self.training.step_number)
        ends = {sum(stage.steps for stage in self.recipe.stages[: number + 1]) for number in range(len(self.recipe.stages))}
        while self.training.step_number < self.recipe.total:
            _tell(self.recipe, self.training.step(self.training.draw(self.train)))
            if self.training.step_number % self.recipe.steps.validate_every == 0 or self.training.step_number in ends:
                self._keep()

    def _keep(self) -> None:
        # a tower that learns alone has no words yet that could be scored
        if not self.recipe.stages[self.training.stage].tower:
            self._score()
        training_runs.put_state(self.folder, {"training": self.training.state(), "history": self.history}, self.fingerprint)

    def _score(self) -> None:
        scores, step, stage = self._scores(held_out=False), self.training.step_number, self.training.stage
        score = float(np.nan_to_num(scores.miou))
        _log.info("%s: step %d, %s", self.recipe.name, step, _told(scores))
        talk = float(np.mean(list(scores.exact.values()))) if scores.exact else float("nan")
        self.history.append(
            {
                "step": float(step),
                "stage": float(stage + 1),
                "miou": scores.miou,
                "refused": scores.refused,
                "counted": scores.counted,
                "talk": talk,
            }
        )
        # weights of an earlier stage have another shape, and are not what the recipe ends in
        if stage == len(self.recipe.stages) - 1:
            training_runs.put_candidate(self.folder, step, score, self.training.weights(), keep=1)

    def conclude(self) -> ReferrerReport:
        """Write the best weights of the last stage, scored by phrasings that training never saw, with card and vocabulary."""
        chosen = training_runs.candidates(self.folder)[0]
        self.training.network.load_state_dict(chosen["weights"])
        numbers = figures(self._scores(held_out=True), "val") | figures(self._scores(held_out=True, path="teacher_forced"), "val")
        for control in _CONTROLS:
            numbers[f"val_generated_miou_{control}"] = round(float(np.nan_to_num(self._scores(held_out=True, control=control).miou)), 4)
        card = ReferrerCard(
            name=self.recipe.name,
            version="1",
            title=self.recipe.title,
            licence="Apache-2.0",
            trained_on=f"{len(self.train)} scenes of {', '.join(self.data)}; chosen on {len(self.val)} other scenes. Simulated scores do not carry over to real ground.",
            citation="cryoatlas; architecture after GeoPix, LLaVA-1.5 (arXiv:2310.03744), PixelLM (arXiv:2312.02228) and SAM (arXiv:2304.02643)",
            sha256="",
            network=_final(self.recipe),
            data=(*self.data_before, *self.data),
            recipe=f"{self.recipe.name}, step {chosen['step']} of {self.training.step_number}",
            figures=numbers,
        )
        weights = self.folder / "weights"
        write_describer(weights, chosen["weights"], card, tokenizer_json(self.dialogue.tokenizer))
        counts = len(self.train), len(self.val), self.left_out, self.training.step_number
        return ReferrerReport(self.recipe.name, str(weights), *counts, tuple(self.history), numbers)

    def _scores(self, *, held_out: bool, path: ScorePath = "generated", control: Control = "none") -> Scores:
        watched = self.val[: self.recipe.steps.validation_scenes]
        questions = questions_of(watched, self.recipe.seed, held_out=held_out)
        network, longest = self.training.network, self.recipe.steps.longest
        return evaluate(network, self.dialogue, questions, path=path, control=control, longest=longest)

    def _start(self) -> tuple[Any, Start]:
        """Words, and tensors of what the recipe starts from."""
        recipe, folder = self.recipe, self.folder
        if recipe.start_from:
            card, tensors, vocabulary = read_referrer(recipe.start_from, folder)
            if card.network != recipe.network:
                raise WeightsUnfit(
                    f"{recipe.start_from} has another shape than recipe {recipe.name}: give the recipe the network of its card."
                )
            self.data_before = card.data
            return tokenizer_of(vocabulary, MARKS, "referrer"), Start(whole=tensors)
        start = Start(llava=_read(recipe.llava_from, folder))
        if recipe.words_from:
            return extended(published_tokenizer(find_weights(recipe.words_from, folder).read_text(encoding="utf-8")), MARKS), start
        some = [scene.told() for scene in self.train[:CORPUS_SCENES]]
        return train_tokenizer(corpus(some), recipe.network.language.vocabulary, MARKS), start


def _scenes(data: list[str], recipe: Recipe) -> tuple[list[Scene], list[Scene], int]:
    """Scenes to learn from and to validate on (of seeds the last tenth), and how many were left out."""
    train: list[Scene] = []
    val: list[Scene] = []
    left_out = 0
    for source in data:
        if source.startswith(SIMULATED):
            every = list(_simulated(seeds_of(source), recipe))
            edge = len(every) - max(1, len(every) // 10)
            parts = every[:edge], every[edge:]
        else:
            chips = open_chips(source)
            parts = list(_stored(source, chips, "train", recipe)), list(_stored(source, chips, "val", recipe))
        usable = [[scene for scene in part if scene.ground.usable] for part in parts]
        left_out += sum(len(part) for part in parts) - sum(len(part) for part in usable)
        train, val = train + usable[0], val + usable[1]
    if not train or not val:
        raise ChipsUnusable(
            f"{', '.join(data)}: {len(train)} scenes to learn from and {len(val)} to validate on have features that can be told apart; give "
            "data that has both."
        )
    return train, val, left_out


def _simulated(seeds: range, recipe: Recipe) -> Iterator[Scene]:
    for seed in seeds:
        chip = referred_chip(seed)
        yield scene_of_labels(f"simulated-{seed}", chip.s2, chip.labels, cast("tuple[FeatureClass, ...]", chip.kinds), GROUND_M, recipe)


def _stored(source: str, chips: ChipSet, split: str, recipe: Recipe) -> Iterator[Scene]:
    kind = CLASS_OF_TARGET[str(read_card(local_path(source)).get("target", "lakes"))]
    for seen in stored_scenes(chips, split, kind, recipe):
        yield from seen.scenes


def _read(files: tuple[str, ...], cache: Path) -> dict[str, Tensor]:
    """Tensors of all files of one part, by their names."""
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= dict(read_pretrained(find_weights(file, cache)))
    return tensors


def _final(recipe: Recipe) -> ReferrerConfig:
    """Shape of the network after the last stage: with the adapters that the last stage to bring some put on."""
    last = [stage.adapter for stage in recipe.stages[1:] if stage.adapter is not None]
    return replace(recipe.network, adapter=last[-1]) if last else recipe.network


def _fingerprint(recipe: Recipe, data: list[str]) -> str:
    sets = [source if source.startswith(SIMULATED) else read_card(local_path(source))["checksums"] for source in data]
    return hashlib.sha256(json.dumps({"recipe": asdict(recipe), "data": sets}, sort_keys=True, default=str).encode()).hexdigest()


def _told(scores: Scores) -> str:
    words = ", ".join(f"{task} {value:.2f}" for task, value in scores.exact.items())
    return (
        f"mIoU {scores.miou:.3f}, cIoU {scores.ciou:.3f}, as many masks as asked for {scores.counted:.2f}, there is none {scores.refused:.2f} "
        f"(wrongly {scores.refused_wrongly:.2f}), class {scores.class_right:.2f}; exact: {words} (all by generated words)"
    )


def _tell(recipe: Recipe, event: StepReport) -> None:
    if event.step % LOG_EVERY == 0:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in event.parts.items())
        _log.info(
            "%s: stage %d, step %d, loss %.3f (%s), gradient %.2f",
            recipe.name,
            event.stage + 1,
            event.step,
            event.loss,
            parts,
            event.gradient,
        )
