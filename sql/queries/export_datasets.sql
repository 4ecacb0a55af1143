SELECT DISTINCT name, source, synthetic FROM dataset ORDER BY synthetic DESC, name LIMIT 50
