"""Routes of the shop's rules (CO-07): what they say, their order, what they would do (dry run), what they did."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from protocol.ids import ConversationId
from server.automation.evaluate import Finding
from server.automation.facts import COUNTED, LASTING, WORDS, Facts, Subject
from server.automation.rule import Rule
from server.http.fields import Closed, Cursor, Id, Instant, Limit, View, milliseconds, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.http.problems import Refusal
from server.services.rules import Tried
from server.store.rules import FiringRow, RuleRow

router = APIRouter(prefix="/v1/rules", route_class=GuardedRoute, tags=["rules"])

UuidText = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Conditions = Annotated[
    dict[str, Any],
    Field(
        description="A condition, or a tree of them.",
        json_schema_extra={"x-shape": "RuleCondition"},
    ),
]
Actions = Annotated[
    list[Annotated[dict[str, Any], Field(json_schema_extra={"x-shape": "RuleAction"})]],
    Field(description="What is done, in this order."),
]
# Taken as plain data, and validated by `automation.validation`, which reports every fault at once.
GivenConditions = Annotated[
    dict[str, Any], Field(description="A condition, or a tree of them, as in `RuleCondition`.")
]
GivenActions = Annotated[
    list[dict[str, Any]],
    Field(max_length=50, description="What is to be done, in this order, each as in `RuleAction`."),
]
Name = Annotated[str, StringConstraints(max_length=200)]
Seconds = Annotated[int, Field(ge=0, lt=2**31)]


class RuleBody(Closed):
    """A new rule. `cooldown_s` null: once for each conversation. With `valid_from` or `valid_until`: only between
    them."""

    subject: Annotated[Subject, Field(strict=False)] = Subject.CONVERSATION
    name: Name
    conditions: GivenConditions
    actions: GivenActions
    enabled: bool = True
    cooldown_s: Seconds | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class RuleChangeBody(Closed):
    """What is to change; what is absent stays. `rev`: of the rule that was read before."""

    rev: Annotated[int, Field(ge=0, lt=2**53)]
    name: Name | None = None
    conditions: GivenConditions | None = None
    actions: GivenActions | None = None
    enabled: bool | None = None
    cooldown_s: Seconds | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class RuleView(View):
    """A rule."""

    id: str
    subject: Subject
    position: int
    name: str
    enabled: bool
    conditions: Conditions
    actions: Actions
    cooldown_s: int | None
    valid_from: str | None
    valid_until: str | None
    rev: int
    created_at: str | None
    changed_at: str | None


class RuleList(View):
    """All rules, in their order."""

    items: list[RuleView]


class OrderBody(Closed):
    """Every rule, once, in the order in which they are to be looked at."""

    ids: Annotated[list[UuidText], Field(max_length=1000)]


class FactsBody(Closed):
    """A conversation, described. `words`, `lasted_s` and `numbers` are keyed by kinds of condition; what is absent it
    has not."""

    said: Annotated[list[Annotated[str, StringConstraints(max_length=16384)]], Field(max_length=20)] = []
    words: Annotated[
        dict[str, Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=100)]],
        Field(max_length=20),
    ] = {}
    lasted_s: Annotated[dict[str, Seconds], Field(max_length=20)] = {}
    numbers: Annotated[dict[str, Seconds], Field(max_length=20)] = {}
    at: Instant


class DryRunBody(Closed):
    """On what (`conversation_id`, or `facts`), and by what: a rule that is described, one that there is, or all."""

    conversation_id: UuidText | None = None
    facts: FactsBody | None = None
    rule: RuleBody | None = None
    rule_id: UuidText | None = None


class FindingView(View):
    """How one condition came out. `path` leads to it through `of`; `found` is what the conversation has of it."""

    path: str
    kind: str
    wanted: Any
    found: Any
    holds: bool


class TriedView(View):
    """What one rule would do. `fires`: it would do `actions` now. `holds` without `fires`: it is switched off, not
    valid now, or has fired for this conversation already. `next_look_at`: when time alone makes it fire."""

    rule_id: str | None
    name: str
    holds: bool
    fires: bool
    findings: list[FindingView]
    actions: Actions
    next_look_at: str | None


class DryRunView(View):
    """What would happen. Nothing has."""

    at: str | None
    rules: list[TriedView]


class FiringView(View):
    """A rule that held: for what, why, and what came of each action (null: under way)."""

    id: str
    subject: str
    subject_id: str
    at: str | None
    rule_rev: int
    matched: list[FindingView]
    actions: Actions
    outcomes: list[dict[str, Any]]
    done_at: str | None


class FiringPage(View):
    """What a rule fired, the latest first."""

    items: list[FiringView]
    cursor: str | None


def shapes() -> dict[str, Any]:
    """Conditions and actions as they are described in the document of this API."""
    whole = Rule.model_json_schema(ref_template="#/components/schemas/Rule{model}")
    found: dict[str, Any] = {f"Rule{name}": shape for name, shape in whole["$defs"].items()}
    # A shape that holds itself has no end for those who make examples of it.
    again = {"type": "object", "description": "A condition again, of any kind; see `RuleCondition`."}
    for tree in ("RuleAll", "RuleAny"):
        found[tree]["properties"]["of"]["items"] = again
    found["RuleNot"]["properties"]["of"] = again
    found["RuleCondition"] = whole["properties"]["conditions"]
    found["RuleAction"] = whole["properties"]["actions"]["items"]
    return found


@router.get("")
async def list_rules(deps: Given, caller: Asking) -> RuleList:
    """All rules, in their order."""
    return RuleList(items=[_view(row) for row in await deps.rules.list(caller)])


@router.post("", status_code=201)
async def create_rule(deps: Given, caller: Asking, body: RuleBody) -> RuleView:
    """A new rule, the last in order. A contradictory one is refused whole (422 with every fault). It is in force within
    a second, for conversations that are open already too."""
    return _view(await deps.rules.create(caller, _content(body)))


@router.post("/order")
async def order_rules(deps: Given, caller: Asking, body: OrderBody) -> RuleList:
    """Put all rules into another order (409 `other_rules` when they are not exactly those that there are now)."""
    return RuleList(items=[_view(row) for row in await deps.rules.reorder(caller, tuple(body.ids))])


@router.post("/dry-run")
async def dry_run(deps: Given, caller: Asking, body: DryRunBody) -> DryRunView:
    """What would match, why, and what would be done. Nothing is."""
    if (body.conversation_id is None) == (body.facts is None):
        raise Refusal(422, "one_subject", "Give either conversation_id or facts.")
    if body.rule is not None and body.rule_id is not None:
        raise Refusal(422, "one_rule", "Give either rule or rule_id, or neither for all rules.")
    rule = None if body.rule is None else _content(body.rule)
    if body.conversation_id is not None:
        facts, tried = await deps.rules.try_on_conversation(
            caller, ConversationId(body.conversation_id), rule, body.rule_id
        )
    else:
        assert body.facts is not None, "one of both is given"
        facts = _facts(body.facts, await deps.rules.zone(caller))
        tried = await deps.rules.try_on_facts(caller, facts, rule, body.rule_id)
    return DryRunView(at=stamp_if(facts.now_ms), rules=[_tried(each) for each in tried])


@router.get("/{rule_id}")
async def get_rule(deps: Given, caller: Asking, rule_id: Id) -> RuleView:
    """One rule."""
    return _view(await deps.rules.get(caller, str(rule_id)))


@router.patch("/{rule_id}")
async def change_rule(deps: Given, caller: Asking, rule_id: Id, body: RuleChangeBody) -> RuleView:
    """Change a rule. Made from an older revision it is refused (409 `stale_rev`). A conversation for which it has fired
    is not handled a second time because of the change."""
    return _view(await deps.rules.change(caller, str(rule_id), _content(body), rev=body.rev))


@router.delete("/{rule_id}", status_code=204)
async def delete_rule(deps: Given, caller: Asking, rule_id: Id) -> None:
    """Delete a rule. What it fired stays on record."""
    await deps.rules.delete(caller, str(rule_id))


@router.get("/{rule_id}/firings")
async def list_firings(
    deps: Given, caller: Asking, rule_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> FiringPage:
    """What a rule fired, the latest first; also of one that was deleted."""
    page = await deps.rules.firings(caller, str(rule_id), limit=limit, cursor=cursor)
    return FiringPage(items=[_firing(row) for row in page.rows], cursor=page.cursor)


def _content(body: RuleBody | RuleChangeBody) -> dict[str, Any]:
    """The members that were given, as rules have them."""
    given: dict[str, Any] = body.model_dump(exclude={"rev", "valid_from", "valid_until"}, exclude_unset=True)
    for member in ("valid_from", "valid_until"):
        if member in body.model_fields_set:
            given[f"{member}_ms"] = milliseconds(getattr(body, member))
    return given


def _view(row: RuleRow) -> RuleView:
    return RuleView(
        id=row.id,
        subject=Subject(row.subject),
        position=row.position,
        name=row.name,
        enabled=row.enabled,
        conditions=row.conditions,
        actions=row.actions,
        cooldown_s=row.cooldown_s,
        valid_from=stamp_if(row.valid_from_ms),
        valid_until=stamp_if(row.valid_until_ms),
        rev=row.rev,
        created_at=stamp_if(row.created_ms),
        changed_at=stamp_if(row.changed_ms),
    )


def _facts(body: FactsBody, zone: str) -> Facts:
    subject = Subject.CONVERSATION
    tables: tuple[tuple[str, Any, Any], ...] = (
        ("words", body.words, WORDS[subject]),
        ("lasted_s", body.lasted_s, LASTING[subject]),
        ("numbers", body.numbers, COUNTED[subject]),
    )
    for member, given, known in tables:
        if unknown := sorted(set(given) - set(known)):
            raise Refusal(422, "unknown_fact", f"There are no facts {', '.join(unknown)} in {member}.")
    now_ms = milliseconds(body.at)
    assert now_ms is not None, "it is not optional"
    return Facts(
        subject=subject,
        subject_id="",
        now_ms=now_ms,
        zone=zone,
        said=tuple(body.said),
        words={kind: frozenset(words) for kind, words in body.words.items()},
        since_ms={kind: now_ms - lasted * 1000 for kind, lasted in body.lasted_s.items()},
        numbers=body.numbers,
    )


def _finding(finding: Finding) -> FindingView:
    return FindingView(
        path=finding.path,
        kind=finding.kind,
        wanted=finding.wanted,
        found=finding.found,
        holds=finding.holds,
    )


def _tried(tried: Tried) -> TriedView:
    fires = tried.holds and tried.may_fire
    return TriedView(
        rule_id=tried.rule_id or None,
        name=tried.rule.name,
        holds=tried.holds,
        fires=fires,
        findings=[_finding(finding) for finding in tried.findings],
        actions=[action.model_dump(mode="json") for action in tried.rule.actions],
        next_look_at=stamp_if(tried.next_look_ms),
    )


def _firing(row: FiringRow) -> FiringView:
    return FiringView(
        id=row.id,
        subject=row.subject,
        subject_id=row.subject_id,
        at=stamp_if(row.at_ms),
        rule_rev=row.rule_rev,
        matched=[FindingView(**finding) for finding in row.matched],
        actions=row.actions,
        outcomes=row.outcomes,
        done_at=stamp_if(row.done_ms),
    )
