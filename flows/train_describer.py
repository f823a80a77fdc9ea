"""Chips and a recipe to weights of a describer."""

from pathlib import Path

from prefect import flow, runtime

from tasks.train_describer import DescriberReport
from tasks.train_describer import train_describer as train


def _run_name() -> str:
    return f"train-describer-{Path(runtime.flow_run.parameters['out']).name}"


@flow(name="train-describer", flow_run_name=_run_name)
def train_describer(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool] | None = None, device: str = "auto"
) -> DescriberReport:
    """Train a describer by a recipe on chips; started again, it goes on where it stopped.

    Args:
        recipe: Name of a shipped recipe, or a YAML file.
        data: Folders of chips, or `simulated:FIRST-LAST`.
        out: Folder of the weights.
        changes: Values of the recipe to be changed, by name.
        device: auto, cpu, cuda or cuda:N.
    """
    return train(recipe, data, out, changes or {}, device)
