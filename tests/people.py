"""The small known world of the tests: two regions of one company, and the people in them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.factories import make_team, make_user
from users.access import Role
from users.models import Team, User


@dataclass(frozen=True)
class World:
    """Head office over North (with the city of Bergen) and South. Ana, Mo and Ivy work in the North; Eve in the South."""

    head_office: Team
    north: Team
    bergen: Team
    south: Team
    ana: User  # account manager, North
    sam: User  # service agent, North
    mo: User  # service manager, North
    xia: User  # executive, head office
    ivy: User  # integrator, North
    ada: User  # administrator, head office
    eve: User  # account manager, South: the outsider


def make_world() -> World:
    head_office = make_team("Head office", kind=Team.Kind.HEAD_OFFICE)
    north = make_team("North", parent=head_office, kind=Team.Kind.REGION)
    bergen = make_team("Bergen", parent=north)
    south = make_team("South", parent=head_office, kind=Team.Kind.REGION)
    return World(
        head_office=head_office,
        north=north,
        bergen=bergen,
        south=south,
        ana=make_user("ana", team=north, role=Role.ACCOUNT_MANAGER),
        sam=make_user("sam", team=north, role=Role.SERVICE_AGENT),
        mo=make_user("mo", team=north, role=Role.SERVICE_MANAGER),
        xia=make_user("xia", team=head_office, role=Role.EXECUTIVE),
        ivy=make_user("ivy", team=north, role=Role.INTEGRATOR),
        ada=make_user("ada", team=head_office, role=Role.ADMINISTRATOR),
        eve=make_user("eve", team=south, role=Role.ACCOUNT_MANAGER),
    )
