SELECT basin_id, mean_flow_million_m3 FROM basin
