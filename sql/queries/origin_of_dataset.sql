-- Whether a data set is a generator's, and whether any is.
SELECT coalesce((SELECT synthetic FROM dataset WHERE dataset_id = %(dataset_id)s), false),
       EXISTS (SELECT FROM dataset WHERE synthetic)
