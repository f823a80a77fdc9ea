"""A describer and scenes to its scores: every question answered by words that it says itself, then without question, without image, and
by rule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as Folder
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause
from catalog.facts.describer_cards import RGB, DescriberCard
from catalog.facts.describer_evaluation import CONSTANT_PROMPT, CONTROLS, DescriberEvaluation
from catalog.facts.seen_data import SIMULATED, refuse_seen, seeds_of
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED, TEACHER_FORCED
from catalog.stores.chips import open_chips
from catalog.stores.news import PROGRESS
from catalog.stores.stopwatch import AnswerClock
from catalog.stores.weights import read_describer
from models.describer.answering import Answer
from models.describer.by_rule import NAME, answered_by_rule, lakes_by_index
from models.describer.chip_scenes import scene_of_drawn, stored_scenes
from models.describer.describing import LoadedDescriber, load
from models.describer.evaluation import Control, Path, Question, answered, questions_of
from models.describer.examples import Example, chosen, example_of
from models.describer.measures import WHOLE, measure
from models.describer.recipe import Recipe
from models.describer.result import DescriberResult
from models.describer.scenes import Scene
from models.describer.scorecard import DescribedPass, pass_of
from models.describer.trials import caught, overlaps, two_quadrants
from models.language.instances import InstanceOptions, Instances
from models.scores.scene_figures import seconds_per_answer
from models.scores.scorecard import Metric
from simulator.chips import simulated_chip

SEED: Final = 20_260_101
"""Of the list of questions."""
LONGEST: Final = 96
"""Tokens of an answer."""
TOLD_EVERY: Final = 320
Answerer = Callable[[Sequence[Question]], Iterable[Answer]]


@dataclass(frozen=True, slots=True)
class _Ground:
    """Scenes as one describer sees them, with what an index finds there and how they look."""

    scenes: list[Scene]
    found: dict[str, Instances]
    rgb: dict[str, NDArray[np.uint16]]
    """Of the first scene of every number of lakes."""


@task(cache_policy=NO_CACHE, task_run_name="score-describer-{evaluation.weights}")
def score_describer(evaluation: DescriberEvaluation) -> DescriberResult:
    """Score a describer and what stands beside it on all scenes."""
    return result_of(evaluation)


def result_of(evaluation: DescriberEvaluation) -> DescriberResult:
    """Do the same without Prefect; raises WrongCall for scenes that the weights have seen, ChipsUnusable and WeightsMissing."""
    first = _loaded(evaluation, evaluation.weights)
    second = None if evaluation.against is None else _loaded(evaluation, evaluation.against)
    ground = _ground(evaluation, first.card)
    questions = questions_of(ground.scenes, SEED, held_out=True)
    passes = [_own(first, ground, first.card.name)]
    if evaluation.controls:
        passes += _controls(first, questions)
    passes.append(_by_rule(ground, questions))
    facts = [_facts(first.card)]
    if second is not None:
        name = f"{second.card.name} (against)" if second.card.name == first.card.name else second.card.name
        passes.append(_own(second, _ground(evaluation, second.card), name))
        facts.append(_facts(second.card) | {"describer": name})
    return DescriberResult(
        tuple(passes), tuple(caught(questions)), tuple(facts), len(ground.scenes), sum(len(scene.lakes) for scene in ground.scenes),
        _examples(first, ground, questions),
    )  # fmt: skip


def _own(loaded: LoadedDescriber, ground: _Ground, name: str) -> DescribedPass:
    """All questions by the words of the network; those of all lakes, and masks alone, where it has no language path."""
    questions = questions_of(ground.scenes, SEED, held_out=True)
    if loaded.card.network.decoder.prompt == "constant":
        whole = [question for question in questions if question.pair.family in WHOLE]
        # the prompt is the same whatever is said, so that nothing has to be said
        return _pass(name, CONSTANT_PROMPT, whole, _answerer(loaded, longest=1))
    own, pairs = _answerer(loaded), two_quadrants(ground.scenes)
    return _words_per_second(loaded, _pass(name, GENERATED, questions, own, tuple(overlaps(pairs, list(own(pairs))))))


def _controls(loaded: LoadedDescriber, questions: list[Question]) -> Iterator[DescribedPass]:
    if loaded.card.network.decoder.prompt == "constant":
        return
    for control in CONTROLS:
        yield _pass(loaded.card.name, control, questions, _answerer(loaded, control=control))
    yield _pass(loaded.card.name, TEACHER_FORCED, questions, _answerer(loaded, path=TEACHER_FORCED))


def _by_rule(ground: _Ground, questions: list[Question]) -> DescribedPass:
    def by_rule(asked: Sequence[Question]) -> Iterator[Answer]:
        return (answered_by_rule(each.pair.question, each.scene, ground.found[each.scene.scene_id]) for each in asked)

    pairs = two_quadrants(ground.scenes)
    return _pass(NAME, BY_RULE, questions, by_rule, tuple(overlaps(pairs, list(by_rule(pairs)))))


def _pass(model: str, subset: str, questions: list[Question], answerer: Answerer, further: Sequence[Metric] = ()) -> DescribedPass:
    clock, measured = AnswerClock(), []
    answers = clock.timed(answerer(questions))
    for done, (question, own) in enumerate(zip(questions, answers, strict=True), 1):
        measured.append(measure(question, own))
        if done % TOLD_EVERY == 0 or done == len(questions):
            told = {"stage": subset, "job": model, "done": done, "total": len(questions)}
            PROGRESS.info("%s, %s: %s of %s questions", model, subset, done, len(questions), extra=told)
    speed = seconds_per_answer(clock.cpu_s, clock.wall_s, len(measured))
    return pass_of(model, subset, measured, (*further, *(speed if subset not in (BY_RULE, TEACHER_FORCED) else ())))


def _words_per_second(loaded: LoadedDescriber, scored: DescribedPass) -> DescribedPass:
    """Add how many tokens were said in a second of CPU time."""
    seconds = scored.get("all", "cpu_s_per_answer")
    if seconds is None or not seconds.value:
        return scored
    # the token that ends an answer is said, too
    said = sum(len(loaded.dialogue.tokenizer(each.scored.text)["input_ids"]) + 1 for each in scored.measured)
    nothing = float("nan")
    speed = Metric("all", "tokens_per_cpu_s", "tokens", said / (seconds.value * seconds.n), nothing, nothing, 0, said)
    return replace(scored, metrics=(*scored.metrics, speed))


def _answerer(loaded: LoadedDescriber, *, path: str = GENERATED, control: str = "none", longest: int = LONGEST) -> Answerer:
    def ask(questions: Sequence[Question]) -> Iterator[Answer]:
        kind, taken = cast("Path", path), cast("Control", control)
        return answered(loaded.network, loaded.dialogue, questions, path=kind, control=taken, longest=longest)

    return ask


def _examples(loaded: LoadedDescriber, ground: _Ground, questions: list[Question]) -> tuple[Example, ...]:
    wanted = chosen(questions)
    answers = _answerer(loaded)(wanted)
    return tuple(example_of(question, own, ground.rgb[question.scene.scene_id]) for question, own in zip(wanted, answers, strict=True))


def _loaded(evaluation: DescriberEvaluation, reference: str) -> LoadedDescriber:
    card, tensors, vocabulary = read_describer(reference, Folder(evaluation.cache) if evaluation.cache else None)
    refuse_seen(card, evaluation.data)
    return load(card, tensors, vocabulary, evaluation.device or "cpu")


def _ground(evaluation: DescriberEvaluation, card: DescriberCard) -> _Ground:
    lakes = InstanceOptions(min_area_m2=evaluation.min_area_m2)
    recipe = Recipe(card.name, card.title, network=card.network, lakes=lakes)
    ground, counts = _Ground([], {}, {}), set()
    for scene, s2, dem, cause in _seen(evaluation, recipe, card):
        ground.scenes.append(scene)
        ground.found[scene.scene_id] = lakes_by_index(s2[None], dem[None], cause[None], lakes)[0]
        if len(scene.lakes) not in counts:
            counts.add(len(scene.lakes))
            ground.rgb[scene.scene_id] = s2[[s2_index(name) for name in RGB]]
    return ground


def _seen(
    evaluation: DescriberEvaluation, recipe: Recipe, card: DescriberCard
) -> Iterator[tuple[Scene, NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Scenes with the bands, the heights and the causes of their chips."""
    for source in evaluation.data:
        if source.startswith(SIMULATED):
            for seed in seeds_of(source):
                chip = simulated_chip(seed)
                scene = scene_of_drawn(chip, f"simulated-{seed}", recipe, card.scaling)
                yield scene, chip.s2, chip.dem, np.full(chip.dem.shape, Cause.USABLE, np.uint8)
            continue
        for seen in stored_scenes(open_chips(source), evaluation.split, recipe, card.scaling):
            yield from zip(seen.scenes, seen.chips.s2, seen.chips.dem, seen.chips.cause, strict=True)


def _facts(card: DescriberCard) -> dict[str, str]:
    words = {"describer": card.name, "version": card.version, "sha256": card.sha256[:16], "licence": card.licence}
    return words | {"recipe": card.recipe, "trained on": card.trained_on}
