-- Results as they come: rows of two to four kilobytes were compressed and cut up (TOAST), which cost half of writing them.
-- They lie in their page whole now; a quarter more of disk and WAL for less than half of the server's time.
ALTER TABLE probability_packed SET (toast_tuple_target = 8160);
ALTER TABLE probability_packed
    ALTER COLUMN bin_edges SET STORAGE EXTERNAL,
    ALTER COLUMN probabilities SET STORAGE EXTERNAL,
    ALTER COLUMN damage_rates SET STORAGE EXTERNAL,
    ALTER COLUMN aal SET STORAGE EXTERNAL,
    ALTER COLUMN aal_low SET STORAGE EXTERNAL,
    ALTER COLUMN aal_high SET STORAGE EXTERNAL;
ALTER TABLE hazard_packed SET (toast_tuple_target = 8160);
ALTER TABLE hazard_packed
    ALTER COLUMN score SET STORAGE EXTERNAL,
    ALTER COLUMN coverage SET STORAGE EXTERNAL;
