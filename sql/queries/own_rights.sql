WITH ours AS (
    SELECT wanted.name, r.oid
    FROM unnest('{aiops_client,aiops_worker}'::text[]) AS wanted (name)
    LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
)
SELECT session_user AS account,
       ARRAY(SELECT name FROM ours WHERE oid IS NULL ORDER BY name) AS missing_roles,
       pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = to_regclass('batch_jobs')), 'MEMBER') AS is_owner,
       coalesce((SELECT pg_has_role(session_user, oid, 'MEMBER') FROM ours WHERE name = 'aiops_worker'), false) AS is_worker,
       coalesce((SELECT pg_has_role(session_user, oid, 'MEMBER') FROM ours WHERE name = 'aiops_client'), false) AS is_client,
       has_table_privilege(to_regclass('batch_chunks'), 'UPDATE') AS may_worker,
       has_column_privilege(to_regclass('batch_jobs'), 'input_params', 'INSERT') AS may_client,
       to_regclass('batch_jobs') IS NOT NULL AS has_tables
