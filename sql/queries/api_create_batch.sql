-- The text as it came: the database's own validator reads it, and sees what a parser would have dropped.
INSERT INTO batch_jobs (job_type, input_params) VALUES (%(job_type)s, %(input_params)s::json) RETURNING batch_id::text
