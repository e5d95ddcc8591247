"""One process of `torchrun … -m kedro run …`; the rank that is named first is killed in training.

Its arguments are that rank, or `none`, and then those of `kedro`.
"""

import os
import sys

from support.kill_switch import KillSwitch

EVENTS_BEFORE_THE_END = 9000
"""Calls of a training of 16 steps: it has saved states, and is far from its last step."""

if __name__ == "__main__":
    from kedro.framework.cli.cli import main

    if sys.argv.pop(1) == os.environ["RANK"]:
        KillSwitch("training", EVENTS_BEFORE_THE_END)()
    main()
