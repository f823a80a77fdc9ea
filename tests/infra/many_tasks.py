"""A flow of many small tasks, run as a program: what the ledger of a region's tiles would be if it were kept in Prefect."""

import sys

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner


@task(cache_policy=NO_CACHE)
def one(number: int) -> int:
    """A task that costs nothing but its bookkeeping."""
    return number


@flow(task_runner=ThreadPoolTaskRunner(max_workers=8))
def many(tasks: int) -> int:
    """Run tasks side by side and add up what they return."""
    return sum(one.map(range(tasks)).result())


if __name__ == "__main__":
    print(many(int(sys.argv[1])))  # noqa: T201 - read by the test
