-- +goose Up
-- The reconciliation asks by day what came due and what was paid.
SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'compensations' AND index_name = 'by_due') = 0,
    'ALTER TABLE compensations ADD KEY by_due (due_at), ADD KEY by_payment (paid_at)', 'DO 0');
PREPARE change_once FROM @change;
EXECUTE change_once;
