"""Reports: one self-contained HTML page for a place, a portfolio or a batch, and what it shows.

A page needs no network: styles, scripts, charts and data stand inside it, and its content security policy forbids it to
ask for anything. The extra `report` has the two libraries that it is made with (Jinja2, Matplotlib).
"""
