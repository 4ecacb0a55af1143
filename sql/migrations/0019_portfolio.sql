-- Portfolios: up to ten thousand sites in one request. They are computed by the chunk, as the cells of a yearly batch are,
-- and speak for their places all at once, when the last chunk is done.

CREATE TABLE portfolio_site (
    batch_id  uuid NOT NULL,
    site_no   integer NOT NULL,
    site_id   text,
    latitude  float8 NOT NULL,
    longitude float8 NOT NULL,
    grid_id   integer NOT NULL,
    site      jsonb NOT NULL,
    reason    text,
    PRIMARY KEY (batch_id, site_no)
);
COMMENT ON TABLE portfolio_site IS
    'The sites of a portfolio as they were asked for, in normal form; site_no is the place in the list, from 0.';
COMMENT ON COLUMN portfolio_site.site_id IS 'The name that whoever asked has for it.';
COMMENT ON COLUMN portfolio_site.reason IS 'Why it has no answer; NULL: it has one, or is not computed yet.';

ALTER TABLE batch_chunks ADD COLUMN summary jsonb;
COMMENT ON COLUMN batch_chunks.summary IS
    'Of a portfolio''s chunk: sums over its sites, so that the whole is concluded without looking at a site. sums: by '
    'part, subject and measure an array over projections (projection_id).';
COMMENT ON COLUMN batch_chunks.first_grid_id IS 'First cell of a yearly batch''s chunk; first site of a portfolio''s.';
COMMENT ON COLUMN batch_chunks.cells_without_result IS
    'Cells that lack the data of a result; of a portfolio: sites without an answer.';

CREATE FUNCTION keep_portfolio_sites(p_batch_id uuid, sites jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO portfolio_site (batch_id, site_no, site_id, latitude, longitude, grid_id, site)
    SELECT p_batch_id, e.n - 1, e.one ->> 'site_id', place.latitude, place.longitude,
           grid_id_of(place.latitude, place.longitude), e.one
    FROM jsonb_array_elements(sites) WITH ORDINALITY AS e (one, n)
    CROSS JOIN LATERAL (SELECT (e.one ->> 'latitude')::float8 AS latitude, (e.one ->> 'longitude')::float8 AS longitude) AS place;
END;

-- ---------------------------------------------------------------------------------------------------------------
-- Planning

-- Somebody waits for a portfolio; the yearly batches have all night.
CREATE FUNCTION chunk_priority(job_type text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE job_type WHEN 'portfolio_risk_calculation' THEN 10 ELSE 0 END;

-- So many chunks that progress moves and every process has work, but none so small that its bookkeeping counts.
CREATE FUNCTION portfolio_chunks(n_sites integer, most_sites integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ceil(n_sites::float8 / least(most_sites, 250, greatest(50, n_sites / 20)))::integer;

-- Split a portfolio into chunks, and put one job per chunk on the queue: all in the caller's transaction. A second run
-- of the planning job finds the plan made and makes no other. Returns the number of chunks.
CREATE FUNCTION plan_portfolio(p_batch_id uuid, most_sites integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    batch batch_jobs;
    planning_since timestamptz := clock_timestamp();
    n_sites integer;
    n_chunks integer;
    job_ids bigint[];
BEGIN
    SELECT * INTO batch FROM batch_jobs WHERE batch_id = p_batch_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % does not exist', p_batch_id USING ERRCODE = 'no_data_found';
    END IF;
    IF batch.status <> 'queued' THEN
        RETURN coalesce(batch.total_chunks, 0);
    END IF;
    n_sites := (batch.input_params ->> 'sites')::integer;
    n_chunks := portfolio_chunks(n_sites, most_sites);

    job_ids := procrastinate_defer_jobs_v1(ARRAY(
        SELECT ROW('compute', 'risk_chunk', chunk_priority(batch.job_type), NULL, NULL,
                   jsonb_build_object('batch_id', p_batch_id, 'chunk_no', chunk_no), NULL)::procrastinate_job_to_defer_v1
        FROM generate_series(1, n_chunks) AS chunk_no));
    INSERT INTO batch_chunks (batch_id, chunk_no, first_grid_id, last_grid_id, n_cells, job_id)
    SELECT p_batch_id, chunk_no, first, following - 1, following - first, job_ids[chunk_no]
    FROM generate_series(1, n_chunks) AS chunk_no,
         LATERAL (SELECT n_sites * (chunk_no - 1) / n_chunks AS first, n_sites * chunk_no / n_chunks AS following) AS sites;
    UPDATE batch_jobs SET
        status = 'running', started_at = planning_since, updated_at = clock_timestamp(), attempt = attempt + 1,
        total_items = n_sites, total_chunks = n_chunks, open_chunks = n_chunks, current_step = 'computing',
        estimated_duration_minutes = (
            SELECT n_sites * last.actual_duration_seconds / nullif(last.completed_items, 0) / 60
            FROM batch_jobs AS last
            WHERE last.job_type = batch.job_type AND last.status = 'completed' AND last.completed_items > 0
            ORDER BY last.completed_at DESC LIMIT 1)
    WHERE batch_id = p_batch_id;
    INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, total_grids)
    VALUES (p_batch_id, batch.job_type, 'plan', planning_since, clock_timestamp(), 'completed', n_sites),
           (p_batch_id, batch.job_type, NULL, planning_since, NULL, 'running', n_sites);
    RETURN n_chunks;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- The whole of a portfolio

-- The losses and the assets at risk in every projection, from the sums of the chunks. Amounts are KRW (a year) over the
-- sites with a value, NULL where none has one; shares are of the sites, and of their values, that have a score.
CREATE FUNCTION portfolio_table(p_batch_id uuid) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH summed AS (
        SELECT part.key AS part, subject.key AS subject, measure.key AS measure, of_projection.id,
               sum(of_projection.value::float8) AS total
        -- In one order, so that the same chunks have the same sums to the last digit.
        FROM (SELECT summary FROM batch_chunks WHERE batch_id = p_batch_id ORDER BY chunk_no) AS c
        CROSS JOIN LATERAL jsonb_each(c.summary -> 'sums') AS part
        CROSS JOIN LATERAL jsonb_each(part.value) AS subject
        CROSS JOIN LATERAL jsonb_each(subject.value) AS measure
        CROSS JOIN LATERAL jsonb_array_elements_text(measure.value) WITH ORDINALITY AS of_projection (value, id)
        GROUP BY 1, 2, 3, 4
    ), by_subject AS (
        SELECT id, part, subject,
               max(total) FILTER (WHERE measure = 'sites') AS sites,
               max(total) FILTER (WHERE measure = 'value') AS value,
               max(total) FILTER (WHERE measure = 'valued') AS valued,
               max(total) FILTER (WHERE measure = 'loss') AS loss,
               max(total) FILTER (WHERE measure = 'fraction') AS fraction,
               max(total) FILTER (WHERE measure = 'of_sites') AS of_sites,
               max(total) FILTER (WHERE measure = 'of_value') AS of_value
        FROM summed GROUP BY id, part, subject
    ), shown AS (
        SELECT id, part, jsonb_object_agg(subject, CASE
            WHEN part = 'high' THEN jsonb_build_object(
                'sites', sites, 'of_sites', of_sites, 'share_of_sites', sites / nullif(of_sites, 0),
                'asset_value', CASE WHEN valued > 0 THEN value END, 'of_asset_value', CASE WHEN valued > 0 THEN of_value END,
                'share_of_asset_value', value / nullif(of_value, 0))
            ELSE jsonb_build_object(
                'expected_loss', CASE WHEN valued > 0 THEN loss END, 'asset_value', CASE WHEN valued > 0 THEN value END,
                'aal', loss / nullif(value, 0), 'mean_aal', fraction / nullif(sites, 0), 'sites', sites)
            END) AS subjects
        FROM by_subject GROUP BY id, part
    )
    SELECT jsonb_agg(by_projection.row ORDER BY by_projection.id)
    FROM (
        SELECT s.id, jsonb_build_object(
                   'scenario', p.scenario, 'horizon', p.horizon, 'target_year', p.target_year,
                   'losses', jsonb_object_agg(s.part, s.subjects) FILTER (WHERE s.part <> 'high'),
                   'high_level', (jsonb_agg(jsonb_build_object('total', s.subjects -> 'total', 'by_risk', s.subjects - 'total'))
                                  FILTER (WHERE s.part = 'high')) -> 0) AS row
        FROM shown AS s JOIN projection AS p ON p.projection_id = s.id
        GROUP BY s.id, p.projection_id
    ) AS by_projection;
END;
COMMENT ON FUNCTION portfolio_table IS
    'Per projection: losses (by_risk; sum and union of the risks of each site, by loss kind and in all), and the assets '
    'at level high and above (by_risk, and in all by the total score).';

-- How often something was counted in the chunks of a portfolio: {"subject": {"what": n}} under a key of the summaries.
CREATE FUNCTION portfolio_counts(p_batch_id uuid, of_what text) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(subject, counts), '{}')
    FROM (
        SELECT subject, jsonb_object_agg(what, total) AS counts
        FROM (
            SELECT s.key AS subject, w.key AS what, sum(w.value::integer) AS total
            FROM batch_chunks AS c
            CROSS JOIN LATERAL jsonb_each(c.summary -> of_what) AS s
            CROSS JOIN LATERAL jsonb_each_text(s.value) AS w
            WHERE c.batch_id = p_batch_id
            GROUP BY 1, 2
        ) AS counted
        GROUP BY subject
    ) AS by_subject;
END;

CREATE FUNCTION portfolio_site_name(site_no integer, site_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'site ' || site_no || coalesce(' (' || site_id || ')', '');

CREATE FUNCTION portfolio_warnings(p_batch_id uuid, n_sites bigint, n_without_answer bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    listed CONSTANT integer := 20;
    found text[] := '{}';
    risk record;
    n record;
BEGIN
    IF n_without_answer > 0 THEN
        found := format('%s of %s sites have no answer and are left out of the totals%s', n_without_answer, n_sites,
                        CASE WHEN n_without_answer > listed THEN format('; the first %s:', listed) ELSE ':' END)
            || ARRAY(SELECT portfolio_site_name(s.site_no, s.site_id) || ': ' || s.reason
                     FROM portfolio_site AS s WHERE s.batch_id = p_batch_id AND s.reason IS NOT NULL
                     ORDER BY s.site_no LIMIT listed);
    END IF;
    SELECT sum((summary ->> 'stale')::integer) AS stale, sum((summary ->> 'defaulted')::integer) AS defaulted INTO n
    FROM batch_chunks WHERE batch_id = p_batch_id;
    IF n.stale > 0 THEN
        found := found || format('%s sites: hazard and probability were computed from earlier inputs than there are now; '
                                 'the next yearly batch renews them', n.stale);
    END IF;
    IF n.defaulted > 0 THEN
        found := found || format('%s sites: not everything is known of the building, so defaults stand for the rest',
                                 n.defaulted);
    END IF;
    FOR risk IN
        SELECT s.key AS name, w.key AS status, w.value AS times
        FROM jsonb_each(portfolio_counts(p_batch_id, 'statuses')) AS s, jsonb_each_text(s.value) AS w
        WHERE w.key IN ('failed', 'insufficient_data') ORDER BY 1, 2
    LOOP
        found := found || format('%s: %s at %s sites', risk.name, risk.status, risk.times);
    END LOOP;
    RETURN to_jsonb(found);
END
$$;

-- Every answered site of a portfolio speaks for its place from now on: all at once. Of sites at one place the last.
CREATE FUNCTION let_portfolio_speak(p_batch_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO current_run (latitude, longitude, projection_id, batch_id, site_no)
    SELECT DISTINCT ON (latitude, longitude, projection_id) latitude, longitude, projection_id, batch_id, site_no
    FROM risk_run WHERE batch_id = p_batch_id
    ORDER BY latitude, longitude, projection_id, site_no DESC
    ON CONFLICT (latitude, longitude, projection_id) DO UPDATE SET batch_id = excluded.batch_id, site_no = excluded.site_no;
END;

-- ---------------------------------------------------------------------------------------------------------------
-- The end

CREATE TYPE chunk_totals AS (
    total          bigint,
    failed         bigint,
    items          bigint,
    rows           bigint,
    without_result bigint,
    error          text,
    seconds        jsonb
);

CREATE FUNCTION chunk_totals_of(p_batch_id uuid) RETURNS chunk_totals
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT ROW(
        count(*),
        count(*) FILTER (WHERE state = 'failed'),
        coalesce(sum(n_cells) FILTER (WHERE state = 'done'), 0),
        coalesce(sum(rows_written), 0),
        coalesce(sum(cells_without_result), 0),
        min(error) FILTER (WHERE state = 'failed'),
        coalesce((SELECT jsonb_object_agg(step, total) FROM (
            SELECT step, round(sum(taken::numeric), 3) AS total
            FROM batch_chunks AS c CROSS JOIN LATERAL jsonb_each_text(c.seconds) AS s (step, taken)
            WHERE c.batch_id = p_batch_id GROUP BY step) AS by_step), '{}'))::chunk_totals
    FROM batch_chunks WHERE batch_id = p_batch_id;
END;

CREATE TYPE batch_outcome AS (
    results  jsonb,
    warnings jsonb,
    error    text,
    trace    text
);

CREATE FUNCTION yearly_outcome(batch batch_jobs, chunks chunk_totals) RETURNS batch_outcome
LANGUAGE sql STABLE
RETURN ROW(
    jsonb_build_object(
        'cells', chunks.items, 'skipped', batch.skipped_items, 'rows', chunks.rows, 'chunks', chunks.total,
        'chunks_failed', chunks.failed, 'compute_seconds', chunks.seconds),
    batch.warnings
        || CASE WHEN chunks.total = 0 AND batch.skipped_items = 0
                THEN '["no cell has climate data in what was asked for: nothing was computed"]'::jsonb ELSE '[]' END
        || CASE WHEN chunks.without_result > 0
                THEN jsonb_build_array(format('%s of %s cells lack the data for at least one result (see status '
                     'and reason of the results)', chunks.without_result, chunks.items)) ELSE '[]' END,
    CASE WHEN chunks.failed > 0
         THEN format('%s of %s chunks failed; first: %s', chunks.failed, chunks.total, chunks.error) END,
    batch.error_stack_trace)::batch_outcome;

-- A portfolio of which a chunk failed has no totals: part of a portfolio is another portfolio.
CREATE FUNCTION portfolio_outcome(batch batch_jobs, chunks chunk_totals) RETURNS batch_outcome
LANGUAGE plpgsql STABLE AS $$
DECLARE
    made batch_outcome;
    params jsonb := batch.input_params;
    first_without portfolio_site;
    n record;
    by_projection jsonb;
BEGIN
    made.trace := batch.error_stack_trace;
    made.warnings := portfolio_warnings(batch.batch_id, chunks.items, chunks.without_result);
    made.results := jsonb_build_object(
        'sites', batch.total_items, 'answered', chunks.items - chunks.without_result,
        'without_answer', chunks.without_result, 'rows', chunks.rows, 'chunks', chunks.total,
        'chunks_failed', chunks.failed, 'compute_seconds', chunks.seconds);
    IF chunks.failed > 0 THEN
        made.error := format('%s of %s chunks failed; first: %s', chunks.failed, chunks.total, chunks.error);
        RETURN made;
    END IF;
    IF chunks.without_result = chunks.items THEN
        SELECT * INTO first_without FROM portfolio_site AS s
        WHERE s.batch_id = batch.batch_id AND s.reason IS NOT NULL ORDER BY s.site_no LIMIT 1;
        made.error := format('none of the %s sites has an answer; first: %s: %s', chunks.items,
                             portfolio_site_name(first_without.site_no, first_without.site_id), first_without.reason);
        made.trace := coalesce(made.trace, (
            SELECT c.summary ->> 'trace' FROM batch_chunks AS c
            WHERE c.batch_id = batch.batch_id AND c.summary ? 'trace' ORDER BY c.chunk_no LIMIT 1));
        RETURN made;
    END IF;
    SELECT sum((summary ->> 'valued')::integer) AS valued, sum((summary ->> 'asset_value')::float8 ORDER BY chunk_no) AS value,
           min(summary ->> 'method_version') AS method_version, min(summary ->> 'damage_set') AS damage_set
    INTO n FROM batch_chunks WHERE batch_id = batch.batch_id;
    by_projection := portfolio_table(batch.batch_id);
    made.results := made.results || jsonb_build_object(
        'status', 'success', 'batch_id', batch.batch_id,
        'scenario', params -> 'scenario', 'target_year', params -> 'target_year', 'risk_types', params -> 'risk_types',
        'sites_with_value', n.valued, 'asset_value', CASE WHEN n.valued > 0 THEN n.value END,
        'levels', portfolio_counts(batch.batch_id, 'levels') -> 'total',
        'risk_status', portfolio_counts(batch.batch_id, 'statuses'),
        'totals', (SELECT one FROM jsonb_array_elements(by_projection) AS one
                   WHERE one ->> 'scenario' = params ->> 'scenario'
                     AND (one ->> 'target_year') IS NOT DISTINCT FROM (params ->> 'target_year')),
        'projection_table', by_projection, 'method_version', n.method_version, 'damage_set', n.damage_set,
        'duration_seconds', round(extract(epoch FROM clock_timestamp() - batch.started_at), 3));
    RETURN made;
END
$$;

-- Complete a batch whose last chunk has ended; the caller holds its row. Says how long, how many, and what was missing.
CREATE OR REPLACE FUNCTION conclude_batch(p_batch_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    chunks chunk_totals := chunk_totals_of(p_batch_id);
    batch batch_jobs;
    outcome batch_outcome;
BEGIN
    SELECT * INTO batch FROM batch_jobs WHERE batch_id = p_batch_id;
    IF batch.job_type = 'portfolio_risk_calculation' THEN
        outcome := portfolio_outcome(batch, chunks);
        IF outcome.error IS NULL THEN
            PERFORM let_portfolio_speak(p_batch_id);
        END IF;
    ELSE
        outcome := yearly_outcome(batch, chunks);
    END IF;
    UPDATE batch_jobs AS b SET
        status = CASE WHEN outcome.error IS NULL THEN 'completed' ELSE 'failed' END,
        progress = CASE WHEN outcome.error IS NULL THEN 100 ELSE b.progress END,
        current_step = NULL, completed_at = clock_timestamp(), updated_at = clock_timestamp(),
        failed_items = CASE b.job_type WHEN 'portfolio_risk_calculation'
                       THEN b.completed_items - chunks.items + chunks.without_result ELSE b.failed_items END,
        results = outcome.results, warnings = outcome.warnings, error_message = outcome.error,
        error_stack_trace = outcome.trace
    WHERE b.batch_id = p_batch_id
    RETURNING b.* INTO batch;

    UPDATE batch_job_logs AS l SET
        completed_at = batch.completed_at, status = batch.status, total_grids = batch.total_items,
        processed_grids = batch.completed_items, failed_grids = batch.failed_items,
        skipped_grids = batch.skipped_items, error_message = batch.error_message
    WHERE l.batch_id = p_batch_id AND l.completed_at IS NULL;
    PERFORM queue_notifications(p_batch_id);
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Reading

CREATE FUNCTION portfolio_results(batch_id uuid)
RETURNS TABLE (site_no integer, site_id text, latitude float8, longitude float8, grid_id integer, asset_value float8,
               insurance_rate float8, total_risk_score float8, risk_level text, total_aal float8, expected_loss float8,
               status text, reason text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.site_no, s.site_id, s.latitude, s.longitude, s.grid_id, (s.site ->> 'asset_value')::float8,
           coalesce(s.site ->> 'insurance_rate', b.input_params ->> 'insurance_rate')::float8,
           r.total_risk_score, r.risk_level, r.total_aal, r.expected_loss,
           CASE WHEN r.batch_id IS NOT NULL THEN 'ok'
                WHEN s.reason IS NOT NULL THEN 'failed'
                WHEN b.status IN ('queued', 'running') THEN 'waiting'
                ELSE b.status END,
           CASE WHEN r.batch_id IS NULL THEN coalesce(s.reason, b.error_message) END
    FROM portfolio_site AS s
    JOIN batch_jobs AS b ON b.batch_id = s.batch_id
    LEFT JOIN risk_run AS r ON r.batch_id = s.batch_id AND r.site_no = s.site_no
    WHERE s.batch_id = portfolio_results.batch_id
    ORDER BY s.site_no;
END;
COMMENT ON FUNCTION portfolio_results IS
    'One row per site of a portfolio, in the order of the list. status: ok, failed (reason says why), waiting, or cancelled. '
    'Its rows by risk stand in the views and tables of single places, under this batch_id and site_no.';

-- The history of a place has no run of a portfolio that is not answered whole. (As before, but for that.)
CREATE OR REPLACE FUNCTION risk_history(latitude float8, longitude float8)
RETURNS TABLE (calculated_at timestamptz, batch_id uuid, site_no integer, scenario text, target_year smallint,
               total_risk_score float8, risk_level text, total_aal float8, expected_loss float8, speaks boolean,
               changes text[], method_version text, damage_set text, risk_types text[])
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.calculated_at, r.batch_id, r.site_no, p.scenario, p.target_year, r.total_risk_score, r.risk_level, r.total_aal,
           r.expected_loss, c.batch_id IS NOT NULL, what_changed(r.before, r.run), r.method_version, r.damage_set, r.risk_types
    FROM (SELECT run.*, run AS run, lag(run) OVER (PARTITION BY run.projection_id ORDER BY run.calculated_at) AS before
          FROM risk_run AS run
          WHERE run.latitude = risk_history.latitude AND run.longitude = risk_history.longitude
            AND NOT EXISTS (SELECT FROM batch_jobs AS b
                            WHERE b.batch_id = run.batch_id AND b.job_type = 'portfolio_risk_calculation'
                              AND b.status <> 'completed')) AS r
    JOIN projection AS p ON p.projection_id = r.projection_id
    LEFT JOIN current_run AS c ON (c.latitude, c.longitude, c.projection_id, c.batch_id, c.site_no)
                                = (r.latitude, r.longitude, r.projection_id, r.batch_id, r.site_no)
    ORDER BY r.calculated_at DESC;
END;
