SELECT channel, seconds, answered_at, extract(epoch FROM clock_timestamp() - answered_at)::float8 AS seconds_ago
FROM listener_round_trip
