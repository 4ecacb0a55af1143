SELECT to_regclass('procrastinate_jobs') IS NOT NULL
