"""Who acts, as the audit keeps it: somebody at a socket, a caller over HTTP, a rule of the shop, the command line.

Made by the doors for every request; what they know is put together only when something is to be recorded.
"""

import os
import pwd
import socket
from dataclasses import dataclass
from typing import Any

from server.services.audit import Source
from server.services.callers import Caller
from server.session import Session


def actor(kind: str, id: str, name: str, source: Source, request: str) -> dict[str, Any]:
    """The members that PostgreSQL is told (`store.acting`). `request`: the method or route; empty: there is none."""
    asked = {"request": request} if request else {}
    return {"kind": kind, "id": id, "name": name, "source": {**source.plain(), **asked}}


@dataclass(slots=True)
class AtSocket:
    """A person with a request over their socket."""

    session: Session
    method: str

    def plain(self) -> dict[str, Any]:
        """See `acting.Actor`."""
        session = self.session
        return actor(session.kind.value, session.person_id, session.name, source_of(session), self.method)


@dataclass(slots=True)
class OverHttp:
    """A caller of a route."""

    caller: Caller
    route: str
    address: str

    def plain(self) -> dict[str, Any]:
        """See `acting.Actor`."""
        source = Source(via="http", address=self.address)
        return actor(kind_of(self.caller), self.caller.label, self.caller.name, source, self.route)


@dataclass(slots=True)
class ByRule:
    """A rule of the shop, with what it does by itself."""

    rule_id: str
    name: str

    def plain(self) -> dict[str, Any]:
        """See `acting.Actor`."""
        return actor("rule", self.rule_id, self.name, Source(via="rule"), "")


@dataclass(slots=True)
class OnCommandLine:
    """Whoever runs a command on the server's machine: known to its operating system."""

    def plain(self) -> dict[str, Any]:
        """See `acting.Actor`."""
        try:
            user = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # in a container the number may have no name
            user = str(os.getuid())
        source = Source(via="cli", device=socket.gethostname())
        return actor("cli", f"os:{user}", "command line", source, "")


def source_of(session: Session) -> Source:
    """From where somebody at a socket acts."""
    return Source(via="socket", session_id=session.session_id, device=session.device, address=session.address)


def kind_of(caller: Caller) -> str:
    """`account`, or `key` for a system of the shop."""
    return "key" if caller.account_id is None else "account"
