-- +goose Up
-- Adds the index unless it is there: MySQL 8 has no ADD INDEX IF NOT EXISTS, and a crash may repeat this file.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE dead_letters ADD INDEX newest_first (at, id)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'dead_letters' AND index_name = 'newest_first');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
