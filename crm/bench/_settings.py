"""The product's own settings, with the minimal view beside its pages and no limit on the calls of the benchmark's client."""

from crm.settings import *  # noqa: F403

ROOT_URLCONF = "crm.bench._urls"
MIDDLEWARE = ["crm.bench._minimal.count_queries", *MIDDLEWARE]  # noqa: F405
API_CALLS_PER_MINUTE = API_ANONYMOUS_CALLS_PER_MINUTE = 10**9
