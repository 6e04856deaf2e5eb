"""Sets this process's wall clock off by `SKEWED_BY_S` seconds. Python imports it by its name at the start, when its
folder is on the path; monotonic clocks stay as they are, as they do when somebody sets a machine's clock."""

import os
import time

_BY_S = float(os.environ.get("SKEWED_BY_S", "0"))  # noqa: TID251
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _BY_S
time.time_ns = lambda: _time_ns() + int(_BY_S * 1_000_000_000)
