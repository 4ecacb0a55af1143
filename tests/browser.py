"""A page in a real browser without a screen: what it looks like, what it says on its console, what became of it."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=20000",
    "--enable-logging=stderr",
]
SECONDS = 180

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of opening a page."""

    dom: str
    """As HTML, when everything had run."""
    console: list[str]
    """What the page, or the browser about the page, said: errors, refused requests."""


def look_at(page: Path, picture: Path, *, width: int = 1200, height: int = 1600, dark: bool = False) -> Seen:
    """Open a file, and take a picture of it; a phone's width is had from a frame, as a window has a least one."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    opened, added = page, 0
    if width < 500:
        opened, added = _framed(page, width, height), 40
    profile = picture.with_suffix(".profile")
    switches = [*SWITCHES, f"--user-data-dir={profile}", f"--window-size={max(width, 500) + added},{height + added}"]
    if dark:
        switches.append("--blink-settings=preferredColorScheme=0")
    try:
        shot = _run([*switches, f"--screenshot={picture}"], opened)
        dom = _run([*switches, "--dump-dom"], opened)
    finally:
        shutil.rmtree(profile, ignore_errors=True)
    said = re.findall(r"CONSOLE[^\]]*\] (.*)", shot.stderr + dom.stderr)
    assert picture.stat().st_size > 10_000, shot.stderr[-2000:]
    return Seen(dom.stdout, said)


def _run(arguments: list[str], page: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CHROMIUM, *arguments, page.resolve().as_uri()], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def _framed(page: Path, width: int, height: int) -> Path:
    """A page that shows another in a frame, and says in `data-inner` how wide what is in it is."""
    frame = page.with_name(f"{page.stem}-{width}.html")
    inner = html.escape(page.read_text(encoding="utf-8"))
    frame.write_text(
        f'<!doctype html><meta charset="utf-8"><body style="margin:0"><iframe style="border:0" width="{width}" '
        f'height="{height}" srcdoc="{inner}" onload="document.documentElement.dataset.inner = '
        'this.contentDocument.documentElement.scrollWidth"></iframe>',
        encoding="utf-8",
    )
    return frame
