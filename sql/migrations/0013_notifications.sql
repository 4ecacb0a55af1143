-- Telling whoever asked that a request has ended: a webhook, an e-mail, or both. Where to is nobody else's business: it
-- stands in this table alone, not in the request, not in the queue, not in a log.

CREATE TABLE request_notification (
    batch_id     uuid PRIMARY KEY,
    webhook      text,
    email        text,
    webhook_lost integer NOT NULL DEFAULT 0,
    email_lost   integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON request_notification FROM PUBLIC;
COMMENT ON TABLE request_notification IS 'Whom to tell when a request has ended, and where.';
COMMENT ON COLUMN request_notification.webhook_lost IS
    'How often the process that sent the webhook ended on the way; so too email_lost.';

-- ---------------------------------------------------------------------------------------------------------------
-- What may be asked. Addresses are not repeated in what is said about them: a URL may hold a password.

CREATE FUNCTION validate_webhook(given jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    url text := given #>> '{}';
    authority text := substring(url FROM '^[A-Za-z]+://([^/?#]*)');
    host text := regexp_replace(authority, ':[0-9]*$', '');
    port text := substring(authority FROM ':([0-9]*)$');
    wrong text;
BEGIN
    -- No spaces, quotes, backslashes: programs that read addresses do not agree on what follows them.
    wrong := CASE
        WHEN jsonb_typeof(given) <> 'string' THEN 'a JSON ' || jsonb_typeof(given)
        WHEN length(url) > 2000 THEN format('a text of %s characters', length(url))
        WHEN url ~ '[^!-~]' OR url ~ '["<>\\^`{|}]' THEN 'a text with a space or a sign that a URL does not have'
        WHEN url !~* '^https?://' THEN 'a text that does not start with http:// or https://'
        WHEN authority ~ '@' THEN 'a URL with a user or a password'
        WHEN host = '' THEN 'a URL without a host'
        WHEN host !~ '^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])$' THEN 'a URL with an odd host'
        WHEN CASE WHEN port ~ '^[0-9]{1,5}$' THEN port::integer NOT BETWEEN 1 AND 65535 ELSE port IS NOT NULL END
            THEN 'a URL with an odd port'
    END;
    IF wrong IS NOT NULL THEN
        PERFORM refuse_parameter('notify.webhook', wrong, 'an http:// or https:// URL of at most 2000 ASCII characters, '
            'with a host and without user, password and spaces');
    END IF;
    RETURN url;
END
$$;

CREATE FUNCTION validate_email(given jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    address text := given #>> '{}';
    wrong text;
BEGIN
    wrong := CASE
        WHEN jsonb_typeof(given) <> 'string' THEN 'a JSON ' || jsonb_typeof(given)
        WHEN length(address) > 254 THEN format('a text of %s characters', length(address))
        WHEN address !~ ('^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*'
                         '@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$')
             OR strpos(address, '@') > 65 THEN 'a text that is not one address'
    END;
    IF wrong IS NOT NULL THEN
        PERFORM refuse_parameter('notify.email', wrong,
            'one e-mail address of at most 254 ASCII characters, such as name@example.org');
    END IF;
    RETURN address;
END
$$;

-- The `notify` object of a request, checked; a way that is null is left out. NULL for null.
CREATE FUNCTION validate_notification(notify jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    key text;
    value jsonb;
    checked jsonb := '{}';
BEGIN
    IF coalesce(notify, 'null') = 'null' THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(notify) <> 'object' THEN
        PERFORM refuse_parameter('notify', 'a JSON ' || jsonb_typeof(notify), 'an object with webhook, email, or both');
    END IF;
    FOR key, value IN SELECT * FROM jsonb_each(notify) LOOP
        IF key NOT IN ('webhook', 'email') THEN
            PERFORM refuse_parameter('notify.' || left(key, 80), 'this key', 'webhook, email');
        ELSIF value <> 'null' THEN
            checked := checked || jsonb_build_object(key, CASE key
                WHEN 'webhook' THEN validate_webhook(value)
                ELSE validate_email(value)
            END);
        END IF;
    END LOOP;
    IF checked = '{}' THEN
        PERFORM refuse_parameter('notify', 'an object with neither', 'an object with webhook, email, or both');
    END IF;
    RETURN checked;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- The queue

-- Put what is wanted on the queue, in the transaction that ends the request: told is what is committed, and nothing
-- else. Planning goes first: a crowd of slow receivers keeps it waiting for one delivery at most.
CREATE FUNCTION queue_notifications(p_batch_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted request_notification;
BEGIN
    SELECT * INTO wanted FROM request_notification WHERE batch_id = p_batch_id;
    IF wanted.webhook IS NOT NULL THEN
        PERFORM enqueue_job('control', 'send_webhook', jsonb_build_object('batch_id', p_batch_id), -10);
    END IF;
    IF wanted.email IS NOT NULL THEN
        PERFORM enqueue_job('control', 'send_email', jsonb_build_object('batch_id', p_batch_id), -10);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION queue_notifications FROM PUBLIC;

-- How a delivery ended, for good or ill; once told, a job that comes again has nothing to do.
CREATE FUNCTION log_notification(p_batch_id uuid, p_step text, p_took interval, p_error text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO batch_job_logs (batch_id, job_type, step, started_at, completed_at, status, error_message)
    SELECT b.batch_id, b.job_type, p_step, ended.at - p_took, ended.at,
           CASE WHEN p_error IS NULL THEN 'completed' ELSE 'failed' END, p_error
    FROM batch_jobs AS b, (SELECT clock_timestamp() AS at) AS ended
    WHERE b.batch_id = p_batch_id;
END;
REVOKE ALL ON FUNCTION log_notification FROM PUBLIC;

-- What becomes of a delivery whose process ended on the way. The batch has ended, and that is why there is something to
-- tell: so it is handed back, until its process has ended so often that it is taken to be the cause.
CREATE FUNCTION rescue_notification(job procrastinate_jobs, most_tries integer) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    of_batch uuid := (job.args ->> 'batch_id')::uuid;
    way text := CASE job.task_name WHEN 'send_webhook' THEN 'webhook' ELSE 'email' END;
    times integer;
BEGIN
    UPDATE request_notification SET
        webhook_lost = webhook_lost + (way = 'webhook')::integer,
        email_lost = email_lost + (way = 'email')::integer
    WHERE batch_id = of_batch
    RETURNING CASE way WHEN 'webhook' THEN webhook_lost ELSE email_lost END INTO times;
    IF times IS NULL THEN
        PERFORM procrastinate_finish_job_v1(job.id, 'succeeded', false);
        RETURN 'finished';
    END IF;
    IF times >= most_tries THEN
        PERFORM log_notification(of_batch, way, '0', format('the process that sent it ended %s times', times));
        PERFORM procrastinate_finish_job_v1(job.id, 'failed', false);
        RETURN 'failed';
    END IF;
    PERFORM procrastinate_retry_job_v2(job.id, now(), NULL, NULL, NULL);
    PERFORM announce_job(job.queue_name, job.id);
    RETURN 'handed back';
END
$$;
REVOKE ALL ON FUNCTION rescue_notification FROM PUBLIC;
