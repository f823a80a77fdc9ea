"""A text against the facts of its scene: which claims are true, which are not, and what it does not mention."""

from dataclasses import dataclass

from catalog.facts.scene_facts import LakeFact, SceneFacts
from models.language.inventory_truth import alike
from models.language.parse import Reading, read
from models.language.sentences import Claim
from models.language.truth import holds


@dataclass(frozen=True, slots=True)
class Judged:
    """One claim and whether it is true."""

    claim: Claim
    true: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text is worth; every number, position and size of it is counted once."""

    reading: Reading
    judged: tuple[Judged, ...]
    hallucinated: int
    """Lakes that are described one by one and are not there."""
    described: int
    """Lakes that are described one by one."""
    omitted: int
    """Lakes of the scene that are not among them, where any are described."""

    @property
    def true(self) -> int:
        """Claims that are true."""
        return sum(each.true for each in self.judged)

    @property
    def total(self) -> int:
        """Claims, with the clauses that tell something and cannot be read: those are not true."""
        return len(self.judged) + len(self.reading.unread)

    @property
    def positions(self) -> tuple[int, int]:
        """How many claims of a place are true, and how many there are."""
        own = [each.true for each in self.judged if "place" in each.claim.values]
        return sum(own), len(own)


def check(text: str, facts: SceneFacts) -> Checked:
    """Check a text claim by claim; two descriptions cannot mean the same lake."""
    reading = read(text)
    left = list(facts.lakes)
    judged, hallucinated, described = [], 0, 0
    for claim in reading.claims:
        if claim.kind not in ("lake", "lake_at"):
            judged.append(Judged(claim, holds(claim, facts)))
            continue
        described += 1
        meant = _meant(claim, left)
        if meant is None:
            hallucinated += 1
        else:
            left.remove(meant)
        judged.append(Judged(claim, meant is not None and claim.values.get("size", meant.size) == meant.size))
    return Checked(reading, tuple(judged), hallucinated, described, len(left) if described else 0)


def _meant(claim: Claim, left: list[LakeFact]) -> LakeFact | None:
    """The lake that a description means: one of its place, of its size if there is such a one."""
    there = [lake for lake in left if alike(lake.place, claim.place())]
    return next((lake for lake in there if lake.size == claim.values.get("size", lake.size)), there[0] if there else None)
