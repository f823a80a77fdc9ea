"""`cryoatlas train`: chips and a recipe to weights that `run --model` takes."""

from dataclasses import asdict
from typing import Annotated

import typer
import yaml

from catalog.facts.errors import WrongCall
from commands.console import progress_shown, say, show_json, show_table
from commands.running import run_train_describer, run_train_lakes, run_train_referrer, run_train_slumps

app = typer.Typer(
    no_args_is_help=True, help="Train a model by a recipe. Example: cryoatlas train lakes --config tiny-demo --data chips --out trained"
)


@app.command("lakes")
def lakes(
    config: Annotated[str, typer.Option(help="A recipe: the name of a shipped one, or a YAML file.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips (`cryoatlas chips cut`); may be given again.")],
    out: Annotated[str, typer.Option(help="Folder for checkpoints, the log and the weights; a run that was stopped goes on from it.")],
    *,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE over the recipe, for example steps.total=200.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Train a lake segmenter (CryoSentinel's system) and write weights with their card.

    Example: cryoatlas train lakes --config tiny-demo --data chips --out trained && cryoatlas run ... --model trained/weights
    """
    with progress_shown(quiet=as_json):
        report = run_train_lakes(config, data, out, _changes(change or []), device)
    if as_json:
        show_json(report.as_dict())
        return
    rows = [(point["step"], point["val_iou"]) for point in report.history]
    show_table(
        f"Validation ({report.recipe}, {report.train_chips} chips to learn, {report.val_chips} to judge)", ("step", "global IoU"), rows
    )
    show_table("Weights", ("figure", "value"), sorted(report.figures.items()))
    say(f"Weights and card: {report.weights}. Use them with `cryoatlas run --model {report.weights}`.")


@app.command("slumps")
def slumps(
    config: Annotated[str, typer.Option(help="A recipe: the name of a shipped one, or a YAML file.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips (`cryoatlas chips cut`); may be given again.")],
    out: Annotated[str, typer.Option(help="Folder for checkpoints and the weights; a run that was stopped goes on from it.")],
    *,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE over the recipe, for example fusion.steps=200.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Train a slump detector stage by stage, calibrate it on the validation split, and write weights with their card.

    Example: cryoatlas train slumps --config tiny-demo --data chips --out trained && cryoatlas run ... --model trained/weights
    """
    with progress_shown(quiet=as_json):
        report, known = run_train_slumps(config, data, out, _changes(change or []), device)
    if as_json:
        show_json(report.as_dict() | {"calibration": asdict(known)})
        return
    rows = [(point["stage"], point["step"], point["val_ap50"]) for point in report.history]
    title = f"Validation ({report.recipe}, {report.train_chips} chips to learn, {report.val_chips} chips to judge)"
    show_table(title, ("stage", "step", "AP50"), rows)
    show_table("Weights", ("figure", "value"), sorted(report.figures.items()))
    say(
        f"Calibration: {known.found} of {known.truths} slumps found by {known.detections} merged detections in {known.blocks} blocks; listed "
        f"from score {known.threshold:.3f} (F1 {known.f1:.3f})."
    )
    say(f"Weights and card: {report.weights}. Use them with `cryoatlas run --model {report.weights}`.")


@app.command("describe")
def describe(
    config: Annotated[str, typer.Option(help="A recipe: the name of a shipped one, or a YAML file.")],
    data: Annotated[
        list[str],
        typer.Option(help="Folder of chips (`cryoatlas chips cut`), or simulated:FIRST-LAST for chips drawn anew; may be given again."),
    ],
    out: Annotated[str, typer.Option(help="Folder for checkpoints and the weights; a run that was stopped goes on from it.")],
    *,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE over the recipe, for example steps.total=200.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Train a describer (GLACIA's system) on questions and answers about lakes, and write weights with their card and their words.

    Example: cryoatlas train describe --config tiny-demo --data simulated:0-1999 --out trained
    """
    with progress_shown(quiet=as_json):
        report = run_train_describer(config, data, out, _changes(change or []), device)
    if as_json:
        show_json(report.as_dict())
        return
    rows = [(point["step"], point["referring_iou"], point["factual"]) for point in report.history]
    title = f"Validation by generated words ({report.recipe}, {report.train_scenes} scenes to learn, {report.val_scenes} to judge)"
    show_table(title, ("step", "referring IoU", "true claims"), rows)
    show_table("Weights", ("figure", "value"), sorted(report.figures.items()))
    say(f"Weights, card and words: {report.weights}.")


@app.command("refer")
def refer(
    config: Annotated[str, typer.Option(help="A recipe: the name of a shipped one, or a YAML file.")],
    data: Annotated[
        list[str],
        typer.Option(help="Folder of chips (`cryoatlas chips cut`), or simulated:FIRST-LAST for chips drawn anew; may be given again."),
    ],
    out: Annotated[str, typer.Option(help="Folder for checkpoints and the weights; a run that was stopped goes on from it.")],
    *,
    change: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE over the recipe, for example network.memory=null.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Train a referrer (GeoPix's system) on phrases and the features that they mean, and write weights with their card and their words.

    Example: cryoatlas train refer --config tiny-demo --data simulated:0-1999 --out trained
    """
    with progress_shown(quiet=as_json):
        report = run_train_referrer(config, data, out, _changes(change or []), device)
    if as_json:
        show_json(report.as_dict())
        return
    rows = [(point["stage"], point["step"], point["miou"], point["refused"]) for point in report.history]
    title = f"Validation by generated words ({report.recipe}, {report.train_scenes} scenes to learn, {report.val_scenes} to judge)"
    show_table(title, ("stage", "step", "mIoU", "there is none"), rows)
    show_table("Weights", ("figure", "value"), sorted(report.figures.items()))
    say(f"Weights, card and words: {report.weights}.")


def _changes(settings: list[str]) -> dict[str, float | int | str | bool]:
    changes = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise WrongCall(f"--set {setting!r} is not NAME=VALUE, for example --set steps.total=200.")
        changes[name] = yaml.safe_load(value)
    return changes


def _later(name: str) -> None:
    def refuse() -> None:
        raise WrongCall(f"`train {name}` comes with a later release. `cryoatlas train lakes`, `slumps`, `describe` and `refer` are there.")

    app.command(name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(refuse)


_later("embed")
