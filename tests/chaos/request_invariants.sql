-- The invariants of requests of one place and of portfolios; as in invariants.sql.
-- Parameters: :rescue_seconds.
WITH asked AS MATERIALIZED (
    SELECT * FROM chaos.asked
), run_rows AS MATERIALIZED (
    SELECT part, batch_id, site_no, risk_type FROM chaos.run_rows
), answered AS (
    -- Places that have an answer: their own run, or a stored one.
    SELECT asked.*, CASE WHEN is_cached THEN computed_by ELSE batch_id END AS run_batch_id
    FROM asked
    WHERE CASE job_type WHEN 'ondemand_risk_calculation' THEN status = 'completed'
          ELSE chunk_state = 'done' AND reason IS NULL END
), due AS (
    -- The rows that each of them has to have.
    SELECT a.batch_id, a.site_no, a.is_cached, a.run_batch_id, part.name AS part, risk.name AS risk_type
    FROM answered AS a
    CROSS JOIN unnest('{exposure,vulnerability,aal,risk}'::text[]) AS part (name)
    CROSS JOIN unnest(a.risk_types) AS risk (name)
    UNION ALL
    SELECT batch_id, site_no, is_cached, run_batch_id, 'run', '' FROM answered
), request AS (
    SELECT * FROM batch_jobs WHERE job_type = 'ondemand_risk_calculation'
), portfolio AS (
    SELECT * FROM batch_jobs WHERE job_type = 'portfolio_risk_calculation'
), working AS (
    -- The jobs that are there for a batch.
    SELECT b.batch_id, bool_or(j.status = 'todo') AS is_to_be_done
    FROM batch_jobs AS b JOIN procrastinate_jobs AS j
        ON j.status IN ('todo', 'doing') AND j.task_name NOT LIKE 'send_%'
           AND (j.id = b.origin_job_id OR j.args ->> 'batch_id' = b.batch_id::text)
    GROUP BY b.batch_id
), ends AS (
    SELECT batch_id, count(*) FILTER (WHERE status IN ('completed', 'failed', 'cancelled')
                                      AND status IS DISTINCT FROM status_before) AS times
    FROM (SELECT h.batch_id, h.status, lag(h.status) OVER (PARTITION BY h.batch_id ORDER BY h.place) AS status_before
          FROM chaos.batch_history AS h) AS history
    GROUP BY batch_id
), heard AS (
    SELECT h.*, lag(progress) OVER (PARTITION BY batch_id, crashes ORDER BY place) AS progress_before
    FROM chaos.heard AS h
), violation (invariant, example) AS (
    -- 1. Every asked-for answer exists once; none is lost, none is doubled, none is half written.
    SELECT '1 lost: an answer lacks a row', format('%s site %s: %s %s', batch_id, site_no, part, risk_type)
    FROM due
    WHERE NOT EXISTS (SELECT FROM run_rows AS r
                      WHERE (r.batch_id, r.part, r.risk_type) = (due.run_batch_id, due.part, due.risk_type)
                        AND (due.is_cached OR r.site_no = due.site_no))
    UNION ALL
    SELECT '1 lost: an answer was given and no run speaks for its place', format('%s site %s', batch_id, site_no)
    FROM answered
    WHERE status = 'completed' AND NOT EXISTS (
        SELECT FROM current_run AS c JOIN projection AS p USING (projection_id)
        WHERE (c.latitude, c.longitude) = (answered.latitude, answered.longitude)
          AND p.scenario = answered.question ->> 'scenario'
          AND p.target_year IS NOT DISTINCT FROM (answered.question ->> 'target_year')::smallint)
    UNION ALL
    SELECT '1 doubled: an answer has rows that nobody asked for', format('%s site %s: %s %s', batch_id, site_no, part, risk_type)
    FROM run_rows AS r
    WHERE NOT EXISTS (SELECT FROM asked AS a
                      WHERE (a.batch_id, a.site_no) = (r.batch_id, r.site_no) AND NOT coalesce(a.is_cached, false)
                        AND (r.part = 'run' OR r.risk_type = ANY (a.risk_types)))
    UNION ALL
    SELECT '1 doubled: a site has an answer and a reason for having none', format('%s site %s', batch_id, site_no)
    FROM asked WHERE reason IS NOT NULL
        AND EXISTS (SELECT FROM run_rows AS r
                    WHERE (r.batch_id, r.site_no, r.part) = (asked.batch_id, asked.site_no, 'run'))
    UNION ALL
    SELECT '1 half written: a run is there and what asked for it has not got it', format('%s site %s', batch_id, site_no)
    FROM run_rows AS r
    WHERE part = 'run' AND NOT EXISTS (
        SELECT FROM answered AS a WHERE (a.batch_id, a.site_no) = (r.batch_id, r.site_no))
    UNION ALL
    SELECT '1 half written: sites of a chunk are there and the chunk is not done',
           format('%s site %s: %s %s', batch_id, site_no, part, risk_type)
    FROM run_rows AS r
    WHERE EXISTS (SELECT FROM asked AS a
                  WHERE (a.batch_id, a.site_no) = (r.batch_id, r.site_no)
                    AND a.job_type = 'portfolio_risk_calculation' AND a.chunk_state IS DISTINCT FROM 'done')
    UNION ALL
    SELECT '1 half written: a place speaks by a run that is not whole', format('%s site %s', c.batch_id, c.site_no)
    FROM current_run AS c
    WHERE NOT EXISTS (SELECT FROM answered AS a
                      WHERE (a.batch_id, a.site_no, a.status) = (c.batch_id, c.site_no, 'completed'))
    UNION ALL
    SELECT '1 half written: a request has computed one kind of its cell''s results, or some risks',
           format('%s: %s of cell %s, %s', a.batch_id, kind.name, cell.grid_id, risk.name)
    FROM answered AS a
    CROSS JOIN LATERAL (SELECT grid_id_of(a.latitude, a.longitude) AS grid_id) AS cell
    CROSS JOIN unnest('{probability,hazard}'::text[]) AS kind (name)
    CROSS JOIN unnest(a.risk_types) AS risk (name)
    WHERE EXISTS (SELECT FROM chaos.results AS r WHERE (r.batch_id, r.grid_id) = (a.batch_id, cell.grid_id))
      AND NOT EXISTS (SELECT FROM chaos.results AS r
                      WHERE (r.kind, r.grid_id, r.risk_type) = (kind.name, cell.grid_id, risk.name))
    -- 2. The same answers as from an undisturbed run.
    UNION ALL
    SELECT '2 an answer differs from that of an undisturbed run',
           format('%s site %s: %s %s', a.batch_id, a.site_no, r.part, r.risk_type)
    FROM answered AS a
    JOIN chaos.run_rows AS r ON (r.batch_id, r.site_no) = (a.batch_id, a.site_no)
    WHERE NOT EXISTS (
        SELECT FROM chaos.answer AS u
        WHERE (u.question, u.part, u.risk_type, u.content)
              = (md5(a.question::text), r.part, r.risk_type, chaos.content(r.row)))
    UNION ALL
    SELECT '2 an answer is told otherwise than it is stored', b.batch_id::text
    FROM request AS b
    JOIN risk_run AS r ON r.batch_id = coalesce((b.results ->> 'computed_by')::uuid, b.batch_id)
    WHERE b.status = 'completed'
      AND ((b.results -> 'integrated_risk' ->> 'total_risk_score')::float8, b.results ->> 'batch_id',
           ARRAY(SELECT jsonb_array_elements_text(b.results::jsonb -> 'risk_types')))
          IS DISTINCT FROM (r.total_risk_score, b.batch_id::text, r.risk_types)
    -- 3. Progress never goes down: not for those who listen, either. A crash of the server may take back the last steps of
    -- a request, and nothing of a batch. (For the rest, see the history.)
    UNION ALL
    SELECT '3 progress was heard to go down', format('%s from %s to %s', batch_id, progress_before, progress)
    FROM heard WHERE progress < progress_before
    -- 4. A request ends once; the sums of a portfolio are those of its sites.
    UNION ALL
    SELECT '4 an end that was heard is not the end that is stored', format('%s: %s, and then %s', batch_id, h.status, b.status)
    FROM heard AS h JOIN batch_jobs AS b USING (batch_id)
    WHERE h.status IN ('completed', 'cancelled') AND b.status <> h.status
    UNION ALL
    SELECT '4 the sums of a portfolio are not those of its sites',
           format('%s: %s of %s answered, loss %s, mean AAL %s', p.batch_id, s.answered, s.sites, s.loss, s.aal)
    FROM portfolio AS p
    CROSS JOIN LATERAL (
        SELECT count(*) AS sites, count(r.batch_id) AS answered, count(site.reason) AS without,
               coalesce(sum(r.expected_loss), 0) AS loss, avg(r.total_aal) AS aal,
               coalesce(sum(r.asset_value), 0) AS value
        FROM portfolio_site AS site
        LEFT JOIN risk_run AS r ON (r.batch_id, r.site_no) = (site.batch_id, site.site_no)
        WHERE site.batch_id = p.batch_id) AS s
    CROSS JOIN LATERAL (SELECT p.results::jsonb #> '{totals,losses,sum,all}' AS told) AS sums
    WHERE p.status = 'completed'
      AND ((p.total_items, p.results ->> 'sites', p.results ->> 'answered', p.results ->> 'without_answer')
               IS DISTINCT FROM (s.sites::integer, s.sites::text, s.answered::text, s.without::text)
           OR s.sites <> s.answered + s.without
           -- Amounts are whole KRW, site by site.
           OR coalesce((told ->> 'expected_loss')::float8, 0) <> s.loss
           OR coalesce((p.results ->> 'asset_value')::float8, 0) <> s.value
           OR abs(coalesce((told ->> 'mean_aal')::float8, -1) - s.aal) > 1e-9 * s.aal)
    -- 5. Every request ends.
    UNION ALL
    SELECT '5 a request has been under way for longer than a rescue takes', format('%s at %s', r.batch_id, r.progress)
    FROM request AS r LEFT JOIN working AS w USING (batch_id)
    WHERE r.status = 'running' AND w.is_to_be_done IS NOT true
      AND r.updated_at < clock_timestamp() - :rescue_seconds * interval '1 s'
    UNION ALL
    SELECT '5 a request or a portfolio waits and no job is there for it', format('%s, %s', b.batch_id, b.status)
    FROM (TABLE request UNION ALL TABLE portfolio) AS b
    WHERE (b.status = 'queued' OR (b.status = 'running' AND b.job_type = 'ondemand_risk_calculation'))
      AND b.updated_at < clock_timestamp() - :rescue_seconds * interval '1 s'
      AND NOT EXISTS (SELECT FROM working AS w WHERE w.batch_id = b.batch_id)
    -- 7. Whatever ended says so.
    UNION ALL
    SELECT '7 a request has not one log row for each time that it ended', format('%s has %s', b.batch_id, l.rows)
    FROM request AS b
    JOIN ends USING (batch_id)
    CROSS JOIN LATERAL (SELECT count(*) AS rows FROM batch_job_logs AS l
                        WHERE l.batch_id = b.batch_id AND l.step IS NULL AND l.completed_at IS NOT NULL) AS l
    WHERE l.rows <> ends.times
    UNION ALL
    SELECT '7 an ended request is still held, or does not say when it ended', batch_id::text
    FROM request
    WHERE status IN ('completed', 'failed', 'cancelled') AND (lease_until IS NOT NULL OR completed_at IS NULL)
)
SELECT invariant, count(*) AS times, min(example) AS example FROM violation GROUP BY invariant ORDER BY invariant
