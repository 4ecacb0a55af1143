"""Gridded files, of any size: NetCDF and ESRI ASCII grids, time by time, into series, cell by cell."""
