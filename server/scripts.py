"""The Lua scripts of the server itself (node leases, node-to-node delivery); routing's own live in `router/lua`."""

from importlib.resources import files

SCRIPTS: dict[str, str] = {
    path.name.removesuffix(".lua"): path.read_text(encoding="utf-8")
    for path in files("server").joinpath("lua").iterdir()
    if path.name.endswith(".lua")
}
"""Name -> source, for `link_to(scripts=...)`."""
