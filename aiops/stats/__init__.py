"""Statistics of yearly series: bin probabilities, GEV, intervals, return-period losses."""
