-- Sizes in bytes. What this account may not see (data_directory) is NULL.
SELECT current_setting('server_version_num')::integer AS version_number,
       pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = current_database())) AS encoding,
       current_setting('TimeZone') AS timezone,
       least(current_setting('max_connections')::integer
                 - CASE WHEN role.rolsuper THEN 0
                        ELSE current_setting('superuser_reserved_connections')::integer
                             + coalesce(current_setting('reserved_connections', true)::integer, 0) END,
             nullif(role.rolconnlimit, -1),
             (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())) AS most_connections,
       (SELECT count(*) FROM pg_stat_activity
        WHERE coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()
          AND coalesce(application_name, '') NOT LIKE 'aiops %%') AS others_connected,
       pg_size_bytes(current_setting('shared_buffers')) AS shared_buffers,
       pg_size_bytes(current_setting('work_mem')) AS work_mem,
       pg_database_size(current_database()) AS database_size,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       CASE WHEN pg_has_role(session_user, 'pg_read_all_settings', 'USAGE')
            THEN current_setting('data_directory', true) END AS data_directory
FROM pg_roles AS role
WHERE role.rolname = session_user
