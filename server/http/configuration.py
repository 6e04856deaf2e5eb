"""Routes of a shop's whole configuration as one YAML file, out and in (KS-23)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from server.http.fields import Closed, Rev, View
from server.http.guard import Asking, Given, GuardedRoute
from server.services.configuration.configurations import Brought

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["configuration"])

MEDIA_TYPE = "application/yaml"


class ImportBody(Closed):
    """The file. `rev`: from the dry run that was looked at; absent: whatever holds is replaced."""

    yaml: Annotated[str, Field(max_length=2 * 1024 * 1024)]
    rev: Rev | None = None


class DifferenceView(View):
    """One thing that differs. `place`: where in its section, dotted."""

    place: str
    before: Any
    after: Any


class SectionView(View):
    """What differs in one section."""

    section: str
    changes: list[DifferenceView]


class ImportView(View):
    """What was changed, or would be: only sections in which something differs. `rev`: of what held before."""

    applied: bool
    rev: Rev
    sections: list[SectionView]


def _view(brought: Brought) -> ImportView:
    return ImportView(
        applied=brought.applied,
        rev=brought.rev,
        sections=[
            SectionView(
                section=each.section,
                changes=[
                    DifferenceView(place=place, before=before, after=after)
                    for place, before, after in each.changes
                ],
            )
            for each in brought.sections
        ],
    )


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}},
)
async def export_settings(deps: Given, caller: Asking) -> Response:
    """Every setting of the shop that the caller may see, as YAML in a stable order: to be kept, compared, and brought
    into this shop or another one. Accounts are named by e-mail; no secret is in it."""
    text = await deps.configurations.export(caller)
    headers = {"Content-Disposition": 'attachment; filename="pointsman-settings.yaml"'}
    return Response(text, media_type=f"{MEDIA_TYPE}; charset=utf-8", headers=headers)


@router.post("/import")
async def import_settings(
    deps: Given,
    caller: Asking,
    body: ImportBody,
    dry_run: Annotated[bool, Query(description="Only say what would change; nothing does.")] = False,
) -> ImportView:
    """Let the shop be as the file says: all of it or nothing, by the rules that hold for each setting. Sections that
    are left out stay as they are. 422 `invalid_configuration` names every fault with its place and line; 403 when a
    section would change that needs a right that the caller has not; 409 `stale_rev` when something was changed since
    `rev`."""
    return _view(await deps.configurations.bring(caller, body.yaml, rev=body.rev, rehearse=dry_run))
