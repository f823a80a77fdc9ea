"""Steps of `prefect.yaml`: which code a deployment is, and where a run finds it."""

import os
from pathlib import Path

from catalog.facts.errors import WrongCall
from infra.versions import code_versions

HOME = "CRYOATLAS_HOME"


def name_version() -> dict[str, str]:
    """Return the version of this checkout, when it is deployed; what changed without a new version number changes it too."""
    return {"version": code_versions()["cryoatlas"]}


def enter_home() -> dict[str, str]:
    """Go to the folder of the flows, when a run starts: what CRYOATLAS_HOME names, else the checkout that is installed here.

    Raises WrongCall when the folder holds no flows.
    """
    named = os.environ.get(HOME)
    home = Path(named).expanduser() if named else Path(__file__).resolve().parents[1]
    if not (home / "flows").is_dir():
        raise WrongCall(
            f"{HOME} {str(home)!r} holds no flows: give the folder of the checkout, or unset it where the project is installed."
        )
    os.chdir(home)
    return {"directory": str(home)}
