"""Which certificates are trusted: those of the system and the usual public authorities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


def tls_context() -> ssl.SSLContext:
    """A context that checks certificate and host name.

    SSL_CERT_FILE or SSL_CERT_DIR name other authorities, as they do for other programs. Made in some 20 ms; not to be
    shared between protocols, which write the name of theirs into it.
    """
    context = httpx.create_ssl_context()
    # An authority that the host was told to trust (a company's own) counts here, too.
    context.load_default_certs()
    return context
