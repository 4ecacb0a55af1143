UPDATE batch_chunks SET summary = %(summary)s WHERE batch_id = %(batch_id)s AND chunk_no = %(chunk_no)s
