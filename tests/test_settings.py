"""Settings: read from the environment, refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from aiops.errors import SettingsError
from aiops.settings import Settings, load_settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"


def test_without_database_variables_the_embedded_server_is_used():
    assert load_settings().conninfo() is None


def test_database_url_goes_before_the_parts(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h:1/n")
    monkeypatch.setenv("DATABASE_HOST", "other")
    assert load_settings().conninfo() == "postgresql://u:p@h:1/n"


def test_the_parts_make_a_connection_string_and_special_characters_survive(monkeypatch):
    for name, value in {"HOST": "db", "PORT": "6432", "NAME": "n", "USER": "u", "PASSWORD": "it's a=b"}.items():
        monkeypatch.setenv(f"DATABASE_{name}", value)
    assert conninfo_to_dict(load_settings().conninfo()) == {
        "host": "db",
        "port": "6432",
        "dbname": "n",
        "user": "u",
        "password": "it's a=b",
    }


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("BATCH_SIZE", "0", "greater than or equal to 1"),
        ("BATCH_SIZE", "many", "integer"),
        ("SCHEDULE_TIMEZONE", "Seoul", "Asia/Seoul"),
        ("DAMAGE_SET", "mine", "'calibrated' or 'reference'"),
        ("PROBABILITY_SCHEDULE_MONTH", "13", "less than or equal to 12"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("NOTIFY_CHANNEL", "x; DROP TABLE", "pattern"),
    ],
)
def test_a_bad_value_is_refused_with_the_variables_name_and_what_is_allowed(monkeypatch, name, value, allowed):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert name in str(refused.value)
    assert value in str(refused.value)
    assert allowed in str(refused.value)


def test_a_day_that_the_month_lacks_is_refused(monkeypatch):
    monkeypatch.setenv("HAZARD_SCHEDULE_MONTH", "4")
    monkeypatch.setenv("HAZARD_SCHEDULE_DAY", "31")
    with pytest.raises(SettingsError, match=r"HAZARD_SCHEDULE_DAY: 31 .* month 4; allowed: 1 to 30"):
        load_settings()


def test_a_password_is_not_repeated_in_the_message(monkeypatch):
    monkeypatch.setenv("DATABASE_PORT", "0")
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "secret" not in str(refused.value)


def test_the_example_file_names_every_setting_with_its_default():
    named = {}
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"#?\s?([A-Z_]+)=(.*)", line):
            named[match[1].lower()] = match[2]
    assert named.keys() == Settings.model_fields.keys()
    for name, field in Settings.model_fields.items():
        if field.default_factory is None:
            expected = "" if field.default is None else str(field.default)
            assert named[name] == expected, name


def test_the_length_of_a_key_is_said_in_characters(monkeypatch):
    monkeypatch.setenv("API_KEY", "short")
    with pytest.raises(SettingsError, match="at least 16 characters"):
        load_settings()
