-- Of a session that is ours alone: no lock is waited for longer than this, and a client that is stopped in the midst of a
-- transaction does not keep its locks for longer.
SELECT set_config('lock_timeout', '20s', false), set_config('idle_in_transaction_session_timeout', '20s', false)
