-- A batch as JSON; its answer only where it is wanted, for it may be long.
SELECT json_build_object(
    'batch_id', batch_id, 'job_type', job_type, 'status', status, 'progress', progress, 'current_step', current_step,
    'total_items', total_items, 'completed_items', completed_items, 'failed_items', failed_items,
    'results', CASE WHEN %(with_results)s THEN results END, 'warnings', warnings, 'error_message', error_message,
    'created_at', created_at, 'started_at', started_at, 'completed_at', completed_at)::text
FROM batch_status(%(batch_id)s)
