"""Chips and a recipe to weights of a lake network."""

from pathlib import Path

from prefect import flow, runtime

from tasks.train_lakes import TrainingReport
from tasks.train_lakes import train_lakes as train


def _run_name() -> str:
    return f"train-lakes-{Path(runtime.flow_run.parameters['out']).name}"


@flow(name="train-lakes", flow_run_name=_run_name)
def train_lakes(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool] | None = None, device: str = "auto"
) -> TrainingReport:
    """Train a lake network by a recipe on sets of chips; started again, it goes on where it stopped.

    Args:
        recipe: Name of a shipped recipe, or a YAML file.
        data: Folders of chips.
        out: Folder of the weights.
        changes: Values of the recipe to be changed, by name.
        device: auto, cpu, cuda or cuda:N.
    """
    return train(recipe, data, out, changes or {}, device)
