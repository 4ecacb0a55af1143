"""Faults, put into a real server, real processes and a real network, and what must hold after each."""
