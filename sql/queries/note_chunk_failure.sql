-- Before the chunk is put back or failed, in the same transaction: what the attempt did and why it failed.
UPDATE batch_chunks SET trace = %(trace)s, seconds = %(seconds)s
WHERE batch_id = %(batch_id)s AND chunk_no = %(chunk_no)s AND attempt = %(attempt)s AND state = 'running'
