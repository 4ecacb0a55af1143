INSERT INTO listener_round_trip AS known (channel, seconds) VALUES (%(channel)s, %(seconds)s)
ON CONFLICT (only_row) DO UPDATE SET
    channel = excluded.channel, seconds = excluded.seconds, answered_at = excluded.answered_at
