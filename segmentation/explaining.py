"""The ledger's answers in sentences: why a customer is in its tier, and what would put it into another one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from segmentation.boundaries import edge
from segmentation.models import RuleVersion, Tier, TierDecision
from segmentation.wording import amount, tier_name
from users.marks import number, percent

Kind = TierDecision.Kind


def why(decision: TierDecision) -> list[str]:
    """Why this decision: who or what took it, where the value ranks, and between which boundaries it lies."""
    said = [_taken(decision)]
    inputs: Mapping[str, Any] = decision.inputs or {}
    names = {"value": amount(decision.value), "by": decision.rules.get_rank_by_display()}
    if inputs.get("rank") and inputs.get("customers"):
        names |= {"rank": number(int(inputs["rank"])), "customers": number(int(inputs["customers"]))}
        said.append(_("By %(by)s it ranks %(rank)s of %(customers)s, with %(value)s.") % names)
    else:
        said.append(_("%(by)s: %(value)s.") % names)
    if between := _between(decision, inputs.get("boundaries") or {}):
        said.append(between)
    return said


def _taken(decision: TierDecision) -> str:
    names = {
        "tier": tier_name(decision.tier),
        "before": tier_name(decision.from_tier),
        "proposed": tier_name(decision.proposed_tier),
        "who": decision.by.name if decision.by else "",
        "runs": number(decision.rules.runs_to_move),
        "trust": percent(decision.rules.least_trust),
    }
    return _SENTENCES[Kind(decision.kind)]() % names


_SENTENCES = {
    Kind.FIRST: lambda: _("It was valued for the first time and came into %(tier)s."),
    Kind.MOVES: lambda: _("The rules moved it from %(before)s to %(tier)s."),
    Kind.WAITS: lambda: _("Its value now speaks for %(proposed)s. It stays in %(tier)s until %(runs)s runs in a row agree."),
    Kind.HELD_FOR_APPROVAL: lambda: _("Its value now speaks for %(proposed)s. A person has to approve that it leaves %(tier)s."),
    Kind.HELD_LOW_TRUST: lambda: _(
        "Its value now speaks for %(proposed)s, but trust in its data is below %(trust)s, so it stays in %(tier)s."
    ),
    Kind.STAYS: lambda: _("Its value speaks for %(tier)s again: the proposed move is dropped."),
    Kind.APPROVED: lambda: _("%(who)s approved the move from %(before)s to %(tier)s."),
    Kind.REFUSED: lambda: _("%(who)s refused the move to %(proposed)s: it stays in %(tier)s."),
    Kind.OVERRIDDEN: lambda: _("%(who)s put it into %(tier)s, whatever the rules say."),
    Kind.OVERRIDE_ENDED: lambda: _("What a person had set has ended; the rules put it into %(tier)s."),
}


def _between(decision: TierDecision, boundaries: Mapping[str, Any]) -> str:
    own = edge(boundaries, decision.tier)
    above = edge(boundaries, decision.tier - 1) if decision.tier > Tier.PLATINUM else None
    names = {"tier": tier_name(decision.tier), "own": amount(own), "above": amount(above), "next": tier_name(decision.tier - 1)}
    if own is not None and above is not None:
        return _("%(tier)s begins at %(own)s and %(next)s at %(above)s.") % names
    if own is not None:
        return _("%(tier)s begins at %(own)s.") % names
    return _("%(next)s begins at %(above)s.") % names if above is not None else ""


def what_would_lift(decision: TierDecision) -> list[str]:
    """What would put the customer into the next tier; empty for Platinum, which has none above, and without a boundary."""
    if decision.tier <= Tier.PLATINUM:
        return []
    return lift_to(
        decision.tier - 1, value=decision.value, boundaries=decision.inputs.get("boundaries") or {}, rules=decision.rules
    )  # fmt: skip


def lift_to(tier: int, *, value: Decimal, boundaries: Mapping[str, Any], rules: RuleVersion) -> list[str]:
    above = edge(boundaries, tier)
    if above is None:
        return []
    missing = above - value
    if missing <= 0:
        return [_("Its value lies beyond the boundary of %(tier)s already.") % {"tier": tier_name(tier)}]
    names = {
        "missing": amount(missing),
        "share": percent(missing / value) if value > 0 else "",
        "by": rules.get_rank_by_display(),
        "tier": tier_name(tier),
        "at_once": amount(above + abs(above) * rules.move_margin),
        "runs": number(rules.runs_to_move),
    }
    more = _("%(missing)s more of value (%(by)s), which is %(share)s on top of today’s.") if value > 0 else _("%(missing)s more of value.")
    return [
        more % names,
        _("From %(at_once)s on it moves to %(tier)s at once; below that, %(runs)s runs in a row must agree.") % names,
    ]
