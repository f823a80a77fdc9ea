"""The audit that a schedule starts: nobody looks at its output, so its state says whether something is to be done."""

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from catalog.facts.errors import UnitsFailed
from catalog.stores.store import Store
from flows.audit import audit


def newest_artifact(key: str) -> str:
    with get_client(sync_client=True) as client:
        asked = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        return str(client.read_artifacts(artifact_filter=asked, sort=ArtifactSort.CREATED_DESC)[0].data)


@pytest.mark.usefixtures("prefect_server")
def test_an_audit_fails_when_there_are_holes_and_shows_what_mends_them(copied: Store):
    assert {found.state for found in audit(str(copied.root))} <= {"complete", "short"}
    (region,) = {path.stem for path in (copied.root / "regions").glob("*.geojson")}
    next(copied.root.glob(f"outlines/lakes/{region}/2022/*.parquet")).unlink()
    with pytest.raises(UnitsFailed, match="1 of 2 region-years have holes") as holes:
        audit(str(copied.root))
    mend = f"--store {copied.root} --region {region} --years 2022"
    assert mend in str(holes.value)
    assert '"state": "incomplete"' in newest_artifact("audit")
    assert mend in newest_artifact("audit-mends")
