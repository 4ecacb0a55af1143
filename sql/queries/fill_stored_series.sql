-- The data set stays: it is that of the values that were there.
WITH written AS (
    UPDATE climate_data AS stored SET first_year = new.first_year, values = new.values
    FROM incoming_series AS new
    WHERE stored.variable = new.variable AND stored.grid_id = new.grid_id AND stored.scenario = new.scenario
      AND (stored.first_year, stored.values) IS DISTINCT FROM (new.first_year, new.values)
    RETURNING 1
)
SELECT 0, (SELECT count(*) FROM written),
       (SELECT count(*) FROM incoming_series JOIN climate_data USING (variable, grid_id, scenario))
           - (SELECT count(*) FROM written)
