"""From a template and what it shows to one HTML page that needs nothing else."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiops import __version__
from aiops.errors import BadInput
from aiops.report import numbers, words
from aiops.report.korean import in_korean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    import jinja2
    from jinja2.runtime import Context
    from markupsafe import Markup

LANGUAGES: Final = ("en", "ko")
_HERE: Final = Path(__file__).parent / "templates"


def render(template: str, language: str, *, zone: tzinfo = UTC, **shown: Any) -> str:
    """A page.

    Args:
        template: its file's name.
        language: `en` or `ko`: what is shown first; the reader can switch.
        zone: the time zone of the times in it.
        **shown: what the template names. Texts are escaped unless they are `Markup`.

    Raises:
        BadInput: the language is none of the two, or the extra `report` is not installed.
    """
    if language not in LANGUAGES:
        raise BadInput(f"--language: {language!r}; allowed: en, ko")
    return _environment().get_template(template).render(language=language, version=__version__, zone=zone, **shown)


@cache
def _environment() -> jinja2.Environment:
    try:
        import jinja2  # noqa: PLC0415  the extra `report`
    except ImportError:
        raise BadInput("report: needs the extra `report`; install it: pip install 'aiops[report]'") from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False, "separators": (",", ":")}
    environment.globals.update(
        t=_both,
        told=_told,
        word=_word,
        words=words,
        asset=_asset,
        show={"number": numbers.number, "percent": numbers.percent},
    )
    environment.filters.update(
        number=numbers.number,
        short=numbers.short,
        percent=numbers.percent,
        signed=numbers.signed,
        won=numbers.won,
        moment=jinja2.pass_context(_moment),
        day=jinja2.pass_context(_day),
        seconds=numbers.seconds,
    )
    return environment


def _moment(page: Context, value: datetime | None) -> str:
    return numbers.moment(value, page["zone"])


def _day(page: Context, value: datetime | None) -> str:
    return numbers.day(value, page["zone"])


def _both(en: str, ko: str) -> Markup:
    """A text in both languages, of which the page shows one."""
    from markupsafe import Markup  # noqa: PLC0415  the extra `report`

    return Markup('<span class="t" lang="en">{}</span><span class="t" lang="ko">{}</span>').format(en, ko)


def _told(text: str) -> Markup:
    """A reason or a warning, as the database keeps it and in Korean."""
    return _both(text, in_korean(text))


def _word(table: Mapping[str, words.Words], key: str | None) -> Markup | str:
    """A known word in both languages; an unknown one as it stands."""
    if key is None:
        return numbers.NONE
    found = table.get(key)
    return key.replace("_", " ") if found is None else _both(*found)


def _asset(name: str) -> Markup:
    """One of our own files, as it stands: style or script."""
    from markupsafe import Markup  # noqa: PLC0415  the extra `report`

    return Markup((_HERE / name).read_text(encoding="utf-8"))  # noqa: S704  ours, no user's
