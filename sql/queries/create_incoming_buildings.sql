CREATE TEMPORARY TABLE incoming_buildings (
    line            integer NOT NULL,
    building_id     text NOT NULL,
    name            text,
    latitude        float8 NOT NULL,
    longitude       float8 NOT NULL,
    floor_area_m2   float8,
    built_year      smallint,
    structure       text,
    floors          smallint,
    basement_floors smallint,
    use             text,
    water_tank      boolean,
    pilotis         boolean,
    in_flood_zone   boolean
) ON COMMIT DROP
