-- The server's end of the safeguards: a client that vanished without a word loses its session, and its locks, in half a
-- minute, also while a statement of it waits. Settings that do no harm to whoever else uses the session through a pooler.
SELECT set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '30000', false),
       CASE WHEN version() !~* 'visual c|mingw|windows' THEN set_config('client_connection_check_interval', '5s', false) END
