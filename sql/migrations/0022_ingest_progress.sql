-- Loads of gridded files: larger than a transaction, so written block by block; what is done is not done again.

CREATE TABLE ingest_load (
    dataset_id  bigint PRIMARY KEY,
    n_points    integer NOT NULL CHECK (n_points > 0),
    files       jsonb NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
COMMENT ON TABLE ingest_load IS
    'A load of gridded files, one row of dataset each; it is finished when every point of the grid that cells take their '
    'values from stands in a block.';
COMMENT ON COLUMN ingest_load.files IS 'Name and sha256 of each file, by time.';

CREATE TABLE ingest_block (
    dataset_id       bigint NOT NULL,
    first_point      integer NOT NULL,
    last_point       integer NOT NULL CHECK (last_point >= first_point),
    cells            integer NOT NULL,
    series_inserted  integer NOT NULL,
    series_updated   integer NOT NULL,
    series_unchanged integer NOT NULL,
    done_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset_id, first_point)
);
COMMENT ON TABLE ingest_block IS
    'Points of a load''s grid whose cells are written, in the order in which the load reads them; the row is part of the '
    'transaction that wrote them.';

INSERT INTO role_right (role_name, may, object_name)
SELECT role_name, 'read', object_name
FROM unnest('{aiops_client,aiops_worker}'::text[]) AS role_name, unnest('{ingest_load,ingest_block}'::text[]) AS object_name;
