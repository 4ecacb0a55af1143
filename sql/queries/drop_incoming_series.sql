DROP TABLE incoming_series
