"""Prints one of the documents; see the package. `page docs/protocol.md` renews the tables of a page in place."""

import sys
from pathlib import Path

import orjson

from protocol.schema import asyncapi, markdown, openrpc, typescript
from protocol.schema.markdown import refreshed

_DOCUMENTS = {
    "openrpc": lambda: orjson.dumps(openrpc(), option=orjson.OPT_INDENT_2).decode() + "\n",
    "asyncapi": lambda: orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2).decode() + "\n",
    "typescript": typescript,
    "markdown": markdown,
}


def main(arguments: list[str]) -> int:
    """Prints the document that was asked for; 2 when there is none of that name."""
    if len(arguments) == 2 and arguments[0] == "page":
        page = Path(arguments[1])
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    if len(arguments) != 1 or arguments[0] not in _DOCUMENTS:
        sys.stderr.write(f"usage: python -m protocol.schema {'|'.join(_DOCUMENTS)}|page FILE\n")
        return 2
    sys.stdout.write(_DOCUMENTS[arguments[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
