"""Who may ask: keys that callers send, and the session that a browser has after it has sent one.

Keys are compared in constant time. A session is no state of the server: the cookie names when it ends and proves, by a
key, that this server said so.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

from aiops.errors import SettingsError
from aiops.settings import settings

if TYPE_CHECKING:
    from starlette.datastructures import Headers

COOKIE: Final = "aiops_session"
SESSION_SECONDS: Final = 12 * 3600
_SHORTEST: Final = 16


class Keys:
    """The keys of this server; none: everybody may ask."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = tuple(key.encode() for key in keys)

    @property
    def needed(self) -> bool:
        """Whether a key is asked for at all."""
        return bool(self._keys)

    def find(self, given: str) -> int | None:
        """Which of them it is, from 0; None: none. Takes as long for any other text of its length."""
        digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
        # Every key is compared, so that the time does not tell which one matched.
        same = [hmac.compare_digest(digest, hashlib.sha256(key).digest()) for key in self._keys]
        return same.index(True) if any(same) else None

    def session(self, now: float | None = None) -> str:
        """A session's cookie, for who has shown a key."""
        ends = str(int((time.time() if now is None else now) + SESSION_SECONDS))
        return f"{ends}.{self._proof(self._keys[0], ends)}"

    @staticmethod
    def sent(headers: Headers) -> str:
        """The key that a request brings, ours or not; empty: none."""
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        return headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")

    def admits(self, headers: Headers) -> str | None:
        """By what a request is let in: `key` and its number, `session`; None: by nothing."""
        given = self.sent(headers)
        if given:
            number = self.find(given)
            return None if number is None else f"key {number}"
        return "session" if self._has_session(headers.get("cookie", "")) else None

    def _has_session(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return False
        ends, _, proof = ("" if found is None else found.value).partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) < 12) or int(ends) < time.time():
            return False
        given = proof.encode("utf-8", "replace")
        return sum(hmac.compare_digest(given, self._proof(key, ends).encode()) for key in self._keys) > 0

    @staticmethod
    def _proof(key: bytes, ends: str) -> str:
        return hmac.new(key, f"aiops session until {ends}".encode(), hashlib.sha256).hexdigest()


def keys_of_settings() -> Keys:
    """The keys that API_KEY or API_KEY_FILE names.

    Raises:
        SettingsError: the file cannot be read, is empty, or has a key that is too short.
    """
    ours = settings()
    if ours.api_key is not None:
        return Keys((ours.api_key.get_secret_value(),))
    if ours.api_key_file is None:
        return Keys(())
    try:
        lines = ours.api_key_file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting API_KEY_FILE: {ours.api_key_file}: cannot be read: {error}") from None
    if not lines or min(map(len, lines)) < _SHORTEST:
        raise SettingsError(
            f"setting API_KEY_FILE: {ours.api_key_file}: allowed: keys of at least {_SHORTEST} characters, one a line"
        )
    return Keys(tuple(lines))
