"""Yearly batches: P(H), Hazard scores, or both, of ranges of cells."""
