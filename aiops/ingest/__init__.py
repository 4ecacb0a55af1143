"""Files become climate data: ASOS daily, long CSV, the daily CSV of one place, and the yearly indicators.

A file is read and judged whole, then written in one transaction. Rows that cannot be used are left out and
reported with their line; a file of which nothing can be used is refused.
"""
