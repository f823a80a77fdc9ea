"""A text made fit to be printed: claims that fail are corrected or dropped, and counted; what cannot be read is dropped."""

from dataclasses import dataclass

from catalog.facts.scene_facts import SceneFacts
from models.language.check import check
from models.language.corrections import corrected
from models.language.sentences import SEG, Claim, joined, write


@dataclass(frozen=True, slots=True)
class Verified:
    """A text of which every claim is true."""

    text: str
    """Empty when nothing of it could be kept."""
    kept: int
    corrected: int
    dropped: int
    """Claims that are false and have no true counterpart, and clauses that cannot be read."""


def verified(text: str, facts: SceneFacts) -> Verified:
    """Rewrite a text so that it says nothing false about its scene; its marks of segmentation stay."""
    found = check(text, facts)
    right: list[Claim] = []
    mended = dropped = 0
    for each in found.judged:
        claim = each.claim
        if not each.true:
            # a lake that is not there is dropped, never moved to where one is
            true = None if claim.kind in ("lake", "lake_at") else corrected(claim, facts)
            mended, dropped = mended + (true is not None), dropped + (true is None)
            if true is None:
                continue
            claim = true
        right.append(claim)
    unique = [claim for place, claim in enumerate(right) if claim.kind in ("lake", "lake_at") or claim not in right[:place]]
    marks = f" {SEG}" * found.reading.masks
    body = joined([write(claim) for claim in unique])
    # empty clauses claim nothing that a map could vouch for, and they are not printed either
    return Verified(body + marks if body else "", found.true, mended, dropped + len(found.reading.unread))
