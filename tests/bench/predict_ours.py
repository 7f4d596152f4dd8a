"""``python predict_ours.py FOLDER``: the predict function as Lambda runs it, in 128 MB of address
space, which is less than 128 MB of memory."""

import importlib.util
import resource
import sys
from pathlib import Path

resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20))

import predict_clock  # noqa: E402

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder / "opt" / "python"))
source = Path(__file__).resolve().parents[2] / "functions" / "predict" / "handler.py"
spec = importlib.util.spec_from_file_location("handler", source)
assert spec is not None and spec.loader is not None
handler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handler)
predict_clock.run(lambda event: handler.handler(event, None), folder)
