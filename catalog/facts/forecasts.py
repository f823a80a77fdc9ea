"""What a run over a region-year would do, worked out stage by stage from records alone: no pixel is read.

Each stage tells the inputs that it would use now. What a unit that is to be done again will hold is not known before it is done,
so it stands as *open* in the inputs of the units after it: they follow if its bytes change, and are left alone if they do not.
A unit that is done again from the inputs it had gives the bytes it gave.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from catalog.facts.backfills import Planned, Reason
from catalog.facts.causes import State
from catalog.facts.fingerprints import fingerprint_of
from catalog.facts.records import Outcome, Unit
from catalog.facts.staleness import differs_for_sure, open_in, open_promise


class Forecast:
    """A region-year as its ledger will show it after a run, and the units that make the difference.

    A plain class, so that Prefect passes it on without looking inside.
    """

    def __init__(
        self, records: Iterable[Outcome], *, damaged: Collection[Unit] = (), forced: Collection[Unit] = (), refused: Collection[str] = ()
    ) -> None:
        """Begin with what the ledger shows now; `forced` units are done whatever it says, `refused` scenes are not used."""
        self.records: Mapping[Unit, Outcome] = {outcome.unit: outcome for outcome in records}
        self.planned: dict[Unit, Planned] = {}
        self._damaged, self._forced, self._refused = frozenset(damaged), frozenset(forced), frozenset(refused)
        self._after = dict(self.records)

    def outcomes(self, stage: str) -> tuple[Outcome, ...]:
        """The units of a stage after the run, by tile; `outputs` of open ones hold what stands for bytes that nobody knows yet."""
        return tuple(sorted((o for o in self._after.values() if o.unit.stage == stage), key=lambda outcome: outcome.unit.tile))

    def outcome(self, unit: Unit) -> Outcome | None:
        """A unit after the run."""
        return self._after.get(unit)

    def is_open(self, unit: Unit) -> bool:
        """Say whether what a unit will hold cannot be known before it is done."""
        return unit in self._after and any(open_in(self._after[unit].outputs))

    def is_new(self, unit: Unit) -> bool:
        """Say whether a unit without a record is not sure to be there after the run."""
        return unit not in self.records and not self.planned[unit].certain

    def expect(
        self, unit: Unit, inputs: Mapping[str, Any], *, becomes: State | None = None, maybe: bool = False, via: Unit | None = None
    ) -> None:
        """Take in that a run would make a unit from these inputs.

        `becomes`: its state, where that is known; `maybe`: it is not sure that it will be there at all; `via`: the unit that chose its
        scenes, and knows why they are others.
        """
        record = self.records.get(unit)
        reasons, certain = self._reasons(record, unit, inputs)
        if via in self.planned:
            reasons = self._chosen_otherwise(reasons, self.planned[via])
        if reasons:
            self.planned[unit] = Planned(unit, reasons, certain=certain and not maybe)
        if reasons and (record is None or not self._repeats(record, inputs)):
            state = becomes or (record.state if record and record.state != State.FAILED else State.DONE)
            promise = open_promise(unit)
            self._after[unit] = Outcome(unit, state, "", outputs={promise: promise}, inputs=inputs)
        elif becomes is not None and record is not None:
            self._after[unit] = replace(record, state=becomes)

    def retire(self, units: Iterable[Unit], because: str) -> None:
        """Take in that units are taken out, as far as they are there."""
        for unit in units:
            if unit in self.records:
                self.planned[unit] = Planned(unit, (Reason("stale", because),), retired=True)
                self._after.pop(unit)

    def gone(self, unit: Unit, path: str) -> None:
        """Take in that a product without a record of its own is not there, and will be."""
        self.beside(unit, Reason("missing", f"{path} is gone"))

    def beside(self, unit: Unit, reason: Reason) -> None:
        """Take in that something without a record of its own will be made, for this reason."""
        self.planned[unit] = Planned(unit, (reason,))

    def _reasons(self, record: Outcome | None, unit: Unit, inputs: Mapping[str, Any]) -> tuple[tuple[Reason, ...], bool]:
        if record is None:
            return self._told((Reason("missing", "not made yet"),), inputs), True
        if record.state == State.FAILED:
            return (Reason("failed", record.message),), True
        sure = differs_for_sure(record, inputs, self._refused)
        if unit in self._damaged:
            sure = (Reason("damaged", "a product is gone, or has another size or checksum than its record says"), *sure)
        if unit in self._forced or not record.fingerprint:
            sure = (Reason("forced", "named with --force"), *sure)
        if not sure and not any(open_in(inputs)) and record.fingerprint != fingerprint_of(inputs):
            sure = (Reason("stale", "its record was not made from the inputs that it names"),)
        return self._told(sure, inputs), bool(sure)

    def _told(self, reasons: tuple[Reason, ...], inputs: Mapping[str, Any]) -> tuple[Reason, ...]:
        """Add what the units that it waits for are done for; `missing` alone would hide the scenes that a new tile comes from."""
        waited = [planned for name in dict.fromkeys(open_in(inputs)) if (planned := self._by_name(name)) is not None]
        found = [Reason(reason.why, f"after {p.unit.stage} {p.unit.tile}", inherited=True) for p in waited for reason in p.reasons]
        first = {reason.why: reason for reason in reversed(found) if reason.why not in {r.why for r in reasons}}
        return (*reasons, *reversed(first.values()))

    def _chosen_otherwise(self, reasons: tuple[Reason, ...], via: Planned) -> tuple[Reason, ...]:
        known = [reason.why for reason in via.reasons if reason.why in {"new options", "new scenes", "unobserved", "new code"}]
        told = (Reason(known[0], r.detail) if r.why == "new scenes" and known else r for r in reasons)
        return tuple(told)

    def _by_name(self, name: str) -> Planned | None:
        stage, _, tile = name.partition(" ")
        return next((p for unit, p in self.planned.items() if (unit.stage, unit.tile) == (stage, tile)), None)

    def _repeats(self, record: Outcome, inputs: Mapping[str, Any]) -> bool:
        """Whether it is made from what it was made from, and so gives what it gave."""
        return record.state != State.FAILED and not any(open_in(inputs)) and fingerprint_of(record.inputs) == fingerprint_of(inputs)
