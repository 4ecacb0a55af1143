"""The HTTP face: what web applications ask, in HTTP, and a dashboard.

It holds no formula and no state: every answer is a statement in the database, which checks what is asked. What is kept
in memory (connections, event streams, counters of requests) is lost without harm.
"""
