SELECT event, kind, times FROM event_counter ORDER BY 1, 2
