-- +goose Up
SET @add_agenda_by_status = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'reservations' AND index_name = 'agenda_by_status') = 0,
    'ALTER TABLE reservations ADD KEY agenda_by_status (status, next_attempt_at)', 'DO 0');
PREPARE add_agenda_by_status FROM @add_agenda_by_status;
EXECUTE add_agenda_by_status;
