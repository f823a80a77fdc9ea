"""Region-years submitted to a deployment: never twice at a time, again when asked again, and patiently while the server is away."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkPoolStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from catalog.facts.errors import ServerUnreachable, WrongCall
from catalog.facts.records import RegionYears
from flows.fan_out import Ended

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

PATIENCE_S: Final = 3600.0
"""How long a run waits for a server that does not answer: an update or a restart, not an outage."""
_ENDED: Final = {
    StateType.COMPLETED: "completed",
    StateType.FAILED: "failed",
    StateType.CRASHED: "crashed",
    StateType.CANCELLED: "was cancelled",
}


@dataclass(frozen=True, slots=True)
class DeploymentRuns:
    """A Pool whose runs are those of one deployment of `map-region`."""

    deployment: str
    """`map-region/<name of the deployment>`."""
    form: Mapping[str, Any]
    """Parameters that all region-years share, as JSON."""
    reason: str = ""
    """Why; another reason makes other runs."""
    queue: str | None = None
    """Work queue of the deployment's pool; None: that of the deployment."""

    def submit(self, region: RegionYears, year: int) -> str:
        """Have a region-year mapped, unless a run for the very same is open: then that one is waited for."""
        family = self.key(region, year)
        latest = patiently(lambda: _latest(family))
        if latest is not None and not _is_over(latest):
            return str(latest.id)
        # an ended run is no answer: only the store knows what is current, and the run asks it
        number = 1 if latest is None else 1 + int(str(latest.idempotency_key).rpartition(":")[2])
        return str(patiently(lambda: self._start(region, year, f"{family}:{number}")).id)

    def _start(self, region: RegionYears, year: int, key: str) -> FlowRun:
        # said outright, or a notebook (whose thread has a running event loop) would get a coroutine
        run = run_deployment(
            self.deployment,
            parameters={"region": region.region, "year": year, **self.form},
            timeout=0,
            tags=["region-year", Path(region.region).stem, str(year), key.rpartition(":")[0]],
            idempotency_key=key,
            work_queue_name=self.queue,
            _sync=True,  # type: ignore[call-arg]  # of its decorator, which its types leave out
        )
        assert isinstance(run, FlowRun), "asked for the synchronous way"
        return run

    def ended(self, runs: Collection[str]) -> Mapping[str, Ended]:
        """Those of the runs that ended."""
        wanted = [UUID(run) for run in runs]
        with get_client(sync_client=True) as client:
            found = patiently(lambda: client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=wanted))))
        endings = {str(run.id): _ending(run.state) for run in found if _is_over(run)}
        gone = {str(run) for run in wanted} - {str(run.id) for run in found}
        return endings | dict.fromkeys(gone, Ended("was cancelled", "its run was deleted on the server"))

    def key(self, region: RegionYears, year: int) -> str:
        """Return `product:region:year:fingerprint`: equal for two calls that would do the same."""
        said = json.dumps({"region": region.region, "reason": self.reason, **self.form}, sort_keys=True)
        fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]
        return f"{region.target}:{Path(region.region).stem}:{year}:{fingerprint}"

    def check(self) -> None:
        """Raise WrongCall when there is no such deployment, and warn when nobody works on its pool."""
        with get_client(sync_client=True) as client:
            try:
                found = patiently(lambda: client.read_deployment_by_name(self.deployment))
            except (ObjectNotFound, ValueError):
                names = sorted(
                    f"map-region/{deployment.name}" for deployment in client.read_deployments() if "region-year" in deployment.tags
                )
                there = ", ".join(names) or "none; make them with `cryoatlas deploy`"
                raise WrongCall(f"Deployment {self.deployment!r}: this server has none of that name. There: {there}.") from None
            pool = client.read_work_pool(str(found.work_pool_name))
        if pool.status != WorkPoolStatus.READY:
            logger.warning(
                "pool %s: no worker is online, so nothing starts yet. Start one: prefect worker start --pool %s", pool.name, pool.name
            )


def patiently(ask: Callable[[], Answer], *, sleep: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S) -> Answer:
    """Ask the server until it answers; raises ServerUnreachable when it did not for an hour, WrongCall for what it refuses."""
    waited, pause = 0.0, 1.0
    while True:
        try:
            return ask()
        except httpx.TransportError as error:
            trouble: Exception = error
        except PrefectHTTPStatusError as error:
            if error.response.status_code == httpx.codes.CONFLICT:
                raise WrongCall(
                    f"The server refused a run: {error.response.json().get('detail', error)}. Correct its parameters."
                ) from error
            if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                raise
            trouble = error
        if waited >= patience_s:
            raise ServerUnreachable(
                f"The Prefect server did not answer for {waited / 60:.0f} min ({trouble!r}). Runs that were submitted go on; "
                "start this one again when it is back, and it will find them."
            ) from trouble
        logger.warning("the Prefect server does not answer (%r); asking again in %.0f s", trouble, pause)
        sleep(pause)
        waited, pause = waited + pause, min(2 * pause, 60.0)


def _latest(family: str) -> FlowRun | None:
    with get_client(sync_client=True) as client:
        asked = FlowRunFilter(tags=FlowRunFilterTags(all_=[family]))
        found: list[FlowRun] = client.read_flow_runs(flow_run_filter=asked, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1)
    return found[0] if found else None


def _is_over(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def _ending(state: State | None) -> Ended:
    assert state is not None, "an ended run has a state"
    # Prefect puts the name of the exception before our sentence
    said = (state.message or state.name or "").removeprefix("Flow run encountered an exception: ")
    error, _, sentence = said.partition(": ") if state.type == StateType.FAILED else ("", "", said)
    return Ended(_ENDED[state.type], sentence or said, error)  # type: ignore[arg-type]
