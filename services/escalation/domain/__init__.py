"""The rules of escalation: causes, plans, people, and how an escalation climbs and ends. Pure."""

from services.escalation.domain.causes import (
    NOT_ROUTED,
    Cause,
    reopens,
    starts,
    strength,
    without_clocks,
    without_kind,
)
from services.escalation.domain.climbing import Climb, Telling, climb, is_current, moment_of
from services.escalation.domain.errors import (
    BadDefinitionKey,
    ContentMissing,
    NoSuchEscalation,
    NoSuchPerson,
    NoSuchPolicy,
    NoSuchRequest,
    NoSuchTeam,
    PolicyUnknown,
    RequestIsOver,
)
from services.escalation.domain.escalations import (
    LINK_LIFE,
    Escalation,
    acknowledge,
    attach,
    begin,
    close,
)
from services.escalation.domain.people import (
    Absence,
    Directory,
    Dropped,
    Person,
    Reached,
    Team,
    Told,
    reach,
)
from services.escalation.domain.plans import Plan, Step, plan_of
from services.escalation.domain.previews import PreviewedStep, preview
from services.escalation.domain.requests import Request, filled_in

__all__ = [
    "LINK_LIFE",
    "NOT_ROUTED",
    "Absence",
    "BadDefinitionKey",
    "Cause",
    "Climb",
    "ContentMissing",
    "Directory",
    "Dropped",
    "Escalation",
    "NoSuchEscalation",
    "NoSuchPerson",
    "NoSuchPolicy",
    "NoSuchRequest",
    "NoSuchTeam",
    "Person",
    "Plan",
    "PolicyUnknown",
    "PreviewedStep",
    "Reached",
    "Request",
    "RequestIsOver",
    "Step",
    "Team",
    "Telling",
    "Told",
    "acknowledge",
    "attach",
    "begin",
    "climb",
    "close",
    "filled_in",
    "is_current",
    "moment_of",
    "plan_of",
    "preview",
    "reach",
    "reopens",
    "starts",
    "strength",
    "without_clocks",
    "without_kind",
]
