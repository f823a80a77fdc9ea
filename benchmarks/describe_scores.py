"""Scores of a describer on simulated scenes that it never saw, as the report quotes them.

    python -m benchmarks.describe_scores [--weights describe-tiny] [--data simulated:100000-100119] [--against W2] [--controls]

Every figure comes from words that the describer said itself, with its 90 % interval by scene and what it is made of. Beside it stand lakes
by a water index with words by template, which need no network. `cryoatlas evaluate describe` writes the same figures as tables and a page.
"""

import argparse
import time
from collections.abc import Sequence

from benchmarks.shown_figures import cell, show
from catalog.facts.bulletins import DEFAULT_DESCRIBER
from catalog.facts.describer_evaluation import DescriberEvaluation
from catalog.stores.weights import shipped_names
from models.describer.scorecard import DescribedPass
from models.pictures.describer_page import FAMILIES, MASKS, WORDS
from tasks.score_describer import result_of


def named(passes: Sequence[DescribedPass]) -> list[tuple[str, DescribedPass]]:
    return [(one.model if one.subset != "teacher_forced" else one.subset, one) for one in passes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=DEFAULT_DESCRIBER)
    parser.add_argument("--data", action="append")
    parser.add_argument("--against")
    parser.add_argument("--controls", action="store_true")
    parser.add_argument("--device", default="cpu")
    call = parser.parse_args()
    if call.weights == DEFAULT_DESCRIBER and DEFAULT_DESCRIBER not in shipped_names():
        print(f"No {DEFAULT_DESCRIBER} comes with this version: train one with `cryoatlas train describe` and give it as --weights.")
        return
    started, cpu = time.perf_counter(), time.process_time()
    data = tuple(call.data or ["simulated:100000-100119"])
    result = result_of(DescriberEvaluation(call.weights, data, "", against=call.against, controls=call.controls, device=call.device))
    told = [one for one in result.passes if one.subset in ("generated", "by_rule", "constant_prompt")]
    print(f"{', '.join(data)}: {result.scenes} scenes, {result.lakes} lakes, {len(result.passes[0].measured)} questions")
    for title, figures in (("masks", MASKS), ("words", WORDS), ("families", FAMILIES)):
        show(title, figures, named(told))
    if call.controls:
        for one in result.passes:
            if one not in told:
                print(f"\ncontrol: {one.subset}")
                show("masks", MASKS[:1] + MASKS[8:10], named([one]))
                show("words", WORDS[:3] + WORDS[4:8], named([one]))
    print("\nmistakes put into true answers that verification catches")
    for each in result.caught:
        print(f"{each.group.removeprefix('injected').strip() or 'all':56}{cell(each):>38}")
    print(f"\n{time.process_time() - cpu:.0f} CPU s, {time.perf_counter() - started:.0f} s wall, all together")


if __name__ == "__main__":
    main()
