-- +goose Up
-- Adds the index unless it is there, as 00003 does: settled letters are found by when they were settled.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE dead_letter_replays ADD INDEX by_result (result, at)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'dead_letter_replays' AND index_name = 'by_result');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
