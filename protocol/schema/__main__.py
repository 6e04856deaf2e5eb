"""Prints one of the documents; see the package."""

import sys

import orjson

from protocol.schema import asyncapi, markdown, openrpc, typescript

_DOCUMENTS = {
    "openrpc": lambda: orjson.dumps(openrpc(), option=orjson.OPT_INDENT_2).decode() + "\n",
    "asyncapi": lambda: orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2).decode() + "\n",
    "typescript": typescript,
    "markdown": markdown,
}


def main(arguments: list[str]) -> int:
    """Prints the document that was asked for; 2 when there is none of that name."""
    if len(arguments) != 1 or arguments[0] not in _DOCUMENTS:
        sys.stderr.write(f"usage: python -m protocol.schema {'|'.join(_DOCUMENTS)}\n")
        return 2
    sys.stdout.write(_DOCUMENTS[arguments[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
