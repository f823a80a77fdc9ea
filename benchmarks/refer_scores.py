"""Scores of a referrer on simulated scenes that it never saw, as the report quotes them.

    python -m benchmarks.refer_scores [--weights refer-tiny] [--data simulated:100000-100119] [--against W2] [--controls]

Every figure comes from words that the referrer said itself and the masks drawn from them, with its 90 % interval by scene and what it is made
of. Beside it stands, for phrases that say `lake`, a water index with a rule, which needs no network. `cryoatlas evaluate refer` writes the
same figures as tables and a page.
"""

import argparse
import time

from benchmarks.shown_figures import show
from catalog.facts.referrer_cards import DEFAULT_REFERRER
from catalog.facts.referrer_evaluation import ReferrerEvaluation
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED
from catalog.stores.weights import shipped_names
from models.pictures.referrer_page import ANSWERS, BOXES, GAINS, LAKES, OVERLAPS, QUESTIONED, REMEMBERED, TILES, WORDS
from models.referrer.result import ReferrerResult
from tasks.score_referrer import result_of

PIXELS = tuple((group, "ciou", words) for group, _, words in OVERLAPS)


def show_scores(result: ReferrerResult) -> None:
    own = [(one.model, one) for one in result.passes if one.subset == GENERATED]
    for title, figures in (("mIoU", OVERLAPS), ("cIoU", PIXELS), ("answers", ANSWERS), ("words, exact", WORDS), ("boxes", BOXES)):
        show(title, figures, own)
    show("of whoever gives the commonest answer", tuple((group, "exact_commonest", words) for group, _, words in WORDS), own[:1])
    show("phrases that say lake", LAKES, [*own, *((one.model, one) for one in result.passes if one.subset == BY_RULE)])


def show_beside(result: ReferrerResult) -> None:
    for one in result.passes:
        if one.subset not in (GENERATED, BY_RULE):
            show(f"control: {one.subset}", tuple(dict.fromkeys((*QUESTIONED, *REMEMBERED))), [(one.model, one)])
    for each in result.differences:
        show("difference, scenes drawn for both", GAINS if each.subset == GENERATED else TILES, [(each.title, each)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=DEFAULT_REFERRER)
    parser.add_argument("--data", action="append")
    parser.add_argument("--against")
    parser.add_argument("--controls", action="store_true")
    parser.add_argument("--device", default="cpu")
    call = parser.parse_args()
    if call.weights == DEFAULT_REFERRER and DEFAULT_REFERRER not in shipped_names():
        print(f"No {DEFAULT_REFERRER} comes with this version: train one with `cryoatlas train refer` and give it as --weights.")
        return
    started, cpu = time.perf_counter(), time.process_time()
    data = tuple(call.data or ["simulated:100000-100119"])
    result = result_of(ReferrerEvaluation(call.weights, data, "", against=call.against, controls=call.controls, device=call.device))
    print(f"{', '.join(data)}: {result.scenes} scenes, {result.features} features, {len(result.passes[0].measured)} questions")
    show_scores(result)
    show_beside(result)
    print(f"\n{time.process_time() - cpu:.0f} CPU s, {time.perf_counter() - started:.0f} s wall, all together")


if __name__ == "__main__":
    main()
