"""``python predict_embedded.py FOLDER``: the loop deployed on the embedded AWS, with the plan of
the folder released; prints the URL to ask, and stays until its stdin ends."""

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from driftloop import keys  # noqa: E402
from driftloop.aws.table import Write  # noqa: E402
from driftloop.route import Served, first  # noqa: E402
from infra.cli.demo.world import world  # noqa: E402

plan = (Path(sys.argv[1]) / "plan.json").read_bytes()
served = Served(1, "flights/versions/bench/plan.json", hashlib.sha256(plan).hexdigest())
route = first(served, "2013-02-01T00:00:00.000Z")
with world(datetime(2013, 2, 1, tzinfo=UTC)) as stage:
    deployment = stage.deployment
    deployment.store.put(served.key, plan)
    write = Write("Put", keys.model_pk("flights"), keys.ROUTE, route.to_item())
    deployment.registry.table.write(write)
    print(deployment.url("flights", "predict"), flush=True)
    sys.stdin.read()
