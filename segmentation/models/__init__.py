from segmentation.models.decision import TierDecision, TierOverride
from segmentation.models.monthly_value import MonthlyValue, Stale
from segmentation.models.review import BackTest, Scenario
from segmentation.models.rule_version import RuleVersion
from segmentation.models.run import RunShard, ValueRun
from segmentation.models.score import ContractOutlook, RelationshipType, Score
from segmentation.models.segment import Membership, Segment
from segmentation.models.tier import Tier

__all__ = [
    "BackTest",
    "ContractOutlook",
    "Membership",
    "MonthlyValue",
    "RelationshipType",
    "RuleVersion",
    "RunShard",
    "Scenario",
    "Score",
    "Segment",
    "Stale",
    "Tier",
    "TierDecision",
    "TierOverride",
    "ValueRun",
]
