"""Calling the API as a program does: one bearer token, JSON in and out."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from users.access import Scope
from users.models import ApiToken, User


class Caller:
    """A client with a token of all scopes, or of those given."""

    def __init__(self, user: User, *, scopes: list[str] | None = None) -> None:
        self.token, secret = ApiToken.issue(user=user, by=None, name="test", scopes=list(Scope.values) if scopes is None else scopes)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=True)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=_headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("patch", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self._send("put", path, body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=_headers(headers))

    def raw(self, path: str, body: bytes, *, method: str = "post", content_type: str = "application/json", **headers: str) -> Any:
        return self.client.generic(method.upper(), f"/api/v1/{path}", body, content_type=content_type, headers=_headers(headers))

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        text = json.dumps({} if body is None else body)
        return getattr(self.client, method)(f"/api/v1/{path}", text, content_type="application/json", headers=_headers(headers))


def _headers(given: dict[str, str]) -> dict[str, str]:
    """if_match="…" → If-Match: …"""
    return {name.replace("_", "-").title(): value for name, value in given.items()}


def assert_problem(response: Any, status: int, *, field: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The response is a problem of this status, naming this field."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    if field is not None:
        assert field in [error["field"] for error in body["errors"]], body
    if code is not None:
        assert code in [body["type"].rpartition(":")[2], *(error["code"] for error in body.get("errors", ()))], body
    return body
