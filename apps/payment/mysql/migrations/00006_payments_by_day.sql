-- +goose Up
-- Adds the index unless it is there, as 00003 does with its column: the reconciliation asks by day.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE payments ADD INDEX by_request (requested_at)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'payments' AND index_name = 'by_request');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
