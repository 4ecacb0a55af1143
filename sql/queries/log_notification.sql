-- A request that has been run again meanwhile has another end, and that one is not told yet: what was told of the old one
-- does not count. The row is held, so that no new end slips in between; only a query of its own is done after that.
WITH told AS (
    SELECT b.batch_id FROM batch_jobs AS b
    WHERE b.batch_id = %(batch_id)s AND b.completed_at = %(ended_at)s
    FOR SHARE
)
SELECT log_notification(told.batch_id, %(step)s, make_interval(secs => %(seconds)s), %(error)s) FROM told
