"""Whether the daemon works, and in figures how: `aiops health`, and over HTTP `/livez`, `/readyz`, `/metrics`.

The HTTP server runs in threads of the daemon's parent. The parent has no event loop, no job and no connection that it
needs: it can answer whatever the database does, and it is the one process whose end ends the daemon.
"""
