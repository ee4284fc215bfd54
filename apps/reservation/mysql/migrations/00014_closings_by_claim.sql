-- +goose Up
SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'closings' AND index_name = 'by_claim') = 0,
    'ALTER TABLE closings ADD KEY by_claim (claimed_until)', 'DO 0');
PREPARE change_once FROM @change;
EXECUTE change_once;
