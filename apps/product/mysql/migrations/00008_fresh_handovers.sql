-- +goose Up
-- Adds the index unless it is there: notices that were never handed over go first.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE notice_handovers ADD INDEX by_attempts (attempts, due_at)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'notice_handovers' AND index_name = 'by_attempts');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
