"""From a template to a page, in the reader's language and colours."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from aiops import __version__
from aiops.climate import PROJECTIONS, SCENARIOS
from aiops.report import numbers, words
from aiops.report.korean import in_korean
from aiops.settings import settings
from workers.api import wording
from workers.api.context import context_of
from workers.overview.units import lasting, seconds_left

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from workers.api.problems import Problem

LANGUAGES: Final = ("en", "ko")
THEMES: Final = ("light", "dark")
_YEAR: Final = 365 * 24 * 3600

JOBS: Final = {
    **words.JOBS,
    **wording.JOBS,
}


def render(request: Request, template: str, code: int = 200, **shown: Any) -> HTMLResponse:
    """A page; a language that was asked for is remembered.

    Args:
        request: who asks: `?lang=`, a cookie and Accept-Language name the language.
        template: its file's name.
        code: status of the answer.
        **shown: what the template names; texts are escaped.
    """
    language, chosen = _language(request)
    theme = request.cookies.get("theme")

    def t(en: str, ko: str) -> str:
        return ko if language == "ko" else en

    def word(table: Mapping[str, words.Words], key: str | None) -> str:
        found = None if key is None else table.get(key)
        return (numbers.NONE if key is None else key.replace("_", " ")) if found is None else t(*found)

    def told(reason: str) -> str:
        return in_korean(reason) if language == "ko" else reason

    def step(name: str | None) -> str:
        return wording.step_in_words(name, language) if name else ""

    text = _environment().get_template(template).render(
        t=t, word=word, told=told, step=step, language=language, theme=theme if theme in THEMES else "",
        path=request.url.path,
        other=_address(request, "en" if language == "ko" else "ko"), timezone=settings().schedule_timezone,
        live_words=wording.live_words(language),
        jobs={key: t(*one) for key, one in JOBS.items()},
        statuses={key: t(*one) for key, one in words.STATUSES.items()},
        logged_in=context_of(request).keys.needed,
        **shown,
    )  # fmt: skip
    response = HTMLResponse(text, code)
    response.headers["Vary"] = "Accept-Language, Cookie"
    if chosen:
        response.set_cookie("lang", language, max_age=_YEAR, samesite="lax")
    return response


def error_page(request: Request, problem: Problem, request_id: str) -> bytes:
    """A problem as a page, for who looks at pages."""
    return bytes(render(request, "problem.html", problem.status, problem=problem, request_id=request_id).body)


def _language(request: Request) -> tuple[str, bool]:
    """The language, and whether it was asked for just now."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked), True
    kept = request.cookies.get("lang")
    if kept in LANGUAGES:
        return str(kept), False
    prefers = request.headers.get("accept-language", "").strip().lower()
    return ("ko" if prefers.startswith("ko") else "en"), False


def _address(request: Request, language: str) -> str:
    return "?" + request.url.include_query_params(lang=language).query


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        words=words, JOBS=JOBS, ROLES=wording.ROLES, PROBLEMS=wording.PROBLEMS, version=__version__,
        PROJECTIONS=PROJECTIONS, SCENARIOS=SCENARIOS,
        lasting=lasting, seconds_left=seconds_left,
    )  # fmt: skip
    made.tests["finite"] = _is_finite
    made.filters.update(
        number=numbers.number,
        percent=numbers.percent,
        won=numbers.won,
        moment=_moment,
        clock=_clock,
        data=_data,
        pretty=_pretty,
        json=_json,
    )
    return made


def _moment(value: datetime | None) -> Markup | str:
    """A time for people and for scripts."""
    if value is None:
        return numbers.NONE
    local = value.astimezone(settings().timezone)
    return Markup('<time datetime="{}">{}</time>').format(value.astimezone(UTC).isoformat(), f"{local:%Y-%m-%d %H:%M}")


def _clock(value: datetime | None) -> Markup | str:
    """To the second."""
    if value is None:
        return numbers.NONE
    local = value.astimezone(settings().timezone)
    return Markup('<time datetime="{}">{}</time>').format(value.astimezone(UTC).isoformat(), f"{local:%m-%d %H:%M:%S}")


def _data(value: Any) -> Markup:
    """A value for a script, inside an element that is not run."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  escaped


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
