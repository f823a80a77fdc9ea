"""Chips and a recipe to weights of a slump detector, with the calibration that its counts are drawn from."""

from pathlib import Path

from prefect import flow, runtime

from tasks.calibrate_slumps import CalibrationReport, calibrate_slumps
from tasks.train_slumps import SlumpTrainingReport
from tasks.train_slumps import train_slumps as train


def _run_name() -> str:
    return f"train-slumps-{Path(runtime.flow_run.parameters['out']).name}"


@flow(name="train-slumps", flow_run_name=_run_name)
def train_slumps(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool] | None = None, device: str = "auto"
) -> tuple[SlumpTrainingReport, CalibrationReport]:
    """Train a slump detector by a recipe on sets of chips, stage by stage, and calibrate it on their validation split.

    Started again, it goes on where it stopped.

    Args:
        recipe: Name of a shipped recipe, or a YAML file.
        data: Folders of chips.
        out: Folder of the weights.
        changes: Values of the recipe to be changed, by name.
        device: auto, cpu, cuda or cuda:N.
    """
    report = train(recipe, data, out, changes or {}, device)
    return report, calibrate_slumps(report.weights, data, "val", device)


@flow(name="calibrate-slumps")
def calibrate_weights(weights: str, data: list[str], split: str = "val", device: str = "auto") -> CalibrationReport:
    """Calibrate weights on other chips: a region with its own density of slumps, or a split that was kept for it."""
    return calibrate_slumps(weights, data, split, device)
