-- One row a cell: its times and values packed, in the order of time, so that no value is a row on its way.
SELECT cell, count(*), string_agg(int4send(coalesce(moment, -2147483648)), ''::bytea ORDER BY moment), {values}
FROM (SELECT grid_id::bigint AS cell, {moment} AS moment, {columns} FROM {table} {only}) AS wide
GROUP BY cell
ORDER BY cell
