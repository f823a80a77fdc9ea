"""Chips and a recipe to weights of a referrer."""

from pathlib import Path

from prefect import flow, runtime

from tasks.train_referrer import ReferrerReport
from tasks.train_referrer import train_referrer as train


def _run_name() -> str:
    return f"train-referrer-{Path(runtime.flow_run.parameters['out']).name}"


@flow(name="train-referrer", flow_run_name=_run_name)
def train_referrer(
    recipe: str, data: list[str], out: str, changes: dict[str, float | int | str | bool] | None = None, device: str = "auto"
) -> ReferrerReport:
    """Train a referrer by a recipe on chips; started again, it goes on where it stopped.

    Args:
        recipe: Name of a shipped recipe, or a YAML file.
        data: Folders of chips, or `simulated:FIRST-LAST`.
        out: Folder of the weights.
        changes: Values of the recipe to be changed, by name.
        device: auto, cpu, cuda or cuda:N.
    """
    return train(recipe, data, out, changes or {}, device)
