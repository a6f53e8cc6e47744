"""The commands that make up a running installation: bin/up runs them, and docker-compose.yml uses the same words."""

from __future__ import annotations

WEB_WORKERS = 2

MIGRATE = ["python", "manage.py", "migrate", "--no-input"]
WEB = ["python", "-m", "crm.serve", "--interface", "wsgi", "--workers", str(WEB_WORKERS), "--blocking-threads", "4"]
WEB += ["--respawn-failed-workers", "--no-ws", "--http", "1", "--workers-kill-timeout", "10s", "crm.wsgi:application"]
WORKER = ["celery", "-A", "crm", "worker", "--concurrency", "2", "--max-memory-per-child", "600000", "--loglevel", "INFO"]
BEAT = ["celery", "-A", "crm", "beat", "--scheduler", "crm.beat:MarkingScheduler", "--loglevel", "INFO"]


def as_python(command: list[str], python: str) -> list[str]:
    """The same command through one interpreter, so that it needs no PATH."""
    program, *arguments = command
    return [python, *arguments] if program == "python" else [python, "-m", program, *arguments]
