"""How often each trouble is called by its name: ``python -m tests.bench.diagnosis``.

At least 50 windows of each kind, in the small world of the tests (1,000 rows a window, eight
features, gradient boosting); and as many in which nothing is wrong.
"""

from __future__ import annotations

import sys
from collections import Counter

from tests.driftloop.diagnosis.worlds import NOTHING, TROUBLES, window

FEWEST = 50
NONE = "none"


def main() -> None:
    task = sys.argv[1] if len(sys.argv) > 1 else "classification"
    kinds = [NONE, *TROUBLES]
    table = {NONE: said([NOTHING], task)} | {
        kind: said(list(cases.values()), task) for kind, cases in TROUBLES.items()
    }
    print(f"{task}; rows: what is wrong, columns: what is said")
    print(f"{'':>18s}" + "".join(f"{kind[:14]:>15s}" for kind in kinds))
    for kind, row in table.items():
        print(f"{kind:>18s}" + "".join(f"{row[other] or '·':>15}" for other in kinds))
    hits = sum(table[kind][kind] for kind in kinds)
    print(f"{hits} of {sum(sum(row.values()) for row in table.values())} called by their name")


def said(cases: list[object], task: str) -> Counter[str]:
    each = -(-FEWEST // len(cases))
    found: Counter[str] = Counter()
    for n, trouble in enumerate(cases):
        for seed in range(each):
            made = window(trouble, 1000 * n + seed, rows=1_000, task=task)  # type: ignore[arg-type]
            found[made.kind if made else NONE] += 1
    return found


if __name__ == "__main__":
    main()
