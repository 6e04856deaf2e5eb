"""Ids of a shop and what the file calls them: accounts by e-mail, groups by name."""

from collections.abc import Iterable
from typing import Any, Final, cast

from protocol.ids import AccountId, GroupId
from server.store.accounts import AccountRow
from server.store.groups import GroupRow

_RENAMED: Final = {"account_ids": "accounts", "account_id": "account", "group_id": "group"}
"""Members of rules that hold ids -> what the file has in their place."""
_BACK: Final = {name: member for member, name in _RENAMED.items()}


class UnknownName(LookupError):
    """The shop has nobody, or nothing, of this name. `problem` says so."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(name)
        self.problem = f"There is no {kind} {name!r} in this shop."


class Names:
    """Both ways."""

    def __init__(self, accounts: Iterable[AccountRow], groups: Iterable[GroupRow]) -> None:
        self._emails = {account.id: account.email for account in accounts}
        self._groups = {group.id: group.name for group in groups}
        self._accounts_by = {email.lower(): account for account, email in self._emails.items()}
        self._groups_by = {name.lower(): group for group, name in self._groups.items()}

    # --- to the file -------------------------------------------------------------------------------------------------
    def email(self, account: str) -> str | None:
        """Of an account; None: it is not there any more."""
        return self._emails.get(AccountId(account))

    def group_name(self, group: str) -> str | None:
        """Of a group; None: it is not there any more."""
        return self._groups.get(GroupId(group))

    def rule_written(self, part: Any) -> Any:
        """A part of a rule with names in the place of ids. Ids of what is gone stay: they mean nothing either way."""
        if isinstance(part, list):
            return [self.rule_written(each) for each in cast("list[Any]", part)]
        if not isinstance(part, dict):
            return part
        members = cast("dict[str, Any]", part)
        if members.get("kind") == "group" and "any_of" in members:
            return {**members, "any_of": [self.group_name(each) or each for each in members["any_of"]]}
        return {
            _RENAMED.get(name, name): self._member_written(name, value) for name, value in members.items()
        }

    def _member_written(self, name: str, value: Any) -> Any:
        match name:
            case "account_ids":
                return [self.email(each) or each for each in value]
            case "account_id":
                return None if value is None else self.email(value) or value
            case "group_id":
                return None if value is None else self.group_name(value) or value
            case _:
                return self.rule_written(value)

    # --- from the file -----------------------------------------------------------------------------------------------
    def account(self, email: str) -> AccountId:
        """The account of this e-mail. Raises UnknownName."""
        found = self._accounts_by.get(email.lower())
        if found is None:
            raise UnknownName("account", email)
        return found

    def group(self, name: str) -> GroupId:
        """The group of this name. Raises UnknownName."""
        found = self._groups_by.get(name.lower())
        if found is None:
            raise UnknownName("group", name)
        return found

    def rule_read(self, part: Any) -> Any:
        """A part of a rule with ids in the place of names. Raises UnknownName. What has not the shape of a rule stays:
        the rules' own validation says so."""
        if isinstance(part, list):
            return [self.rule_read(each) for each in cast("list[Any]", part)]
        if not isinstance(part, dict):
            return part
        members = cast("dict[str, Any]", part)
        if members.get("kind") == "group" and isinstance(members.get("any_of"), list):
            return {**members, "any_of": [self.group(str(each)) for each in members["any_of"]]}
        return {_BACK.get(name, name): self._member_read(name, value) for name, value in members.items()}

    def _member_read(self, name: str, value: Any) -> Any:
        match name:
            case "accounts" if isinstance(value, list):
                return [self.account(str(each)) for each in cast("list[Any]", value)]
            case "account" if isinstance(value, str):
                return self.account(value)
            case "group" if isinstance(value, str):
                return self.group(value)
            case _:
                return self.rule_read(value)
