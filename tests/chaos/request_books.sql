-- The books of requests and portfolios: what an undisturbed run answers to each question, what listeners heard, and where a
-- test can take hold of a request.

-- ---------------------------------------------------------------------------------------------------------------
-- Questions and answers

-- What was asked of each place, by a request of one place (site 0) and by a portfolio alike; whom to tell, and whether to
-- compute anew, are no part of the question.
CREATE VIEW chaos.asked AS
SELECT b.batch_id, b.job_type, b.status, coalesce(s.site_no, 0) AS site_no, place.question,
       (place.question ->> 'latitude')::float8 AS latitude, (place.question ->> 'longitude')::float8 AS longitude,
       ARRAY(SELECT jsonb_array_elements_text(place.question -> 'risk_types')) AS risk_types,
       b.results ->> 'cached' = 'true' AS is_cached, (b.results ->> 'computed_by')::uuid AS computed_by,
       s.reason, c.chunk_no, c.state AS chunk_state
FROM batch_jobs AS b
LEFT JOIN portfolio_site AS s ON s.batch_id = b.batch_id
LEFT JOIN batch_chunks AS c ON c.batch_id = s.batch_id AND s.site_no BETWEEN c.first_grid_id AND c.last_grid_id
CROSS JOIN LATERAL (
    SELECT (b.input_params::jsonb - '{sites,notify,force,projections}'::text[])
           || coalesce(s.site - 'site_id', '{}') AS question) AS place
WHERE b.job_type IN ('ondemand_risk_calculation', 'portfolio_risk_calculation');

-- The rows of every run: those of its risks, and the run's own; of the latter without what tells one run from another.
CREATE VIEW chaos.run_rows AS
SELECT 'exposure' AS part, batch_id, site_no, risk_type, to_jsonb(r) AS row FROM exposure_results_runs AS r
UNION ALL
SELECT 'vulnerability', batch_id, site_no, risk_type, to_jsonb(r) FROM vulnerability_results_runs AS r
UNION ALL
SELECT 'aal', batch_id, site_no, risk_type, to_jsonb(r) FROM aal_scaled_results_runs AS r
UNION ALL
SELECT 'risk', batch_id, site_no, risk_type, to_jsonb(r) FROM risk_results_runs AS r
UNION ALL
SELECT 'run', batch_id, site_no, '', to_jsonb(r) - 'inputs' FROM risk_run AS r;

CREATE FUNCTION chaos.content(run_row jsonb) RETURNS text LANGUAGE sql IMMUTABLE
RETURN md5((run_row - '{batch_id,site_no,site_id,calculated_at,answer_hash}'::text[])::text);

CREATE TABLE chaos.answer (
    question  text NOT NULL,
    part      text NOT NULL,
    risk_type text NOT NULL,
    content   text NOT NULL,
    PRIMARY KEY (question, part, risk_type)
);
COMMENT ON TABLE chaos.answer IS 'What an undisturbed run gives, by md5 of the question.';

-- ---------------------------------------------------------------------------------------------------------------
-- History

-- What the rows of a request that are there allow its progress to show, of 100.
CREATE FUNCTION chaos.progress_of(request batch_jobs) RETURNS integer LANGUAGE sql STABLE
RETURN CASE
    WHEN EXISTS (SELECT FROM risk_run WHERE batch_id IN (request.batch_id, (request.results ->> 'computed_by')::uuid)) THEN 100
    WHEN request.attempt = 0 THEN 0
    ELSE (SELECT floor(10
        + 40.0 * (SELECT count(*) FROM exposure_results_runs WHERE batch_id = request.batch_id) / n
        + 30.0 * (SELECT count(*) FROM vulnerability_results_runs WHERE batch_id = request.batch_id) / n
        + 15.0 * (SELECT count(*) FROM aal_scaled_results_runs WHERE batch_id = request.batch_id) / n)
        FROM (SELECT json_array_length(request.input_params -> 'risk_types') AS n) AS risks)
    END;

CREATE FUNCTION chaos.note_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.batch_history (batch_id, status, progress, attempt, committed_items, total_items)
    VALUES (NEW.batch_id, NEW.status, NEW.progress, NEW.attempt, chaos.progress_of(NEW), 100);
    RETURN NULL;
END
$$;
CREATE TRIGGER chaos_note_request AFTER INSERT OR UPDATE ON batch_jobs FOR EACH ROW
    WHEN (NEW.job_type = 'ondemand_risk_calculation') EXECUTE FUNCTION chaos.note_request();

-- What a listener heard. The server's crashes are counted: one takes back the last steps of running requests, and with
-- them their history; who heard of them remembers.
CREATE TABLE chaos.heard (
    place    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id uuid NOT NULL,
    status   text NOT NULL,
    progress integer NOT NULL,
    crashes  integer NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------
-- Holds

-- The gates of a request are the steps (exposure, vulnerability, aal, risk), of which the last is a part of the finishing
-- transaction; the commit of that (answer); and, after it, the note of the job's end (finish).
CREATE FUNCTION chaos.stepping() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step text := TG_ARGV[0];
    fault chaos.failing;
BEGIN
    PERFORM pg_sleep(step_seconds * 2 * random()) FROM chaos.pace WHERE step_seconds > 0;
    PERFORM chaos.pass(step);
    SELECT * INTO fault FROM chaos.failing WHERE step = ANY (steps);
    IF FOUND AND nextval('chaos.failed') <= fault.times THEN
        RAISE EXCEPTION 'a fault of the test' USING ERRCODE = fault.sqlstate;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER chaos_stepping BEFORE INSERT ON exposure_results_runs
    FOR EACH STATEMENT EXECUTE FUNCTION chaos.stepping('exposure');
CREATE TRIGGER chaos_stepping BEFORE INSERT ON vulnerability_results_runs
    FOR EACH STATEMENT EXECUTE FUNCTION chaos.stepping('vulnerability');
CREATE TRIGGER chaos_stepping BEFORE INSERT ON aal_scaled_results_runs
    FOR EACH STATEMENT EXECUTE FUNCTION chaos.stepping('aal');
CREATE TRIGGER chaos_stepping BEFORE INSERT ON risk_results_runs
    FOR EACH STATEMENT EXECUTE FUNCTION chaos.stepping('risk');

CREATE FUNCTION chaos.answering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM chaos.pass('answer');
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER chaos_answering AFTER UPDATE ON batch_jobs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.job_type = 'ondemand_risk_calculation' AND NEW.status = 'completed' AND OLD.status = 'running')
    EXECUTE FUNCTION chaos.answering();
