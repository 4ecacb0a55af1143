INSERT INTO event_counter AS known (event, kind, times) VALUES (%(event)s, %(kind)s, %(times)s)
ON CONFLICT (event, kind) DO UPDATE SET times = known.times + excluded.times
