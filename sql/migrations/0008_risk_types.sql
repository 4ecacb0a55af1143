-- The other seven risk types; the same rows as the files of aiops/risks, held together by a test.

INSERT INTO risk_type (risk_type, position, loss_kind, name, name_ko, aliases) VALUES
    ('extreme_cold', 2, 'operational', 'Extreme cold', '극심한 한파', '{cold_wave}'),
    ('wildfire', 3, 'direct', 'Wildfire', '산불', '{}'),
    ('drought', 4, 'operational', 'Drought', '가뭄', '{}'),
    ('water_stress', 5, 'operational', 'Water stress', '물부족', '{water_scarcity}'),
    ('sea_level_rise', 6, 'direct', 'Sea level rise', '해수면 상승', '{coastal_flood}'),
    ('urban_flood', 8, 'direct', 'Urban flood', '도시 홍수', '{}'),
    ('typhoon', 9, 'direct', 'Typhoon', '태풍', '{}');
