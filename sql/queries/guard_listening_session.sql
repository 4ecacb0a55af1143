-- A listening session speaks every few seconds. One that does not has lost its client, whatever the network pretends, and
-- must not keep the listener's lock.
SELECT set_config('idle_session_timeout', '20s', false)
