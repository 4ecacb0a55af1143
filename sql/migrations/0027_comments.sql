-- Every table, view, column and function that a client may use explains itself: `\d+` and `\df+` of psql show it, and
-- docs/reference/database.md is made from it. A column that has a comment of its own keeps it.

COMMENT ON TABLE schema_migrations IS
    'The books: every applied file of the schema, with its hash and the program that applied it.';
COMMENT ON TABLE input_version IS
    'Version of the inputs that all cells share (tides, warming, words); results follow from it.';
COMMENT ON TABLE exposure_results_runs IS 'Exposure of each risk in each run, by its request and place in the list.';
COMMENT ON TABLE vulnerability_results_runs IS
    'Vulnerability of each risk in each run, by its request and place in the list.';
COMMENT ON TABLE aal_scaled_results_runs IS
    'Average annual loss of each risk in each run, by its request and place in the list.';
COMMENT ON TABLE risk_results_runs IS
    'Integrated risk of each risk type in each run, by its request and place in the list.';
COMMENT ON VIEW exposure_results IS 'Exposure of each place and risk, by the run that speaks for it.';
COMMENT ON VIEW vulnerability_results IS 'Vulnerability of each place and risk, by the run that speaks for it.';
COMMENT ON VIEW aal_scaled_results IS
    'Average annual loss of each place and risk after its vulnerability and insurance, by the run that speaks for it.';

-- ---------------------------------------------------------------------------------------------------------------
-- Columns, by table; '*' is every table of a client's that has such a column. The first that fits is taken.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        WITH said (place, relation, name, comment) AS (
            SELECT row_number() OVER (), * FROM (VALUES
            ('scenario', 'scenario', 'Its name in every table.'),
            ('scenario', 'name', 'As it is written in texts.'),
            ('projection', 'projection_id', 'Place in the arrays of packed results, from 1.'),
            ('horizon', 'horizon', 'baseline, or a decade such as 2050s.'),
            ('horizon', 'first_year', 'First year that it is read through.'),
            ('horizon', 'last_year', 'Last year that it is read through.'),
            ('risk_type', 'risk_type', 'Its name in every table.'),
            ('risk_type', 'loss_kind', 'direct: damage to the asset; operational: running costs and output lost.'),
            ('job_type', 'job_type', 'Its name in batch_jobs.'),
            ('job_type', 'task', 'Task of the queue that does it; NULL: none, it is worked on by hand.'),
            ('job_type', 'queue', 'Queue that the task waits in.'),
            ('climate_variable', 'variable', 'Its name (CMIP, ETCCDI).'),
            ('climate_variable', 'cadence', 'daily, monthly or yearly.'),
            ('climate_variable', 'valid_min', 'Least plausible value; what is below is refused when it is loaded.'),
            ('climate_variable', 'valid_max', 'Largest plausible value; what is above is refused when it is loaded.'),
            ('climate_variable', 'description', 'What it is, in English.'),
            ('climate_variable', 'description_ko', 'What it is, in Korean.'),
            ('climate_data', 'first_year', 'Year of the first value, which is that of 1 January.'),
            ('climate_data', 'values', 'The series, packed: see pack_series and unpack_series.'),
            ('climate_data', 'content_hash', 'Hash of the values.'),
            ('climate_long', 'date', 'First day of what the value is of: the day, the month, the year.'),
            ('climate_long', 'value', 'In the variable''s unit; NULL: missing.'),
            ('dataset', 'dataset_id', 'Its number.'),
            ('dataset', 'name', 'Its name, from the file or the command.'),
            ('dataset', 'source', 'What kind of file, or which generator.'),
            ('dataset', 'file_sha256', 'Hash of the file, or of the list of files; NULL: no file.'),
            ('dataset', 'parameters', 'What was said beside the file: place, columns, units.'),
            ('dataset', 'first_year', 'First year that it has values of.'),
            ('dataset', 'last_year', 'Last year that it has values of.'),
            ('dataset', 'synthetic', 'Made by a generator: for trying out, not for decisions.'),
            ('dataset', 'loaded_at', 'When it was loaded.'),
            ('dataset', 'loaded_by', 'Account that loaded it.'),
            ('location_grid', 'latitude', 'Of the cell''s centre, degrees north.'),
            ('location_grid', 'longitude', 'Of the cell''s centre, degrees east.'),
            ('location_grid', 'coast_distance_m', 'Distance to the sea, m.'),
            ('location_grid', 'river_distance_m', 'Distance to the nearest river, m.'),
            ('location_grid', 'forest_distance_m', 'Distance to the nearest forest, m.'),
            ('location_grid', 'admin_code', 'District that the cell lies in: location_admin.admin_code.'),
            ('location_grid', 'name_ko', 'The name in Korean.'),
            ('location_grid', 'attributes_dataset', 'Data set that last wrote the surroundings.'),
            ('location_admin', 'admin_code', 'Code of the district.'),
            ('location_admin', 'population', 'How many live there.'),
            ('api_buildings', 'built_year', 'Year in which it was built.'),
            ('api_buildings', 'structure', 'Structure, by any word of building_term.'),
            ('api_buildings', 'use', 'Use, by any word of building_term.'),
            ('api_buildings', 'basement_floors', 'Storeys below the ground.'),
            ('api_buildings', 'in_flood_zone', 'Lies in a zone that is known to be flooded.'),
            ('building_term', 'field', 'structure or use.'),
            ('building_term', 'term', 'The word, as people write it.'),
            ('building_term', 'key', 'What its spellings have in common: normal_term(term).'),
            ('best_track', 'time', 'Of the fix, UTC.'),
            ('best_track', 'pressure_hpa', 'Central pressure, hPa.'),
            ('best_track', 'shortest_50_nm', 'Shortest radius of winds of 50 knots, nautical miles.'),
            ('best_track', 'direction_30', 'Side of the longest radius of 30 knots, as direction_50.'),
            ('best_track', 'longest_30_nm', 'Longest radius of winds of 30 knots, nautical miles.'),
            ('best_track', 'shortest_30_nm', 'Shortest radius of winds of 30 knots, nautical miles.'),
            ('evapotranspiration_method', 'method', 'penman_monteith, hargreaves, thornthwaite or given.'),
            ('ingest_load', 'n_points', 'Points of the files'' grid that cells take their values from.'),
            ('ingest_load', 'finished_at', 'When the last block was written; NULL: not yet.'),
            ('ingest_block', 'first_point', 'First point of the block.'),
            ('ingest_block', 'last_point', 'Last point of the block.'),
            ('ingest_block', 'cells', 'Cells that were written.'),
            ('ingest_block', 'series_inserted', 'Series that were new.'),
            ('ingest_block', 'series_updated', 'Series that were changed.'),
            ('ingest_block', 'series_unchanged', 'Series that were as stored.'),
            ('ingest_block', 'done_at', 'When it was written.'),
            ('schema_migrations', 'source', 'procrastinate (the queue) or aiops.'),
            ('schema_migrations', 'name', 'Name of the file.'),
            ('schema_migrations', 'sha256', 'Hash of the file.'),
            ('schema_migrations', 'program_version', 'Version of the program that applied it.'),
            ('schema_migrations', 'applied_at', 'When it was applied.'),
            ('batch_jobs', 'batch_id', 'Its number.'),
            ('batch_jobs', 'job_type', 'What is asked for: a row of job_type.'),
            ('batch_jobs', 'status', 'queued, running, completed, failed or cancelled.'),
            ('batch_jobs', 'current_step', 'What is being done, for people.'),
            ('batch_jobs', 'completed_items', 'Cells or sites that are done.'),
            ('batch_jobs', 'failed_items', 'Cells or sites of chunks that failed.'),
            ('batch_jobs', 'total_chunks', 'Chunks of the plan; NULL: not planned, or a single request.'),
            ('batch_jobs', 'open_chunks', 'Chunks that have not ended.'),
            ('batch_jobs', 'results', 'The answer of a request; the totals of a portfolio; a yearly batch has none.'),
            ('batch_jobs', 'warnings', 'What a reader of the answer has to know, a sentence each.'),
            ('batch_jobs', 'error_message', 'Why it failed.'),
            ('batch_jobs', 'error_stack_trace', 'Where it failed in the program.'),
            ('batch_jobs', 'attempt', 'Number of the latest attempt at a request: only it may write.'),
            ('batch_jobs', 'actual_duration_seconds', 'From start to end.'),
            ('batch_jobs', 'created_by', 'Account that asked.'),
            ('batch_jobs', 'worker', 'Process that answers the request.'),
            ('batch_job_logs', 'log_id', 'Its number.'),
            ('batch_job_logs', 'step', 'Part of the run; NULL: the whole.'),
            ('batch_job_logs', 'status', 'How it ended.'),
            ('batch_job_logs', 'duration', 'From start to end.'),
            ('batch_job_logs', 'total_grids', 'Cells, sites or risks that it was about.'),
            ('batch_job_logs', 'processed_grids', 'Those that were worked on.'),
            ('batch_job_logs', 'failed_grids', 'Those that failed.'),
            ('batch_job_logs', 'skipped_grids', 'Those that had not changed since their last result.'),
            ('batch_job_logs', 'success_rate', '% of those that were worked on.'),
            ('batch_job_logs', 'error_message', 'Why it failed.'),
            ('portfolio_site', 'site', 'What was said of it, in normal form.'),
            ('portfolio_site', 'site_no', 'Place in the list, from 0.'),
            ('current_run', 'batch_id', 'Request or portfolio that speaks.'),
            ('risk_run', 'projection_id', 'Scenario and decade that were asked for: projection.projection_id.'),
            ('risk_run', 'risk_types', 'Risk types that were asked for.'),
            ('risk_run', 'building', 'The building as it was taken, defaults included.'),
            ('risk_run', 'building_source', 'By field: request, api_buildings or default.'),
            ('risk_run', 'surroundings', 'Attributes of the cell.'),
            ('risk_run', 'population', 'District and its population; reported, no part of the answer.'),
            ('risk_run', 'steps', 'Steps that were computed anew; NULL: all.'),
            ('risk_run', 'risk_level', 'Level of the total score.'),
            ('risk_run', 'expected_loss', 'Of all risks, KRW a year; NULL without an asset value.'),
            -- packed results: arrays over projections
            ('probability_packed', 'n_bins', 'Bins of intensity.'),
            ('probability_packed', 'bin_edges', 'Upper edges of all bins but the last.'),
            ('probability_packed', 'probabilities', 'Probability of each bin in a year.'),
            ('probability_packed', 'damage_rates', 'Base damage rate of each bin, times reach.'),
            ('probability_packed', 'estimator', 'Codes: estimator_name(code).'),
            ('probability_packed', 'status', 'Codes: result_status_name(code); 0: no data for the projection.'),
            ('hazard_packed', 'score', 'Hazard scores, 0 to 100.'),
            ('hazard_packed', 'status', 'Codes: result_status_name(code); 0: no data for the projection.'),
            ('probability_results', 'bin_probabilities', 'Probability of each bin in a year; they add up to 1.'),
            ('probability_results', 'bin_base_damage_rates', 'Base damage rate of each bin: share of the asset''s value.'),
            ('probability_results', 'bin_edges', 'Edges between the bins, in the unit of the risk''s intensity.'),
            ('*', 'reach', 'Share of the damage rates that reaches the cell; NULL (packed: NaN) where there is none.'),
            ('*', 'estimator', 'How the probabilities were estimated: shrunk, hurdle, count, gev, analytic or kde.'),
            ('*', 'n_years', 'Years of data that it rests on.'),
            ('*', 'baseline', 'Years that the historical baseline is.'),
            ('*', 'aal', 'Average annual loss: sum of probability × damage rate, a fraction of the asset''s value a year.'),
            ('*', 'aal_low', 'Lower bound of its 90 % interval.'),
            ('*', 'aal_high', 'Upper bound of its 90 % interval.'),
            ('*', 'hazard_score', 'Hazard score on a scale of 0 to 1.'),
            ('*', 'hazard_score_100', 'Hazard score, 0 to 100.'),
            ('*', 'hazard_level', 'Its level: score_level.'),
            ('*', 'coverage', 'Share of the score''s weight that had data, 0 to 1.'),
            ('*', 'exposure_score', 'E, 0 to 1: normalized_asset_value × proximity_factor.'),
            ('*', 'normalized_asset_value', 'What stands there on a logarithmic scale, 0.1 to 1.'),
            ('*', 'proximity_factor', 'How near the place is to what harms it, 0 to 1.'),
            ('*', 'vulnerability_score', 'V, 0 to 100: base_score and factors.'),
            ('*', 'base_score', 'Of the risk, before the building''s own properties.'),
            ('*', 'factors', 'Points by property of the building.'),
            ('*', 'defaulted', 'Properties that a default stands for.'),
            ('*', 'is_default', 'Whether a default stands for anything that it was made of.'),
            ('*', 'base_aal', 'Of P(H), a fraction of the asset''s value a year.'),
            ('*', 'base_aal_low', 'Lower bound of its 90 % interval.'),
            ('*', 'base_aal_high', 'Upper bound of its 90 % interval.'),
            ('*', 'vulnerability_factor', 'What V makes of a loss.'),
            ('*', 'insurance_rate', 'Share of a loss that is insured, 0 to 1.'),
            ('*', 'final_aal', 'base_aal × vulnerability_factor × (1 − insurance_rate): a fraction of the value a year.'),
            ('*', 'final_aal_low', 'Lower bound of its 90 % interval.'),
            ('*', 'final_aal_high', 'Upper bound of its 90 % interval.'),
            ('*', 'expected_loss', 'KRW a year; NULL without an asset value.'),
            ('*', 'baseline_aal', 'final_aal of the historical baseline.'),
            ('*', 'aal_change', 'final_aal − baseline_aal.'),
            ('*', 'aal_change_low', 'Lower bound of its 90 % interval.'),
            ('*', 'aal_change_high', 'Upper bound of its 90 % interval.'),
            ('*', 'return_period_losses', 'Once in 10, 20, 50, 100, 200 years: a fraction of the asset''s value.'),
            ('*', 'bin_base_damage_rates', 'As bin_probabilities: base damage rates.'),
            ('*', 'final_aal_by_projection', 'final_aal of all 33 projections.'),
            ('*', 'base_aal_by_projection', 'base_aal of all 33 projections.'),
            ('*', 'status_by_projection', 'Status of all 33 projections, as codes.'),
            ('*', 'hazard_by_projection', 'Hazard score of all 33 projections.'),
            ('*', 'hazard_status_by_projection', 'Status of the Hazard score of all 33 projections, as codes.'),
            ('*', 'risk_score_by_projection', 'risk_score of all 33 projections.'),
            ('*', 'risk_score', '0 to 100: the geometric mean of H, E and V on one scale.'),
            ('*', 'risk_level', 'Its level: score_level.'),
            ('*', 'risk_product', 'H × E × V, each on a scale of 0 to 1.'),
            ('*', 'contribution_percent', 'Share in the whole, %.'),
            ('*', 'total_risk_score', 'Of all risks, 0 to 100.'),
            ('*', 'total_risk_level', 'Level of the total score.'),
            ('*', 'total_aal', 'Sum of the risks'' final AAL, a fraction of the asset''s value a year.'),
            -- what many tables have
            ('*', 'batch_id', 'The batch or request that it is of, or that wrote it: batch_jobs.batch_id.'),
            ('*', 'job_type', 'What was asked for.'),
            ('*', 'site_no', 'Place in a portfolio''s list, from 0; 0 of a single request.'),
            ('*', 'site_id', 'The name that whoever asked has for the site.'),
            ('*', 'grid_id', 'Cell: grid_id_of(latitude, longitude).'),
            ('*', 'latitude', 'Degrees north.'),
            ('*', 'longitude', 'Degrees east.'),
            ('*', 'risk_type', 'Risk: risk_type.risk_type.'),
            ('*', 'scenario', 'Scenario: scenario.scenario.'),
            ('*', 'horizon', 'Horizon: horizon.horizon.'),
            ('*', 'projection_id', 'Scenario and horizon: projection.projection_id.'),
            ('*', 'target_year', 'First year of the decade; NULL: the baseline.'),
            ('*', 'status', 'ok, short_record, insufficient_data, not_applicable or failed.'),
            ('*', 'reason', 'Why there is no value.'),
            ('*', 'method_version', 'Version of the method that computed it.'),
            ('*', 'damage_set', 'Damage rates that were used: calibrated or reference.'),
            ('*', 'input_hash', 'Hash of all that it follows from.'),
            ('*', 'asset_value', 'KRW; NULL: not given.'),
            ('*', 'calculated_at', 'When it was computed.'),
            ('*', 'variable', 'Variable: climate_variable.variable.'),
            ('*', 'unit', 'Unit of its values.'),
            ('*', 'aliases', 'Other names that are understood.'),
            ('*', 'position', 'Order in lists.'),
            ('*', 'name', 'Its name.'),
            ('*', 'name_ko', 'Its name in Korean.'),
            ('*', 'year', 'Year.'),
            ('*', 'storm', 'International number of the storm.'),
            ('*', 'gauge_id', 'Tide gauge: tide_gauge.gauge_id.'),
            ('*', 'basin_id', 'River basin: basin.basin_id.'),
            ('*', 'dataset_id', 'The data set that last wrote the row: dataset.dataset_id.'),
            ('*', 'created_at', 'When it was asked for.'),
            ('*', 'started_at', 'When it was begun.'),
            ('*', 'updated_at', 'When the row was last changed.'),
            ('*', 'completed_at', 'When it ended.')) AS listed
        )
        SELECT DISTINCT ON (c.oid, a.attnum) c.oid::regclass AS relation, a.attname, said.comment
        FROM role_right AS r
        JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(r.object_name))
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN said ON said.name = a.attname AND (said.relation = c.relname OR said.relation = '*')
        WHERE r.role_name = 'aiops_client' AND r.may = 'read' AND col_description(c.oid, a.attnum) IS NULL
        ORDER BY c.oid, a.attnum, said.place
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', found.relation, found.attname, found.comment);
    END LOOP;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Functions

COMMENT ON FUNCTION start_batch IS
    'Start a yearly batch (probability, hazard, assessment, indicators); its number. The active one is answered with, if it '
    'asks the same.';
COMMENT ON FUNCTION batch_status IS
    'How far a batch or request is, its answer, its warnings, or why it failed; no row: no such batch.';
COMMENT ON FUNCTION risk_history IS
    'Every answered run of a place, the newest first, each with what changed since the one before of the same scenario and '
    'target year; an empty list: nothing, it was computed again. speaks: the views show it.';
COMMENT ON FUNCTION what_changed IS 'What differs between two runs, a sentence each; of the first run: {first run}.';
COMMENT ON FUNCTION what_differs IS 'What differs between two objects, a line a key: floors 5 -> 8.';
COMMENT ON FUNCTION canonical_risk_type IS
    'A risk type by its name or an alias; refused by the field''s name when it is not known.';
COMMENT ON FUNCTION refuse_parameter IS
    'Refuse what was given for a field of input_params, and say what is allowed (SQLSTATE 22023).';
COMMENT ON FUNCTION grid_latitude IS 'Latitude of a cell''s centre, degrees north.';
COMMENT ON FUNCTION grid_longitude IS 'Longitude of a cell''s centre, degrees east.';
COMMENT ON FUNCTION series_date IS
    'The date of a series'' value by cadence (daily, monthly, yearly); place counts from 1.';
COMMENT ON FUNCTION projection_slice IS
    'The part of a packed array that belongs to one projection, for arrays of width values per projection, or one for all; '
    'NULL: missing.';
COMMENT ON FUNCTION result_status_name IS 'The status that a code of a packed result means; NULL: 0, no result.';
COMMENT ON FUNCTION estimator_name IS 'The estimator that a code of a packed result means; NULL: 0, none.';
COMMENT ON FUNCTION score_level IS
    'Level of a score of 0 to 100: very_high from 80, high from 60, medium from 40, low from 20, else very_low.';
