"""Results as files of other programs: CSV, Parquet, GeoJSON, NetCDF; row by row or block by block."""
