-- Of rows that say the same of a building the first is kept, of rows that contradict each other none.
WITH doubled AS (
    SELECT row_number() OVER same_building AS position, row.*
    FROM incoming_buildings AS row
    WHERE building_id IN (SELECT building_id FROM incoming_buildings GROUP BY building_id HAVING count(*) > 1)
    WINDOW same_building AS (PARTITION BY building_id ORDER BY line)
), compared AS (
    SELECT building_id, later.line, first.line AS first_line,
           (first.name, first.latitude, first.longitude, first.floor_area_m2, first.built_year, first.structure,
            first.floors, first.basement_floors, first.use, first.water_tank, first.pilotis, first.in_flood_zone)
               IS DISTINCT FROM
           (later.name, later.latitude, later.longitude, later.floor_area_m2, later.built_year, later.structure,
            later.floors, later.basement_floors, later.use, later.water_tank, later.pilotis, later.in_flood_zone)
               AS contradicts
    FROM doubled AS first
    JOIN doubled AS later USING (building_id)
    WHERE first.position = 1 AND later.position > 1
), refused AS (
    SELECT line, building_id, contradicts FROM compared
    UNION ALL
    SELECT DISTINCT first_line, building_id, true FROM compared WHERE contradicts
), deleted AS (
    DELETE FROM incoming_buildings USING refused WHERE incoming_buildings.line = refused.line
)
SELECT line, building_id, contradicts FROM refused ORDER BY line
