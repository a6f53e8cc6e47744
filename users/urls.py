"""People and access. Mounted at the root, so each page stands under its own noun."""

from django.urls import path

from users.views import audit, people, profile, teams, tokens

app_name = "users"

urlpatterns = [
    path("users/", people.user_list, name="list"),
    path("users/add/", people.user_add, name="add"),
    path("users/<int:pk>/", people.user_edit, name="edit"),
    path("users/<int:pk>/reach/", people.user_reach, name="reach"),
    path("users/<int:pk>/invitation/", people.user_invite, name="invite"),
    path("users/<int:pk>/deactivation/", people.user_deactivate, name="deactivate"),
    path("users/<int:pk>/reactivation/", people.user_reactivate, name="reactivate"),
    path("teams/", teams.team_tree, name="teams"),
    path("teams/add/", teams.team_add, name="team-add"),
    path("teams/<int:pk>/", teams.team_edit, name="team"),
    path("profile/", profile.profile, name="profile"),
    path("api-tokens/", tokens.token_list, name="tokens"),
    path("api-tokens/add/", tokens.token_add, name="token-add"),
    path("api-tokens/<int:pk>/revocation/", tokens.token_revoke, name="token-revoke"),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.audit_export, name="audit-export"),
]
