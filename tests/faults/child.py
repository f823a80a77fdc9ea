"""The `cryoatlas` command in a process of its own, to which something happens.

Usage: python -m tests.faults.child MISHAPS ARGUMENT... Reads are tried again at once, not after seconds.
"""

import faulthandler
import os
import signal
import sys

from infra.settings import prepare_environment

prepare_environment()

from commands.main import run  # noqa: E402 - Prefect reads the environment when it is imported
from tests.faults.impatience import sign_for, wait_for_nothing  # noqa: E402
from tests.faults.mishaps import install  # noqa: E402

if __name__ == "__main__":
    # one that hangs can be asked where: `kill -USR1`
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    wait_for_nothing(setattr)
    if server := os.environ.get("FAULTS_SIGNED_BY"):
        sign_for(server, setattr)
    install(sys.argv[1])
    run(sys.argv[2:])
