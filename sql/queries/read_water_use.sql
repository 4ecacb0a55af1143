SELECT basin_id, scenario, year, withdrawal_million_m3 FROM water_use ORDER BY basin_id, scenario, year
