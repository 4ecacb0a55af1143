-- For this transaction only: a pooler may give the session to somebody else after it.
SELECT set_config('transaction_read_only', 'on', true), set_config('client_encoding', 'UTF8', true),
       set_config('statement_timeout', %(milliseconds)s::text, true)
