-- What stands at a place: buildings, the words that are used of them, and how many people live around.

-- One form for all spellings of a term: width and composition of the letters, case, spaces and signs between words, a
-- detail in brackets behind it, and an ending that only says what sort of word it is (벽돌구조, 벽돌조, 벽돌).
CREATE FUNCTION normal_term(term text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    regexp_replace(
        regexp_replace(lower(normalize(term, NFKC)), '\([^()]*\)\s*$', ''),
        -- The last five are middle dots of different keyboards, some of them what NFKC has made of others.
        '[\s_.,/&()''"\u00B7\u119E\u2027\u2219\u22C5\u30FB-]+', '', 'g'),
    '(구조물|구조|조|시설물|시설|structures?|buildings?|facility|facilities)$', '');
COMMENT ON FUNCTION normal_term IS 'What two spellings of the same term have in common.';

CREATE TABLE building_term (
    field   text NOT NULL CHECK (field IN ('structure', 'use')),
    term    text NOT NULL,
    meaning text NOT NULL,
    key     text NOT NULL GENERATED ALWAYS AS (normal_term(term)) STORED CHECK (key <> ''),
    PRIMARY KEY (field, key),
    CHECK (field <> 'structure' OR meaning IN (
        'reinforced_concrete', 'steel_reinforced_concrete', 'steel', 'masonry', 'wood', 'sandwich_panel', 'other')),
    CHECK (field <> 'use' OR meaning IN (
        'office', 'retail', 'factory', 'warehouse', 'hotel', 'hospital', 'power', 'residential', 'school', 'other'))
);
COMMENT ON TABLE building_term IS
    'Words for structures and uses of buildings: the canonical names, English synonyms, and the terms of the Korean '
    'building register (건축물대장). A new row is all that it takes for another word to be understood.';
COMMENT ON COLUMN building_term.meaning IS 'The canonical name.';

-- Structures by the register's code list (구조코드), group by group, and what else is written for them.
INSERT INTO building_term (field, meaning, term)
SELECT 'structure', meaning, unnest(terms)
FROM (VALUES
    ('reinforced_concrete', ARRAY[
        'reinforced_concrete', 'concrete', 'RC', 'ferroconcrete', 'precast concrete', 'prestressed concrete',
        'concrete frame', 'reinforced concrete frame',
        '철근콘크리트구조', '콘크리트구조', '프리케스트콘크리트구조', '프리캐스트콘크리트구조', '기타콘크리트구조', '라멘조',
        '철근콘크리트라멘조', '철근콘크리트벽식구조', '벽식구조', '철콘']),
    ('steel_reinforced_concrete', ARRAY[
        'steel_reinforced_concrete', 'SRC', 'steel framed reinforced concrete', 'steel concrete composite',
        'concrete encased steel',
        '철골철근콘크리트구조', '철골콘크리트구조', '철골철근콘크리트합성구조', '기타철골철근콘크리트구조']),
    ('steel', ARRAY[
        'steel', 'steel frame', 'light steel', 'light steel frame', 'light gauge steel', 'heavy steel', 'steel pipe',
        'PEB', 'pre-engineered building', 'metal', 'steel house',
        '철골구조', '일반철골구조', '경량철골구조', '강파이프구조', '철파이프조', '공업화박판강구조(PEB)', '단일형강구조',
        '트러스구조', '기타강구조', '강구조', '스틸하우스조', '경철골구조']),
    ('masonry', ARRAY[
        'masonry', 'brick', 'bricks', 'brickwork', 'stone', 'block', 'blocks', 'concrete block', 'cement block',
        'cement brick', 'adobe', 'unreinforced masonry', 'URM', 'reinforced masonry',
        '조적구조', '벽돌구조', '블록구조', '블럭구조', '석구조', '기타조적구조', '시멘트벽돌조', '시멘트블록조', '시멘트블럭조',
        '콘크리트블록구조', '보강블록구조', '보강블럭구조', '연와조', '시멘트연와조', '적벽돌조', '붉은벽돌조', '돌담 및 토담조',
        '토담조', '흙벽돌조', '석회 및 흙혼합 벽돌조', '황토조', '조석조', '세멘벽돌조', '세멘블록조', '세멘블럭조']),
    ('wood', ARRAY[
        'wood', 'wooden', 'timber', 'log', 'wood frame', 'wooden frame', 'timber frame', 'light wood frame',
        '목구조', '일반목구조', '통나무구조', '트러스목구조', '경량목구조', '중목구조', '한식목구조', '기타목구조', '목재']),
    ('sandwich_panel', ARRAY[
        'sandwich_panel', 'sandwich panels', 'panel', 'prefabricated panel', 'insulated panel',
        '조립식판넬조', '조립식패널조', '샌드위치판넬조', '샌드위치패널조', '판넬조', '패널조', '조립식샌드위치판넬조',
        '조립식샌드위치패널조', '경량철골조립식판넬조', '경량철골조립식패널조']),
    ('other', ARRAY[
        'other', 'container', 'membrane', 'tent',
        '기타구조', '컨테이너조', '막구조', '보강콘크리트조', '비닐하우스', '천막구조', '철파이프비닐하우스'])
) AS of_meaning (meaning, terms);

-- Uses by the Building Act's table (건축법 시행령 별표 1), its present and former headings and common kinds under them.
INSERT INTO building_term (field, meaning, term)
SELECT 'use', meaning, unnest(terms)
FROM (VALUES
    ('office', ARRAY[
        'office', 'offices', 'office tower', 'business', 'commercial office', 'bank', 'government office',
        '업무시설', '일반업무시설', '공공업무시설', '사무소', '사무실', '오피스', '오피스텔', '사옥', '청사', '금융업소', '은행']),
    ('retail', ARRAY[
        'retail', 'shop', 'shops', 'store', 'shopping', 'shopping mall', 'mall', 'department store', 'supermarket',
        'market', 'commercial', 'restaurant', 'neighborhood living facilities', 'neighbourhood living facilities',
        '판매시설', '판매 및 영업시설', '제1종근린생활시설', '제2종근린생활시설', '1종근린생활시설', '2종근린생활시설',
        '제1,2종근린생활시설', '1,2종근린생활시설', '근린생활시설', '근린상가', '상가', '상업시설', '상점', '점포',
        '소매점', '도매시장', '소매시장', '시장', '백화점', '마트', '대형마트', '쇼핑센터', '대형점', '일반음식점', '휴게음식점',
        '음식점']),
    ('factory', ARRAY[
        'factory', 'plant', 'manufacturing', 'manufacturing plant', 'industrial', 'works', 'mill',
        '공장', '일반공장', '아파트형공장', '지식산업센터', '제조공장']),
    ('warehouse', ARRAY[
        'warehouse', 'storage', 'logistics', 'logistics center', 'logistics centre', 'distribution center',
        'distribution centre', 'depot', 'cold storage',
        '창고시설', '일반창고', '물류창고', '물류센터', '물류시설', '냉동창고', '냉장창고', '냉동·냉장창고', '하역장',
        '집배송시설']),
    ('hotel', ARRAY[
        'hotel', 'accommodation', 'lodging', 'motel', 'resort', 'hospitality', 'inn',
        '숙박시설', '일반숙박시설', '관광숙박시설', '생활숙박시설', '호텔', '관광호텔', '여관', '여인숙', '모텔', '콘도미니엄',
        '휴양콘도미니엄', '리조트']),
    ('hospital', ARRAY[
        'hospital', 'medical', 'medical center', 'medical centre', 'healthcare', 'clinic',
        '의료시설', '병원', '종합병원', '요양병원', '한방병원', '치과병원', '정신병원', '격리병원', '의료원']),
    ('power', ARRAY[
        'power', 'power plant', 'power station', 'power generation', 'energy', 'generation', 'district heating',
        '발전시설', '발전소', '화력발전소', '수력발전소', '원자력발전소', '태양광발전소', '태양광발전시설', '풍력발전소', '열병합발전소',
        '집단에너지시설', '집단에너지 공급시설']),
    ('residential', ARRAY[
        'residential', 'residence', 'house', 'housing', 'home', 'dwelling', 'apartment', 'apartments', 'flat', 'flats',
        'condominium', 'detached house', 'single family house', 'multi family house', 'villa', 'dormitory',
        '단독주택', '공동주택', '아파트', '연립주택', '다세대주택', '다가구주택', '다중주택', '기숙사', '공관', '주택', '주거시설',
        '도시형생활주택', '농가주택', '연립', '다세대', '다가구', '빌라', '주상복합']),
    ('school', ARRAY[
        'school', 'schools', 'education', 'educational', 'university', 'college', 'kindergarten', 'campus', 'research',
        'education and research', 'research institute', 'laboratory',
        '교육연구시설', '교육연구 및 복지시설', '학교', '초등학교', '중학교', '고등학교', '대학', '대학교', '유치원', '학원', '연구소',
        '교육원', '연수원', '교육시설', '연구시설', '도서관']),
    ('other', ARRAY[
        'other', 'religious', 'church', 'temple', 'culture', 'cultural', 'museum', 'sports', 'transport',
        'transportation', 'parking', 'parking lot', 'data center', 'data centre', 'telecommunications', 'agricultural',
        'military', 'public',
        '문화 및 집회시설', '문화집회시설', '관람집회시설', '전시시설', '종교시설', '교회', '사찰', '운수시설', '노유자시설', '어린이집',
        '경로당', '수련시설', '운동시설', '위락시설', '위험물 저장 및 처리 시설', '위험물저장처리시설', '주유소', '자동차 관련 시설',
        '주차장', '동물 및 식물 관련 시설', '동·식물 관련 시설', '축사', '온실', '분뇨·쓰레기 처리시설', '분뇨 및 쓰레기 처리시설',
        '자원순환 관련 시설', '교정 및 군사 시설', '교정시설', '국방·군사시설', '방송통신시설', '데이터센터', '묘지 관련 시설',
        '관광 휴게 시설', '장례시설', '장례식장', '야영장 시설', '가설건축물', '공공용시설', '기타'])
) AS of_meaning (meaning, terms);

CREATE FUNCTION canonical_structure(term text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
    SELECT meaning FROM building_term
    WHERE field = 'structure' AND key = normal_term(canonical_structure.term)
);
COMMENT ON FUNCTION canonical_structure IS 'The structure that a term of any spelling means; NULL: not known.';

CREATE FUNCTION canonical_use(term text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
    SELECT meaning FROM building_term
    WHERE field = 'use' AND key = normal_term(canonical_use.term)
);
COMMENT ON FUNCTION canonical_use IS 'The use that a term of any spelling means; NULL: not known.';

CREATE TABLE api_buildings (
    building_id     text PRIMARY KEY CHECK (length(building_id) BETWEEN 1 AND 100),
    name            text,
    latitude        float8 NOT NULL CHECK (latitude BETWEEN 33 AND 39),
    longitude       float8 NOT NULL CHECK (longitude BETWEEN 124.5 AND 132),
    floor_area_m2   float8 CHECK (floor_area_m2 > 0 AND floor_area_m2 <= 1e8),
    -- Not a fixed condition, but what holds on one day holds on every later one: a dump can be read back.
    built_year      smallint CHECK (built_year BETWEEN 1800 AND extract(year FROM current_date) + 1),
    structure       text CHECK (structure IN (
        'reinforced_concrete', 'steel_reinforced_concrete', 'steel', 'masonry', 'wood', 'sandwich_panel', 'other')),
    floors          smallint CHECK (floors BETWEEN 1 AND 200),
    basement_floors smallint CHECK (basement_floors BETWEEN 0 AND 20),
    use             text CHECK (use IN (
        'office', 'retail', 'factory', 'warehouse', 'hotel', 'hospital', 'power', 'residential', 'school', 'other')),
    water_tank      boolean,
    pilotis         boolean,
    in_flood_zone   boolean,
    dataset_id      bigint
);
COMMENT ON TABLE api_buildings IS 'Buildings and where they stand; NULL: not known.';
COMMENT ON COLUMN api_buildings.building_id IS 'Key of the building register (관리건축물대장PK), or any other that is unique.';
COMMENT ON COLUMN api_buildings.floor_area_m2 IS 'Gross floor area (연면적), m².';
COMMENT ON COLUMN api_buildings.floors IS 'Storeys above the ground.';
COMMENT ON COLUMN api_buildings.water_tank IS 'Has a tank that bridges an interruption of the water supply.';
COMMENT ON COLUMN api_buildings.pilotis IS 'Stands on open columns at ground level.';
COMMENT ON COLUMN api_buildings.dataset_id IS 'The data set that last wrote the row; NULL: it was put there by hand.';

CREATE INDEX api_buildings_place_idx ON api_buildings USING gist (point(longitude, latitude));

-- The haversine formula on a sphere of 6,371 km. Nothing but strict functions in it, so that it is inlined; the factor
-- keeps rounding from leaving the domain of asin at the antipodes (half a metre there, nothing elsewhere).
CREATE FUNCTION great_circle_m(latitude_1 float8, longitude_1 float8, latitude_2 float8, longitude_2 float8)
RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN 2 * 6371000 * asin((1 - 1e-15) * sqrt(
    sin(radians(latitude_2 - latitude_1) / 2) ^ 2
    + cos(radians(latitude_1)) * cos(radians(latitude_2)) * sin(radians(longitude_2 - longitude_1) / 2) ^ 2));
COMMENT ON FUNCTION great_circle_m IS 'Distance of two places (degrees), m.';

-- The circle's radius as an angle, and the angle to the meridians that touch it: asin(sin r / cos latitude). Beyond ten
-- thousand kilometres it is the whole frame anyway. A billionth of a degree more keeps what lies on the very edge.
CREATE FUNCTION degrees_around(latitude float8, distance_m float8) RETURNS point
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN point(
    degrees(asin(least(1, sin(least(greatest(distance_m, 0), 1e7) / 6371000) / cos(radians(latitude))))) + 1e-9,
    degrees(least(greatest(distance_m, 0), 1e7) / 6371000) + 1e-9);
COMMENT ON FUNCTION degrees_around IS
    'How far (degrees east, north) a circle of so many metres around a place of this latitude reaches.';

-- The index gives the buildings in the box around the circle, distances on the sphere the nearest of them. A text
-- between dollar signs, not a parsed body: it stays right when the table gets a column. Not STRICT: it is inlined.
CREATE FUNCTION building_near(latitude float8, longitude float8, within_m float8) RETURNS SETOF api_buildings
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT building.*
    FROM api_buildings AS building
    CROSS JOIN LATERAL (
        SELECT great_circle_m(building_near.latitude, building_near.longitude, building.latitude, building.longitude)
    ) AS away (distance_m)
    WHERE point(building.longitude, building.latitude) <@ box(
              point(building_near.longitude, building_near.latitude)
                  - degrees_around(building_near.latitude, building_near.within_m),
              point(building_near.longitude, building_near.latitude)
                  + degrees_around(building_near.latitude, building_near.within_m))
      AND distance_m <= building_near.within_m
    ORDER BY distance_m, building.building_id COLLATE "C"
    LIMIT 1
$$;
COMMENT ON FUNCTION building_near IS
    'The building nearest to a place (degrees) within so many metres; no row: there is none. Of equally near ones the '
    'first by building_id.';

CREATE TABLE location_admin (
    admin_code      text PRIMARY KEY CHECK (length(admin_code) BETWEEN 1 AND 100),
    name            text,
    name_ko         text,
    population      bigint NOT NULL CHECK (population >= 0),
    population_year smallint CHECK (population_year BETWEEN 1900 AND 2300),
    dataset_id      bigint
);
COMMENT ON TABLE location_admin IS
    'Administrative districts and who lives there; cells name theirs in location_grid.admin_code. Population is reported '
    'with a result, it is no part of it.';
COMMENT ON COLUMN location_admin.population_year IS 'Of what year the population is; NULL: not known.';
COMMENT ON COLUMN location_admin.dataset_id IS 'The data set that last wrote the row; NULL: it was put there by hand.';

CREATE FUNCTION population_of(grid_id integer) RETURNS SETOF location_admin
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT district.*
    FROM location_grid AS cell
    JOIN location_admin AS district ON district.admin_code = cell.admin_code
    WHERE cell.grid_id = population_of.grid_id
$$;
COMMENT ON FUNCTION population_of IS 'The district of a cell, with its population; no row: not known.';
