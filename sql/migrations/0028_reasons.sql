-- Why a place has no answer: where the nearest climate data are, in plain words; or that there are none at all, of which
-- format() had made a sentence with holes.
CREATE OR REPLACE FUNCTION no_climate_reason(latitude float8, longitude float8) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    near record;
BEGIN
    SELECT g.latitude, g.longitude, 111.195 * sqrt(power(g.latitude - no_climate_reason.latitude, 2)
           + power((g.longitude - no_climate_reason.longitude) * cos(radians(no_climate_reason.latitude)), 2)) AS km
    INTO near FROM location_grid AS g WHERE g.has_climate ORDER BY 3 LIMIT 1;
    RETURN format('no climate data at %s, %s (cell %s): a place at sea, or outside what was loaded; ', latitude, longitude,
                  grid_id_of(latitude, longitude))
        || CASE WHEN near.km IS NULL THEN 'no cell has any yet (aiops ingest)'
                ELSE format('the nearest cell that has some is %s, %s, %s km away', near.latitude, near.longitude,
                            round(near.km::numeric, 1)) END;
END
$$;
