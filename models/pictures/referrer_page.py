"""Scores of a referrer as one page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.facts.feature_classes import CLASSES
from catalog.facts.referrer_evaluation import LAKE_PHRASES, OTHER_ORDER, WITHOUT_ICE
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED, TEACHER_FORCED
from models.pictures.referrer_pictures import PHRASES, example_picture, overlap_plot
from models.pictures.score_page import figure_html, page_html
from models.pictures.score_tables import HasFigures, compared_table, escaped, facts_table, figure_tiles
from models.referrer.examples import Example, ExampleMask
from models.referrer.marks import with_masks
from models.referrer.phrasings import TALKED
from models.referrer.result import Difference, ReferrerResult
from models.referrer.scorecard import LIES, REFERENTS, SIZES
from models.scores.scorecard import Metric

Figures = tuple[tuple[str, str, str], ...]
GROUPS: Final[Mapping[str, str]] = (
    {"all": "all masks"}
    | dict(zip(LIES, ("isolated features", "of a pair", "in a row", "in a cluster", "several together"), strict=True))
    | {name: f"questions with {name}" for name in (*REFERENTS, "several referents")}
    | {name: f"{name} (tercile of size)" for name in SIZES}
    | {f"class {word}": f"phrases that say {word}" for word in CLASSES}
)
_OVERLAPS: Final = (("miou", "mIoU"), ("ciou", "cIoU"))
OVERLAPS: Final[Figures] = tuple((group, "miou", words) for group, words in GROUPS.items())
ANSWERS: Final[Figures] = (
    ("all", "accuracy_50", "masks with IoU of at least 0.5"),
    ("all", "accuracy_70", "masks with IoU of at least 0.7"),
    ("all", "counted", "as many masks as referents"),
    ("all", "whole", "all groups of marks whole"),
    ("all", "refused", "“there is none”, where there is none"),
    ("all", "refused_wrongly", "“there is none”, where there is one"),
    ("all", "class_right", "class of the mask right"),
    ("all", "expected_error", "expected overlap off by (mean)"),
    ("all", "expected_bias", "expected overlap too high by (mean)"),
    ("all", "score_error", "score of a mask off its IoU by (mean)"),
    ("all", "cpu_s_per_answer", "CPU seconds per answer"),
    ("all", "wall_s_per_answer", "seconds per answer"),
)
WORDS: Final[Figures] = (("words", "exact", "all tasks of words"), *((f"task {task}", "exact", task) for task in TALKED))
BOXES: Final[Figures] = (("boxes", "miou", "boxes, mean IoU"), ("boxes", "accuracy_50", "boxes with IoU of at least 0.5"))
LAKES: Final[Figures] = tuple(
    (group, name, words + more)
    for group, more in ((LAKE_PHRASES, ""), (WITHOUT_ICE, ", scenes without frozen lakes"))
    for name, words in (
        ("miou", "mIoU"), ("ciou", "cIoU"), ("accuracy_50", "masks with IoU of at least 0.5"), ("accuracy_70", "masks with IoU of at least 0.7"),
        ("refused", "“there is none”, where there is none"), ("refused_wrongly", "“there is none”, where there is one"),
    )
)  # fmt: skip
TILES: Final[Figures] = (
    ("all", "miou", "mIoU"), ("all", "ciou", "cIoU"), ("several referents", "miou", "mIoU, several referents"),
    ("all", "counted", "as many masks as referents"), ("all", "refused", "“there is none”, where there is none"),
    ("words", "exact", "exact answers, all tasks of words"),
)  # fmt: skip
QUESTIONED: Final[Figures] = (*TILES[:3], ("several referents", "miou_unmoved", "the same, against masks of the first order"), *TILES[3:])
REMEMBERED: Final[Figures] = (
    *TILES[:3],
    ("all", "class_right", "class of the mask right"),
    ("all", "expected_error", "expected overlap off by (mean)"),
    ("all", "probability_change", "mean change of a pixel's probability"),
    ("all", "logit_change", "mean change of its logit"),
)
GAINS: Final[Figures] = (
    *TILES,
    ("all", "accuracy_50", "masks with IoU of at least 0.5"),
    ("all", "refused_wrongly", "“there is none”, where there is one"),
    ("all", "class_right", "class of the mask right"),
    *((group, "miou", f"mIoU, {GROUPS[group]}") for group in (*SIZES, *LIES)),
)
NAMES: Final[Mapping[str, str]] = {
    GENERATED: "as asked",
    OTHER_ORDER: "another order",
    "other_question": "another question",
    "no_memory": "memory of zeros",
    "other_rows": "rows exchanged",
    TEACHER_FORCED: "teacher_forced",
}
PUBLISHED: Final = (
    {"system": "RRSIS", "SIOR-T": "57.80 / 72.85", "FAST-T": "49.46 / 57.14", "SOTA-T": "24.30 / 42.89"},
    {"system": "RMSIN", "SIOR-T": "65.10 / 78.27", "FAST-T": "56.59 / 56.88", "SOTA-T": "44.42 / 45.12"},
    {"system": "LISA-7B", "SIOR-T": "82.14 / 87.38", "FAST-T": "41.98 / 52.05", "SOTA-T": "31.02 / 41.88"},
    {"system": "PixelLM-7B", "SIOR-T": "78.05 / 86.97", "FAST-T": "42.34 / 52.17", "SOTA-T": "30.12 / 41.22"},
    {"system": "GeoPix", "SIOR-T": "84.25 / 89.82", "FAST-T": "53.54 / 57.25", "SOTA-T": "35.37 / 45.24"},
)
"""mIoU / cIoU in percent."""


@dataclass(frozen=True, slots=True)
class ReferrerFacts:
    """What a reader must know to judge the figures."""

    title: str
    data: Sequence[Mapping[str, str]]
    notes: Sequence[str]


def referrer_page(facts: ReferrerFacts, result: ReferrerResult) -> str:
    """The page as HTML text."""
    passes = result.passes
    own = [(one.model, one) for one in passes if one.subset == GENERATED]
    rule = [(one.model, one) for one in passes if one.subset == BY_RULE]
    sections = [
        f"<h1>{escaped(facts.title)}</h1>",
        *(f"<p class=faint>{escaped(note)}</p>" for note in facts.notes),
        facts_table("referrer", result.facts),
        facts_table("scenes", facts.data),
        figure_tiles(passes[0], TILES),
        "<h2>Masks</h2><p class=faint>By words that the referrer said itself. Value, 90 % interval bootstrapped over scenes, and n.</p>",
        figure_html(overlap_plot(own, OVERLAPS), "mIoU by kind of mask; lines are 90 % intervals."),
        compared_table([(f"{label}, {words}", _Of(one, name)) for label, one in own for name, words in _OVERLAPS], OVERLAPS, counts=True),
        "<h2>Answers</h2><p class=faint>n: questions for masks, or masks that were drawn.</p>",
        compared_table(own, ANSWERS, counts=True),
        "<h2>Words</h2><p class=faint>Shares of answers that are the true one, word by word, beside those of whoever always gives the commonest. Boxes are told in hundredths.</p>",
        compared_table([*own, ("commonest answer", _Of(passes[0], "exact_commonest"))], WORDS, counts=True),
        compared_table(own, BOXES, counts=True),
        f"<h2>Phrases that say “lake”, beside {escaped(rule[0][0] if rule else 'a rule')}</h2><p>{_RULE}</p>",
        compared_table([*own, *rule], LAKES, counts=True),
        *_differences(result.differences),
        *_controls(result),
        *_examples(result.examples),
        "<h2>Published figures</h2><p>GeoPix's tests, mIoU / cIoU in percent, on other images and other words: not comparable with ours.</p>",
        facts_table("published", PUBLISHED),
        _meaning(),
    ]
    return page_html(facts.title, sections)


_RULE: Final = (
    "A water index finds no kinds of lakes, no snow, ice or slumps, so that only questions whose phrases all say “lake” are put to it. They are "
    "answered from the lakes that it found on the same chips at full resolution; where several fit, all are drawn. Frozen lakes are lakes, too."
)


def _differences(differences: Sequence[Difference]) -> Iterator[str]:
    for each in differences:
        if each.subset == GENERATED:
            yield f"<h2>{escaped(each.title)}</h2><p>Scenes were drawn for both at once.</p>"
            yield compared_table([("difference", each)], GAINS, counts=True)


def _controls(result: ReferrerResult) -> Iterator[str]:
    if all(one.subset not in NAMES or one.subset == GENERATED for one in result.passes):
        return
    yield "<h2>Another order, another question</h2>"
    yield (
        "<p>A referrer that reads its question loses masks with that of another scene, and masks follow their phrases into another order. "
        "One that does not would keep its masks where they were (<i>against masks of the first order</i>).</p>"
    )
    yield from _beside(result, (OTHER_ORDER, "other_question"), QUESTIONED)
    yield "<h2>Without the memory, and by true words</h2>"
    yield (
        "<p>The memory of the classes set to zero, and its rows exchanged, each class reading that of the one before. Words do not pass through "
        "it and stay as they are. Figures under <code>teacher_forced</code> come from true words and are no scores of a referrer.</p>"
    )
    yield from _beside(result, ("no_memory", "other_rows", TEACHER_FORCED), REMEMBERED)


def _beside(result: ReferrerResult, subsets: Sequence[str], figures: Figures) -> Iterator[str]:
    """What was changed beside what was asked, and the differences."""
    shown = [one for one in result.passes[1:] if one.subset in subsets]
    yield compared_table([(NAMES[one.subset], one) for one in (result.passes[0], *shown)], figures)
    lost = [(f"{NAMES[each.subset]} minus as asked", each) for each in result.differences if each.subset in subsets]
    if lost:
        yield "<p>Scenes drawn for both at once:</p>" + compared_table(lost, figures)


@dataclass(frozen=True, slots=True)
class _Of:
    """One metric of a pass, in whatever row it is asked for."""

    whole: HasFigures
    metric: str

    def get(self, group: str, metric: str) -> Metric | None:  # noqa: ARG002 - the row names another metric
        return self.whole.get(group, self.metric)


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    if examples:
        yield "<h2>Scenes to look at</h2>"
        yield (
            "<p>The first scene of every kind of question, chosen before anything was answered. Every phrase has a colour: the feature that it "
            "means is outlined <b>solid</b>, what was drawn for it <b>dashed</b>.</p>"
        )
        yield from (_example(each) for each in examples)


def _example(example: Example) -> str:
    phrases = "<br>".join(_phrase(mask, colour) for mask, colour in zip(example.masks, PHRASES, strict=False))
    said = with_masks(example.text)
    rows = (("asked", escaped(example.question)), ("said", escaped(said) or "(nothing)"), ("phrases", phrases))
    cells = "".join(f"<tr><th>{name}</th><td>{words}</td></tr>" for name, words in rows)
    picture = figure_html(example_picture(example), example.scene_id, kind="png")
    return f"<div class=row style='flex-wrap:nowrap'>{picture}<table style='max-width:640px'>{cells}</table></div>"


def _phrase(mask: ExampleMask, colour: str) -> str:
    told = "fits nothing here" if mask.iou is None else f"IoU {mask.iou:.2f}"
    return f"<b style='color:{colour}'>■</b> {escaped(mask.phrase)}: {told}"


def _meaning() -> str:
    lines = (
        "Every answer was generated, always the likeliest word, and its masks drawn from the marks in the words that were said. Questions are "
        "in phrasings that training never saw: for one mask and for up to two, three and four of them, for one that is not there, and one of "
        "every task of words that a scene can answer.",
        "mIoU is the mean over the masks that were asked for, the n-th mask against the n-th phrase, 0 where none was drawn; cIoU is of all "
        "their pixels together. Arrangements are those of a feature among its class; several together have none. Terciles are of the share "
        "of the scene that the true masks cover.",
        "A mask tells the overlap that it expects of itself; its score is that times the mean probability inside it. Both are compared with "
        "the overlap that it has.",
        "Simulated scores do not carry over to real ground.",
    )
    return "<h2>What the figures mean</h2>" + "".join(f"<p>{escaped(line)}</p>" for line in lines)
