"""`cryoatlas evaluate`: how good a model is on chips that it never saw, and how good the labels are."""

from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.describer_evaluation import DescriberEvaluation
from catalog.facts.errors import WrongCall
from catalog.facts.evaluation import Evaluation
from catalog.facts.referrer_evaluation import ReferrerEvaluation
from catalog.facts.slump_evaluation import SlumpEvaluation
from catalog.stores.audits import refuse_answered
from catalog.stores.objects import local_path
from commands.console import OUT, progress_shown, say, show_json
from commands.running import run_evaluate_describer, run_evaluate_lakes, run_evaluate_referrer, run_evaluate_slumps
from commands.shown_scores import show_descriptions, show_lakes, show_referred, show_slumps

_COMING = ("embed",)
app = typer.Typer(
    no_args_is_help=True,
    help="Score a model on chips, and audit their labels. Example: cryoatlas evaluate lakes --weights lakes-tiny --data chips --out scores",
)


@app.command("lakes")
def evaluate_lakes(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A model of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables, page and audit.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    against: Annotated[str | None, typer.Option(help="A second model on the same chips, for example indices.")] = None,
    subsets: Annotated[bool, typer.Option("--subsets", help="Score with S2+DEM, S1+DEM, S2 and S1 alone, too.")] = False,
    tta: Annotated[bool, typer.Option("--tta/--no-tta", help="Average the predictions of four mirror images.")] = True,
    audit: Annotated[int, typer.Option(help="Write that many disagreements of label and model for a blind review.", min=0)] = 0,
    relabel: Annotated[str | None, typer.Option(help="Folder of a reviewed audit: score with its verdicts, too.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score lakes by pixel, shore, lake and area, with 95 % intervals by block; writes Parquet tables and one page.

    Example: cryoatlas evaluate lakes --weights lakes-tiny --against indices --data chips/test --subsets --out scores
    """
    if audit:
        refuse_answered(local_path(out) / "audit")
    evaluation = Evaluation(weights, tuple(data), out, split, against, subsets, tta, audit, relabel, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_lakes(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    show_lakes(report, split)
    if report.cases:
        say(f"Audit: {report.cases} cases in {report.out}/audit. Fill in `verdict` in relabel.gpkg, then `cryoatlas chips relabel`.")
    OUT.print(f"Page: {report.page}")


@app.command("slumps")
def evaluate_slumps(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A detector of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables and page.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    against: Annotated[str | None, typer.Option(help="A second detector on the same ground.")] = None,
    subsets: Annotated[bool, typer.Option("--subsets", help="Score without each auxiliary modality, too.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Score from which slumps are listed; the card's by default.", min=0, max=1)
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score slumps by average precision, size, outline, number and area, with 90 % intervals; writes Parquet tables and one page.

    Example: cryoatlas evaluate slumps --weights slumps-tiny --data chips/test --subsets --out scores
    """
    evaluation = SlumpEvaluation(weights, tuple(data), out, split, against, subsets, threshold, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_slumps(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    show_slumps(report)
    OUT.print(f"Page: {report.page}")


@app.command("describe")
def evaluate_describe(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A describer of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips, or simulated:FIRST-LAST; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables and page.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train; simulated scenes are all scored.")] = "test",
    against: Annotated[
        str | None, typer.Option(help="A second describer on the same scenes, for example one trained without language path.")
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Score without the question, without the image and by true words, too.")
    ] = True,
    min_area: Annotated[float, typer.Option(help="Smallest lake that is asked for, m2.", min=0)] = 5_000.0,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score masks and words of a describer on scenes it never saw, with 90 % intervals by scene; writes Parquet tables and one page.

    Example: cryoatlas evaluate describe --weights describe-tiny --data simulated:100000-100119 --out scores
    """
    evaluation = DescriberEvaluation(weights, tuple(data), out, split, against, controls, min_area, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_describer(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    show_descriptions(report)
    OUT.print(f"Page: {report.page}")


@app.command("refer")
def evaluate_refer(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A referrer of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips, or simulated:FIRST-LAST; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables and page.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train; simulated scenes are all scored.")] = "test",
    against: Annotated[
        str | None, typer.Option(help="A second referrer on the same scenes, for example one that was trained without memory.")
    ] = None,
    controls: Annotated[
        bool,
        typer.Option("--controls/--no-controls", help="Score in another order, without the question or memory, and by true words, too."),
    ] = True,
    min_area: Annotated[float, typer.Option(help="Smallest feature that is asked for, m2.", min=0)] = 10_000.0,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score masks that a referrer draws for words, on scenes it never saw, with 90 % intervals by scene; writes Parquet tables and one page.

    Example: cryoatlas evaluate refer --weights refer-tiny --data simulated:100000-100119 --out scores
    """
    evaluation = ReferrerEvaluation(weights, tuple(data), out, split, against, controls, min_area, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_referrer(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    show_referred(report)
    OUT.print(f"Page: {report.page}")


def _later(name: str) -> None:
    def refuse() -> None:
        raise WrongCall(
            f"`evaluate {name}` comes with a later release. `cryoatlas evaluate lakes`, `slumps`, `describe` and `refer` are there."
        )

    app.command(name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(refuse)


for _name in _COMING:
    _later(_name)
