"""Climate indices from daily and monthly series, vectorised over cells.

Time first, then cells: (days, cells), (months, cells), (years, cells); a single series may be 1-D and comes
back 1-D. Values are float64; NaN is missing and is never filled. Nothing here knows a database or a risk.
"""
