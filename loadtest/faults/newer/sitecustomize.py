"""Makes this process a node of a version that says more than the present one: in everything it tells clients there is a
member that nobody knows, and one more about each push that it hands to other nodes.

Python imports it by its name at the start, when its folder is on the path; the modules that it changes come later.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

TOLD = b'{"of_tomorrow":{"deep":[1,null,"x"]},'
"""Begins every object that has members."""


def _codec(module: Any) -> None:
    encode: Callable[[Any], bytes] = module.encode_shape

    def more(shape: Any) -> bytes:
        said = encode(shape)
        return said if said == b"{}" else TOLD + said[1:]

    module.encode_shape = more


def _wire(module: Any) -> None:
    pack: Callable[[Any, Any], bytes] = module.pack

    def more(shop: Any, item: Any) -> bytes:
        about, newline, frame = pack(shop, item).partition(b"\n")
        return about[:-1] + b',"of tomorrow"]' + newline + frame

    module.pack = more


CHANGES: dict[str, Callable[[Any], None]] = {"protocol.codec": _codec, "server.bus_wire": _wire}


class Newer(MetaPathFinder):
    """Finds these modules as they are found without it, and changes them when they have been run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder`; None for all other modules."""
        change = CHANGES.pop(fullname, None)
        spec = None if change is None else find_spec(fullname)
        if change is None or spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_change(module: ModuleType) -> None:
            run(module)
            change(module)

        spec.loader.exec_module = run_and_change
        return spec


sys.meta_path.insert(0, Newer())
