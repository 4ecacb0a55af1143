-- Who may do what. Two roles of the server, without login of their own; who is to work with this database is made a
-- member of one of them:
--   aiops_client  asks and reads: says what is wanted (job_type, input_params), follows it, reads the answers, cancels
--                 and retries what it asked for itself;
--   aiops_worker  runs the daemon: claims, computes, writes results; of the inputs it is a reader.
-- Whoever applies the migrations owns everything. PUBLIC may do nothing.

CREATE TABLE role_right (
    role_name   text NOT NULL CHECK (role_name IN ('aiops_client', 'aiops_worker')),
    may         text NOT NULL CHECK (may IN ('read', 'call')),
    object_name text NOT NULL,
    PRIMARY KEY (role_name, may, object_name)
);
COMMENT ON TABLE role_right IS
    'aiops_client may read the tables and views, and call the functions, that stand here, and nothing else. aiops_worker '
    'may call every function and change the rows of every table, but for the tables that stand here: those it may read. '
    'A later migration adds its rows; grant_rights() carries them out.';

INSERT INTO role_right (role_name, may, object_name)
SELECT 'aiops_client', 'read', unnest(ARRAY[
    -- what was asked
    'batch_jobs', 'batch_job_logs',
    -- answers
    'probability_results', 'hazard_results', 'probability_packed', 'hazard_packed',
    'exposure_results', 'vulnerability_results', 'aal_scaled_results', 'risk_results', 'current_run', 'risk_run',
    'exposure_results_runs', 'vulnerability_results_runs', 'aal_scaled_results_runs', 'risk_results_runs',
    'portfolio_site']);

-- Words and inputs: read by both, changed by neither.
INSERT INTO role_right (role_name, may, object_name)
SELECT role_name, 'read', object_name
FROM unnest('{aiops_client,aiops_worker}'::text[]) AS role_name, unnest(ARRAY[
    'scenario', 'horizon', 'projection', 'risk_type', 'job_type', 'climate_variable', 'building_term',
    'location_grid', 'location_admin', 'api_buildings', 'dataset', 'climate_data', 'climate_long',
    'best_track', 'best_track_year', 'tide_gauge', 'tide_gauge_maximum', 'sea_level_rise', 'basin', 'water_use',
    'warming_level', 'evapotranspiration_method', 'schema_migrations']) AS object_name;

INSERT INTO role_right (role_name, may, object_name)
SELECT 'aiops_worker', 'read', unnest('{input_version,role_right,crossing_function}'::text[]);

INSERT INTO role_right (role_name, may, object_name)
SELECT 'aiops_client', 'call', unnest(ARRAY[
    -- asking
    'request_risk', 'request_risk_many', 'start_batch', 'cancel_batch', 'retry_batch',
    -- reading
    'batch_status', 'risk_history', 'portfolio_results', 'what_changed', 'what_differs', 'climate_series', 'population_of',
    'building_near', 'canonical_structure', 'canonical_use', 'canonical_risk_type', 'refuse_parameter',
    -- arithmetic, which the views are made of
    'grid_id_of', 'grid_latitude', 'grid_longitude', 'pack_series', 'unpack_series', 'series_date', 'projection_slice',
    'result_status_name', 'estimator_name', 'score_level', 'normal_term', 'great_circle_m', 'degrees_around']);

CREATE TABLE crossing_function (
    function_name text PRIMARY KEY
);
COMMENT ON TABLE crossing_function IS
    'What a client sets going and the owner''s rights carry out (SECURITY DEFINER), with a search_path that no session can '
    'change: the only ways from what a client may to what it may not. grant_rights() sees to both, since replacing a '
    'function takes both away.';
INSERT INTO crossing_function (function_name) VALUES
    ('batch_jobs_check'), ('batch_jobs_enqueue'), ('start_batch'), ('cancel_batch'), ('retry_batch');

-- ---------------------------------------------------------------------------------------------------------------
-- One's own batches

-- Whose a batch is says the session, not the role that it has put on or that a function lends it.
CREATE FUNCTION refuse_anothers_batch(p_batch_id uuid) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    asked_by text := (SELECT created_by FROM batch_jobs WHERE batch_id = p_batch_id);
BEGIN
    IF asked_by <> session_user
       AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'batch_jobs'::regclass), 'MEMBER')
       AND NOT EXISTS (SELECT FROM pg_roles
                       WHERE rolname = 'aiops_worker' AND pg_has_role(session_user, oid, 'MEMBER')) THEN
        RAISE EXCEPTION 'batch % was asked for by %, not by %', p_batch_id, asked_by, session_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Whoever asked for it may cancel and retry it, members of aiops_worker, and the tables'' owner.';
    END IF;
END
$$;

-- What cancels and retries stays as it is, under another name: who has to be asked first. Before any lock is taken:
-- asking for what one may not do must not hold up its owner.
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('cancel_batch(uuid)'::regprocedure), 'cancel_batch', 'cancel_any_batch');
    EXECUTE replace(pg_get_functiondef('retry_batch(uuid)'::regprocedure), 'retry_batch', 'retry_any_batch');
END
$$;

CREATE OR REPLACE FUNCTION cancel_batch(batch_id uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_anothers_batch(batch_id);
    RETURN cancel_any_batch(batch_id);
END
$$;
COMMENT ON FUNCTION cancel_batch IS 'Cancel a batch of one''s own that is queued or runs; true when this call did it.';

CREATE OR REPLACE FUNCTION retry_batch(batch_id uuid) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_anothers_batch(batch_id);
    RETURN retry_any_batch(batch_id);
END
$$;
COMMENT ON FUNCTION retry_batch IS
    'Run again what failed of a batch of one''s own; the number of chunks or requests, 0 when nothing is to be retried.';

-- ---------------------------------------------------------------------------------------------------------------
-- Rights

-- What rights are given on: everything of ours in the schema, but not what an extension or another owner put there.
-- Partitions are reached through their table.
CREATE FUNCTION our_objects() RETURNS TABLE (kind text, object_name text, signature text, has_rows boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH our AS (
        SELECT c.relnamespace AS home, ARRAY[c.relowner, r.oid] AS owners
        FROM pg_class AS c, pg_roles AS r WHERE c.oid = 'batch_jobs'::regclass AND r.rolname = current_user
    )
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname, c.oid::regclass::text, relkind IN ('r', 'p')
    FROM pg_class AS c, our
    WHERE relnamespace = home AND relowner = ANY (owners) AND relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT relispartition
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'ROUTINE', proname, p.oid::regprocedure::text, false
    FROM pg_proc AS p, our
    WHERE pronamespace = home AND proowner = ANY (owners)
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');
END;

-- The roles belong to the server, not to this database: another may have made them, or may be about to. Whoever may not
-- make any goes on without: everything works then for the owner, and grants follow when the roles are there.
CREATE FUNCTION make_roles() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY '{aiops_client,aiops_worker}'::text[] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- the migration of another database was first
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'the role % does not exist, and % may not create it', wanted, current_user
                    USING HINT = format('Have an administrator run CREATE ROLE %I NOLOGIN, then run aiops db migrate.', wanted);
        END;
    END LOOP;
END
$$;

CREATE FUNCTION grant_rights() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    home text := (SELECT nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                  WHERE c.oid = 'batch_jobs'::regclass);
    change text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aiops schema'), 0);  -- as every migration
    PERFORM make_roles();
    ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
    IF has_schema_privilege('public', home, 'CREATE') THEN  -- the pseudo-role, not the schema
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', home);
    END IF;
    FOR change IN
        SELECT format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, %I, pg_temp', o.signature, home)
        FROM our_objects() AS o JOIN crossing_function AS c ON c.function_name = o.object_name
        WHERE o.kind = 'ROUTINE'
    LOOP
        EXECUTE change;
    END LOOP;
    FOR change IN
        WITH role AS (
            SELECT rolname::text AS name FROM pg_roles WHERE rolname IN ('aiops_client', 'aiops_worker')
        ), object AS (
            SELECT * FROM our_objects()
        ), right_given (role_name, kind, privileges, signature) AS (
            SELECT r.role_name, o.kind, CASE r.may WHEN 'read' THEN 'SELECT' ELSE 'EXECUTE' END, o.signature
            FROM object AS o
            JOIN role_right AS r ON r.object_name = o.object_name AND (r.may = 'call') = (o.kind = 'ROUTINE')
            UNION ALL
            SELECT 'aiops_client', kind, 'INSERT (job_type, input_params)', signature
            FROM object WHERE kind = 'TABLE' AND object_name = 'batch_jobs'
            UNION ALL
            SELECT 'aiops_worker', o.kind,
                   CASE o.kind WHEN 'ROUTINE' THEN 'EXECUTE'
                               WHEN 'SEQUENCE' THEN 'USAGE, SELECT'
                               ELSE CASE WHEN o.has_rows THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END END,
                   o.signature
            FROM object AS o
            WHERE o.object_name NOT IN ('grant_rights', 'make_roles')
              AND NOT EXISTS (SELECT FROM role_right AS r
                              WHERE r.role_name = 'aiops_worker' AND r.may = 'read' AND r.object_name = o.object_name)
        )
        SELECT made.change
        FROM (
            SELECT 1, format('REVOKE ALL ON %s %s FROM %s', kind, string_agg(signature, ', '),
                             (SELECT string_agg(name, ', ') FROM (SELECT 'PUBLIC' UNION ALL SELECT name FROM role) AS w (name)))
            FROM object GROUP BY kind
            UNION ALL
            SELECT 2, format('GRANT %s ON %s %s TO %I', g.privileges, g.kind, string_agg(g.signature, ', '), g.role_name)
            FROM right_given AS g JOIN role ON role.name = g.role_name
            GROUP BY g.privileges, g.kind, g.role_name
            UNION ALL
            SELECT 2, format('GRANT USAGE ON SCHEMA %I TO %I', home, name)
            FROM role WHERE NOT has_schema_privilege(name, home, 'USAGE')
        ) AS made (position, change)
        ORDER BY made.position
    LOOP
        EXECUTE change;
    END LOOP;
END
$$;
COMMENT ON FUNCTION grant_rights IS
    'Give every role exactly the rights of role_right, and PUBLIC none. Run after every migration, in the hands of the '
    'owner; run it again when the roles were made later than the schema.';

SELECT grant_rights();
