-- A file holds all storms of its time: fixes within it that it has not are superseded. Generated and real storms live
-- beside each other.
DELETE FROM best_track AS known
USING dataset
WHERE known.time BETWEEN %(first)s AND %(last)s
  AND dataset.dataset_id = known.dataset_id
  AND dataset.synthetic = (SELECT synthetic FROM dataset WHERE dataset_id = %(dataset_id)s)
  AND (known.storm, known.time) NOT IN (SELECT * FROM unnest(%(storm)s::text[], %(time)s::timestamptz[]))
