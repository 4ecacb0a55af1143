CREATE TEMPORARY TABLE incoming_series (
    variable   text NOT NULL,
    grid_id    integer NOT NULL,
    scenario   text NOT NULL,
    first_year smallint NOT NULL,
    values     bytea NOT NULL,
    PRIMARY KEY (variable, grid_id, scenario)
) ON COMMIT DROP
