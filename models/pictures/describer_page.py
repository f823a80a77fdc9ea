"""Scores of a describer as one page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.facts.describer_evaluation import CONSTANT_PROMPT, CONTROLS
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED, TEACHER_FORCED
from models.describer.examples import Clause, Example
from models.describer.phrasings import PHRASINGS
from models.describer.scorecard import SIZES_KM2, DescribedPass
from models.language.slots import lakes_words
from models.pictures.describer_pictures import DRAWN, TRUTH, errors_by_count_plot, example_picture
from models.pictures.score_page import figure_html, page_html
from models.pictures.score_tables import compared_table, escaped, facts_table, figure_tiles, interval, number
from models.scores.scorecard import Metric

Figures = tuple[tuple[str, str, str], ...]
MASKS: Final[Figures] = (
    ("whole", "lake_iou", "lake IoU, questions about the whole scene"),
    ("whole", "mean_iou", "mean of lake and background IoU, the same"),
    ("whole", "f1", "F1 by pixel, the same"),
    ("whole", "f1_per_answer", "F1, mean of single masks, the same"),
    ("all", "lake_iou", "lake IoU, all questions"),
    ("all", "mean_iou", "mean of lake and background IoU"),
    ("all", "f1", "F1 by pixel"),
    ("all", "f1_per_answer", "F1, mean of single masks"),
    ("referring", "iou_per_answer", "IoU of referring questions, mean of single masks"),
    ("referring to lakes", "iou_per_answer", "the same, where there are such lakes"),
    *((f"size {name} km2", "recall", f"recall of lakes of {name} km²") for name in SIZES_KM2),
    ("two quadrants", "overlap", "overlap (IoU) of the masks of two quadrants"),
    ("two quadrants", "both_drawn", "both of them drawn"),
)
WORDS: Final[Figures] = (
    ("up to 5 lakes", "count_exact", "count right, scenes with up to 5 lakes"),
    ("all", "count_exact", "count right, all scenes"),
    ("all", "count_majority", "of whoever always states the commonest count"),
    ("all", "count_mae", "mean error of the count (lakes)"),
    ("all", "quadrant_f1", "F1 of lakes per quadrant, lists and descriptions"),
    ("all", "positions_right", "statements of a place that are true"),
    ("verified", "positions_right", "the same after verification"),
    ("all", "factual", "statements that are true"),
    ("verified", "factual", "the same after verification"),
    ("all", "claims_kept", "statements kept by verification"),
    ("all", "claims_corrected", "corrected"),
    ("all", "claims_dropped", "dropped"),
    ("all", "hallucinated", "described lakes that are not there"),
    ("all", "omitted", "lakes left out of lists and descriptions"),
    ("all", "agreement", "number in the text = lakes in the mask"),
    ("all", "rouge_1", "ROUGE-1"),
    ("all", "rouge_2", "ROUGE-2"),
    ("all", "rouge_l", "ROUGE-L"),
    ("all", "meteor_exact_stem", "METEOR (exact+stem)"),
    ("all", "tokens_per_cpu_s", "tokens per second of CPU"),
    ("all", "cpu_s_per_answer", "CPU seconds per answer"),
    ("all", "wall_s_per_answer", "seconds per answer"),
)
FAMILIES: Final[Figures] = tuple((f"family {family}", "iou_per_answer", f"IoU, {family.replace('_', ' ')}") for family in PHRASINGS)
_CONTROLLED: Final[Figures] = (MASKS[0], MASKS[8], MASKS[9], *(row for row in WORDS if row[1] in ("count_exact", "count_majority")),
                               *(row for row in WORDS if row[1] in ("quadrant_f1", "factual", "rouge_l") and row[0] == "all"))  # fmt: skip
_TILES: Final[Figures] = (MASKS[0], MASKS[8], WORDS[0], WORDS[4], WORDS[7], WORDS[12])
PUBLISHED: Final = "GLACIA, published on other data: not comparable"
PUBLISHED_FIGURES: Final[Mapping[tuple[str, str], str]] = {
    ("whole", "mean_iou"): "0.840 and 0.873 (two sets)",
    ("whole", "lake_iou"): "0.757 (its ablation)",
    ("all", "rouge_l"): "0.561 (which ROUGE is not said)",
    ("all", "meteor_exact_stem"): "0.478 (full METEOR)",
}
_PUBLISHED_SYSTEMS: Final = (
    {"system": "GLACIA", "mIoU": "84.01 to 87.30", "ROUGE": "0.5606", "METEOR": "0.4775", "lake IoU": "75.70"},
    {"system": "GLACIA, Prithvi-300 alone as encoder, fine-tuned", "lake IoU": "73.42"},
    {"system": "frozen encoders", "lake IoU": "56.77 to 66.08"},
    {"system": "LISA-13B", "mIoU": "71.33 to 75.66", "ROUGE": "0.4332", "METEOR": "0.3148"},
    {"system": "PixelLM", "mIoU": "69.12 to 74.32"},
    {"system": "convolutional networks", "mIoU": "78.55 to 79.01"},
    {"system": "vision transformers", "mIoU": "69.27 to 81.75"},
    {"system": "geospatial foundation models", "mIoU": "76.37 to 87.10"},
)
_NAMES: Final[Mapping[str, str]] = {
    GENERATED: "",
    CONSTANT_PROMPT: ", no language path",
    BY_RULE: "",
    TEACHER_FORCED: "teacher_forced: true words given, masks alone",
    "other_question": "another scene's question",
    "constant_question": "one question for all",
    "blind": "words without the image",
}
_MARKS: Final = {
    "true": ("✓", "#00795a"),
    "false": ("✗ false", "#b34700"),
    "unread": ("✗ cannot be read", "#b34700"),
    "silent": ("", "#57606a"),
}


@dataclass(frozen=True, slots=True)
class DescriberFacts:
    """What a reader must know to judge the figures."""

    title: str
    models: Sequence[Mapping[str, str]]
    data: Sequence[Mapping[str, str]]
    notes: Sequence[str]


def describer_page(
    facts: DescriberFacts,
    passes: Sequence[DescribedPass],
    caught: Sequence[Metric],
    gains: Sequence[tuple[str, Sequence[Metric]]],
    examples: Sequence[Example],
) -> str:
    """The page as HTML text; passes begin with the describer that was asked for."""
    controls = [one for one in passes if one.subset in (*CONTROLS, TEACHER_FORCED)]
    beside = [(one.model + _NAMES[one.subset], one) for one in passes if one not in controls]
    speaking, published = [row for row in beside if row[1].subset != CONSTANT_PROMPT], (PUBLISHED, PUBLISHED_FIGURES)
    sections = [
        f"<h1>{escaped(facts.title)}</h1>",
        *(f"<p class=faint>{escaped(note)}</p>" for note in facts.notes),
        facts_table("describer", facts.models),
        facts_table("scenes", facts.data),
        figure_tiles(passes[0], _TILES),
        "<h2>Masks</h2><p class=faint>By words that the describer said itself. Value, 90 % interval bootstrapped over scenes, and n.</p>",
        compared_table(beside, MASKS, counts=True, beside=published),
        "<h2>Words</h2><p class=faint>n: answers, or statements, or lakes, whatever a figure counts.</p>",
        compared_table(speaking, WORDS, counts=True, beside=published),
        *_gains(gains),
        *_controls(passes[0], controls),
        "<h2>What is invented and left out</h2>",
        figure_html(errors_by_count_plot(speaking), "Lines are 90 % intervals."),
        *_caught(caught),
        "<h2>Families of questions</h2>",
        compared_table(speaking, FAMILIES, counts=True),
        *_examples(examples),
        "<h2>Published figures</h2><p>On other scenes and other words; none of ours may be laid beside them.</p>",
        facts_table("published", [{name: row.get(name, "") for name in _PUBLISHED_SYSTEMS[0]} for row in _PUBLISHED_SYSTEMS]),
        _meaning(),
    ]
    return page_html(facts.title, sections)


def _gains(gains: Sequence[tuple[str, Sequence[Metric]]]) -> Iterator[str]:
    for name, figures in gains:
        told = "; ".join(f"{number(each)} ({interval(each)})" for each in figures)
        yield f"<p>Lake IoU of questions about the whole scene, {escaped(name)}, scenes drawn for both at once: {told}.</p>"


def _controls(first: DescribedPass, controls: Sequence[DescribedPass]) -> Iterator[str]:
    if controls:
        yield "<h2>Without the question, without the image</h2>"
        yield (
            "<p>What is left when something is taken away: a describer that reads questions loses referring masks, one that looks loses "
            "counts. Figures under <code>teacher_forced</code> come from true words and are no scores of a describer.</p>"
        )
        yield compared_table([("as asked", first), *((_NAMES[one.subset], one) for one in controls)], _CONTROLLED)


def _caught(caught: Sequence[Metric]) -> Iterator[str]:
    if caught:
        yield "<h2>Mistakes put into true answers</h2><p>Share that verification catches; every mistake of every true answer was tried.</p>"
        rows = "".join(
            f"<tr><td>{escaped(each.group.removeprefix('injected').strip() or 'all')}</td><td class=n>{number(each)}</td>"
            f"<td class=range>{interval(each)}</td><td class='n range'>{each.n}</td></tr>"
            for each in caught
        )
        yield f"<table><tr><th>mistake</th><th class=n>caught</th><th></th><th class=n>n</th></tr>{rows}</table>"


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    if examples:
        yield "<h2>Scenes to look at</h2>"
        yield (
            "<p>The first scene of every number of lakes, chosen before anything was answered. "
            f"<b style='color:{TRUTH}'>Solid</b>: the lakes that the question means. <b style='color:{DRAWN}'>Dashed</b>: the drawn mask.</p>"
        )
        yield from (_example(each) for each in examples)


def _example(example: Example) -> str:
    said = "<br>".join(_clause(each) for each in example.clauses) or "(nothing)"
    rows = (
        ("asked", escaped(example.question)),
        ("said", said),
        ("printed", escaped(example.printed.replace("[SEG]", "").strip()) or "(nothing: no statement could be kept)"),
        ("true answer", escaped(example.reference.replace("[SEG]", "").strip())),
    )
    cells = "".join(f"<tr><th>{name}</th><td>{words}</td></tr>" for name, words in rows)
    picture = figure_html(example_picture(example), lakes_words(example.lakes), kind="png")
    return f"<div class=row style='flex-wrap:nowrap'>{picture}<table style='max-width:640px'>{cells}</table></div>"


def _clause(clause: Clause) -> str:
    mark, colour = _MARKS[clause.state]
    return f"{escaped(clause.words)} <b style='color:{colour}'>{mark}</b>"


def _meaning() -> str:
    lines = (
        "Every answer was generated, always the likeliest word, and its mask drawn from the words that were said. Questions are in phrasings "
        "that training never saw, one of every family that a scene can answer.",
        "Questions about the whole scene (count, list, presence, describe, change) are those whose mask shows all lakes: the only ones at "
        "which a system without a language path can be compared.",
        "A lake is found when half of its pixels are drawn. An empty mask where nothing is asked for counts as IoU 1 in means of single masks.",
        "A statement is a clause that is read as a claim; clauses that tell a number, a size or a place and cannot be read count as false. "
        "Verification corrects or drops what is false, and its text was read and checked again for the rows that say so. It vouches for what "
        "is said, not for what is left out.",
        "The template answers by rule from lakes that a water index finds on the same chips at full resolution, always in the same wording. "
        "True answers are worded in several ways, so that text scores stay below 1 however true an answer is: read them beside the "
        "statements that are true.",
        "METEOR matches words and stems alone; its synonyms would have to be fetched. It is not the full METEOR.",
        "Simulated scores do not carry over to real ground.",
    )
    return "<h2>What the figures mean</h2>" + "".join(f"<p>{escaped(line)}</p>" for line in lines)
