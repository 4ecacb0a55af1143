COPY incoming_buildings (
    line, building_id, name, latitude, longitude, floor_area_m2, built_year, structure, floors, basement_floors, use,
    water_tank, pilotis, in_flood_zone) FROM STDIN (FORMAT BINARY)
