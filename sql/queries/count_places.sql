-- Of `api_places`, whatever its limit.
SELECT count(*) FROM current_run
