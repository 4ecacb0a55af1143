-- What must hold whatever has happened. Each row is an invariant that does not: its name, how often, an example.
-- Parameters: :rescue_seconds, within which what was lost has to be found; :is_alive, whether a daemon is to run.
WITH chunk AS (
    SELECT c.*, b.job_type, b.status AS batch_status, b.input_params::jsonb AS params, b.created_at AS batch_created_at
    FROM batch_chunks AS c JOIN batch_jobs AS b USING (batch_id)
), cell AS (
    -- The cells of each yearly chunk, with the risks and the kinds of result that were asked for.
    SELECT chunk.batch_id, chunk.chunk_no, chunk.state, chunk.batch_created_at, g.grid_id, kind, risk.risk_type
    FROM chunk
    JOIN location_grid AS g ON g.has_climate AND g.grid_id BETWEEN chunk.first_grid_id AND chunk.last_grid_id
        AND (chunk.cells IS NULL OR g.grid_id = ANY (chunk.cells))
    CROSS JOIN unnest(batch_families(chunk.job_type)) AS kind
    JOIN risk_type AS risk ON NOT chunk.params ? 'risk_types' OR chunk.params -> 'risk_types' ? risk.risk_type
), history AS (
    SELECT h.*, lag(status) OVER batch AS status_before, lag(progress) OVER batch AS progress_before,
           lag(attempt) OVER batch AS attempt_before
    FROM chaos.batch_history AS h
    WINDOW batch AS (PARTITION BY batch_id ORDER BY place)
), started AS (
    SELECT job_id, max(at) AS at FROM procrastinate_events WHERE type = 'started' GROUP BY job_id
), violation (invariant, example) AS (
    -- 1. Every asked-for result exists once; none is lost, none is doubled, none is half written.
    SELECT '1 lost: a chunk is done and a result of it is not there',
           format('%s chunk %s: %s of cell %s, %s', batch_id, chunk_no, kind, grid_id, risk_type)
    FROM cell
    WHERE state = 'done' AND NOT EXISTS (
        SELECT FROM chaos.results AS r
        JOIN batch_jobs AS writer ON writer.batch_id = r.batch_id
        WHERE (r.kind, r.grid_id, r.risk_type) = (cell.kind, cell.grid_id, cell.risk_type)
          -- (A request may have computed a cell at the same time; what it writes is compared below.)
          AND (writer.created_at >= cell.batch_created_at OR batch_families(writer.job_type) = '{}'))
    UNION ALL
    SELECT '1 lost: a batch is completed and a chunk of it is not done', format('%s chunk %s', batch_id, chunk_no)
    FROM chunk WHERE batch_status = 'completed' AND state <> 'done'
    UNION ALL
    SELECT '1 doubled: a chunk was done twice', format('%s chunk %s', batch_id, chunk_no)
    FROM chaos.chunk_history WHERE state = 'done' GROUP BY batch_id, chunk_no HAVING count(*) > 1
    UNION ALL
    SELECT '1 half written: a result is there and its chunk is not done',
           format('%s of cell %s, %s, by %s', r.kind, r.grid_id, r.risk_type, r.batch_id)
    FROM chaos.results AS r
    WHERE NOT EXISTS (
        SELECT FROM cell
        WHERE cell.state = 'done'
          AND (cell.batch_id, cell.kind, cell.grid_id, cell.risk_type) = (r.batch_id, r.kind, r.grid_id, r.risk_type))
      AND NOT EXISTS (SELECT FROM chaos.asked WHERE asked.batch_id = r.batch_id)
    -- 2. The same result rows as an undisturbed run.
    UNION ALL
    SELECT '2 differs from the undisturbed run', format('%s of cell %s, %s', r.kind, r.grid_id, r.risk_type)
    FROM chaos.results AS r
    WHERE NOT EXISTS (
        SELECT FROM chaos.reference AS u
        WHERE (u.kind, u.grid_id, u.risk_type, u.content) = (r.kind, r.grid_id, r.risk_type, r.content))
    -- 3. Progress never goes down, is 100 exactly when completed, never shows more than what is committed.
    UNION ALL
    SELECT '3 progress went down', format('%s from %s to %s', batch_id, progress_before, progress)
    FROM history WHERE progress < progress_before
    UNION ALL
    SELECT '3 progress is 100 without completion, or the reverse', format('%s %s at %s', batch_id, status, progress)
    FROM history WHERE (progress = 100) <> (status = 'completed')
    UNION ALL
    SELECT '3 progress shows more than what is committed',
           format('%s shows %s with %s of %s', batch_id, progress, committed_items, total_items)
    FROM history
    -- (A retried batch stays where it stood: progress never goes down. Of a request an attempt is a claim.)
    WHERE (attempt = 1 OR batch_id IN (SELECT batch_id FROM batch_jobs WHERE job_type = 'ondemand_risk_calculation'))
      AND total_items > 0 AND progress > 100.0 * coalesce(committed_items, 0) / total_items
    -- 4. A batch completes exactly once; a cancelled batch writes nothing after the cancel was seen.
    UNION ALL
    SELECT '4 a batch ended twice', format('%s as %s, then as %s', batch_id, status_before, status)
    FROM history
    WHERE status_before IN ('completed', 'failed', 'cancelled') AND status <> status_before
      AND NOT (status_before = 'failed' AND status IN ('queued', 'running'))  -- a retry
    UNION ALL
    SELECT '4 a batch completed twice', batch_id::text
    FROM history WHERE status = 'completed' AND status_before <> 'completed' GROUP BY batch_id HAVING count(*) > 1
    UNION ALL
    SELECT '4 a cancelled batch went on writing', format('%s chunk %s', c.batch_id, c.chunk_no)
    FROM chaos.chunk_history AS c
    JOIN chaos.batch_history AS b ON b.batch_id = c.batch_id AND b.status = 'cancelled'
    WHERE c.state = 'done' AND c.at > b.at
    UNION ALL
    SELECT '4 the counts of a batch are not those of its chunks',
           format('%s: %s open, %s done, %s failed', b.batch_id, b.open_chunks, b.completed_items, b.failed_items)
    FROM batch_jobs AS b
    JOIN (SELECT batch_id, count(*) FILTER (WHERE state IN ('waiting', 'running')) AS open_chunks,
                 coalesce(sum(n_cells) FILTER (WHERE state IN ('done', 'failed')), 0) AS completed_items,
                 coalesce(sum(n_cells) FILTER (WHERE state = 'failed'), 0)
                 + coalesce(sum(cells_without_result) FILTER (
                       WHERE state = 'done' AND batch_status = 'completed' AND batch_families(job_type) = '{}'), 0)
                     AS failed_items
          FROM chunk GROUP BY batch_id) AS counted USING (batch_id)
    WHERE b.status IN ('running', 'completed', 'failed')
      AND (b.open_chunks, b.completed_items, b.failed_items)
          IS DISTINCT FROM (counted.open_chunks::integer, counted.completed_items::integer, counted.failed_items::integer)
    -- 5. Every job ends.
    UNION ALL
    SELECT '5 a job has been at work for longer than a rescue takes', format('%s %s %s', j.id, j.task_name, j.args)
    FROM procrastinate_jobs AS j LEFT JOIN started ON started.job_id = j.id
    WHERE j.status = 'doing' AND coalesce(started.at, '-infinity') < clock_timestamp() - :rescue_seconds * interval '1 s'
    UNION ALL
    SELECT '5 a chunk has been computed for longer than a rescue takes', format('%s chunk %s', batch_id, chunk_no)
    FROM chunk
    WHERE state = 'running' AND started_at < clock_timestamp() - :rescue_seconds * interval '1 s'
    UNION ALL
    SELECT '5 a batch has ended and a chunk of it has not', format('%s chunk %s is %s', c.batch_id, c.chunk_no, c.state)
    FROM chunk AS c JOIN batch_jobs AS b USING (batch_id)
    WHERE b.completed_at < clock_timestamp() - :rescue_seconds * interval '1 s' AND c.state IN ('waiting', 'running')
    UNION ALL
    SELECT '5 a chunk waits and no job computes it', format('%s chunk %s', batch_id, chunk_no)
    FROM chunk LEFT JOIN procrastinate_jobs AS j ON j.id = chunk.job_id
    WHERE batch_status = 'running' AND state = 'waiting' AND (j.id IS NULL OR j.status NOT IN ('todo', 'doing'))
      AND coalesce(chunk.completed_at, '-infinity') < clock_timestamp() - :rescue_seconds * interval '1 s'
    -- 6. The daemon is alive and listens. (That it starts the next job is tried, not looked up.)
    UNION ALL
    SELECT '6 no process gives a sign of life', 'procrastinate_workers'
    WHERE :is_alive AND NOT EXISTS (
        SELECT FROM procrastinate_workers WHERE last_heartbeat > clock_timestamp() - interval '25 s')
    UNION ALL
    SELECT '6 nobody listens', 'the advisory lock of the listener is free'
    WHERE :is_alive AND NOT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted
          AND classid = ((hashtext('aiops listener')::bigint + 4294967296) % 4294967296)::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    -- 7. Whatever failed says so.
    UNION ALL
    -- (A process that ended over a chunk leaves no trace but in its log.)
    SELECT '7 a failed batch lacks its error, its trace or its log row', batch_id::text
    FROM batch_jobs AS b
    WHERE status = 'failed' AND (error_message IS NULL OR NOT EXISTS (
        SELECT FROM batch_job_logs AS l WHERE l.batch_id = b.batch_id AND l.status = 'failed' AND l.step IS NULL)
        OR (error_stack_trace IS NULL AND error_message NOT LIKE '%process%ended%times%'))
    UNION ALL
    SELECT '7 a failed chunk lacks its error or its log row', format('%s chunk %s', batch_id, chunk_no)
    FROM chunk AS c
    WHERE state = 'failed' AND (error IS NULL OR NOT EXISTS (
        SELECT FROM batch_job_logs AS l
        WHERE l.batch_id = c.batch_id AND l.step = format('chunk %s', c.chunk_no) AND l.error_message = c.error))
    UNION ALL
    SELECT '7 an ended batch has not one log row for each run', format('%s has %s', b.batch_id, count(l.log_id))
    FROM batch_jobs AS b
    LEFT JOIN batch_job_logs AS l ON l.batch_id = b.batch_id AND l.step IS NULL AND l.completed_at IS NOT NULL
    WHERE b.status IN ('completed', 'failed', 'cancelled') AND b.attempt > 0
      AND b.job_type <> 'ondemand_risk_calculation'  -- (of a request an attempt is a claim)
    GROUP BY b.batch_id, b.attempt HAVING count(l.log_id) <> b.attempt
)
SELECT invariant, count(*) AS times, min(example) AS example FROM violation GROUP BY invariant ORDER BY invariant
