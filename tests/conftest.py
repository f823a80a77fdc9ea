"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
