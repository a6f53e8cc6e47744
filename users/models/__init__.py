from users.models.api_token import ApiToken
from users.models.event import Event, event_recorded
from users.models.idempotent_reply import IdempotentReply
from users.models.team import Team
from users.models.user import User

__all__ = ["ApiToken", "Event", "IdempotentReply", "Team", "User", "event_recorded"]
