"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from infra.settings import prepare_environment

# Compilation and a busy machine make single examples slow; a deadline would only test the machine.
settings.register_profile("cryoatlas", deadline=None)
settings.load_profile("cryoatlas")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data: CRYOATLAS_SHARED_DATA, or ../shared/data beside the repository; skips when there is none."""
    named = os.environ.get("CRYOATLAS_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data is not here: set CRYOATLAS_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One ephemeral Prefect server with a database of its own for all flow tests of a session."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    prepare_environment()
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415 - reads the environment when it is imported

    with prefect_test_harness(server_startup_timeout=180):
        yield
