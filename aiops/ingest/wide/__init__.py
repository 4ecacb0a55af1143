"""Wide tables of another database: a row a cell and time, a column a scenario."""
