"""Who calls: `Authorization: Bearer <secret>` of an API token. A browser's session works too (DRF's own class, which checks CSRF)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users.models import ApiToken, User

LONGEST_SECRET = 200


class TokenAuthentication(BaseAuthentication):
    """`request.auth` becomes the token, whose scopes `users.api.permissions` reads."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not 0 < len(secret.strip()) <= LONGEST_SECRET:
            raise AuthenticationFailed(_("Give the token as Authorization: Bearer <secret>."))
        try:
            token = ApiToken.objects.usable().select_related("user__team").get(digest=ApiToken.digest_of(secret.strip()))
        except ApiToken.DoesNotExist as error:
            # One answer for wrong, expired, revoked and a deactivated owner: a guesser learns nothing.
            raise AuthenticationFailed(_("This token is not valid.")) from error
        token.note_use()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
