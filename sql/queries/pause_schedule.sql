UPDATE schedule SET paused = %(paused)s WHERE schedule = %(schedule)s RETURNING schedule
