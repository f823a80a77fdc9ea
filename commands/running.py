"""The door to the flows: Prefect takes seconds to import, so commands that run nothing never pass through it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.facts.ask_records import AskAnswer, AskRequest
from catalog.facts.backfills import BackfillReport
from catalog.facts.bulletins import Bulletin, BulletinRequest
from catalog.facts.cards import WeightsCard
from catalog.facts.chips import ChipCounts, CutOptions
from catalog.facts.describer_evaluation import DescriberEvaluation
from catalog.facts.differences import DiffReport
from catalog.facts.evaluation import Evaluation, EvaluationReport
from catalog.facts.leases import WAIT_MINUTES
from catalog.facts.matching import MatchOptions, MatchReport
from catalog.facts.options import MapOptions
from catalog.facts.records import RegionYearReport, StageReport, Target
from catalog.facts.referrer_evaluation import ReferrerEvaluation
from catalog.facts.releases import PublishOptions, PublishReport
from catalog.facts.report_records import PageReport
from catalog.facts.samples import Accuracy, SampleOptions, SampleReport
from catalog.facts.slump_evaluation import SlumpEvaluation

if TYPE_CHECKING:
    from tasks.calibrate_slumps import CalibrationReport
    from tasks.score_inventory import ScoreCard
    from tasks.train_describer import DescriberReport
    from tasks.train_lakes import TrainingReport
    from tasks.train_referrer import ReferrerReport
    from tasks.train_slumps import SlumpTrainingReport


def run_annual(  # noqa: PLR0913 - the same form as the flow
    regions: list[str],
    years: list[int],
    catalog: str,
    store: str,
    model: str | None,
    options: MapOptions,
    outlines: str | None,
    wait_minutes: float = WAIT_MINUTES,
) -> tuple[RegionYearReport, ...]:
    """Run the `annual` flow in this process."""
    from flows.annual import annual  # noqa: PLC0415 - see the module's first line
    from flows.served import server_needed  # noqa: PLC0415 - see above

    with server_needed():
        return annual(regions, years, catalog, store, model, options, outlines, wait_minutes=wait_minutes)


def run_backfill(store: str, form: Mapping[str, Any]) -> BackfillReport:
    """Run the `backfill` flow in this process; `form`: its other parameters by name."""
    from flows.backfill import backfill  # noqa: PLC0415 - see the module's first line
    from flows.served import server_needed  # noqa: PLC0415 - see above

    with server_needed():
        report: BackfillReport = backfill(store, **form)
        return report


def run_track(region: str, store: str, target: Target, options: MapOptions) -> StageReport:
    """Run the `track-region` flow in this process."""
    from flows.track_region import track_region  # noqa: PLC0415 - see the module's first line

    return track_region(region, store, target, options)


def run_track_outlines(region: str, pattern: str, store: str, target: Target, options: MapOptions) -> StageReport:
    """Run the `track-inventories` flow in this process."""
    from flows.track_region import track_inventories  # noqa: PLC0415 - see the module's first line

    return track_inventories(region, pattern, store, target, options)


def run_draw(region: str, years: list[int], store: str, target: Target) -> tuple[StageReport, ...]:
    """Run the `draw-region` flow in this process."""
    from flows.draw_region import draw_region  # noqa: PLC0415 - see the module's first line

    return draw_region(region, years, store, target)


def run_score(region: str, years: list[int], store: str, truth: str, target: Target) -> "ScoreCard":
    """Run the `score-region` flow in this process."""
    from flows.score_region import score_region  # noqa: PLC0415 - see the module's first line

    return score_region(region, years, store, truth, target)


def run_cut_chips(store: str, region: str, years: list[int], labels: str, out: str, options: CutOptions) -> ChipCounts:
    """Run the `cut-chips` flow in this process."""
    from flows.cut_chips import cut_chips  # noqa: PLC0415 - see the module's first line

    return cut_chips(store, region, years, labels, out, options)


def run_import_shards(shards: str, out: str) -> ChipCounts:
    """Run the `import-shards` flow in this process."""
    from flows.cut_chips import import_shards  # noqa: PLC0415 - see the module's first line

    return import_shards(shards, out)


def run_train_lakes(recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool], device: str) -> "TrainingReport":
    """Run the `train-lakes` flow in this process."""
    from flows.train_lakes import train_lakes  # noqa: PLC0415 - see the module's first line

    return train_lakes(recipe, data, out, changes, device)


def run_train_slumps(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool], device: str
) -> "tuple[SlumpTrainingReport, CalibrationReport]":
    """Run the `train-slumps` flow in this process."""
    from flows.train_slumps import train_slumps  # noqa: PLC0415 - see the module's first line

    return train_slumps(recipe, data, out, changes, device)


def run_train_describer(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool], device: str
) -> "DescriberReport":
    """Run the `train-describer` flow in this process."""
    from flows.train_describer import train_describer  # noqa: PLC0415 - see the module's first line

    return train_describer(recipe, data, out, changes, device)


def run_train_referrer(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool], device: str
) -> "ReferrerReport":
    """Run the `train-referrer` flow in this process."""
    from flows.train_referrer import train_referrer  # noqa: PLC0415 - see the module's first line

    return train_referrer(recipe, data, out, changes, device)


def run_convert(source: str, folder: Path, *, name: str, statistics: str, licence: str, trained_on: str) -> WeightsCard:
    """Convert a checkpoint in this process; no flow, but torch and terratorch take as long to import."""
    from commands.conversion import convert  # noqa: PLC0415 - see above

    return convert(source, folder, name=name, statistics=statistics, licence=licence, trained_on=trained_on)


def run_evaluate_lakes(evaluation: Evaluation) -> EvaluationReport:
    """Run the `evaluate-lakes` flow in this process."""
    from flows.evaluate_lakes import evaluate_lakes  # noqa: PLC0415 - see the module's first line

    return evaluate_lakes(evaluation)


def run_evaluate_slumps(evaluation: SlumpEvaluation) -> EvaluationReport:
    """Run the `evaluate-slumps` flow in this process."""
    from flows.evaluate_slumps import evaluate_slumps  # noqa: PLC0415 - see the module's first line

    return evaluate_slumps(evaluation)


def run_evaluate_describer(evaluation: DescriberEvaluation) -> EvaluationReport:
    """Run the `evaluate-describer` flow in this process."""
    from flows.evaluate_describer import evaluate_describer  # noqa: PLC0415 - see the module's first line

    return evaluate_describer(evaluation)


def run_evaluate_referrer(evaluation: ReferrerEvaluation) -> EvaluationReport:
    """Run the `evaluate-referrer` flow in this process."""
    from flows.evaluate_referrer import evaluate_referrer  # noqa: PLC0415 - see the module's first line

    return evaluate_referrer(evaluation)


def run_relabel_chips(audit: str, data: str, out: str) -> dict[str, int]:
    """Run the `relabel-chips` flow in this process."""
    from flows.evaluate_lakes import relabel_chips  # noqa: PLC0415 - see the module's first line

    return relabel_chips(audit, data, out)


def run_describe(request: BulletinRequest, store: str) -> Bulletin:
    """Write a bulletin in this process; no flow, since it is a question to a store and must not wait for an orchestrator."""
    from infra.settings import read_settings  # noqa: PLC0415 - see the module's first line
    from tasks.write_bulletin import write_bulletin  # noqa: PLC0415 - see above

    settings = read_settings()
    return write_bulletin(replace(request, device=request.device or settings.device, cache=str(settings.weights)), store)


def run_ask(request: AskRequest, store: str) -> AskAnswer:
    """Answer a question in this process; no flow, for the same reason."""
    from infra.settings import read_settings  # noqa: PLC0415 - see the module's first line
    from tasks.answer_question import answer_question  # noqa: PLC0415 - see above

    settings = read_settings()
    return answer_question(replace(request, device=request.device or settings.device, cache=str(settings.weights)), store)


def run_report(region: str, store: str, out: str | None, price_per_hour: float | None) -> PageReport:
    """Run the `report-region` flow in this process."""
    from flows.report import report_region  # noqa: PLC0415 - see the module's first line

    return report_region(region, store, out, price_per_hour)


def run_apply_edits(region: str, store: str, years: list[int], target: Target) -> tuple[RegionYearReport, ...]:
    """Run the `apply-edits` flow in this process."""
    from flows.apply_edits import apply_edits  # noqa: PLC0415 - see the module's first line

    return apply_edits(region, store, years, target)


def run_publish(region: str, years: list[int], store: str, to: str, options: PublishOptions) -> PublishReport:
    """Run the `publish` flow in this process."""
    from flows.publish import publish  # noqa: PLC0415 - see the module's first line

    return publish(region, years, store, to, options)


def run_diff(store: str, other: str, region: str, years: tuple[int, int], out: str | None) -> DiffReport:
    """Run the `diff-region` flow in this process."""
    from flows.diff import diff_region  # noqa: PLC0415 - see the module's first line

    return diff_region(store, other, region, years, out)


def run_sample(store: str, region: str, year: int, out: str, options: SampleOptions) -> SampleReport:
    """Run the `sample-region` flow in this process."""
    from flows.sample import sample_region  # noqa: PLC0415 - see the module's first line

    return sample_region(region, year, store, out, options)


def run_score_sample(folder: str, store: str | None) -> Accuracy:
    """Run the `score-sample` flow in this process."""
    from flows.sample import score_answers  # noqa: PLC0415 - see the module's first line

    return score_answers(folder, store)


def run_match(region: str, year: int, store: str, inventory: str, named: tuple[str, str | None], options: MatchOptions) -> MatchReport:
    """Run the `match-region` flow in this process."""
    from flows.match import match_region  # noqa: PLC0415 - see the module's first line

    return match_region(region, year, store, inventory, named, options)
