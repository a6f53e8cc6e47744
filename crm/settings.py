"""The one settings file: every name of the environment is read here, once.

`bin/up`, `bin/check` and docker-compose.yml set what differs between them; a missing or bad value stops the start
with its name. Paths of a running installation (sockets, media, logs) live under PARETO_HOME.
"""

from pathlib import Path
from urllib.parse import unquote

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PARETO_HOME = Path(env.str("PARETO_HOME", default=str(BASE_DIR / "var"))).resolve()
SHARED_DATA = BASE_DIR.parent / "shared"  # real files for the demo; the product works without them
BUILD = env.str("PARETO_BUILD", default="dev")  # named in the X-Pareto-Build response header

# ── Safety ──────────────────────────────────────────────────────────────────────────────────────────────────────────
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # former ones, while what they signed and keyed is about
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Plain HTTP is for trying on one's own machine only: `bin/up` turns this off, and no other start does.
HTTPS = env.bool("PARETO_HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS and env.bool("PARETO_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("PARETO_BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "crm.apps.OurStaticFilesConfig",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crm.apps.CrmConfig",
    "analytics",
    "segmentation",
    "service_center",
    "customers",
    "users",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm.middleware.request_id",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "users.middleware.not_stored",
    "users.middleware.denials",
    "users.middleware.personal_settings",
    "users.middleware.session_activity",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.context.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "crm.templatetags.ui"],
        },
    }
]

# ── Servers ─────────────────────────────────────────────────────────────────────────────────────────────────────────
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"] |= {
    "HOST": unquote(str(DATABASES["default"]["HOST"])),  # libpq writes a socket's folder as %2Fvar%2Frun
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": env.bool("PARETO_TRANSACTION_POOLER", default=False),
    "OPTIONS": {
        "application_name": env.str("PARETO_PROCESS", default="pareto"),
        # A page never runs away with the database; jobs raise these limits for their own transaction.
        "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        " -c client_connection_check_interval=2s",
    },
}

REDIS_URL = env.str("REDIS_URL")  # redis://host:port/0 or unix:///path?db=0
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "pareto",
    }
}

# Rows are the truth, messages only wake a worker: late acks, a short restore interval, and no result store.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host="))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 3 * 3600
CELERY_TASK_SOFT_TIME_LIMIT = 3 * 3600 - 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 4 * 3600,  # above the longest task, or it is handed out twice
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "retry_on_timeout": True,
}
CELERY_TIMEZONE = "UTC"

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"one_line": {"()": "crm.logs.OneLine"}},
    "filters": {"no_health_check": {"()": "django.utils.log.CallbackFilter", "callback": "ext://crm.logs.is_no_health_check"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "one_line"}},
    "root": {"handlers": ["stderr"], "level": env.str("PARETO_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},  # no mails, which would carry what people typed
        "django.request": {"level": "ERROR", "filters": ["no_health_check"]},  # a 4xx stands in the line of its request already
    },
}

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "users.adapters.AccountAdapter"  # nobody signs up: an administrator makes the accounts
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to strangers, and the same answer whether an account exists or not
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Pareto CRM] "
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Pareto CRM"
MFA_ADAPTER = "users.adapters.MfaAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are given by the administrator
USERSESSIONS_TRACK_ACTIVITY = False  # would write at every request; users.middleware.session_activity does it now and then
PASSWORD_RESET_TIMEOUT = 24 * 3600  # of invitations too
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "users.set_password_links.KeyGenerator"  # noqa: S105 (a class's path)

# smtp+tls://user:password@host:587. Without one no mail is sent, and an administrator hands invitations over by hand.
MAIL = env.email_url("PARETO_MAIL_URL", default="dummymail://")
MAIL_IS_SET_UP = MAIL["EMAIL_BACKEND"] != "django.core.mail.backends.dummy.EmailBackend"
vars().update(MAIL)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("PARETO_MAIL_FROM", default="Pareto CRM <pareto@localhost>")

# ── Language, time, money ───────────────────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "crm" / "locale"]
TIME_ZONE = env.str("PARETO_TIME_ZONE", default="UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
BASE_CURRENCY = env.str("PARETO_CURRENCY", default="USD")
DEFAULT_PHONE_REGION = env.str("PARETO_PHONE_REGION", default="US")

# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = PARETO_HOME / "media"  # never served as files: views hand out what `visible_to` allows
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
API_CALLS_PER_MINUTE = env.int("PARETO_API_CALLS_PER_MINUTE", default=3000)  # of each token or person
API_ANONYMOUS_CALLS_PER_MINUTE = env.int("PARETO_API_ANONYMOUS_CALLS_PER_MINUTE", default=60)  # of each address without a valid token
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["users.api.permissions.ScopeAndRole"],
    "DEFAULT_THROTTLE_CLASSES": ["users.api.throttling.CallsPerMinute"],
    "DEFAULT_PARSER_CLASSES": ["users.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["users.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "users.api.renderers.JSONOnly",
    "DEFAULT_PAGINATION_CLASS": "users.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["users.api.filters.AllowedFilters"],
    "DEFAULT_SCHEMA_CLASS": "users.api.schema.NounSchema",
    "EXCEPTION_HANDLER": "users.api.exception_handler.exception_handler",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS: what there is to say is in the OpenAPI document
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pareto CRM",
    "DESCRIPTION": "How to begin, with examples: docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "users.api.schema.close_requests"],
    "ENUM_NAME_OVERRIDES": {  # several nouns have a "kind" or "status" of their own
        "CustomerKind": "customers.models.Customer.Kind",
        "CustomerStatus": "customers.models.Customer.Status",
        "PaymentMethod": "customers.models.Customer.PaymentMethod",
        "PreferredChannel": "customers.models.customer.Channel",
        "ContactMethodKind": "customers.models.ContactMethod.Kind",
        "AddressKind": "customers.models.Address.Kind",
        "ContactPointKind": "customers.models.ContactPoint.Kind",
        "ContactPointChannel": "customers.models.ContactPoint.Channel",
        "ContactPointStage": "customers.models.ContactPoint.Stage",
        "OpportunityStage": "customers.models.Opportunity.Stage",
        "OrderStatus": "customers.models.Order.Status",
        "CustomFieldKind": "customers.models.CustomField.Kind",
        "TeamKind": "users.models.Team.Kind",
        "ImportKind": "customers.models.ImportRun.Kind",
        "ImportState": "customers.models.ImportRun.State",
        "JobState": "customers.models.Job.State",
        "Tier": "segmentation.models.Tier",
        "TierDecisionKind": "segmentation.models.TierDecision.Kind",
        "TierProposal": "segmentation.models.Score.Proposal",
        "RelationshipType": "segmentation.models.RelationshipType",
        "ValueRunKind": "segmentation.models.ValueRun.Kind",
        "ValueRunState": "segmentation.models.ValueRun.State",
        "ValueRunStage": "segmentation.models.ValueRun.Stage",
        "RankBy": "segmentation.models.RuleVersion.RankBy",
    },
}
