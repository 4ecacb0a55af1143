-- Behind a pooler the session's own limits are not set.
SELECT set_config('lock_timeout', '20s', true), set_config('idle_in_transaction_session_timeout', '20s', true),
       pg_advisory_xact_lock(hashtext('aiops results'))
