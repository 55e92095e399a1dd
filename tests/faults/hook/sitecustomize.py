"""What each worker under test runs before anything else: it dies with us, waits for less long, and dies of a poisonous mail.

The waits are those that no setting shortens. Nothing else differs from a worker in production.
"""

from __future__ import annotations

import ctypes
import os
import signal
from datetime import datetime
from functools import partial
from typing import Any

from galaxy_mail.adapters.postgres import pools
from galaxy_mail.adapters.smtp.relay import Patience, PoolLimits, RelayConfig
from galaxy_mail.app import composing, container
from galaxy_mail.app.cli.log import OnceAMinute
from galaxy_mail.domain.mail import Mail

PR_SET_PDEATHSIG = 1  # sys/prctl.h
POISON = "poison"  # the template that kills whoever composes it
WAIT = float(os.environ["FAULTS_WAIT"])  # seconds

ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

# A test waits for what a worker says of a fault, and has said of the one before just now.
OnceAMinute.PAUSE = WAIT
pools.CONNECT_SECONDS = pools.STATEMENT_SECONDS = 3 * WAIT
# Longer where tests hold a mail and have to be done with it before its worker leaves.
patience = Patience(connect=WAIT, command=2 * WAIT, block=2 * WAIT, dot=4 * WAIT, quit=WAIT)
patched: Any = container
patched.RelayConfig = partial(RelayConfig, patience=patience)
patched.PoolLimits = partial(PoolLimits, pause=WAIT)

draft = composing.Composer.draft


def draft_or_die(composer: composing.Composer, mail: Mail, dated: datetime) -> composing.Draft:
    """Render; but of the poisonous template, die."""
    if mail.template == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return draft(composer, mail, dated)


patched = composing.Composer
patched.draft = draft_or_die
