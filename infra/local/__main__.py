"""``python -m infra.local``: an embedded AWS until it is stopped.

Prints one JSON line when it answers: ``{"endpoint": …, "port": …, "pid": …}``.
"""

import argparse
import json
import logging
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

from .server import Local


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="0 takes a free one")
    parser.add_argument("--home", type=Path, help="folder for unpacked code")
    parser.add_argument("--speed", type=float, default=1.0, help="of the clock; 0 stands still")
    parser.add_argument("--start", type=datetime.fromisoformat, help="the clock's first moment")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    start = given.start and (given.start if given.start.tzinfo else given.start.replace(tzinfo=UTC))
    local = Local(given.port, given.home, given.speed, start)
    try:
        local.start()
    except OSError as error:
        print(f"port {given.port} is taken ({error}); choose another with --port")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: local.stop())
    ready = {"endpoint": local.endpoint, "port": local.port, "pid": os.getpid()}
    print(json.dumps(ready), flush=True)
    local.wait_stopped()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
