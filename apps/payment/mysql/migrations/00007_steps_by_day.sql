-- +goose Up
-- Adds the index unless it is there: the reconciliation asks by day which refunds have moved.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE payment_steps ADD INDEX by_time (at, kind)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'payment_steps' AND index_name = 'by_time');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
