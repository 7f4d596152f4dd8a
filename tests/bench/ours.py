"""``python ours.py FOLDER``: the predict function as Lambda runs it."""

import importlib.util
import sys
from pathlib import Path

import warm

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder / "opt" / "python"))
source = Path(__file__).resolve().parents[2] / "functions" / "predict" / "handler.py"
spec = importlib.util.spec_from_file_location("handler", source)
assert spec is not None and spec.loader is not None
handler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handler)
warm.run(lambda event: handler.handler(event, None), folder)
