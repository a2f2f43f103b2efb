"""Every setting of the project. What comes from the environment is read at the top.

`docs/settings.md` is the table of these variables for operators. Nothing else in the project
reads the environment.
"""

from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from environs import Env

# Lets Django's generic classes be written with their types (`ModelAdmin[Brand]`) at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
PLACEHOLDER_SECRET = "placeholder-secret-for-development-only"  # noqa: S105 (refused below)

env = Env()

# --- The environment -------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", PLACEHOLDER_SECRET)
DEBUG = env.bool("DEBUG", True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
HTTPS_ONLY = env.bool("HTTPS_ONLY", not DEBUG)
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")

DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASE_CONNECT_SECONDS = env.int("DATABASE_CONNECT_SECONDS", 2)
DATABASE_LOCK_TIMEOUT_MS = env.int("DATABASE_LOCK_TIMEOUT_MS", 3_000)
DATABASE_STATEMENT_TIMEOUT_MS = env.int("DATABASE_STATEMENT_TIMEOUT_MS", 5_000)
DATABASE_TRANSACTION_TIMEOUT_MS = env.int("DATABASE_TRANSACTION_TIMEOUT_MS", 30_000)
DATABASE_PREPARED_STATEMENTS = env.bool("DATABASE_PREPARED_STATEMENTS", True)
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "redis://localhost:6379/0")

# How many requests an API key may send in a minute unless it has a limit of its own; 0: any number.
REQUESTS_PER_MINUTE = env.int("REQUESTS_PER_MINUTE", 60_000)
# Where all processes count them together; empty: each process counts for itself.
RATE_LIMIT_REDIS_URL = env.str("RATE_LIMIT_REDIS_URL", CELERY_BROKER_URL)

# Whether spends that come to a web process at the same moment are committed together.
GROUP_COMMIT = env.bool("GROUP_COMMIT", True)

# How often each unattended task runs, in seconds.
CHECK_BUDGETS_SECONDS = env.float("CHECK_BUDGETS_SECONDS", 60.0)
ENFORCE_DAYPARTING_SECONDS = env.float("ENFORCE_DAYPARTING_SECONDS", 60.0)
RESET_DAILY_SPEND_SECONDS = env.float("RESET_DAILY_SPEND_SECONDS", 60.0)
RESET_MONTHLY_SPEND_SECONDS = env.float("RESET_MONTHLY_SPEND_SECONDS", 60.0)
EXPIRE_HOLDS_SECONDS = env.float("EXPIRE_HOLDS_SECONDS", 60.0)
VERIFY_LEDGERS_SECONDS = env.float("VERIFY_LEDGERS_SECONDS", 86_400.0)

# How old a reported spend may be (C11).
SPEND_LATE_HOURS = env.int("SPEND_LATE_HOURS", 72)

if not DEBUG and (SECRET_KEY == PLACEHOLDER_SECRET or len(SECRET_KEY) < 32):
    raise ImproperlyConfigured(
        "DEBUG is off and SECRET_KEY is the placeholder or shorter than 32 characters. "
        "Set SECRET_KEY to a long random string: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

# --- Django ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    # For the page at /api/docs and its files.
    "ninja",
    "core",
]
MIDDLEWARE = [
    "core.views.middleware.api_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.views.site_middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.views.site_middleware.Authentication",
    "core.views.site_middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "budget_manager.urls"
WSGI_APPLICATION = "budget_manager.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A redirect that appends a slash would drop the body of a POST; the API answers 404 instead.
APPEND_SLASH = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
# Serves the admin's files straight from the installed packages: no collectstatic step.
WHITENOISE_USE_FINDERS = True

# `manage.py test` runs the same suite as pytest.
TEST_RUNNER = "core.tests.runner.PytestRunner"

# At rest every instant is UTC; a brand's own zone lives on the brand (C9).
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

# --- Databases -------------------------------------------------------------------------


def database_options(engine: str) -> dict[str, Any]:
    """What each vendor needs so that locks hold and nobody waits for ever.

    SQLite: every transaction takes the write lock at its start (IMMEDIATE), since there a
    row lock does nothing; FULL makes a commit survive a power loss.
    PostgreSQL: a bounded wait for locks, statements and a server that has fallen silent, so that
    a stuck peer costs a 503.
    """
    if engine.endswith("sqlite3"):
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        return {"transaction_mode": "IMMEDIATE", "timeout": 10, "init_command": pragmas}
    limits = {
        "lock_timeout": DATABASE_LOCK_TIMEOUT_MS,
        "statement_timeout": DATABASE_STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 10_000,
        # A client host that is gone without a word is noticed, and its locks freed, after 11 s.
        "tcp_keepalives_idle": 5,
        "tcp_keepalives_interval": 2,
        "tcp_keepalives_count": 3,
        # No statement of ours runs for so long that compiling it would pay.
        "jit": "off",
    }
    seconds = DATABASE_STATEMENT_TIMEOUT_MS / 1_000
    return {
        "connect_timeout": DATABASE_CONNECT_SECONDS,
        # Longer than the server's own limit, which tells more, by the way there and back.
        "patience_seconds": seconds + DATABASE_CONNECT_SECONDS if seconds else None,
        "transaction_milliseconds": DATABASE_TRANSACTION_TIMEOUT_MS if seconds else 0,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        # Of hand-written statements, those that a connection sends for the third time.
        "prepare_threshold": 2 if DATABASE_PREPARED_STATEMENTS else None,
    }


DATABASES: dict[str, dict[str, Any]] = {
    "default": env.dj_db_url("DATABASE_URL", DATABASE_URL, conn_max_age=60, conn_health_checks=True)
}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    database_options(DATABASES["default"]["ENGINE"])
)
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "budget_manager.postgresql"

# --- Unattended work -------------------------------------------------------------------

CELERY_TIMEZONE = "UTC"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# Keeps beat from adding its own crontab entry for result backends that we don't have.
CELERY_RESULT_EXPIRES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the longest task; a task of a killed worker comes back within seconds after it.
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# Interval ticks, never crontab: midnight and the 1st are decided from each brand's own date.
CELERY_BEAT_SCHEDULE = {
    name.replace("_", "-"): {
        "task": f"core.{name}",
        "schedule": seconds,
        # A tick that waited for a whole interval is dropped: the next one does its work.
        "options": {"expires": seconds},
    }
    for name, seconds in {
        "check_budgets": CHECK_BUDGETS_SECONDS,
        "enforce_dayparting": ENFORCE_DAYPARTING_SECONDS,
        "reset_daily_spend": RESET_DAILY_SPEND_SECONDS,
        "reset_monthly_spend": RESET_MONTHLY_SPEND_SECONDS,
        "expire_holds": EXPIRE_HOLDS_SECONDS,
        "verify_ledgers": VERIFY_LEDGERS_SECONDS,
    }.items()
}

# --- Security --------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs ------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Everything goes through the root's handler, once.
        "django": {"handlers": [], "level": "INFO"},
        # A refused call is not news: the caller was told. Server faults still are.
        "django.request": {"level": "ERROR"},
    },
}
