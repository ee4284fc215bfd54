-- +goose Up
-- Adds the index unless it is there: notices that were acknowledged long ago are removed.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE notices ADD INDEX by_age (acknowledged_at)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'notices' AND index_name = 'by_age');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
