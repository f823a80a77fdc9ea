"""A referrer and scenes to its scores: every question answered by words that it says itself, then in another order, without question,
without memory, and by rule."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause
from catalog.facts.describer_cards import RGB
from catalog.facts.errors import ChipsUnusable
from catalog.facts.feature_classes import CLASS_OF_TARGET, FeatureClass
from catalog.facts.referrer_cards import ReferrerCard
from catalog.facts.referrer_evaluation import CONTROLS, OTHER_ORDER, ReferrerEvaluation
from catalog.facts.seen_data import SIMULATED, refuse_seen, seeds_of
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED, TEACHER_FORCED
from catalog.stores.chips import open_chips, read_card
from catalog.stores.news import PROGRESS
from catalog.stores.objects import local_path
from catalog.stores.stopwatch import AnswerClock
from catalog.stores.weights import read_referrer
from models.language.instances import InstanceOptions
from models.referrer.answering import Answer
from models.referrer.by_rule import NAME, answered_by_rule, lakes_seen
from models.referrer.chip_scenes import scene_of_labels, stored_scenes
from models.referrer.evaluation import Control, Path, Question, answered, questions_of
from models.referrer.examples import Example, chosen, example_of
from models.referrer.features import FeatureMap
from models.referrer.loading import LoadedReferrer, load
from models.referrer.measures import Measured, measure
from models.referrer.recipe import Recipe, Stage
from models.referrer.result import Difference, ReferrerResult
from models.referrer.scenes import Scene
from models.referrer.scorecard import ReferredPass, gain, pass_of
from models.referrer.trials import in_other_order, memory_change, unmoved
from models.scores.scene_figures import seconds_per_answer
from models.scores.scorecard import Metric
from simulator.referred import GROUND_M, referred_chip

SEED: Final = 20_260_101
"""Of the list of questions."""
LONGEST: Final = 96
"""Tokens of an answer."""
TOLD_EVERY: Final = 240
SHOWN: Final = 40
"""First scenes, among which examples are chosen."""


_Further = Callable[[list[Answer]], Iterable[Metric]]
"""Figures of all answers of a pass."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """Scenes as one referrer sees them, with lakes that an index finds there, and how the first ones look."""

    scenes: list[Scene] = field(default_factory=list)
    lakes: dict[str, FeatureMap] = field(default_factory=dict)
    rgb: dict[str, NDArray[np.uint16]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Told:
    """One pass with the answers that it is made of."""

    scored: ReferredPass
    answers: list[Answer]


@task(cache_policy=NO_CACHE, task_run_name="score-referrer-{evaluation.weights}")
def score_referrer(evaluation: ReferrerEvaluation) -> ReferrerResult:
    """Score a referrer and what stands beside it on all scenes."""
    return result_of(evaluation)


def result_of(evaluation: ReferrerEvaluation) -> ReferrerResult:
    """Do the same without Prefect; raises WrongCall for scenes that the weights have seen, ChipsUnusable and WeightsMissing."""
    first = _loaded(evaluation, evaluation.weights)
    second = None if evaluation.against is None else _loaded(evaluation, evaluation.against)
    ground = _ground(evaluation, first.card)
    questions = questions_of(ground.scenes, SEED, held_out=True)
    own = _own(first, questions, first.card.name)
    passes, facts = [own.scored], [_facts(first.card)]
    if evaluation.controls:
        passes += _controls(first, questions, own)
    passes += _by_rule(ground, questions, first.network.mask_px)
    if second is not None:
        name = f"{second.card.name} (against)" if second.card.name == first.card.name else second.card.name
        others = questions_of(_ground(evaluation, second.card).scenes, SEED, held_out=True)
        passes.append(_own(second, others, name).scored)
        facts.append(_facts(second.card) | {"referrer": name})
    return ReferrerResult(
        tuple(passes), tuple(_differences(passes)), tuple(facts), len(ground.scenes), len(ground.left_out),
        sum(len(scene.ground.kinds) for scene in ground.scenes), tuple(_examples(own, questions, ground)),
    )  # fmt: skip


def _own(loaded: LoadedReferrer, questions: Sequence[Question], name: str) -> _Told:
    return _pass(
        (name, GENERATED), questions, answered(loaded.network, loaded.dialogue, questions, longest=LONGEST), loaded.network.mask_px
    )


def _controls(loaded: LoadedReferrer, questions: Sequence[Question], own: _Told) -> Iterator[ReferredPass]:
    name, network, size = loaded.card.name, loaded.network, loaded.network.mask_px

    def ask(subset: str, some: Sequence[Question], further: _Further = _nothing) -> ReferredPass:
        path: Path = TEACHER_FORCED if subset == TEACHER_FORCED else GENERATED
        control = cast("Control", subset if subset in CONTROLS else "none")
        answers = answered(network, loaded.dialogue, some, path=path, control=control, longest=LONGEST)
        return _pass((name, subset), some, answers, size, further).scored

    moved = in_other_order(questions)
    if moved:
        yield ask(OTHER_ORDER, moved, lambda answers: unmoved(questions, list(zip(moved, answers, strict=True)), size))
    for control in CONTROLS:
        if network.memory is not None or control == "other_question":
            told = control == "no_memory"
            yield ask(control, questions, (lambda answers: memory_change(questions, own.answers, answers)) if told else _nothing)
    yield ask(TEACHER_FORCED, [each for each in questions if each.pair.targets])


def _nothing(_: list[Answer]) -> Iterable[Metric]:
    return ()


def _by_rule(ground: _Ground, questions: Sequence[Question], size: int) -> Iterator[ReferredPass]:
    asked = [each for each in questions if each.pair.task == "segment" and set(each.pair.words) == {"lake"}]
    if asked:
        yield _pass(
            (NAME, BY_RULE), asked, (answered_by_rule(each, ground.lakes[each.scene.scene_id], size) for each in asked), size
        ).scored


def _pass(
    names: tuple[str, str], questions: Sequence[Question], answers: Iterable[Answer], size: int, further: _Further = _nothing
) -> _Told:
    """Measure answers as they come; `names` are the model and the subset."""
    clock, measured, kept = AnswerClock(), list[Measured](), list[Answer]()
    for done, (question, own) in enumerate(zip(questions, clock.timed(answers), strict=True), 1):
        measured.append(measure(question, own, size))
        kept.append(own)
        if done % TOLD_EVERY == 0 or done == len(questions):
            told = {"stage": names[1], "job": names[0], "done": done, "total": len(questions)}
            PROGRESS.info("%s, %s: %s of %s questions", *names, done, len(questions), extra=told)
    speed = seconds_per_answer(clock.cpu_s, clock.wall_s, len(measured)) if names[1] == GENERATED else ()
    return _Told(pass_of(*names, measured, (*further(kept), *speed)), kept)


def _differences(passes: Sequence[ReferredPass]) -> Iterator[Difference]:
    """The first referrer against another one, and every control against what it controls."""
    first = passes[0]
    for one in passes[1:]:
        if one.subset == GENERATED:
            yield Difference(f"{first.model} minus {one.model}", GENERATED, tuple(gain(first.measured, one.measured, subset=GENERATED)))
        elif one.subset in CONTROLS:
            yield Difference(
                f"{first.model}, {one.subset} minus as asked", one.subset, tuple(gain(one.measured, first.measured, subset=one.subset))
            )
        elif one.subset == OTHER_ORDER:
            several = [each for each in first.measured if len(each.question.pair.targets) > 1]
            yield Difference(
                f"{first.model}, {one.subset} minus as asked", one.subset, tuple(gain(one.measured, several, subset=one.subset))
            )


def _examples(own: _Told, questions: Sequence[Question], ground: _Ground) -> Iterator[Example]:
    for question in chosen([each for each in questions if each.scene.scene_id in ground.rgb]):
        place = next(number for number, each in enumerate(questions) if each is question)
        yield example_of(own.scored.measured[place], own.answers[place], ground.rgb[question.scene.scene_id])


def _loaded(evaluation: ReferrerEvaluation, reference: str) -> LoadedReferrer:
    card, tensors, vocabulary = read_referrer(reference, Folder(evaluation.cache) if evaluation.cache else None)
    refuse_seen(card, evaluation.data)
    return load(card, tensors, vocabulary, evaluation.device or "cpu")


def _ground(evaluation: ReferrerEvaluation, card: ReferrerCard) -> _Ground:
    options = InstanceOptions(min_area_m2=evaluation.min_area_m2)
    recipe = Recipe(card.name, card.title, stages=(Stage(1),), network=card.network, features=options)
    ground = _Ground()
    for scene, s2, dem, cause in _seen(evaluation, recipe):
        if not scene.ground.usable:
            ground.left_out.append(scene.scene_id)
            continue
        ground.scenes.append(scene)
        ground.lakes[scene.scene_id] = lakes_seen(s2, dem, cause, options)
        if len(ground.rgb) < SHOWN:
            ground.rgb[scene.scene_id] = s2[[s2_index(name) for name in RGB]]
    if not ground.scenes:
        raise ChipsUnusable(
            f"{', '.join(evaluation.data)}: none of {len(ground.left_out)} scenes of split {evaluation.split} has features that phrases can "
            "tell apart; give data that has some."
        )
    return ground


def _seen(evaluation: ReferrerEvaluation, recipe: Recipe) -> Iterator[tuple[Scene, NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Scenes with the bands, the heights and the causes of their chips."""
    for source in evaluation.data:
        if source.startswith(SIMULATED):
            for seed in seeds_of(source):
                chip = referred_chip(seed)
                kinds = cast("tuple[FeatureClass, ...]", chip.kinds)
                scene = scene_of_labels(f"simulated-{seed}", chip.s2, chip.labels, kinds, GROUND_M, recipe)
                yield scene, chip.s2, chip.dem, np.full(chip.dem.shape, Cause.USABLE, np.uint8)
            continue
        kind = CLASS_OF_TARGET[str(read_card(local_path(source)).get("target", "lakes"))]
        for seen in stored_scenes(open_chips(source), evaluation.split, kind, recipe):
            yield from zip(seen.scenes, seen.chips.s2, seen.chips.dem, seen.chips.cause, strict=True)


def _facts(card: ReferrerCard) -> dict[str, str]:
    words = {"referrer": card.name, "version": card.version, "sha256": card.sha256[:16], "licence": card.licence}
    return words | {"recipe": card.recipe, "trained on": card.trained_on}
